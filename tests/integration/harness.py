"""What the integration tests share: a network of their own, a gateway in it, and its spool.

Every test program runs in a network namespace that run_in_namespace makes by unshare(1) and that is
gone with the process. The gateway is the built program with a configuration, certificate and users
file of its own, in a temporary directory. Nothing sleeps in place of a condition: waits look at the
log, at the interfaces, or at the peer.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HOST = "198.18.0.1"  # the clients' side of the link (RFC 2544's test network)
GATEWAY = "198.18.0.2"  # ours
STRANGER = "198.18.0.9"  # another client on the same link
HOST6 = "fd00:198:18::1"  # the same by IPv6, on the path tap6
GATEWAY6 = "fd00:198:18::2"
STRANGER6 = "fd00:198:18::9"
USER = "alice@example.org"
PASSWORD = "correct horse battery staple"
DEADLINE_S = 60


class Problem(Exception):
    """A condition that did not come true, with what was seen instead."""


def need_root():
    if os.geteuid() != 0:
        print("needs root: network namespaces and devices")
        sys.exit(77)


def run_in_namespace():
    """Starts the program again in a network namespace of its own, once."""
    need_root()
    if os.environ.get("POSTERN_TEST_NAMESPACE") == "1":
        run("ip", "link", "set", "lo", "up")
        return
    os.environ["POSTERN_TEST_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--", sys.executable] + sys.argv)


def run(*args, **kw):
    """A command that must succeed; its standard output."""
    kw.setdefault("timeout", DEADLINE_S)
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    if done.returncode != 0:
        raise Problem(
            "%s: exit %d: %s"
            % (
                " ".join(map(str, args)),
                done.returncode,
                (done.stderr or done.stdout).decode(errors="replace")[-2000:],
            )
        )
    return done.stdout


def wait_for(what, condition, seconds=DEADLINE_S):
    """Until condition() is true; looks every few milliseconds, and gives up with a sentence."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Problem("timed out waiting for " + what)
        threading.Event().wait(0.005)


def password_hash(password):
    return run("openssl", "passwd", "-6", "-stdin", input=password.encode()).decode().strip()


# --- the link ----------------------------------------------------------------------------------


def link_tap(iface):
    """The TAP that the gateway made: give the host's side its address."""
    wait_for("interface " + iface, lambda: iface in [name for _, name in socket.if_nameindex()])
    run("ip", "addr", "add", HOST + "/24", "dev", iface)
    run("ip", "addr", "add", STRANGER + "/24", "dev", iface)
    for address in (HOST6, STRANGER6):
        run("ip", "addr", "add", address + "/64", "dev", iface, "nodad")
    run("ip", "link", "set", iface, "up")


