#!/usr/bin/env python3
"""The control socket of a running gateway, by postern-ctl and by clients that behave badly."""

import json
import os
import socket
import subprocess

import harness
from harness import Gateway, Problem


def expect(what, condition):
    if not condition:
        raise Problem("not so: " + what)


def talk(gw):
    """A client of the socket, raw."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(harness.DEADLINE_S)
    s.connect(gw.file("control"))
    return s


def line(s):
    got = b""
    while not got.endswith(b"\n"):
        more = s.recv(65536)
        if not more:
            raise Problem("the answer ends in its midst: %r" % got)
        got += more
    return json.loads(got)


def counts(gw):
    raw = gw.connect()
    raw.recv(1024)
    stats = gw.ctl("stats")
    expect("one connection was taken", stats["counters"]["conn_accepted"] == 1)
    expect("the log's names are the same", set(gw.counters()) >= set(stats["counters"]))
    if gw.path == "tap":
        expect("one is established", stats["nstat"]["TcpCurrEstab"] == 1)
        expect("one was opened", stats["nstat"]["TcpPassiveOpens"] == 1)
        expect(
            "segments are counted under both names",
            0 < stats["nstat"]["TcpInSegs"] <= gw.ctl("stats")["counters"]["tcp_in_segs"],
        )
        expect("the device counts", stats["device"]["nic_in"] > 0)
        expect("and so does the log", "name=nic_in_missed" in gw.log())
    rows = gw.ctl("workers")["workers"]
    expect("one worker, one connection", [r["connections"] for r in rows] == [1])
    raw.close()


def bad_input(gw):
    bad = (("unknown command 'nonsense'", ["nonsense"]), ("usage: stats", ["stats", "x"]))
    for said, words in bad:
        expect(said, said in gw.ctl(*words, fails=True)["error"])
    done = subprocess.run(
        [os.path.join(gw.build, "gateway/postern-ctl"), "-s", gw.file("control"), "a b"],
        stderr=subprocess.PIPE,
    )
    expect("a space in a word is wrong usage", done.returncode == 2)
    with talk(gw) as s:
        s.sendall(b"\n \x01 \n1 2 3 4 5 6 7 8 9\n\xff\"\\\n")
        f = s.makefile("rb")
        errors = [json.loads(f.readline())["error"] for _ in range(4)]
        for said in errors[:3]:
            expect("no word, or too many", "a line is a command" in said)
        expect("a strange word is quoted", 'unknown command \'\ufffd"\\\'' in errors[3])


def pipelined(gw):
    """Several lines at once, in two pieces; each gets its answer, in order."""
    with talk(gw) as s:
        s.sendall(b"help\nnonsense\nwor")
        f = s.makefile("rb")
        expect("help", "commands" in json.loads(f.readline()))
        expect("then nonsense", "error" in json.loads(f.readline()))
        s.sendall(b"kers\n")
        expect("then workers", "workers" in json.loads(f.readline()))


def bounds(gw):
    with talk(gw) as s:
        s.sendall(b"x" * 512)
        f = s.makefile("rb")
        expect("too long", "too long" in json.loads(f.readline())["error"])
        expect("closed", f.readline() == b"")
    clients = [talk(gw) for _ in range(8)]
    with talk(gw) as s:
        f = s.makefile("rb")
        expect("too many", "too many" in json.loads(f.readline())["error"])
        expect("closed", f.readline() == b"")
    for s in clients:
        s.close()
    harness.wait_for("a place", lambda: "workers" in try_workers(gw))


def try_workers(gw):
    with talk(gw) as s:
        s.sendall(b"workers\n")
        return line(s)


def strangers(gw):
    """Another user is told no, were the socket open to him."""
    os.chmod(gw.dir, 0o755)
    os.chmod(gw.file("control"), 0o666)
    ask = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('%s'); print(s.recv(999))"
    said = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", ask % gw.file("control")],
        stdout=subprocess.PIPE,
        check=True,
    )
    expect("only root", b"only root" in said.stdout)


def reloads(gw):
    users = open(gw.file("users")).read()
    expect("taken", gw.ctl("reload")["reloaded"])
    with open(gw.file("users"), "w") as f:
        f.write("no colon\n")
    expect("not taken", gw.file("users") in gw.ctl("reload", fails=True)["error"])
    with open(gw.file("users"), "w") as f:
        f.write(users)


def main():
    harness.run_in_namespace()
    with Gateway(path=os.environ["POSTERN_PATH"]) as gw:
        counts(gw)
        bad_input(gw)
        pipelined(gw)
        bounds(gw)
        strangers(gw)
        reloads(gw)
        expect("draining", gw.ctl("drain")["draining"])
        expect("it ends", gw.process.wait(timeout=harness.DEADLINE_S) == 0)
        expect("its socket with it", not os.path.exists(gw.file("control")))


main()
