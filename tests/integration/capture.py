#!/usr/bin/env python3
"""postern-ctl capture: what a real session sends and receives is in the file, both ways, as tcpdump
and a reader of our own see it; its secrets are not; and it ends in every way that it may.

POSTERN_BUILD: the build directory.
"""

import base64
import json
import os
import signal
import stat
import struct
import subprocess
import time
import unittest

import clients
from control import line, talk
from harness import DEADLINE_S, GATEWAY, HEADER, HOST, PASSWORD, STRANGER, USER
from harness import Gateway, run, run_in_namespace, wait_for

SECTION, INTERFACE, COUNTS, PACKET = 0x0A0D0D0A, 1, 5, 6
SUBJECT = b"a subject that nobody else may read"
MAIL = b"Subject: " + SUBJECT + b"\r\n" + HEADER + b"\r\n" + (b"x" * 98 + b"\r\n") * 1000


class Capture:
    """postern-ctl as an operator runs it."""

    def __init__(self, gw, *words):
        self.path = gw.file("frames.pcapng")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            [
                os.path.join(gw.build, "gateway/postern-ctl"),
                "--json",
                "-s",
                gw.file("control"),
                "capture",
                self.path,
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        wait_for(
            "the file's head",
            lambda: self.process.poll() is not None
            or (os.path.exists(self.path) and os.path.getsize(self.path) > 0),
        )

    def end(self, sig=None):
        """What it says at its end."""
        if sig is not None:
            self.process.send_signal(sig)
        out, _ = self.process.communicate(timeout=DEADLINE_S)
        return json.loads(out)

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)


