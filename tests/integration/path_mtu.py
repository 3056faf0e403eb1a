#!/usr/bin/env python3
"""A client behind two routers of the kernel's with a narrow link between them: the gateway's first
flight is too big for it, and the mail goes through all the same.

    client --1500-- router --1300-- our namespace --1500-- gateway

POSTERN_PATH: tap or tap6. POSTERN_BUILD: the build directory.
"""

import os
import subprocess
import unittest

import clients
from harness import Gateway, dotted, run, run_in_namespace, sha

PATH = os.environ.get("POSTERN_PATH", "tap")
NARROW = 1300


class Namespace:
    """A network namespace that lives as long as a process of its own."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.holder.stdout.readline()  # it is there
        self.enter = ["nsenter", "--net=/proc/%d/ns/net" % self.holder.pid]

    def run(self, *args):
        return run(*self.enter, *args)

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


def here(*args):
    return run(*args)


def join(left, right, mtu, net):
    """A veth pair between two (run, name, pid or None): the left one gets .1, the right one .2."""
    here("ip", "link", "add", left[1], "type", "veth", "peer", "name", right[1])
    for number, (go, name, pid) in enumerate((left, right), 1):
        if pid is not None:
            here("ip", "link", "set", name, "netns", str(pid))
        go("ip", "addr", "add", "198.18.%d.%d/24" % (net, number), "dev", name)
        go("ip", "addr", "add", "fd00:198:18:%d::%d/64" % (net, number), "dev", name, "nodad")
        go("ip", "link", "set", name, "mtu", str(mtu), "up")


def forward(go):
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        go("sysctl", "-qw", key + "=1")


class PathMtu(unittest.TestCase):
    def setUp(self):
        self.router, self.client = Namespace(), Namespace()
        self.addCleanup(self.router.close)
        self.addCleanup(self.client.close)
        router, client = self.router, self.client
        join((here, "n0", None), (router.run, "n1", router.holder.pid), NARROW, 1)
        join((router.run, "w0", router.holder.pid), (client.run, "w1", client.holder.pid), 1500, 2)
        forward(here)
        forward(router.run)
        here("ip", "route", "add", "198.18.2.0/24", "via", "198.18.1.2")
        here("ip", "route", "add", "fd00:198:18:2::/64", "via", "fd00:198:18:1::2")
        router.run("ip", "route", "add", "198.18.0.0/24", "via", "198.18.1.1")
        router.run("ip", "route", "add", "fd00:198:18::/64", "via", "fd00:198:18:1::1")
        client.run("ip", "route", "add", "default", "via", "198.18.2.1")
        client.run("ip", "route", "add", "default", "via", "fd00:198:18:2::1")

    def test_submit(self):
        data = dotted(300000)
        with Gateway(PATH, key="rsa") as gw:  # whose flight fills a frame
            self.client.run(*clients.curl_command(gw, data, ["bob@example.net"]))
            self.assertEqual([sha(gw.body(i)) for i in gw.ids()], [sha(data)])
            counted = gw.counters()
            self.assertGreaterEqual(counted["net_in_icmp_errors"], 1)
            self.assertEqual(counted["tcp_path_mtu_lowered"], 1)
            self.assertEqual(counted["tcp_timeouts"], 0, "it did not wait for what was too big")


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
