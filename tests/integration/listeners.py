#!/usr/bin/env python3
"""Several listeners of one worker at once: both paths, both kinds of TLS, IPv4 and IPv6.

POSTERN_PATH: tap or kernel, of the first one. POSTERN_BUILD: the build directory.
"""

import os
import socket
import unittest

import clients
from harness import At, Gateway, dotted, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")
OTHERS = """
listener submission { address = "*" path = kernel tls = starttls }
listener six { address = "::1" port = 4650 path = kernel }
listener four { address = "0.0.0.0" port = 4651 path = kernel tls = starttls }
"""


class Listeners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(PATH, extra=OTHERS).start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def submit(self, address, port, tls, listener):
        at = At(self.gw, address, port, tls)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        before = self.gw.log().count("listener=" + listener)
        with clients.smtplib_login(at, socket.socket(family)) as c:
            c.sendmail(clients.USER, ["bob@example.net"], dotted(1000))
            peer = c.sock.getsockname()[0]
        self.gw.wait_for_log("listener=" + listener, before + 1)
        shown = self.gw.tool("show", self.gw.ids()[-1]).decode()
        self.assertIn("([IPv6:%s])" % peer if ":" in peer else "([%s])" % peer, shown)

    def test_each_is_served(self):
        self.submit(self.gw.address, 465, "implicit", "submissions")
        self.submit("127.0.0.1", 587, "starttls", "submission")
        self.submit("::1", 587, "starttls", "submission")
        self.submit("::1", 4650, "implicit", "six")
        self.submit("127.0.0.1", 4651, "starttls", "four")

    def test_no_other_family(self):
        for address, port, family in (
            ("::1", 4651, socket.AF_INET6),
            ("127.0.0.1", 4650, socket.AF_INET),
        ):
            with socket.socket(family) as s, self.assertRaises(ConnectionRefusedError):
                s.connect((address, port))

    def test_real_clients_on_the_kernel_s_587(self):
        at = At(self.gw, "127.0.0.1", 587, "starttls")
        for name in ("swaks", "msmtp"):
            with self.subTest(client=name):
                clients.CLIENTS[name](at, dotted(3000), ["bob@example.net"])


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
