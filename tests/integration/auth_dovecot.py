#!/usr/bin/env python3
"""Logins that Dovecot knows: by PLAIN, LOGIN and SCRAM against a real one, and what clients are
told when it is gone, mute, or talks rubbish.

POSTERN_BUILD: the build directory.
"""

import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import DEADLINE_S, PASSWORD, USER, Gateway, run_in_namespace, wait_for
from mechanisms import Scram, make_keys

PROVER = "prover@example.org"
CONFIG = """
base_dir = {0}/run
state_dir = {0}/state
log_path = {0}/log
protocols =
ssl = no
disable_plaintext_auth = yes
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {0}/passwd
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  user = root
  unix_listener auth-client {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="postern-dovecot-")
        os.chmod(self.dir, 0o755)
        self.socket = self.dir + "/run/auth-client"
        self.process = None
        with open(self.dir + "/passwd", "w") as f:
            f.write("%s:{PLAIN}%s\n" % (USER, PASSWORD))
            f.write("%s:%s\n" % (PROVER, make_keys(PASSWORD)))
            f.write("sales@example.org:{PLAIN}%s::::::" % PASSWORD)
            f.write("postern_senders=*@example.net,size=20000\n")
            f.write("tired@example.org:{PLAIN}%s::::::nologin\n" % PASSWORD)
        with open(self.dir + "/conf", "w") as f:
            f.write(CONFIG.format(self.dir))

    def start(self):
        self.process = subprocess.Popen(
            ["dovecot", "-F", "-c", self.dir + "/conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for("Dovecot's socket", lambda: os.path.exists(self.socket))

    def stop(self):
        """At once: its auth process would serve those who are connected to the end."""
        with open("/proc/{0}/task/{0}/children".format(self.process.pid)) as f:
            children = [int(pid) for pid in f.read().split()]
        self.process.terminate()
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(DEADLINE_S)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.dir)


class Fake:
    """Says what it is told to, on each connection: the hello, then `answer` to each AUTH's id."""

    HELLO = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"

    def __init__(self, path):
        self.answer = lambda request: b""
        self.hello = self.HELLO
        self.accepted = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            peer, _ = self.listener.accept()
            self.accepted += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, peer.makefile("rb") as lines:
            peer.sendall(self.hello)
            try:
                for line in lines:
                    words = line.rstrip(b"\n").split(b"\t")
                    answer = self.answer(words[1]) if words[0] == b"AUTH" else b""
                    if answer is None:
                        return
                    peer.sendall(answer)
            except OSError:
                pass  # the gateway had enough of it


def client(gw):
    c = smtplib.SMTP_SSL(gw.address, gw.port, timeout=DEADLINE_S, context=gw.context())
    c.ehlo()
    return c


def login(gw, user, password, how="PLAIN"):
    """The reply's code."""
    with client(gw) as c:
        c.user, c.password = user, password
        try:
            return c.auth(how, c.auth_plain if how == "PLAIN" else c.auth_login)[0]
        except smtplib.SMTPAuthenticationError as e:
            return e.smtp_code


def settings(path, timeout="10s"):
    # Wrong guesses are what is tested here, not how many are let through.
    many = "guesses-per-pair = 1000 guesses-per-client = 1000"
    return 'auth { backend = dovecot  socket = "%s"  timeout = %s  %s }\n' % (path, timeout, many)


