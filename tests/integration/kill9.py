#!/usr/bin/env python3
"""kill -9 at random moments under load: every message whose 250 the client read is there, exactly
once, whole.

POSTERN_PATH, POSTERN_BUILD as elsewhere. POSTERN_ROUNDS: how often (50). POSTERN_SEED: of the
moments.
"""

import os
import random
import smtplib
import socket
import sys
import tempfile
import threading

import clients
from harness import USER, Gateway, Problem, dotted, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")
ROUNDS = int(os.environ.get("POSTERN_ROUNDS", "50"))
SEED = int(os.environ.get("POSTERN_SEED", "1"))
SENDERS = 8


class Sender(threading.Thread):
    """Submits messages until the gateway is gone; keeps what was answered with 250, and what was
    not answered."""

    def __init__(self, gw, name, rng, stop):
        super().__init__()
        self.gw, self.tag, self.rng, self.stop = gw, name, rng, stop
        self.accepted, self.open = [], None
        self.raw = socket.socket()
        self.line = self.raw.dup()  # outlives the TLS that takes the socket over

    def run(self):
        try:
            c = clients.smtplib_login(self.gw, self.raw)
            n = 0
            while not self.stop.is_set():
                n += 1
                size = self.rng.choice(
                    (10, 500, 4000, 30000, 200000, 3000000)
                    if n % 7 == 0
                    else (10, 500, 4000, 30000)
                )
                self.open = ("X-Key: %s-%d\r\n" % (self.tag, n)).encode() + dotted(size)
                c.sendmail(USER, ["bob@example.net"], self.open)
                self.accepted.append(self.open)
                self.open = None
        except (smtplib.SMTPException, OSError):
            pass

    def hang_up(self):
        """The host at the other end is dead and will never say so: what it had said is still read,
        and then comes the end."""
        try:
            self.line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # its death was heard of already
        self.join()
        self.line.close()


def kept_bodies(gw):
    """Every message of the spool, behind the header that we made, with how often it is there."""
    kept = {}
    with tempfile.TemporaryDirectory(dir=gw.dir) as folder:
        gw.tool("export", folder)
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            body = text[text.index(b"X-Key: ") :]
            kept[body] = kept.get(body, 0) + 1
    return kept


def check(gw, accepted, unanswered):
    kept = kept_bodies(gw)
    for body in accepted:
        if kept.get(body, 0) != 1:
            raise Problem("acknowledged and found %d times: %r" % (kept.get(body, 0), body[:60]))
    known = set(accepted) | set(unanswered)
    for body, times in kept.items():
        if body not in known or times != 1:
            raise Problem("in the spool %d times, and nobody sent it so: %r" % (times, body[:60]))


def main():
    run_in_namespace()
    rng = random.Random(SEED)
    gw = Gateway(PATH, spool="size = 8G")
    accepted, unanswered = [], []
    for number in range(ROUNDS):
        gw.start()
        stop = threading.Event()
        senders = [
            Sender(gw, "%d-%d" % (number, i), random.Random(rng.random()), stop)
            for i in range(SENDERS)
        ]
        for s in senders:
            s.start()
        stop.wait(rng.uniform(0.05, 1.0))  # the moment is what is random here
        gw.kill()
        stop.set()
        for s in senders:
            s.hang_up()
            accepted += s.accepted
            unanswered += [s.open] if s.open else []
        if number % 10 == 9 or number == ROUNDS - 1:
            check(gw, accepted, unanswered)
            print(
                "round %d: %d acknowledged, each there once" % (number + 1, len(accepted)),
                flush=True,
            )
    if not accepted:
        raise Problem("nothing was acknowledged in any round: this proves nothing")
    gw.start()
    gw.tool("verify")
    gw.close()


if __name__ == "__main__":
    try:
        main()
    except Problem as p:
        print("FAILED: %s (POSTERN_SEED=%d)" % (p, SEED), file=sys.stderr)
        sys.exit(1)
