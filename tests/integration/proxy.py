#!/usr/bin/env python3
"""A load balancer before us, by the PROXY protocol: its clients are known by their own addresses,
and nobody else speaks for them.

POSTERN_PATH: tap or kernel. POSTERN_BUILD: the build directory.
"""

import contextlib
import ipaddress
import os
import re
import smtplib
import socket
import struct
import subprocess
import unittest
from unittest import mock

import clients
from harness import DEADLINE_S, HOST, USER, At, Gateway, dotted, run_in_namespace, wait_for

PATH = os.environ.get("POSTERN_PATH", "kernel")
PROXY = "127.0.0.1" if PATH == "kernel" else HOST
HAPROXY = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    unique-id-format id-%%ci:%%cp
listen one
    bind 127.0.0.1:9001
    server postern %(at)s send-proxy check inter 100ms
listen two
    bind 127.0.0.1:9002
    server postern %(at)s send-proxy-v2 proxy-v2-options crc32c,unique-id check inter 100ms
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v1(client="203.0.113.5"):
    family = "TCP6" if ":" in client else "TCP4"
    at = "2001:db8::25" if ":" in client else "198.51.100.25"
    return ("PROXY %s %s %s 40001 465\r\n" % (family, client, at)).encode()


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def v2(client="203.0.113.5", tlvs=b"", command=1):
    client = ipaddress.ip_address(client)
    at = ipaddress.ip_address("198.51.100.25" if client.version == 4 else "2001:db8::25")
    block = client.packed + at.packed + struct.pack(">HH", 40001, 465) + tlvs
    kind = 0x11 if client.version == 4 else 0x21
    return SIGNATURE + struct.pack(">BBH", 0x20 | command, kind, len(block)) + block


