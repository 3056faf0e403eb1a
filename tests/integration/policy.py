#!/usr/bin/env python3
"""Who may send as whom, and how much: the senders file and the rates of the whole program, with
smtplib; and a senders file that changes while sessions are open.

POSTERN_PATH: kernel or tap. POSTERN_BUILD: the build directory.
"""

import base64
import os
import signal
import smtplib
import subprocess
import unittest

from harness import PASSWORD, USER, Gateway, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")
FRIEND = "friend@example.org"
PLAIN = base64.b64encode(("\0%s\0%s" % (USER, PASSWORD)).encode()).decode()


def mail(sender):
    return b"From: %s\r\nSubject: x\r\n\r\nhi\r\n" % sender.encode()


class Policy(unittest.TestCase):
    def gateway(self, senders, **keys):
        """A gateway with these lines in its senders file, and these keys in its policy."""
        gw = Gateway(PATH)
        self.addCleanup(gw.close)
        lines = ["senders = \"%s\"" % gw.file("senders")]
        lines += ["%s = %s" % (k.replace("_", "-"), v) for k, v in keys.items()]
        with open(gw.file("postern.conf"), "a") as f:
            f.write("policy {\n%s\n}\n" % "\n".join(lines))
        self.write(gw, senders)
        with open(gw.file("users")) as f:
            user = f.read()
        with open(gw.file("users"), "a") as f:
            f.write(user.replace(USER, FRIEND))
        gw.start()
        return gw

    def write(self, gw, senders):
        with open(gw.file("senders"), "w") as f:
            f.write(senders)

    def client(self, gw, login=USER):
        c = smtplib.SMTP_SSL(gw.address, gw.port, context=gw.context(), timeout=20)
        self.addCleanup(c.close)
        c.login(login, PASSWORD)
        return c

    def code(self, call, *args):
        try:
            call(*args)
        except smtplib.SMTPSenderRefused as e:
            return e.smtp_code
        except smtplib.SMTPRecipientsRefused as e:
            return list(e.recipients.values())[0][0]
        except smtplib.SMTPResponseException as e:
            return e.smtp_code
        return 250

    def send(self, c, sender, shown=None):
        return self.code(c.sendmail, sender, ["b@example.net"], mail(shown or sender))

    def test_senders(self):
        gw = self.gateway("%s self sales@example.org\n" % USER)
        c = self.client(gw)
        self.assertEqual(self.send(c, USER), 250)
        self.assertEqual(self.send(c, "sales@example.org", "Sales <sales@example.org>"), 250)
        self.assertEqual(self.send(c, FRIEND), 553)
        self.assertEqual(self.send(c, USER, FRIEND), 550)
        self.assertEqual(self.send(self.client(gw, FRIEND), FRIEND), 250)
        self.assertEqual(len(gw.ids()), 3)

    def test_reload(self):
        gw = self.gateway("%s self\n" % USER)
        c = self.client(gw)
        self.assertEqual(self.send(c, "new@example.org"), 553)
        self.write(gw, "%s self\n%s twice\n" % (USER, USER))
        gw.process.send_signal(signal.SIGHUP)
        gw.wait_for_log("senders file not taken")
        self.assertEqual(self.send(c, USER), 250)
        self.write(gw, "%s new@example.org\n" % USER)
        gw.process.send_signal(signal.SIGHUP)
        gw.wait_for_log('"senders file taken"')
        self.assertEqual(self.send(c, "new@example.org"), 250)
        self.assertEqual(self.send(c, USER), 553)

    def test_rates(self):
        gw = self.gateway("%s self messages=5/1h\n" % FRIEND, messages_per_login='"2/1h"')
        c = self.client(gw)
        self.assertEqual([self.send(c, USER) for _ in range(4)], [250, 250, 450, 450])
        # On another connection he is the same, and somebody else is not he.
        self.assertEqual(self.send(self.client(gw), USER), 450)
        friend = self.client(gw, FRIEND)
        self.assertEqual([self.send(friend, FRIEND) for _ in range(6)], [250] * 5 + [450])
        self.assertEqual(gw.counters()["policy_limited"], 4)

    def test_recipients_and_all_together(self):
        gw = self.gateway("* self\n", recipients='"3/1h"')
        c = self.client(gw)
        many = ["b%d@example.net" % i for i in range(4)]
        refused = c.sendmail(USER, many, mail(USER))
        self.assertEqual(list(refused), many[3:])
        self.assertEqual(refused[many[3]][0], 450)
        self.assertEqual(self.send(self.client(gw, FRIEND), FRIEND), 450)

    def test_sessions(self):
        gw = self.gateway("* self\n", sessions_per_login=2)
        first, _ = self.client(gw), self.client(gw)
        late = smtplib.SMTP_SSL(gw.address, gw.port, context=gw.context(), timeout=20)
        self.addCleanup(late.close)
        late.ehlo()
        self.assertEqual(late.docmd("AUTH", "PLAIN " + PLAIN)[0], 421)
        self.client(gw, FRIEND)
        first.quit()
        gw.wait_for_log("event=session", 2)
        self.client(gw)

    def test_own_size(self):
        gw = self.gateway("%s self size=100k rcpt=7\n" % USER)
        c = self.client(gw)
        c.ehlo()
        self.assertEqual(c.esmtp_features["size"], str(100 * 1024))
        self.assertEqual(c.esmtp_features["limits"], "RCPTMAX=7")
        self.assertEqual(
            self.code(c.sendmail, USER, ["b@example.net"], mail(USER) + b"x\r\n" * 40000), 552
        )

    def test_a_wrong_file_is_refused_at_start(self):
        gw = self.gateway("* self\n")
        self.write(gw, "somebody something\n")
        check = subprocess.run(
            [os.path.join(gw.build, "gateway/postern"), "--check", "-c", gw.file("postern.conf")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.assertEqual(check.returncode, 2)
        self.assertIn(b"senders:1: something must be an address", check.stdout)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
