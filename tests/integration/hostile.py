#!/usr/bin/env python3
"""Bad input, by name: each gets the right reply or silence, a counter, and costs no memory; others
are served.

POSTERN_PATH: tap, af_packet, af_xdp or kernel. POSTERN_BUILD: the build directory.
"""

import base64
import os
import socket
import ssl
import struct
import threading
import unittest

import clients
from harness import DEADLINE_S, PASSWORD, USER, Gateway, dotted, run_in_namespace, wait_for

PATH = os.environ.get("POSTERN_PATH", "kernel")
GROWTH_KB = (
    24 * 1024
)  # pools fill their pages at first use; nothing may grow with the number of attempts


def everything(sock, limit=1 << 20):
    """All that the peer says until it ends or resets."""
    got = b""
    try:
        while len(got) < limit:
            piece = sock.recv(65536)
            if not piece:
                break
            got += piece
    except (ConnectionResetError, ssl.SSLError, TimeoutError) as e:
        if isinstance(e, TimeoutError):
            raise
    return got


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(
            PATH,
            limits="handshake-timeout = 3s command-timeout = 5s data-timeout = 5s "
            "message-size = 1M connections-per-client = 2000",
        ).start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def tearDown(self):
        # Whatever was done: the next one is served.
        clients.python(self.gw, dotted(1000), ["bob@example.net"])

    def tcp(self):
        return socket.create_connection((self.gw.address, self.gw.port), timeout=DEADLINE_S)

    def session(self):
        """An authenticated session as a TLS socket."""
        s = self.gw.connect()
        self.talk(s, b"", b"220")
        self.talk(s, b"EHLO x.example.org\r\n", b"250")
        login = base64.b64encode(b"\0" + USER.encode() + b"\0" + PASSWORD.encode())
        self.talk(s, b"AUTH PLAIN " + login + b"\r\n", b"235")
        return s

    def talk(self, s, line, code):
        if line:
            s.sendall(line)
        got = b""
        while True:
            piece = s.recv(65536)
            got += piece
            last = got.split(b"\r\n")[-2:-1]
            if not piece or (got.endswith(b"\r\n") and last and last[0][3:4] == b" "):
                break
        self.assertTrue(got.startswith(code), "%r got %r" % (line[:80], got))
        return got

    def in_data(self):
        s = self.session()
        self.talk(s, b"MAIL FROM:<a@example.org>\r\n", b"250")
        self.talk(s, b"RCPT TO:<b@example.org>\r\n", b"250")
        self.talk(s, b"DATA\r\n", b"354")
        return s

    def counted(self, name, act):
        before = self.gw.counters()[name]
        act()
        wait_for("counter " + name, lambda: self.gw.counters()[name] > before)

    # --- on the way to TLS

    def test_plain_text_and_http(self):
        def act():
            for said in (
                b"EHLO x\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                b"\0" * 100,
                b"\x80\x2e\x01\x03\x01" + b"a" * 50,
            ):
                with self.tcp() as s:
                    s.sendall(said)
                    self.assertIn(b"TLS", everything(s))

        self.counted("tls_not_tls", act)

    def test_alpn_of_a_browser(self):
        def act():
            c = self.gw.context()
            c.set_alpn_protocols(["h2", "http/1.1"])
            with self.tcp() as s, self.assertRaises(ssl.SSLError) as caught:
                c.wrap_socket(s)
            self.assertRegex(str(caught.exception), "(?i)no.application.protocol")

        self.counted("tls_handshake_errors", act)
        c = self.gw.context()
        c.set_alpn_protocols(["h2", "smtp"])
        with c.wrap_socket(self.tcp()) as s:
            self.assertEqual(s.selected_alpn_protocol(), "smtp")

    def test_http_in_tls(self):
        """A verb of HTTP is the last line that is looked at."""
        with self.gw.connect() as s:
            self.talk(s, b"", b"220")
            s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nNOOP\r\n")
            self.assertEqual(everything(s), b"554 5.7.0 mail.example.org speaks SMTP only\r\n")

    def test_old_tls(self):
        def act():
            hello = (
                bytes.fromhex("0301")
                + os.urandom(32)
                + b"\0"
                + bytes.fromhex("0004c009c013")
                + b"\1\0"
            )
            record = (
                b"\x16\x03\x01"
                + struct.pack(">H", len(hello) + 4)
                + b"\1\0"
                + struct.pack(">H", len(hello))
                + hello
            )
            with self.tcp() as s:
                s.sendall(record)
                self.assertEqual(
                    everything(s)[:7], bytes.fromhex("15030100020246")
                )  # fatal, protocol_version

        self.counted("tls_handshake_errors", act)

    def hello(self):
        ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        c = self.gw.context().wrap_bio(theirs, ours)
        try:
            c.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return ours.read()

    def test_client_hello_cut_and_split(self):
        hello = self.hello()
        for n in (1, 4, 5, 6, 40, len(hello) - 1):
            with self.tcp() as s:
                s.sendall(hello[:n])
                s.shutdown(socket.SHUT_WR)
                everything(s)
        with self.tcp() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(len(hello)):
                s.send(hello[i : i + 1])
            self.assertEqual(s.recv(5)[:1], b"\x16")  # a ServerHello

    def test_client_hello_oversized(self):
        body = b"\x01" + (200000).to_bytes(3, "big") + os.urandom(200000)
        with self.tcp() as s:
            try:
                for i in range(0, len(body), 16000):
                    piece = body[i : i + 16000]
                    s.sendall(b"\x16\x03\x01" + struct.pack(">H", len(piece)) + piece)
            except (ConnectionResetError, BrokenPipeError):
                pass
            self.assertEqual(everything(s)[:1] or b"\x15", b"\x15")

    def test_says_nothing(self):
        def act():
            with self.tcp() as s:
                everything(s)  # the gateway ends it

        self.counted("conn_timeouts", act)

    def test_a_byte_a_second(self):
        hello = self.hello()

        def act():
            with self.tcp() as s:
                stop = threading.Event()
                for i in range(30):
                    try:
                        s.send(hello[i : i + 1])
                    except (ConnectionResetError, BrokenPipeError):
                        return
                    stop.wait(0.5)
                self.fail("a client that sends two bytes a second was let be")

        self.counted("conn_timeouts", act)

    # --- in the session

    def test_garbage_in_tls(self):
        s = self.session()
        raw = socket.socket(fileno=s.detach())
        with raw:
            raw.settimeout(DEADLINE_S)
            raw.sendall(b"\x17\x03\x03\x00\x20" + os.urandom(32))
            everything(raw)

    def test_broken_record(self):
        """One bit is wrong: the client sees an alert, not a reset; the log has the reason."""
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        c = self.gw.context().wrap_bio(come, go)

        def until_done(act):
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    raw.sendall(go.read())
                    come.write(raw.recv(65536))

        with self.tcp() as raw:
            until_done(c.do_handshake)
            raw.sendall(go.read())
            self.assertTrue(until_done(c.read).startswith(b"220 "))
            c.write(b"NOOP\r\n")
            record = bytearray(go.read())
            record[-1] ^= 1
            raw.sendall(record)
            with self.assertRaises(ssl.SSLError) as caught:
                until_done(c.read)
            self.assertIn("BAD_RECORD_MAC", str(caught.exception))
        self.gw.wait_for_log('result="record does not decrypt"')

    def test_long_command_line(self):
        before = self.gw.memory_kb()
        s = self.session()
        for _ in range(160):
            s.sendall(b"A" * 65536)
        self.talk(s, b"\r\n", b"500")
        self.talk(s, b"NOOP\r\n", b"250")
        s.close()
        self.assertLess(self.gw.memory_kb() - before, GROWTH_KB)

    def test_line_ends(self):
        for line in (b"NOOP\n", b"NOOP\rNOOP\r\n", b"NO\0OP\r\n"):
            with self.subTest(line=line):
                s = self.session()
                s.sendall(line)
                self.assertTrue(everything(s).startswith(b"5"))
                s.close()

    def test_data_line_ends(self):
        kept = len(self.gw.ids())
        for body in (
            b"a\n.\n",
            b"a\r\n.\nb\r\n.\r\n",
            b"a\n.\r\nMAIL FROM:<x@y.z>\r\n",
            b"a\r.\rb\r\n.\r\n",
            b"a\0b\r\n.\r\n",
        ):
            with self.subTest(body=body):
                s = self.in_data()
                s.sendall(body)
                self.assertTrue(everything(s).startswith(b"5"))
                s.close()
        self.assertEqual(len(self.gw.ids()), kept)

    def test_data_that_never_ends(self):
        before = self.gw.memory_kb()
        s = self.in_data()
        line = b"x" * 998 + b"\r\n"
        said = b""
        try:
            for _ in range(8 * 1024):
                s.sendall(line)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            pass
        said = everything(s)
        self.assertTrue(said.startswith(b"552") or said == b"", said)
        self.assertLess(self.gw.memory_kb() - before, GROWTH_KB)

    def test_data_refused_at_its_end_leaves_nothing_behind(self):
        """Too big, or with a line that is: refused, and the next message is just itself."""
        before = len(self.gw.ids())
        good = dotted(3000)
        line = b"x" * 998 + b"\r\n"
        for bad in (line * 1200, line * 1049, b"y" * 70000 + b"\r\n"):
            s = self.in_data()
            s.sendall(bad)
            self.talk(s, b".\r\n", b"5")
            self.talk(s, b"MAIL FROM:<a@example.org>\r\n", b"250")
            self.talk(s, b"RCPT TO:<b@example.org>\r\n", b"250")
            self.talk(s, b"DATA\r\n", b"354")
            self.talk(s, clients.stuffed(good), b"250")
            s.close()
        kept = [self.gw.body(i) for i in self.gw.ids()[before:]]
        self.assertEqual(kept, [good] * 3)

    def test_data_ends_in_the_middle(self):
        kept = len(self.gw.ids())
        for how in ("close", "reset"):
            s = self.in_data()
            s.sendall(b"a part of a message\r\n")
            if how == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        self.assertEqual(len(self.gw.ids()), kept)

    def test_window_of_zero(self):
        """A client that reads nothing: its replies fill our queue, no more, and its time runs
        out."""
        before = self.gw.memory_kb()
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(DEADLINE_S)
        raw.connect((self.gw.address, self.gw.port))
        s = self.gw.context().wrap_socket(raw)
        s.setblocking(False)
        end = threading.Event()
        for _ in range(2000):
            try:
                s.send(b"HELP\r\n" * 100)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                end.wait(0.005)
            except OSError:
                break
        self.assertLess(self.gw.memory_kb() - before, GROWTH_KB)
        s.close()

    def test_wrong_passwords_at_speed(self):
        """The client that guesses is told to stop; the one at the next address logs in."""
        answers = []
        for i in range(30):
            try:
                s = self.gw.connect(self.gw.stranger)
                self.talk(s, b"", b"220")
                self.talk(s, b"EHLO x\r\n", b"250")
                s.sendall(
                    b"AUTH PLAIN " + base64.b64encode(b"\0nobody%d\0wrong" % (i % 3)) + b"\r\n"
                )
                answers.append(s.recv(1000)[:3])
                s.close()
            except (ConnectionResetError, ssl.SSLError, BrokenPipeError):
                answers.append(b"---")
        self.assertEqual(answers[0], b"535")
        self.assertNotIn(b"235", answers)
        self.assertIn(b"421", answers)

    def test_many_that_come_and_go(self):
        for _ in range(50):
            self.tcp().close()
        before = self.gw.memory_kb()
        for _ in range(2000):
            self.tcp().close()
        self.assertLess(self.gw.memory_kb() - before, GROWTH_KB)

    def test_half_open(self):
        """100,000 SYNs from nowhere, whose third segment never comes."""
        if PATH == "kernel":
            self.skipTest("the kernel's own stack takes the SYNs")
        import spoof

        before = self.gw.memory_kb()
        sent = spoof.syn_flood(
            "pt0" if PATH == "tap" else "pv0", self.gw.address, self.gw.port, 100000
        )
        self.assertEqual(sent, 100000)
        clients.python(self.gw, dotted(1000), ["bob@example.net"])
        self.assertLess(self.gw.memory_kb() - before, GROWTH_KB)

    def test_broken_frames(self):
        if PATH == "kernel":
            self.skipTest("the kernel's own stack takes the frames")
        import spoof

        def act():
            spoof.broken_frames("pt0" if PATH == "tap" else "pv0", self.gw.address, self.gw.port)

        self.counted("net_in_malformed", act)
        self.counted("net_in_csum_errors", act)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
