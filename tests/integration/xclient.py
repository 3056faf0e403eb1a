#!/usr/bin/env python3
"""A proxy that says by XCLIENT whose a connection is: in the envelope, in the log, in the limits of
a client; and a stranger who says it is not heard.

POSTERN_PATH: tap or kernel. POSTERN_BUILD: the build directory.
"""

import os
import smtplib
import socket
import unittest

from harness import DEADLINE_S, HOST, USER, Gateway, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")
PROXY = "127.0.0.1" if PATH == "kernel" else HOST
CLIENT = "203.0.113.5"


class Xclient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(
            PATH,
            tls="starttls",
            listener='xclient = { "%s" }' % PROXY,
            limits="connections-per-client = 2",
        ).start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def proxy(self, words):
        """A connection on which the proxy has said so much, and the reply's code."""
        c = smtplib.SMTP(self.gw.address, self.gw.port, timeout=DEADLINE_S)
        self.addCleanup(c.close)
        c.ehlo()
        return c, c.docmd("XCLIENT", words)[0]

    def test_the_client_is_who_the_proxy_says(self):
        c, code = self.proxy("ADDR=%s PORT=4711 LOGIN=%s" % (CLIENT, USER))
        self.assertEqual(code, 220)
        c.ehlo()
        c.sendmail(USER, ["b@example.net"], b"Subject: by proxy\r\n\r\nhi\r\n")
        self.assertIn(b"%s:4711" % CLIENT.encode(), self.gw.tool("show", self.gw.ids()[-1]))
        c.quit()
        self.gw.wait_for_log("client=%s:4711" % CLIENT, 2)  # the message's line, and the session's

    def test_its_connections_are_counted(self):
        held = [self.proxy("ADDR=203.0.113.6")[0] for _ in range(2)]
        with self.assertRaises((smtplib.SMTPServerDisconnected, ConnectionError)):
            self.proxy("ADDR=203.0.113.6")
        self.assertEqual(self.proxy("ADDR=203.0.113.7")[1], 220)
        self.assertEqual(held[0].noop()[0], 250)

    def test_the_proxy_s_own_are_not(self):
        silent = [smtplib.SMTP(self.gw.address, self.gw.port, timeout=DEADLINE_S) for _ in range(4)]
        for i, c in enumerate(silent):
            self.addCleanup(c.close)
            c.ehlo()
            self.assertEqual(c.docmd("XCLIENT", "ADDR=203.0.113.%d" % (20 + i))[0], 220)

    def test_a_stranger_is_not_heard(self):
        source = self.gw.stranger
        with socket.create_connection(
            (self.gw.address, self.gw.port), DEADLINE_S, source_address=(source, 0)
        ) as s:
            f = s.makefile("rb")
            f.readline()
            s.sendall(b"EHLO p\r\nXCLIENT ADDR=203.0.113.5 LOGIN=%s\r\nQUIT\r\n" % USER.encode())
            said = f.read()
        self.assertNotIn(b"XCLIENT", said)
        self.assertIn(b"\r\n502 5.5.1", said)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
