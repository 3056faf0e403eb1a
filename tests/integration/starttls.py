#!/usr/bin/env python3
"""STARTTLS: real clients use it, and nothing that was put into the clear part gets behind it.

POSTERN_PATH: tap, af_packet, af_xdp or kernel. POSTERN_BUILD: the build directory.
"""

import os
import re
import smtplib
import socket
import ssl
import struct
import unittest

import clients
from harness import DEADLINE_S, PASSWORD, USER, Gateway, dotted, run_in_namespace, sha
from harness import wait_for

PATH = os.environ.get("POSTERN_PATH", "kernel")
INJECTED = (
    b"EHLO injected.example\r\n",
    b"NOOP\r\n" * 1000,
    b"R",
    b"\r\n",
    b"\0",
    b"\x16\x03\x01",  # as a ClientHello begins
)


def lines(sock):
    """Whole replies, one after the other; b"" at the end."""
    got = b""
    while True:
        piece = sock.recv(1)
        got += piece
        if not piece or (got.endswith(b"\r\n") and got.split(b"\r\n")[-2][3:4] == b" "):
            return got


def rest(sock):
    got = b""
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return got
            got += piece
    except ConnectionResetError:
        return got


class StartTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(PATH, tls="starttls", limits="handshake-timeout = 3s").start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def clear(self):
        """A connection that has said EHLO in clear."""
        s = socket.create_connection((self.gw.address, self.gw.port), timeout=DEADLINE_S)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.assertEqual(lines(s)[:4], b"220 ")
        s.sendall(b"EHLO clear.example\r\n")
        said = lines(s)
        self.assertIn(b"250-STARTTLS\r\n", said)
        self.assertNotIn(b"AUTH", said)
        return s

    def started(self):
        s = self.clear()
        s.sendall(b"STARTTLS\r\n")
        self.assertEqual(lines(s)[:4], b"220 ")
        return s

    def logged(self, port):
        """The line of the session from this port."""
        line = re.compile(r"^.*event=session .*client=[0-9.]*:%d .*$" % port, re.M)
        return wait_for("the session's line", lambda: line.search(self.gw.log())).group()

    def test_real_clients(self):
        data = dotted(100 * 1024)
        for name, submit in clients.CLIENTS.items():
            with self.subTest(client=name):
                before = set(self.gw.ids())
                submit(self.gw, data, ["bob@example.net"])
                new = [i for i in self.gw.ids() if i not in before]
                self.assertEqual(len(new), 1)
                self.assertEqual(sha(self.gw.body(new[0])), sha(data))
                shown = " ".join(self.gw.tool("show", new[0]).decode().split())
                self.assertRegex(shown, r"with ESMTPSA \(TLSv1\.[23] TLS_")

    def test_nothing_without_tls(self):
        with self.clear() as s:
            for said in (b"MAIL FROM:<a@x.example>", b"AUTH PLAIN AGEAYg==", b"DATA", b"VRFY a"):
                s.sendall(said + b"\r\n")
                self.assertEqual(lines(s), b"530 5.7.0 Must issue a STARTTLS command first\r\n")

    def test_forgets_and_greets_once(self):
        with self.gw.context().wrap_socket(self.started()) as s:
            s.sendall(b"MAIL FROM:<a@x.example>\r\nSTARTTLS\r\nEHLO c.example\r\n")
            self.assertEqual(lines(s)[:4], b"530 ")  # no banner before it
            self.assertEqual(lines(s)[:4], b"503 ")
            said = lines(s)
            self.assertIn(b"250-AUTH", said)
            self.assertNotIn(b"STARTTLS", said)

    def injected(self, s):
        """What was sent in clear behind STARTTLS was not obeyed."""
        said = rest(s)
        self.assertTrue(said == b"" or said.startswith((b"554 ", b"220 ")), said)
        self.assertLessEqual(said.count(b"\r\n"), 2, said)
        self.assertNotIn(b"250", said)
        port = s.getsockname()[1]
        s.close()
        line = self.logged(port)
        self.assertIn("helo=clear.example", line)
        self.assertIn('result="clear text behind STARTTLS"', line)

    def test_injection_in_one_segment(self):
        for bytes_ in INJECTED:
            with self.subTest(bytes=bytes_[:40]):
                s = self.clear()
                s.sendall(b"STARTTLS\r\n" + bytes_)
                said = lines(s)
                self.assertEqual(said, b"554 5.7.0 Nothing may follow STARTTLS in clear\r\n")
                self.injected(s)

    def test_injection_in_pieces(self):
        """Whatever the cuts: an error in clear, and the end."""
        whole = b"STARTTLS\r\nEHLO injected.example\r\nRSET\r\n"
        for at in range(1, len(whole)):
            with self.subTest(at=at):
                s = self.clear()
                s.sendall(whole[:at])
                s.sendall(whole[at:])
                self.injected(s)

    def test_injection_behind_the_220(self):
        for bytes_ in (b"EHLO injected.example\r\n", b"\0", b"QUIT\r\n"):
            with self.subTest(bytes=bytes_):
                s = self.started()
                s.sendall(bytes_)
                self.assertEqual(lines(s), b"554 5.7.0 Nothing but TLS may follow STARTTLS\r\n")
                self.injected(s)

    def test_client_hello_before_the_220(self):
        """A client that does not wait for the reply is refused, whatever it sends."""
        ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.gw.context().wrap_bio(theirs, ours)
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        s = self.clear()
        s.sendall(b"STARTTLS\r\n" + ours.read())
        self.assertEqual(lines(s)[:4], b"554 ")
        self.injected(s)

    def test_ends_in_the_middle(self):
        for said in (b"STARTTLS", b"STARTTLS\r", b"STARTTLS\r\n"):
            for how in ("close", "reset"):
                with self.subTest(said=said, how=how):
                    s = self.clear()
                    s.sendall(said)
                    if how == "reset":
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
        clients.python(self.gw, dotted(1000), ["bob@example.net"])

    def test_says_nothing_behind_the_220(self):
        with self.started() as s:
            self.assertEqual(rest(s), b"")
            self.assertIn('result="handshake timed out"', self.logged(s.getsockname()[1]))

    def test_bad_handshake(self):
        """The alert is what the client gets, and no reply in clear."""
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(ssl.SSLError) as caught:
            old.wrap_socket(self.started())
        self.assertIn("ALERT", str(caught.exception).upper())

    def test_plain_login_is_refused(self):
        with smtplib.SMTP(self.gw.address, self.gw.port, timeout=DEADLINE_S) as c:
            with self.assertRaises(smtplib.SMTPNotSupportedError):
                c.login(USER, PASSWORD)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
