"""What `postern-bench peers`, `sweep` and `campaign` share: one run of the load generator, cases,
idle connections, lines of results, and the namespaces and the folder in which all takes place."""

import contextlib
import datetime
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import postern_bench_servers as servers

ENDLESS = "1000000000"
MARK = "POSTERN_BENCH_NAMESPACE"
CASES = {  # options of `postern-bench load`: connections enough to fill a core
    "session-4K": ["-m", "1", "-s", "4K", "-c", "64"],
    "session-10K": ["-m", "1", "-s", "10K", "-c", "64"],
    "held-1K": ["-m", "0", "-s", "1K", "-c", "128"],
    "held-10K": ["-m", "0", "-s", "10K", "-c", "128"],
    "held-10M": ["-m", "0", "-s", "10M", "-c", "8"],
}
# What a message costs at least: an operation of `postern-bench limit`, and how many of it.
FLOORS = {
    "session-4K": ("handshake/x25519-ecdsa/server", 1),
    "held-10M": ("aead/open/aes-128-gcm/16384", 640),
}

UNITS = {"rate": "messages/s", "throughput": "MB/s", "cpu_us": "us/message", "p50": "us",
         "p99": "us", "client": "cores", "errors": "errors"}
IDLE_S = 300  # for idle connections to be there
RUN_S = 180  # for any run of the load


def say(text):
    print(text, file=sys.stderr, flush=True)


