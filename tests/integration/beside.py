#!/usr/bin/env python3
"""Postern and the kernel on one address: 465 is ours, everything else the kernel's.

POSTERN_PATH: shared, where the interface is the kernel's, and AF_XDP takes what is ours: all of it
is the kernel's when Postern is gone. Or exception, where all frames come to Postern, with two
workers on one queue, and the kernel has its part by a TAP interface: it comes back with Postern.
POSTERN_BUILD: the build directory.
"""

import os
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import unittest

from spoof import tcp_segment
from harness import GATEWAY, GATEWAY6, HOST, HOST6, PASSWORD, USER
from harness import Gateway, run, run_in_namespace, wait_for

PATH = os.environ["POSTERN_PATH"]
KERNEL = {"shared": "pv1", "exception": "pk0"}[PATH]  # its interface, which has the addresses
CLIENTS = "pstn_it_%d" % os.getpid()  # the clients' namespace
ADDRESSES = (GATEWAY, "[%s]" % GATEWAY6)
SUBMISSION = 'listener submission { address = "*" path = kernel tls = starttls }'
MAIL = b"From: <alice@example.org>\r\nSubject: beside\r\n\r\nx\r\n"
BANNER = b"SSH-2.0-like\r\n"


class Banner(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(BANNER)


class Server(socketserver.ThreadingTCPServer):
    """What sshd would be: a service of the kernel's stack."""

    address_family = socket.AF_INET6  # and IPv4, as ::ffff:a.b.c.d
    daemon_threads = True


def inside(*args, **kw):
    return run("ip", "netns", "exec", CLIENTS, *args, **kw)


def link():
    run("ip", "link", "add", "pv1", "type", "veth", "peer", "name", "pv0", "netns", CLIENTS)
    for where, name in ((inside, "pv0"), (run, "pv1")):
        # A veth hands over frames whose checksums nobody has filled in; real wires do not.
        where("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
    if KERNEL == "pk0":
        # One that lasts keeps its addresses from one Postern to the next.
        run("ip", "tuntap", "add", "pk0", "mode", "tap")
        run("sysctl", "-qw", "net.ipv6.conf.pv1.disable_ipv6=1")
        run("ip", "link", "set", "pv1", "up")
    for where, name, v4, v6 in ((inside, "pv0", HOST, HOST6), (run, KERNEL, GATEWAY, GATEWAY6)):
        where("ip", "addr", "add", v4 + "/24", "dev", name)
        where("ip", "addr", "add", v6 + "/64", "dev", name, "nodad")
        where("ip", "link", "set", name, "up")


def send_fragments():
    """A SYN for port 22 and one for 465, each in two packets. Called in the clients' namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        for port in (22, 465):
            syn = tcp_segment(HOST, GATEWAY, 40000, port)
            for at, part, more in ((0, syn[:16], 0x2000), (2, syn[16:], 0)):
                head = struct.pack(">BBHHHBBH", 0x45, 0, 0, port, at | more, 64, 6, 0)
                ends = socket.inet_aton(HOST) + socket.inet_aton(GATEWAY)
                s.sendto(head + ends + part, (GATEWAY, 0))


class Beside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("ip", "netns", "add", CLIENTS)
        cls.addClassCleanup(run, "ip", "netns", "del", CLIENTS)
        link()
        cls.ssh = Server(("::", 22), Banner)
        cls.addClassCleanup(cls.ssh.server_close)
        threading.Thread(target=cls.ssh.serve_forever, daemon=True).start()
        workers = 1 if PATH == "shared" else 2
        cls.gw = Gateway(PATH, extra=SUBMISSION, workers=workers, limits="connections = 1000")

    def submit(self, url, listener):
        before = len(self.gw.ids())
        inside(
            "curl", "-sS", "--insecure", "--ssl-reqd", "--max-time", "20", "--url", url,
            "--user", "%s:%s" % (USER, PASSWORD), "--mail-from", USER,
            "--mail-rcpt", "bob@example.net", "--upload-file", "-", input=MAIL,
        )  # fmt: skip
        self.assertEqual(len(self.gw.ids()), before + 1)
        self.gw.wait_for_log("listener=" + listener)

    def reach_kernel(self):
        """The service on port 22 and the kernel's ping, by both families."""
        for address in (GATEWAY, GATEWAY6):
            code = (
                "import socket; s = socket.create_connection((%r, 22), 10);"
                "print(s.makefile().readline(), end='')" % address
            )
            self.assertEqual(inside("python3", "-c", code), BANNER.replace(b"\r", b""))
            inside("ping", "-c", "1", "-W", "5", address)

    def refused(self, port):
        code = (
            "import errno, socket; s = socket.socket(); s.settimeout(10);"
            "assert s.connect_ex((%r, %d)) == errno.ECONNREFUSED" % (GATEWAY, port)
        )
        inside("python3", "-c", code)

    def nobody_is_there(self):
        done = subprocess.run(
            ["ip", "netns", "exec", CLIENTS, "ping", "-c", "1", "-W", "1", GATEWAY],
            stdout=subprocess.DEVNULL,
        )
        self.assertNotEqual(done.returncode, 0)

    def test_both_on_one_address(self):
        with self.gw as gw:
            for address in ADDRESSES:
                self.submit("smtps://%s:465" % address, "submissions")
                self.submit("smtp://%s:587" % address, "submission")
            self.reach_kernel()
            self.refused(4650)
            inside(sys.executable, __file__, "fragments")
            wait_for("a packet in fragments", lambda: gw.counters()["ip_reasm_oks"] == 1)
            counters = gw.counters()
            self.assertEqual(counters["ip_reasm_reqds"], 2)
            self.assertEqual(counters["tcp_passive_opens"], len(ADDRESSES) + 1)
            self.assertEqual(counters["net_in_not_ours"], 0)
            self.assertEqual(counters["net_out_arp_requests"] + counters["icmp6_out_msgs"], 0)
            if PATH == "exception":
                self.assertGreater(counters["kernel_in"], 40)
                self.assertGreater(counters["kernel_out"], 40)
                self.assertEqual(counters["kernel_in_dropped"] + counters["kernel_out_dropped"], 0)

            gw.stop(signal.SIGKILL)
            if PATH == "shared":
                self.reach_kernel()
                self.refused(465)
            else:
                self.nobody_is_there()

            gw.start()  # over what the killed one left
            self.submit("smtps://%s:465" % GATEWAY, "submissions")
            self.reach_kernel()


if __name__ == "__main__":
    if sys.argv[1:] == ["fragments"]:
        send_fragments()
        sys.exit()
    run_in_namespace()
    unittest.main(verbosity=2)
