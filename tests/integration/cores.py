#!/usr/bin/env python3
"""Two workers behind one device: clients by many source ports come to both, whatever queue their
frames came by, and every message is there.

POSTERN_PATH: tap (two queues, spread by the kernel as it likes) or af_xdp (one queue).
POSTERN_BUILD: the build directory.
"""

import concurrent.futures
import os
import unittest

import clients
from harness import Gateway, random_text, run_in_namespace, sha

PATH = os.environ.get("POSTERN_PATH", "tap")
SESSIONS = 24  # all of one worker: once in eight million runs


def worker_of(queue_id):
    """base/mail.h: 42 bits of time, 6 of worker, 15 of sequence, in Crockford's base 32."""
    number = 0
    for digit in queue_id:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(digit)
    return number >> 15 & 63


class Cores(unittest.TestCase):
    def test_both_serve(self):
        with Gateway(PATH, workers=2, limits="connections = 1024") as gw:
            sent = [random_text(20000) for _ in range(SESSIONS)]
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                list(pool.map(lambda data: clients.python(gw, data, ["bob@example.net"]), sent))
            ids = gw.ids()
            self.assertEqual(sorted(sha(gw.body(i)) for i in ids), sorted(map(sha, sent)))
            self.assertEqual({worker_of(i) for i in ids}, {0, 1})
            counters = gw.counters()
            self.assertEqual(counters["smtp_messages"], SESSIONS)
            if PATH == "af_xdp":
                self.assertGreater(counters["net_strays_taken"], 0)
                self.assertIn("1 of 2 queues", gw.log())


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