def add_options(parser):
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--cache", default=servers.CACHE, help="the peers' programs")
    parser.add_argument("--build", help="Postern's build directory",
                        default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser.add_argument("--work", default="/var/tmp", help="where the spools go; a real disk")
    parser.add_argument("directory", help="where results go")


def load(o, server, work, *options):
    """One run of the load generator; its figures by name, and what it printed."""
    out = os.path.join(work, "load.tsv")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(out)
    done = subprocess.run(
        [servers.bench_of(o), "load", "--core", str(o.client_core),
         "-u", servers.LOGIN, "-p", os.path.join(work, "password"), "--tls", "1.3",
         "--group", "X25519", "-o", out, *server.client_options(), *options, server.address,
         str(server.port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=RUN_S)
    if not os.path.exists(out):
        raise servers.Problem("%s: the load did not run: %s" % (server.name, done.stderr[-500:]))
    with open(out) as f:
        rows = [line.split("\t") for line in f]
    return {row[0].removeprefix("load/"): float(row[2]) for row in rows}, done.stdout


def limit_us(o, name):
    """An operation of `postern-bench limit` on the server's core, us."""
    with tempfile.NamedTemporaryFile("r") as out:
        servers.run(servers.bench_of(o), "limit", "-r", "31", "-c",
                    str(o.server_core), "-o", out.name, name)
        rows = dict(row.split("\t", 1) for row in out)
    return float(rows[name].split("\t")[1]) * 1e6 / float(rows["tsc"].split("\t")[1])


def line(name, unit, values):
    """As `postern-bench report` reads it: name, unit, median, smallest, largest, how many."""
    return "%s\t%s\t%.6g\t%.6g\t%.6g\t%d\n" % (
        name, unit, statistics.median(values), min(values), max(values), len(values))


def start(o, name, work, port):
    """A server that has taken some messages (and has the login's verdict cached, if it caches)."""
    server = servers.KINDS[name](name, o, work, port)
    try:
        server.start()
        figures, text = load(o, server, work, "-s", "4K", "-c", "2", "-n", "20", "-t", "20",
                             "--timeout", "10")
        if figures["acknowledged"] < 20:
            raise servers.Problem(text)
    except servers.Problem as problem:
        server.stop()
        raise servers.Problem("%s\n%s" % (problem, server.last_words())) from problem
    say("%s is up" % name)
    server.rest()
    return server


def measure(o, server, work, case):
    before = server.cpu_s()
    figures, text = load(o, server, work, *CASES[case], "-n", ENDLESS,
                               "-t", str(o.seconds))
    cpu = server.cpu_s() - before
    count = figures["acknowledged"]
    if figures["errors"] > 0:
        say("%s, %s: errors:\n%s" % (server.name, case, text))
    if count == 0:
        raise servers.Problem("%s, %s: nothing was acknowledged:\n%s" % (server.name, case, text))
    return {
        "rate": figures["rate"],
        "throughput": figures["throughput"],
        "cpu_us": cpu * 1e6 / count,
        "p50": figures["message/p50"],
        "p99": figures["message/p99"],
        "client": figures["client_cpu"] / max(figures["seconds"], 1e-9),
        "errors": figures["errors"],
    }


def start_all(o, work, names):
    """Those that start and take messages; the others are named with the reason."""
    running = []
    for i, name in enumerate(names):
        try:
            running.append(start(o, name, work, 4651 + i))
        except servers.Problem as problem:
            say("%s is left out: %s" % (name, problem))
    return running


def run_case(o, work, running, case):
    """Server name -> figures of each round, and the floor's."""
    got = {s.name: [] for s in running}
    floor = []
    for number in range(o.rounds):
        say("%s: round %d of %d" % (case, number + 1, o.rounds))
        for server in running:
            server.wake()
            got[server.name].append(measure(o, server, work, case))
            server.rest()
        if case in FLOORS:
            name, times = FLOORS[case]
            floor.append(times * limit_us(o, name))
    return got, floor


def resident_kb(server):
    total = 0
    for pid in server.tree():
        with open("/proc/%d/status" % pid) as f:
            total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    return total


def hold_idle(o, server, work, count):
    """Resident kB while so many connections are logged in and idle."""
    errors = os.path.join(work, "idle")
    with open(errors, "w") as out:
        client = subprocess.Popen(
            [servers.bench_of(o), "load", "--core", str(o.client_core),
             "-u", servers.LOGIN, "-p", os.path.join(work, "password"), "-c", "0", "--idle",
             str(count), "-t", str(2 * IDLE_S), *server.client_options(), server.address,
             str(server.port)], stdout=out, stderr=out)
    try:
        def are_idle():
            with open(errors) as f:
                return " %d idle" % count in f.read()

        servers.wait_for("%d idle connections" % count, are_idle, IDLE_S)
        return resident_kb(server)
    finally:
        client.terminate()
        client.wait()


def commit():
    """Of the source tree that the program was built from, where there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(["git", "-C", here, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def about(o):
    """What the results belong to, added to a file beside them."""
    with open(os.path.join(o.directory, "about.txt"), "a") as f:
        f.write("%s, commit %s, Linux %s, %d cores, load %.1f\n    postern-bench %s %s\n" % (
            datetime.datetime.now().isoformat(" ", "seconds"), commit(), platform.release(),
            os.cpu_count(), os.getloadavg()[0],
            os.path.basename(sys.argv[0]).removeprefix("postern-bench-"), " ".join(sys.argv[1:])))


def campaign(o, names, body):
    """body(o, work) in a network and mount namespace of its own, with servers.prepare done."""
    if os.environ.get(MARK) != "1":
        if os.geteuid() != 0:
            sys.exit("postern-bench: needs root: namespaces, the TAP device, the peers' users")
        servers.fetch(o.cache, [servers.KINDS[name] for name in names], say)
        os.environ[MARK] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--", sys.executable] + sys.argv)
    os.makedirs(o.directory, exist_ok=True)
    work = tempfile.mkdtemp(prefix="postern-bench-", dir=o.work)
    os.chmod(work, 0o755)  # the peers' users come by here
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        about(o)
        servers.prepare(o, work)
        body(o, work)
    except servers.Problem as problem:
        sys.exit("postern-bench: %s" % problem)
    finally:
        shutil.rmtree(work, ignore_errors=True)