def read_file(path):
    """(interfaces, packets, counts); packets as (interface, ns, sent, wire length, bytes)."""
    with open(path, "rb") as f:
        data = f.read()
    interfaces, packets, counts, at = [], [], [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + length - 4]
        assert length % 4 == 0 and struct.unpack_from("<I", data, at + length - 4)[0] == length
        if kind == INTERFACE:
            interfaces.append(options(body[8:]))
        elif kind == PACKET:
            number, high, low, kept, wire = struct.unpack_from("<IIIII", body)
            tail = options(body[20 + (kept + 3) // 4 * 4 :])
            sent = {1: False, 2: True}[struct.unpack("<I", tail[2])[0]]
            packets.append((number, high << 32 | low, sent, wire, body[20 : 20 + kept]))
        elif kind == COUNTS:
            counts.append({k: struct.unpack("<Q", v)[0] for k, v in options(body[12:]).items()})
        else:
            assert kind == SECTION and at == 0
        at += length
    return interfaces, packets, counts


def options(data):
    found, at = {}, 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            break
        found[code] = data[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return found


def ends(packet):
    """Source and destination address and port of a frame with TCP in IPv4, or None."""
    frame = packet[4]
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    return struct.unpack_from(">IIHH", frame, 26)


class Captures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway("tap", workers=2).start()
        cls.addClassCleanup(cls.gw.close)

    def begins(self, *words):
        """One can begin: none is under way."""

        def done():
            c = Capture(self.gw, *words)
            self.addCleanup(c.kill)
            if c.process.poll() is None or os.path.getsize(c.path) > 0:
                return c
            return self.assertIn("under way", c.end()["error"])

        return wait_for("a capture to begin", done)

    def test_a_session(self):
        begin = time.time_ns()
        c = self.begins("port=465")
        for i in range(4):  # by chance both workers have some
            clients.curl(self.gw, MAIL, ["bob@example.net"])
        run("ping", "-c", "1", GATEWAY)  # not of that port
        said = c.end(signal.SIGINT)
        interfaces, packets, counts = read_file(c.path)

        self.assertEqual((said["dropped"], said["why"]), (0, "ended as asked"))
        self.assertEqual(said["frames"], len(packets))
        self.assertEqual(said["bytes"], os.path.getsize(c.path))
        self.assertEqual([i[2] for i in interfaces], [b"worker 0", b"worker 1"])
        self.assertEqual(sum(n[4] for n in counts), len(packets))
        self.assertEqual(sum(n[5] for n in counts), 0)
        self.assertEqual(stat.S_IMODE(os.stat(c.path).st_mode), 0o600)
        for p in packets:
            self.assertIn(465, ends(p)[2:])
            self.assertEqual(p[2], ends(p)[2] == 465, "sent is from our port")
            self.assertEqual(p[3], len(p[4]))
            self.assertTrue(begin < p[1] < time.time_ns())
        for number in (0, 1):
            times = [p[1] for p in packets if p[0] == number]
            self.assertEqual(times, sorted(times))
        received = sum(len(p[4]) for p in packets if not p[2])
        self.assertGreater(received, 4 * len(MAIL))
        self.assertGreater(sum(len(p[4]) for p in packets if p[2]), 4 * 2000)

        with open(c.path, "rb") as f:
            everything = f.read()
        for secret in (SUBJECT, PASSWORD.encode(), USER.encode(), b"bob@"):
            self.assertFalse(secret in everything, secret)
        login = base64.b64encode(b"\0%s\0%s" % (USER.encode(), PASSWORD.encode()))
        self.assertFalse(login[4:-4] in everything, "AUTH PLAIN")
        text = run("tcpdump", "-nn", "-r", c.path).decode()
        self.assertEqual(len(text.splitlines()), len(packets))
        self.assertEqual(text.count("> %s.465: Flags [S]" % GATEWAY), 4)
        self.assertEqual(text.count("> %s." % HOST), sum(p[2] for p in packets))

    def test_by_host_and_snaplen(self):
        c = self.begins("host=" + STRANGER, "snaplen=60")
        clients.curl(self.gw, MAIL, ["bob@example.net"])
        with self.gw.connect(STRANGER):
            pass
        c.end(signal.SIGTERM)
        _, packets, _ = read_file(c.path)
        self.assertGreaterEqual(len(packets), 3)  # its handshake; how it ends may come too late
        stranger = struct.unpack(">I", bytes(map(int, STRANGER.split("."))))[0]
        for p in packets:
            self.assertIn(stranger, ends(p)[:2])
            self.assertEqual(len(p[4]), min(60, p[3]))

    def test_ends_by_itself(self):
        c = self.begins("count=3")
        clients.curl(self.gw, MAIL, ["bob@example.net"])
        self.assertEqual(c.end()["frames"], 3)
        self.assertEqual(len(read_file(c.path)[1]), 3)
        c = self.begins("size=20000")
        clients.curl(self.gw, MAIL, ["bob@example.net"])
        self.assertEqual(c.end()["why"], "the file has its size")
        self.assertLess(os.path.getsize(c.path), 20000 + 500)  # the counts come behind it
        self.assertEqual(self.begins("seconds=1").end()["why"], "the time is over")

    def test_ends_with_its_client(self):
        self.begins().kill()
        c = self.begins("worker=1")
        interfaces, _, _ = read_file(c.path)
        self.assertEqual([i[2] for i in interfaces], [b"worker 1"])
        self.assertIn("under way", Capture(self.gw).end()["error"])

    def test_refused(self):
        fifo = self.gw.file("fifo")
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        # The test before may have one that has yet to notice that its client is gone.
        wait_for(
            "no to what may block",
            lambda: "regular file" in self.gw.ctl("capture", fifo, fails=True)["error"],
        )
        os.close(reader)
        for word, error in (
            ("snaplen=0", "snaplen must not be 0"),
            ("snaplen=2049", "up to 2048"),
            ("worker=2", "below 2"),
            ("host=x", "'x' is no address"),
            ("port=", "with a value"),
            ("port=65536", "up to 65535"),
            ("colour=red", "must be one of"),
            ("x", "must be one of"),
        ):
            said = self.gw.ctl("capture", self.gw.file("none"), word, fails=True)["error"]
            self.assertIn(error, said)
        with talk(self.gw) as s:
            for words, error in ((b"capture", "descriptor"), (b"capture-look", "no capture")):
                s.sendall(words + b"\n")
                self.assertIn(error, line(s)["error"])

    def test_daemon_ends_first(self):
        c = self.begins()
        self.gw.stop()
        self.assertNotEqual(c.process.wait(DEADLINE_S), 0)
        self.assertEqual(len(read_file(c.path)[2]), 2, "the file has its end")
        self.gw.start()


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
