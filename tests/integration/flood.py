#!/usr/bin/env python3
"""A flood of SYNs from addresses that are not theirs, beside clients that are in earnest: all of
these are served, and nothing has grown when it is over."""

import os
import subprocess
import unittest

from harness import (
    GATEWAY,
    PASSWORD,
    USER,
    Gateway,
    run,
    run_in_namespace,
    wait_for,
)

SYNS = 20000
# SYNs a second beside the sessions. Without a rate the TAP's queue is full of SYNs, nine in ten of
# the clients' own segments are lost in it, and how long they then wait is their kernel's back-off.
RATE = 10000
SESSIONS = 200
CLIENTS = 20  # that share commits: a busy disk takes a second for each
UINT32_MAX = 0xffffffff  # as good as no end
GROWTH_KB = 64  # of 20,000 SYNs: three bytes each
BUILD = os.environ["POSTERN_BUILD"]
BENCH = os.path.join(BUILD, "bench/postern-bench")


class Flood(unittest.TestCase):
    def setUp(self):
        self.gw = Gateway(path="tap").start()
        self.addCleanup(self.gw.close)
        with open(self.gw.file("password"), "w") as f:
            f.write(PASSWORD + "\n")

    def flood(self, count, *options):
        return [BENCH, "flood", "-i", "pt0", "-n", str(count), *options, GATEWAY,
                str(self.gw.port)]

    def load(self, name):
        """Sessions, each with a message; all must be acknowledged."""
        log = self.gw.file(name)
        run(BENCH, "load", "-c", str(CLIENTS), "-n", str(SESSIONS), "-u", USER,
            "-p", self.gw.file("password"), "--run", name, "--log", log, GATEWAY, str(self.gw.port),
            timeout=None)
        with open(log) as f:
            self.assertEqual(len(f.readlines()), SESSIONS)

    def load_beside_flood(self):
        endless = self.flood(UINT32_MAX, "--rate", str(RATE))
        with subprocess.Popen(endless, stdout=subprocess.DEVNULL) as flood:
            try:
                self.load("beside")
                self.assertIsNone(flood.poll())
            finally:
                flood.terminate()

    def worker(self):
        return self.gw.ctl("workers")["workers"][0]

    def test_nobody_is_kept_out_and_nothing_grows(self):
        self.gw.connect().close()  # its MAC address is known now
        run(*self.flood(SYNS))  # the table of half-open connections is full, and mapped
        self.load_beside_flood()
        memory, free = self.gw.memory_kb(), self.worker()["segs_free"]
        run(*self.flood(SYNS))
        self.assertLess(self.gw.memory_kb() - memory, GROWTH_KB)
        self.assertLessEqual(self.worker()["half_open"], 4096)
        wait_for("segments to come home", lambda: self.worker()["segs_free"] >= free - 64)
        counters = self.gw.counters()
        self.assertGreater(counters["tcp_syn_cookies_sent"], SYNS // 2)
        self.assertGreater(counters["tcp_syn_cookies_recv"], 0)
        self.assertEqual(counters["tcp_syn_dropped"], 0)
        self.assertEqual(len(self.gw.ids()), SESSIONS)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
