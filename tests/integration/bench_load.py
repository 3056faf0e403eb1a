#!/usr/bin/env python3
"""postern-bench load against the gateway, over the kernel's TCP and over our own on net_memif: 200
messages, each acknowledged, and each that the log of acknowledgements names is in the spool, once,
with its checksum; idle connections beside them, of several hosts, by BDAT too."""

import os
import sys
import tempfile

from harness import PASSWORD, USER, Gateway, Problem, run, run_in_namespace

COUNT = 200
IDLE = 30
CROWD = 96
HOSTS = "198.18.0.16"  # and the two behind it
# What carries each path's load, beside its other options.
PATHS = {
    "kernel": [],
    "memif": ["--device", "net_memif0,role=client,socket={dir}/memif,socket-abstract=no",
              "--address", HOSTS + "/24", "--hosts", "3"],
}
MARK = b"X-Postern-Bench: "


def crc32c(data):
    """CRC-32C as RFC 3720 has it, by a table."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def table_entry(n):
    for _ in range(8):
        n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
    return n


TABLE = [table_entry(n) for n in range(256)]


def kept(gw):
    """Id -> checksums of what the spool holds under it."""
    found = {}
    with tempfile.TemporaryDirectory(dir=gw.dir) as folder:
        gw.tool("export", folder)
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            text = text[text.index(b"From: <bench@") :]  # behind the header that we made
            start = text.index(MARK) + len(MARK)
            key = text[start : text.index(b"\r\n", start)].decode()
            found.setdefault(key, []).append("%08x" % crc32c(text))
    return found


def load(gw, *options):
    with open(gw.file("password"), "w") as f:
        f.write(PASSWORD + "\n")
    bench = os.path.join(os.environ["POSTERN_BUILD"], "bench/postern-bench")
    out = run(bench, "load", "-u", USER, "-p", gw.file("password"), "--log", gw.file("acks"),
              *[o.format(dir=gw.dir) for o in PATHS[gw.path]], *options, gw.address, str(gw.port))
    with open(gw.file("acks")) as f:
        return out.decode(), [line.rstrip("\n").split("\t") for line in f]


def main():
    run_in_namespace()
    path = os.environ["POSTERN_PATH"]
    with Gateway(path) as gw:
        out, acks = load(gw, "-n", str(COUNT), "-c", "8", "-m", "5", "-s", "1K:3,4K:2,20K:1",
                         "--idle", str(IDLE), "--bdat")
        if len(acks) != COUNT or "%d  acknowledged" % COUNT not in out:
            raise Problem("%d of %d acknowledged:\n%s" % (len(acks), COUNT, out))
        found = kept(gw)
        for _, key, _, checksum, said in acks:
            if found.pop(key, None) != [checksum]:
                raise Problem("acknowledged and not kept as sent: %s (%s)" % (key, said))
        if found:
            raise Problem("kept and never acknowledged: %s" % sorted(found))
        # Of one host and at once, before its clock moves: each finds a port of its own.
        load(gw, "-n", str(CROWD), "-c", str(CROWD), "--hosts", "1")
    print("%d messages acknowledged, each in the spool" % COUNT)


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
