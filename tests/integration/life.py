#!/usr/bin/env python3
"""What an operator does to a running gateway, and what a full spool does: drain, a drain that takes
too long, users read anew, counters, no room.

POSTERN_PATH: tap, af_packet, af_xdp or kernel. POSTERN_BUILD: the build directory.
"""

import os
import signal
import smtplib
import unittest

import clients
from harness import USER, Gateway, dotted, password_hash, run_in_namespace, wait_for

PATH = os.environ.get("POSTERN_PATH", "kernel")
HALF = b"Subject: half\r\n\r\na part\r\n"


class Life(unittest.TestCase):
    def gateway(self, **settings):
        gw = Gateway(PATH, **settings).start()
        self.addCleanup(gw.close)
        return gw

    def login(self, gw):
        c = clients.smtplib_login(gw)
        self.addCleanup(c.close)
        return c

    def in_data(self, gw):
        c = self.login(gw)
        for line in ("MAIL FROM:<%s>" % USER, "RCPT TO:<bob@example.net>"):
            self.assertEqual(c.docmd(line)[0], 250)
        self.assertEqual(c.docmd("DATA")[0], 354)
        c.sock.sendall(HALF)
        return c

    def test_drain_lets_a_message_in(self):
        gw = self.gateway()
        idle, busy = self.login(gw), self.in_data(gw)
        gw.process.send_signal(signal.SIGTERM)
        self.assertEqual(idle.getreply()[0], 421)
        gw.wait_for_log("event=draining")
        with self.assertRaises((OSError, smtplib.SMTPException)):
            clients.smtplib_login(gw)
        busy.sock.sendall(b"the rest\r\n.\r\n")
        self.assertEqual(busy.getreply()[0], 250)
        self.assertEqual(busy.getreply()[0], 421)
        self.assertEqual(gw.process.wait(timeout=60), 0)
        self.assertEqual([gw.body(i) for i in gw.ids()], [HALF + b"the rest\r\n"])

    def test_drain_forgets_nobody(self):
        """A reply in a pause, a refused body, a message given up: each is followed by its 421."""
        gw = self.gateway(limits="message-size = 64k soft-errors = 0 error-delay = 30s")
        paused, refused, chunks = self.login(gw), self.in_data(gw), self.login(gw)
        paused.putcmd("NONSENSE")
        refused.sock.sendall((b"x" * 70 + b"\r\n") * 1000)
        for line in ("MAIL FROM:<%s>" % USER, "RCPT TO:<bob@example.net>"):
            self.assertEqual(chunks.docmd(line)[0], 250)
        chunks.send("BDAT 3\r\nx\r\n")
        self.assertEqual(chunks.getreply()[0], 250)
        gw.process.send_signal(signal.SIGTERM)
        self.assertEqual(paused.getreply()[0], 500)
        self.assertEqual(paused.getreply()[0], 421)
        refused.sock.sendall(b".\r\n")
        self.assertEqual(refused.getreply()[0], 552)
        self.assertEqual(refused.getreply()[0], 421)
        self.assertEqual(chunks.docmd("RSET")[0], 250)
        self.assertEqual(chunks.getreply()[0], 421)
        for c in (paused, refused, chunks):
            c.close()
        self.assertEqual(gw.process.wait(timeout=60), 0)
        self.assertEqual(gw.ids(), [])

    def test_drain_ends(self):
        gw = self.gateway(limits="drain-timeout = 1s")
        busy = self.in_data(gw)
        gw.process.send_signal(signal.SIGTERM)
        self.assertEqual(busy.getreply()[0], 421)
        self.assertEqual(gw.process.wait(timeout=60), 0)
        self.assertEqual(gw.ids(), [])

    def test_second_signal_stops_at_once(self):
        gw = self.gateway()
        busy = self.in_data(gw)
        gw.process.send_signal(signal.SIGTERM)
        gw.wait_for_log("event=draining")
        gw.process.send_signal(signal.SIGTERM)
        self.assertEqual(gw.process.wait(timeout=60), 0)

    def test_users_read_anew(self):
        gw = self.gateway()
        self.login(gw).quit()
        with open(gw.file("users"), "w") as f:
            f.write("somebody@example.org:%s\n" % password_hash("else"))
        gw.process.send_signal(signal.SIGHUP)
        gw.wait_for_log('event="users file taken"')
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            clients.smtplib_login(gw)
        with open(gw.file("users"), "w") as f:
            f.write("no hash here\n")
        gw.process.send_signal(signal.SIGHUP)
        gw.wait_for_log('event="users file not taken"')

    def test_spool_runs_full(self):
        """452 4.3.1; the session, other sessions and what was kept live on."""
        gw = self.gateway(spool="size = 8M segment = 4M", limits="message-size = 4M")
        other, c, kept = self.login(gw), self.login(gw), []
        for n in range(12):
            data = dotted(1000000) + b"%d\r\n" % n
            try:
                c.sendmail(USER, ["bob@example.net"], data)
                kept.append(data)
            except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as e:
                self.assertEqual((e.smtp_code, e.smtp_error[:5]), (452, b"4.3.1"))
        self.assertGreater(len(kept), 3)
        self.assertLess(len(kept), 12)
        self.assertEqual(c.noop()[0], 250)
        self.assertEqual(other.noop()[0], 250)
        gw.stop()
        gw.start()
        self.assertEqual([gw.body(i) for i in gw.ids()], kept)
        gw.tool("verify")

    def test_counters(self):
        gw = self.gateway()
        clients.python(gw, dotted(100), ["bob@example.net"])
        wait_for("the message's counter", lambda: gw.counters()["smtp_messages"] == 1)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
