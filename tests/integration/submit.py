#!/usr/bin/env python3
"""Real clients submit real mail over each path; what the spool gives back is byte for byte what
was sent.

POSTERN_PATH: tap, tap6, af_packet, af_xdp or kernel. POSTERN_BUILD: the build directory.
"""

import concurrent.futures
import os
import unittest

import clients
from harness import HEADER, Gateway, dotted, random_text, run_in_namespace, sha

PATH = os.environ.get("POSTERN_PATH", "kernel")
# swaks speaks IPv6 only by a Perl module that Debian does not install with it.
CLIENTS = [name for name in clients.CLIENTS if (PATH, name) != ("tap6", "swaks")]
ONE = b"x\r\n"  # one byte of text; a message ends with CRLF (RFC 5321, 2.3.7)
EIGHT_BIT = (
    b"Subject: Gr\xc3\xbc\xc3\x9fe\r\n" + HEADER + b"\r\n\xc3\xa4\xc3\xb6 \xe2\x82\xac \xff\xfe\r\n"
)
HEADED = b"Subject: one\r\n" + HEADER + b"\r\nx\r\n"


class Submit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(PATH).start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def take(self, name, data, to=("bob@example.net",)):
        before = set(self.gw.ids())
        clients.CLIENTS[name](self.gw, data, list(to))
        new = [i for i in self.gw.ids() if i not in before]
        self.assertEqual(len(new), 1, "messages kept for one that was sent")
        self.assertEqual(
            sha(self.gw.body(new[0])), sha(data), "%s: %d bytes sent" % (name, len(data))
        )
        return new[0]

    def test_one_byte(self):
        for name in CLIENTS:
            with self.subTest(client=name):
                # msmtp puts missing header fields in; it gets a message that has them.
                self.take(name, HEADED if name == "msmtp" else ONE)

    def test_dots(self):
        for name in CLIENTS:
            with self.subTest(client=name):
                self.take(name, dotted(100 * 1024))

    def test_large(self):
        data = random_text(25 * 1024 * 1024)
        for name in CLIENTS:
            with self.subTest(client=name):
                self.take(name, data)

    def test_eight_bit(self):
        for name in CLIENTS:
            with self.subTest(client=name):
                self.take(name, EIGHT_BIT)

    def test_hundred_recipients(self):
        to = ["user%d@example.net" % i for i in range(100)]
        for name in CLIENTS:
            with self.subTest(client=name):
                shown = self.gw.tool("show", self.take(name, dotted(1000), to)).decode()
                self.assertEqual([r for r in to if r not in shown], [])

    def test_two_hundred_messages_on_one_connection(self):
        before = len(self.gw.ids())
        c = clients.smtplib_login(self.gw)
        sent = [dotted(500) + b"%d\r\n" % i for i in range(200)]
        for data in sent:
            c.sendmail(clients.USER, ["bob@example.net"], data)
        c.quit()
        kept = [self.gw.body(i) for i in self.gw.ids()[before:]]
        self.assertEqual(kept, sent)

    def test_sixty_four_connections_at_once(self):
        before = len(self.gw.ids())
        sent = [dotted(20000) + b"connection %d\r\n" % i for i in range(64)]
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            list(pool.map(lambda data: clients.python(self.gw, data, ["bob@example.net"]), sent))
        kept = [self.gw.body(i) for i in self.gw.ids()[before:]]
        self.assertEqual(sorted(kept), sorted(sent))

    def test_spool_tools(self):
        self.take("smtplib", dotted(3000))
        self.gw.tool("verify")
        out = self.gw.file("export")
        self.gw.tool("export", out)

    def test_tls_groups(self):
        """Each group is agreed on; the hybrid by a client that has it is proven in
        tests/unit/tls."""
        for group in ("X25519", "P-256"):
            with self.subTest(group=group):
                done = clients.run(
                    "openssl",
                    "s_client",
                    "-groups",
                    group,
                    "-connect",
                    "%s:%d" % (self.gw.host, self.gw.port),
                    stdin=clients.subprocess.DEVNULL,
                )
                self.assertIn(b"TLSv1.3", done)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
