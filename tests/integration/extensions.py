#!/usr/bin/env python3
"""What no common client speaks: messages in chunks, kept exactly, and the envelope's parameters.

POSTERN_PATH: tap, af_packet, af_xdp or kernel. POSTERN_BUILD: the build directory.
"""

import os
import random
import time
import unittest

import clients
from harness import USER, Gateway, run_in_namespace, sha

PATH = os.environ.get("POSTERN_PATH", "kernel")
DELAY_S = 1
LIMITS = "soft-errors = 1 error-delay = %ds" % DELAY_S


def chunks_of(data, rng):
    """BDAT commands with their bytes, of sizes from none to some 100 KB."""
    at = 0
    while at < len(data):
        size = min(rng.choice((0, 1, 2, 100, 16384, 65536, 100000)), len(data) - at)
        yield b"BDAT %d\r\n" % size + data[at : at + size]
        at += size
    yield b"BDAT 0 LAST\r\n"


class Extensions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(PATH, limits=LIMITS).start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def setUp(self):
        self.before = len(self.gw.ids())
        self.client = clients.smtplib_login(self.gw)
        self.client.ehlo()

    def tearDown(self):
        self.client.close()

    def begin(self, mail="MAIL FROM:<%s>" % USER, rcpt="RCPT TO:<bob@example.net>"):
        self.assertEqual(self.client.docmd(mail)[0], 250)
        self.assertEqual(self.client.docmd(rcpt)[0], 250)

    def say(self, data, count=1):
        """Sends it all at once; the codes of that many replies."""
        self.client.send(data)
        return [self.client.getreply()[0] for _ in range(count)]

    def kept(self):
        return [self.gw.body(i) for i in self.gw.ids()[self.before :]]

    def test_binary_is_kept_exactly(self):
        rng = random.Random(5)
        data = b"Subject: binary\r\n\r\n" + rng.randbytes(3 * 1024 * 1024)
        self.begin("MAIL FROM:<%s> BODY=BINARYMIME" % USER)
        for chunk in chunks_of(data, rng):
            self.assertEqual(self.say(chunk), [250])
        self.assertEqual([sha(b) for b in self.kept()], [sha(data)])

    def test_pipelined_chunks(self):
        data = b"Subject: x\r\n\r\n" + b"line\r\n" * 1000
        chunks = list(chunks_of(data, random.Random(6)))
        self.begin()
        self.assertEqual(set(self.say(b"".join(chunks), len(chunks))), {250})
        self.assertEqual(self.kept(), [data])

    def test_nothing_is_left_of_a_message_that_was_reset(self):
        again = b"MAIL FROM:<%s>\r\nRCPT TO:<bob@example.net>\r\n" % USER.encode()
        self.begin()
        first = b"BDAT 200000\r\n" + b"first\r\n" * 28571 + b"abc" + b"RSET\r\n"
        codes = self.say(first + again + b"BDAT 8 LAST\r\nsecond\r\n", 5)
        self.assertEqual(codes, [250] * 5)
        self.assertEqual(self.kept(), [b"second\r\n"])

    def test_half_messages_give_their_room_back(self):
        for _ in range(40):
            c = clients.smtplib_login(self.gw)
            c.docmd("MAIL FROM:<%s>" % USER)
            c.docmd("RCPT TO:<bob@example.net>")
            c.send(b"BDAT 4\r\nab\r\nBDAT 100000\r\nhalf")
            self.assertEqual(c.getreply()[0], 250)
            c.close()
        self.begin()
        self.assertEqual(self.say(b"BDAT 4 LAST\r\nab\r\n"), [250])
        self.assertEqual(self.kept(), [b"ab\r\n"])

    def test_envelope(self):
        self.begin(
            "MAIL FROM:<%s> RET=HDRS ENVID=e+2B1 MT-PRIORITY=-2 REQUIRETLS HOLDFOR=60" % USER,
            "RCPT TO:<bob@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.net",
        )
        self.assertEqual(self.say(b"BDAT 0 LAST\r\n"), [250])
        shown = self.gw.tool("show", self.gw.ids()[-1]).decode()
        for line in ("ret: HDRS", "envid: e+2B1", "priority: -2", "requiretls", "hold: 20",
                     "notify: SUCCESS,DELAY", "orcpt: rfc822;bob@example.net", "Message-ID: <"):
            self.assertIn("\n" + line, shown)

    def test_mistakes_wait(self):
        begin = time.monotonic()
        self.assertEqual(self.say(b"FOO\r\n"), [500])
        self.assertEqual(self.say(b"FOO\r\nNOOP\r\n", 2), [500, 250])
        self.assertGreaterEqual(time.monotonic() - begin, DELAY_S)
        self.assertEqual(self.client.docmd("NOOP")[0], 250)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