class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dovecot = Dovecot()
        cls.dovecot.start()
        cls.gw = Gateway("kernel", extra=settings(cls.dovecot.socket))
        os.unlink(cls.gw.file("users"))  # nobody needs it
        cls.gw.start()
        wait_for("Dovecot's hello", lambda: 'event="auth service"' in cls.gw.log())

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()
        cls.dovecot.close()

    def test_offers_what_dovecot_has(self):
        with client(self.gw) as c:
            self.assertEqual(c.esmtp_features["auth"].split(), ["SCRAM-SHA-256", "PLAIN", "LOGIN"])

    def test_passwords(self):
        for how in ("PLAIN", "LOGIN"):
            self.assertEqual(login(self.gw, USER, PASSWORD, how), 235)
            self.assertEqual(login(self.gw, USER, "wrong", how), 535)
            self.assertEqual(login(self.gw, "nobody@example.org", PASSWORD, how), 535)
        self.assertEqual(login(self.gw, PROVER, PASSWORD), 235)

    def test_a_proof(self):
        with client(self.gw) as c:
            self.assertEqual(c.auth("SCRAM-SHA-256", Scram(PROVER, PASSWORD))[0], 235)
            c.sendmail(USER, ["b@example.net"], b"Subject: by proof\r\n\r\nhi\r\n")
        with client(self.gw) as c, self.assertRaises(smtplib.SMTPAuthenticationError) as seen:
            c.auth("SCRAM-SHA-256", Scram(PROVER, "wrong"))
        self.assertEqual(seen.exception.smtp_code, 535)

    def test_the_login_is_as_dovecot_writes_it(self):
        self.assertEqual(login(self.gw, USER.upper(), PASSWORD), 235)
        wait_for("the session's line", lambda: "user=" + USER in self.gw.log())
        self.assertNotIn("user=" + USER.upper(), self.gw.log())

    def test_what_it_grants(self):
        for user in ("Sales@example.org", "Sales@example.org"):  # the second time it is kept
            with client(self.gw) as c:
                c.login(user, PASSWORD)
                c.ehlo()
                self.assertEqual(c.esmtp_features["size"], "20000")
                self.assertEqual(c.mail("sales@example.org")[0], 553)
                self.assertEqual(c.mail("any@example.net")[0], 250)
        self.assertGreater(self.gw.counters()["auth_cache_hits"], 0)

    def test_many_at_once(self):
        codes = []
        threads = [
            threading.Thread(target=lambda n=n: codes.append(login(self.gw, USER, "%d" % n)))
            for n in range(8)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join(DEADLINE_S)
        self.assertEqual(codes, [535] * 8)

    def test_z_gone_and_back(self):
        self.dovecot.stop()
        wait_for("its end", lambda: "auth service lost" in self.gw.log())
        self.assertEqual(login(self.gw, "new@example.org", PASSWORD), 454)
        self.assertEqual(login(self.gw, PROVER, PASSWORD), 235)  # it is kept
        self.dovecot.start()
        wait_for("an answer", lambda: login(self.gw, PROVER.upper(), PASSWORD) == 235)


class Broken(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="postern-fake-")
        self.fake = Fake(self.dir + "/s")
        self.gw = Gateway("kernel", extra=settings(self.dir + "/s", "1s"))

    def tearDown(self):
        self.gw.close()
        shutil.rmtree(self.dir)

    def lost(self, why):
        wait_for(why, lambda: why in self.gw.log())

    def test_each_way_to_fail(self):
        self.gw.start()
        f = self.fake
        self.assertEqual(login(self.gw, "a", "b"), 454)  # mute
        self.lost("it does not answer")
        f.answer = lambda i: b"FAIL\t%s\tuser=a\ttemp\n" % i
        wait_for("a second connection", lambda: f.accepted > 1)
        self.assertEqual(login(self.gw, "a", "c"), 454)
        f.answer = lambda i: b"FAIL\t%s\tuser=a\tuser_disabled\n" % i
        self.assertEqual(login(self.gw, "a", "d"), 535)
        self.lost("user_disabled")
        f.answer = lambda i: b"OK\t%s\n" % i  # nobody's
        self.assertEqual(login(self.gw, "a", "e"), 454)
        f.answer = lambda i: b"CONT\t%s\tAAAA\n" % i  # PLAIN has no challenge
        self.assertEqual(login(self.gw, "a", "f"), 454)
        f.answer = lambda i: None  # dies
        self.assertEqual(login(self.gw, "a", "g"), 454)
        self.lost("it closed the connection")
        f.answer = lambda i: b"OK\tseven\n"
        wait_for("rubbish met", lambda: login(self.gw, "a", "h") == 454
                 and "a line that is malformed" in self.gw.log())
        f.answer = lambda i: b"OK\t1" + b"x" * 100000
        wait_for("a long line met", lambda: login(self.gw, "a", "i") == 454
                 and "a line that is too long" in self.gw.log())
        f.answer = lambda i: b"OK\t%s\tuser=a\n" % i
        wait_for("all is well", lambda: login(self.gw, "a", "j") == 235)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main()
