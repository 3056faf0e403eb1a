#!/usr/bin/env python3
"""ECDSA and RSA certificates with each group, version and resumption that no client of Debian 12
has all of: postern-bench's own, by BoringSSL. What was agreed on stands in the session's log line.

POSTERN_PATH: tap, af_packet, af_xdp or kernel. POSTERN_BUILD: the build directory.
"""

import os
import unittest

from harness import PASSWORD, USER, Gateway, run, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "tap")
MESSAGES = 20
WAYS = (
    (["--group", "X25519MLKEM768"], "tls=TLSv1.3", "group=X25519MLKEM768 resumed=no"),
    (["--group", "X25519MLKEM768", "--resume"], "tls=TLSv1.3", "resumed=yes"),
    (["--group", "P-256", "--tls", "1.2"], "tls=TLSv1.2", "group=secp256r1 resumed=no"),
)


class Handshakes(unittest.TestCase):
    def agree(self, key):
        gw = Gateway(PATH, key=key).start()
        self.addCleanup(gw.close)
        with open(gw.file("password"), "w") as f:
            f.write(PASSWORD + "\n")
        load = [os.path.join(gw.build, "bench/postern-bench"), "load", "-n", str(MESSAGES)]
        load += ["-c", "4", "-u", USER, "-p", gw.file("password")]
        for number, (options, version, agreed) in enumerate(WAYS, 1):
            with self.subTest(key=key, options=options):
                run(*load, *options, gw.address, str(gw.port))
                self.assertEqual(len(gw.ids()), number * MESSAGES)
                gw.wait_for_log(" user=%s" % USER, number * 2 * MESSAGES)  # message and session
                last = [l for l in gw.log().splitlines() if "event=session" in l][-1]
                self.assertIn(version, last)
                self.assertIn(agreed, last)
        gw.tool("verify")

    def test_ecdsa(self):
        self.agree("ec")

    def test_rsa(self):
        self.agree("rsa")


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
