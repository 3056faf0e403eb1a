#!/usr/bin/env python3
"""Two gateways with the same file of ticket keys: each resumes what the other began, also while the
keys change under them, and a broken file changes nothing.

POSTERN_PATH: kernel. POSTERN_BUILD: the build directory. The client is openssl(1).
"""

import base64
import os
import secrets
import subprocess
import time
import unittest

from harness import DEADLINE_S, Gateway, run_in_namespace

TAKEN, REFUSED = 'event="certificates taken"', 'event="certificates not taken"'


def key(seconds):
    """A line of the file: a key that seals from so many seconds from now on."""
    return "%d %s\n" % (time.time() + seconds, base64.b64encode(secrets.token_bytes(48)).decode())


class Tickets(unittest.TestCase):
    def setUp(self):
        self.first, self.second = (Gateway("kernel") for _ in range(2))
        self.keys = self.first.file("tickets")
        self.write(key(-60))
        for n, gw in enumerate((self.first, self.second)):
            gw.address = gw.host = "127.0.0.%d" % (n + 1)
            gw._write_config()
            with open(gw.file("postern.conf")) as f:
                text = f.read()
            with open(gw.file("postern.conf"), "w") as f:
                f.write(text.replace("tls { cert", 'tls { ticket-keys = "%s" cert' % self.keys))
            gw.start()

    def tearDown(self):
        self.second.close()
        self.first.close()

    def write(self, *lines):
        with open(self.keys + ".new", "w") as f:
            f.write("".join(lines))
        os.rename(self.keys + ".new", self.keys)
        return lines

    def changed(self, event, count, *lines):
        self.write(*lines)
        for gw in (self.first, self.second):
            gw.wait_for_log(event, count)

    def talk(self, gw, version, resume=True):
        """True: the session of the connection before was resumed. Keeps this one's."""
        session = self.first.file("session")
        out = subprocess.run(
            ["openssl", "s_client", "-connect", "%s:465" % gw.address, version, "-ign_eof",
             "-sess_out", session] + (["-sess_in", session] if resume else []),
            input=b"QUIT\r\n", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=DEADLINE_S,
        ).stdout.decode(errors="replace")
        self.assertIn("221 2.0.0", out)
        return "\nReused, TLS" in out

    def test_one_resumes_what_the_other_began(self):
        for version in ("-tls1_3", "-tls1_2"):
            self.assertFalse(self.talk(self.first, version, resume=False))
            for gw in (self.second, self.second, self.first):
                self.assertTrue(self.talk(gw, version))

    def test_keys_change(self):
        old, new = key(-60), key(-30)
        self.changed(TAKEN, 1, old)
        self.assertFalse(self.talk(self.first, "-tls1_3", resume=False))
        self.changed(TAKEN, 2, old, new)
        self.assertTrue(self.talk(self.second, "-tls1_3"))
        self.changed(TAKEN, 3, new, key(600))
        self.assertTrue(self.talk(self.first, "-tls1_3"))
        self.changed(REFUSED, 1, "half a li")
        self.assertTrue(self.talk(self.second, "-tls1_3"))
        self.changed(TAKEN, 4, key(-1))
        self.assertFalse(self.talk(self.first, "-tls1_3"))


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