def link_veth():
    """A veth pair: pv1 is the gateway's port, pv0 the clients' interface."""
    run("ip", "link", "add", "pv0", "type", "veth", "peer", "name", "pv1")
    for name in ("pv0", "pv1"):
        # A veth hands over frames whose checksums nobody has filled in; real wires do not.
        subprocess.run(
            ["ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        run("sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % name)
        run("ip", "link", "set", name, "up")
    run("ip", "addr", "add", HOST + "/24", "dev", "pv0")
    run("ip", "addr", "add", STRANGER + "/24", "dev", "pv0")


# No hugepages and no files: several gateways may run on one machine.
EAL = ["--no-huge", "--no-shconf", "-m", "256"]
DEVICES = {
    "tap": ("net_tap0", EAL + ["--vdev=net_tap0,iface=pt0"]),
    "tap6": ("net_tap0", EAL + ["--vdev=net_tap0,iface=pt0"]),
    "af_packet": ("net_af_packet0", EAL + ["--vdev=net_af_packet0,iface=pv1"]),
    "af_xdp": ("net_af_xdp0", EAL + ["--vdev=net_af_xdp0,iface=pv1"]),
    # Shared memory with a client that is a DPDK program too; {dir} is the gateway's.
    "memif": ("net_memif0", EAL + ["--vdev=net_memif0,role=server,socket={dir}/memif,"
                                   "socket-abstract=no"]),
    # The same as af_xdp, and the kernel has the interface and its addresses too: the test makes it.
    "shared": ("net_af_xdp0", EAL + ["--vdev=net_af_xdp0,iface=pv1"]),
    # The whole interface is ours, and the kernel has the rest by pk0: the test makes both.
    "exception": ("net_af_xdp0", EAL + ["--vdev=net_af_xdp0,iface=pv1"]),
}


# --- the gateway -------------------------------------------------------------------------------


class Gateway:
    """One gateway in a temporary directory. path: kernel, or a key of DEVICES. tls:
    implicit or starttls. listener: further settings of its listener. device: of its device."""

    def __init__(
        self,
        path="kernel",
        build=None,
        limits="",
        spool="",
        extra="",
        key="ec",
        keep=None,
        tls="implicit",
        listener="",
        workers=1,
        device="",
    ):
        self.path, self.workers, self.device = path, workers, device
        self.tls = tls
        self.listener = listener
        self.build = build or os.environ["POSTERN_BUILD"]
        self.dir = keep or tempfile.mkdtemp(prefix="postern-it-")
        self.address = {"kernel": "127.0.0.1", "tap6": GATEWAY6}.get(path, GATEWAY)
        self.stranger = {"kernel": "127.0.0.9", "tap6": STRANGER6}.get(path, STRANGER)
        self.host = "[%s]" % self.address if path == "tap6" else self.address  # as in a URL
        self.family = socket.AF_INET6 if path == "tap6" else socket.AF_INET
        self.port = 587 if tls == "starttls" else 465
        self.process = None
        self.limits, self.spool_settings, self.extra = limits, spool, extra
        if path in ("af_packet", "af_xdp"):
            link_veth()
        self._make_keys(key)
        self._write_config()

    def file(self, name):
        return os.path.join(self.dir, name)

    def _make_keys(self, key):
        kind = {
            "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "rsa": ["-newkey", "rsa:2048"],
        }[key]
        run(
            "openssl",
            "req",
            "-x509",
            *kind,
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=mail.example.org",
            "-addext",
            "subjectAltName=DNS:mail.example.org,IP:%s" % self.address,
            "-keyout",
            self.file("key.pem"),
            "-out",
            self.file("cert.pem")
        )
        with open(self.file("users"), "w") as f:
            f.write("%s:%s\n" % (USER, password_hash(PASSWORD)))

    def _write_config(self):
        device = ""
        if self.path != "kernel":
            name, eal = DEVICES[self.path]
            memory = eal.index("-m") + 1
            eal = eal[:memory] + [str(128 + 128 * self.workers)] + eal[memory + 1 :]
            ours = 'address = "%s/24"\n    gateway = "%s"' % (GATEWAY, HOST)
            if self.path == "tap6":
                ours = 'address6 = "%s/64"\n    gateway6 = "%s"' % (GATEWAY6, HOST6)
            beside = {"shared": "shared = yes", "exception": 'exception = "pk0"'}.get(self.path)
            if beside is not None:
                ours = 'address = "%s/24"\n    address6 = "%s/64"\n    %s' % (
                    GATEWAY,
                    GATEWAY6,
                    beside,
                )
            device = 'device {\n    name = "%s"\n    eal = { %s }\n    %s\n    %s\n}\n' % (
                name,
                ", ".join('"%s"' % a.format(dir=self.dir) for a in eal),
                ours,
                self.device,
            )
        with open(self.file("postern.conf"), "w") as f:
            f.write('hostname = "mail.example.org"\nuser = ""\nusers = "%s"\n' % self.file("users"))
            f.write('log { level = debug file = "%s" }\n' % self.file("log"))
            f.write('control { socket = "%s" }\n' % self.file("control"))
            f.write(device)
            f.write("workers { count = %d helpers = 1 idle = sleep }\n" % self.workers)
            f.write(
                'listener submissions { address = "%s" path = %s tls = %s %s }\n'
                % (
                    "*" if self.path in ("shared", "exception") else self.address,
                    "kernel" if self.path == "kernel" else "dpdk",
                    self.tls,
                    self.listener,
                )
            )
            f.write(
                'tls { certificate { chain = "%s" key = "%s" } }\n'
                % (self.file("cert.pem"), self.file("key.pem"))
            )
            f.write('spool { directory = "%s" %s }\n' % (self.file("spool"), self.spool_settings))
            f.write("limits { %s }\n" % self.limits)
            f.write(self.extra + "\n")
        os.makedirs(self.file("spool"), exist_ok=True)

    def start(self):
        self.log_start = (
            os.path.getsize(self.file("log")) if os.path.exists(self.file("log")) else 0
        )
        self.stderr = open(self.file("stderr"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(self.build, "gateway/postern"), "-c", self.file("postern.conf")],
            stdout=self.stderr,
            stderr=self.stderr,
        )
        self.wait_for_log("event=ready")
        if self.path in ("tap", "tap6"):
            link_tap("pt0")
        return self

    def log(self):
        try:
            with open(self.file("log"), encoding="utf-8", errors="replace") as f:
                f.seek(self.log_start)
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_for_log(self, text, count=1):
        def seen():
            if self.process.poll() is not None:
                with open(self.file("stderr"), errors="replace") as f:
                    raise Problem(
                        "the gateway ended (%s): %s" % (self.process.returncode, f.read()[-3000:])
                    )
            return self.log().count(text) >= count

        wait_for("'%s' in the log" % text, seen)

    def counters(self):
        """All counters, asked for by SIGUSR1."""
        before = self.log().count("event=counter name=loop_cycles_busy")
        self.process.send_signal(signal.SIGUSR1)
        self.wait_for_log("event=counter name=loop_cycles_busy", before + 1)
        found = re.findall(r"event=counter name=(\w+) value=(\d+)", self.log())
        return {name: int(value) for name, value in found}

    def ctl(self, *args, fails=False):
        """postern-ctl's answer, parsed; it must fail (exit status 1) if `fails`."""
        done = subprocess.run(
            [
                os.path.join(self.build, "gateway/postern-ctl"),
                "-s",
                self.file("control"),
                "--json",
                *args,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=DEADLINE_S,
        )
        if done.returncode != (1 if fails else 0):
            raise Problem(
                "postern-ctl %s: exit %d: %s"
                % (" ".join(args), done.returncode, done.stdout + done.stderr)
            )
        return json.loads(done.stdout)

    def memory_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(timeout=DEADLINE_S)
        self.process = None
        self.stderr.close()
        return code

    def kill(self):
        self.stop(signal.SIGKILL)

    def close(self):
        code = self.stop()
        if code not in (None, 0):
            with open(self.file("stderr"), errors="replace") as f:
                raise Problem("the gateway ended with %s: %s" % (code, f.read()[-3000:]))
        for name in ("pv0",):
            subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None:
            sys.stderr.write(self.log()[-4000:])
            with open(self.file("stderr"), errors="replace") as f:
                sys.stderr.write(f.read()[-4000:])
            self.kill()
            return
        self.close()

    # --- its spool

    def tool(self, *args):
        return run(os.path.join(self.build, "spool/postern-spool"), "-d", self.file("spool"), *args)

    def ids(self):
        return [
            line.split()[0].decode()
            for line in self.tool("list").splitlines()
            if line and not line.startswith(b"ID")
        ]

    def body(self, queue_id):
        return self.tool("cat", queue_id)

    # --- a client of our own

    def context(self):
        c = ssl.create_default_context(cafile=self.file("cert.pem"))
        c.check_hostname = False
        return c

    def connect(self, source=None):
        raw = socket.create_connection(
            (self.address, self.port),
            timeout=DEADLINE_S,
            source_address=(source, 0) if source else None,
        )
        return self.context().wrap_socket(raw)


class At:
    """A gateway as clients find it at another listener, or behind a balancer."""

    def __init__(self, gw, address, port, tls):
        self.gw, self.address, self.port, self.tls = gw, address, port, tls
        self.host = address

    def __getattr__(self, name):
        return getattr(self.gw, name)


# What msmtp would put in if it were missing.
HEADER = (
    b"From: <alice@example.org>\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def dotted(size):
    """About `size` bytes of text with dots at line starts, CRLF ends."""
    lines, n = [b"Subject: dots"] + HEADER.splitlines() + [b""], 0
    pattern = [
        b".",
        b"..",
        b". a line that begins with a dot",
        b"...dots" * 5,
        b"a plain line of text " * 3,
        b"",
    ]
    while n < size:
        line = pattern[len(lines) % len(pattern)] + b"%d" % len(lines)
        lines.append(line)
        n += len(line) + 2
    return b"\r\n".join(lines) + b"\r\n"


def random_text(size):
    text = secrets.token_hex(size // 2 + 38).encode()
    body = b"\r\n".join(text[i : i + 76] for i in range(0, size, 76))
    return b"Subject: big\r\n" + HEADER + b"\r\n" + body + b"\r\n"
