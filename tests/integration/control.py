#!/usr/bin/env python3
"""The control socket of a running gateway, by postern-ctl and by clients that behave badly."""

import base64
import json
import os
import smtplib
import socket
import subprocess

import clients
import harness
from harness import USER, Gateway, Problem


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


def rows_of_connections(gw):
    c = clients.smtplib_login(gw)
    ours = c.sock.getsockname()
    (row,) = gw.ctl("connections")["connections"]
    expect("it is ours", row["client"] == "%s:%d" % ours and row["user"] == USER)
    expect("it waits for a command", row["phase"] == "command" and row["commands"] > 1)
    expect("its TLS", row["tls"].startswith("TLSv1.") and row["cipher"].startswith("TLS_"))
    expect("its TCP", row["tcp"] == "ESTABLISHED" and row["srtt_us"] > 0 and row["cwnd"] > 0)
    expect("its bytes", row["bytes_in"] > 500 and row["bytes_out"] > 500 and row["lost"] == 0)
    expect("of its address", len(gw.ctl("connections", "5", ours[0])["connections"]) == 1)
    expect("of another's", gw.ctl("connections", "203.0.113.0/24")["connections"] == [])
    expect("none", gw.ctl("connections", "0")["connections"] == [])
    others = [gw.connect() for _ in range(40)]
    expect("in batches", len(gw.ctl("connections")["connections"]) == 41)
    expect("so many", len(gw.ctl("connections", "33")["connections"]) == 33)
    for s in others + [c]:
        s.close()


def attempt(gw, password):
    """The reply to AUTH, on a connection of its own."""
    c = smtplib.SMTP()
    c.sock = gw.connect()
    c.getreply()
    c.ehlo("client.example.org")
    secret = base64.b64encode(("\0%s\0%s" % (USER, password)).encode()).decode()
    code, _ = c.docmd("AUTH", "PLAIN " + secret)
    client = c.sock.getsockname()[0]
    c.close()
    return code, client


def guesses(gw):
    """Three wrong ones block the pair, and an operator lifts that."""
    for _ in range(3):
        code, client = attempt(gw, "wrong")
        expect("535", code == 535)
    expect("421 even to the right one", attempt(gw, harness.PASSWORD)[0] == 421)
    (row,) = gw.ctl("blocks")["blocks"]
    expect("a pair", (row["kind"], row["client"], row["login"]) == ("pair", client, USER))
    expect("for ten seconds", 0 < row["left_s"] <= 10)
    expect("not blocked", "no such block" in gw.ctl("unblock", USER, fails=True)["error"])
    expect("lifted", gw.ctl("unblock", USER, client)["lifted"] == 1)
    expect("no block is left", gw.ctl("blocks")["blocks"] == [])
    expect("235", attempt(gw, harness.PASSWORD)[0] == 235)


def bad_input(gw):
    bad = (
        ("unknown command 'nonsense'", ["nonsense"]),
        ("usage: stats", ["stats", "x"]),
        ("usage: unblock", ["unblock"]),
        ("up to 10000", ["connections", "10001"]),
        ("up to 10000", ["connections", "-1"]),
        ("must be an address", ["connections", "192.0.2.1/24"]),
        ("one login", ["unblock", "ann", "bob"]),
    )
    for said, words in bad:
        expect(said, said in gw.ctl(*words, fails=True)["error"])
    with talk(gw) as s:
        s.sendall(b"capture\n")
        why = "no device" if gw.path == "kernel" else "a descriptor"
        expect("no capture", why in line(s)["error"])
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
    with Gateway(path=os.environ["POSTERN_PATH"], extra="auth { guesses-per-pair = 3 }") as gw:
        counts(gw)
        rows_of_connections(gw)
        guesses(gw)
        bad_input(gw)
        pipelined(gw)
        bounds(gw)
        strangers(gw)
        reloads(gw)
        expect("draining", gw.ctl("drain")["draining"])
        expect("it ends", gw.process.wait(timeout=harness.DEADLINE_S) == 0)
        expect("its socket with it", not os.path.exists(gw.file("control")))


if __name__ == "__main__":
    main()