class Base:
    TLS = "implicit"

    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(
            PATH,
            tls=cls.TLS,
            listener='proxy = { "%s" }' % PROXY,
            limits="handshake-timeout = 2s connections-per-client = 3",
        ).start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def tcp(self, source=None):
        return socket.create_connection(
            (self.gw.address, self.gw.port),
            timeout=DEADLINE_S,
            source_address=(source, 0) if source else None,
        )

    def submit(self, *pieces):
        """A mail behind a header that comes in pieces; the Received field that it got."""

        class Proxied(socket.socket):
            def connect(self, address):
                super().connect(address)
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in pieces:
                    self.sendall(piece)

        with clients.smtplib_login(self.gw, Proxied()) as c:
            c.sendmail(USER, ["bob@example.net"], dotted(1000))
        return self.received()

    def received(self):
        return " ".join(self.gw.tool("show", self.gw.ids()[-1]).decode().split())

    def is_cut(self, s):
        try:
            self.assertEqual(s.recv(100), b"")
        except ConnectionResetError:
            pass
        s.close()

    def test_addresses_are_the_clients(self):
        self.assertIn("([203.0.113.5])", self.submit(v1()))
        self.assertIn("([203.0.113.6])", self.submit(v2("203.0.113.6")))
        self.assertIn("([IPv6:2001:db8::5])", self.submit(v1("2001:db8::5")))
        self.assertIn("([IPv6:2001:db8::6])", self.submit(v2("2001:db8::6")))
        self.gw.wait_for_log("client=203.0.113.6:40001")
        self.gw.wait_for_log('client="[2001:db8::6]:40001"')

    def test_in_pieces(self):
        for header in (v1(), v2(tlvs=tlv(4, b"x" * 200))):
            self.submit(*[header[i : i + 1] for i in range(len(header))])
            self.submit(header[:11], header[11:])

    def test_tlvs_are_logged(self):
        tlvs = tlv(2, b"mail.example.org") + tlv(5, b"id\n7")
        tlvs += tlv(0x20, b"\1\0\0\0\0" + tlv(0x22, b"alice"))
        self.submit(v2("203.0.113.7", tlvs))
        self.gw.wait_for_log("client=203.0.113.7:40001")  # the log is written in its own time
        lines = [l for l in self.gw.log().splitlines() if "client=203.0.113.7:40001" in l]
        self.assertIn(" proxy=%s:" % PROXY, lines[0])
        self.assertIn(" authority=mail.example.org", lines[0])
        self.assertIn(" ssl-cn=alice", lines[0])
        self.assertRegex(lines[0], r" unique-id=\S*id\S*7")

    def test_real_clients(self):
        clients.curl(self.gw, dotted(1000), ["bob@example.net"], "--haproxy-protocol")
        self.assertIn("([%s])" % PROXY, self.received())
        for version, family in (("1", "TCP4"), ("2", "AF_INET")):
            clients.swaks(
                self.gw,
                dotted(1000),
                ["bob@example.net"],
                *("--proxy-version", version, "--proxy-family", family),
                *("--proxy-source", "203.0.113.8", "--proxy-source-port", "1234"),
                *("--proxy-dest", "198.51.100.1", "--proxy-dest-port", "465"),
            )
            self.assertIn("([203.0.113.8])", self.received())

    @contextlib.contextmanager
    def haproxy(self):
        conf = self.gw.file("haproxy.cfg")
        with open(conf, "w") as f:
            f.write(HAPROXY % {"at": "%s:%d" % (self.gw.address, self.gw.port)})
        with open(self.gw.file("haproxy.log"), "wb") as log:
            balancer = subprocess.Popen(["haproxy", "-db", "-f", conf], stdout=log, stderr=log)
        try:
            yield
        finally:
            balancer.terminate()
            balancer.wait()

    def test_haproxy(self):
        """The real one, after some health checks: these are no news, and clients come through."""
        with self.haproxy():
            check = re.compile(r"^.*event=session .*client=%s:.*$" % PROXY, re.M)
            seen = len(self.gw.log())
            wait_for("health checks", lambda: len(check.findall(self.gw.log(), seen)) >= 6)
            for line in check.findall(self.gw.log(), seen):
                self.assertIn("level=debug", line)
            for port in (9001, 9002):
                raw = socket.socket()
                raw.bind(("127.0.0.5", 0))
                source = raw.getsockname()[1]
                at = At(self.gw, "127.0.0.1", port, self.TLS)
                with clients.smtplib_login(at, raw) as c:
                    c.sendmail(USER, ["bob@example.net"], dotted(1000))
                self.assertIn("([127.0.0.5])", self.received())
            self.gw.wait_for_log('unique-id=id-127.0.0.5:%d' % source)

    def test_no_header(self):
        """TLS, SMTP, a header that is none: cut, and counted."""
        before = self.gw.counters()["proxy_errors"]
        said = (
            b"EHLO x\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PROXY TCP4 203.0.113.5 198.51.100.25 40001\r\n",
            b"PROXY " + b"x" * 200,
            v2()[:13] + b"\x41" + v2()[14:],
            SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 2000,
            v2(tlvs=tlv(3, b"\0\0\0\0")),
        )
        for bytes_ in said:
            with self.subTest(bytes=bytes_[:40]):
                s = self.tcp()
                s.sendall(bytes_)
                self.is_cut(s)
        self.assertEqual(self.gw.counters()["proxy_errors"], before + len(said))

    def test_says_nothing(self):
        s = self.tcp()
        port = s.getsockname()[1]
        self.is_cut(s)
        self.gw.wait_for_log('client=%s:%d listener=submissions ' % (PROXY, port))
        self.gw.wait_for_log('result="PROXY header timed out"')

    def test_strangers_are_refused(self):
        """Whatever they say; the log names them."""
        before = self.gw.counters()["conn_refused"]
        try:
            s = self.tcp(self.gw.stranger)
            s.sendall(v1())
            self.is_cut(s)
        except (ConnectionResetError, BrokenPipeError):
            pass  # the reset may be faster than we are
        self.gw.wait_for_log('event="not a listed proxy" client=%s:' % self.gw.stranger)
        self.assertEqual(self.gw.counters()["conn_refused"], before + 1)

    def test_health_checks_are_no_news(self):
        """A connection that just ends, and one with a LOCAL header: at level debug."""
        for said in (b"", v2(command=0), SIGNATURE + b"\x20\0\0\0", b"PROXY UNKNOWN\r\n"):
            s = self.tcp()
            line = re.compile("^.*event=session .*:%d listener.*$" % s.getsockname()[1], re.M)
            s.sendall(said)
            s.close()
            found = wait_for("the check's line", lambda: line.search(self.gw.log()))
            self.assertIn("level=debug", found.group())

    def test_local_is_served(self):
        self.assertIn("([%s])" % PROXY, self.submit(v2(command=0)))

    def test_limits_are_the_clients(self):
        """Three connections of one client; those of others behind the same balancer go on."""
        held = []
        for _ in range(3):
            held.append(self.tcp())
            held[-1].sendall(v1("203.0.113.99"))
        self.gw.wait_for_log("client=203.0.113.99:40001 listener", 3)
        s = self.tcp()
        s.sendall(v1("203.0.113.99"))
        self.is_cut(s)
        self.gw.wait_for_log('result="too many connections of this client"')
        self.submit(v1("203.0.113.100"))
        for s in held:
            s.close()

    def test_guesses_are_the_clients(self):
        """A guesser behind the balancer is blocked, and not the balancer."""
        with mock.patch.object(clients, "PASSWORD", "wrong"):
            for _ in range(20):
                with self.assertRaises(smtplib.SMTPException):
                    self.submit(v1("203.0.113.66"))
        before = self.gw.counters()["auth_blocked"]
        with self.assertRaises(smtplib.SMTPException):
            self.submit(v1("203.0.113.66"))
        self.assertGreater(self.gw.counters()["auth_blocked"], before)
        self.submit(v1("203.0.113.67"))


class Implicit(Base, unittest.TestCase):
    pass


class StartTls(Base, unittest.TestCase):
    TLS = "starttls"


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
