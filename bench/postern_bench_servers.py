"""The servers that `postern-bench peers` compares: how each is fetched, configured, started, held
to a core, asked for its CPU time, and stopped. All of it happens below one temporary directory."""

import base64
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

LOGIN = "bench"
PASSWORD = "bench-password"
HOSTNAME = "mail.example.org"
TAP, TAP_HOST, TAP_SERVER = "pb0", "198.18.0.1", "198.18.0.2"
CACHE = "/var/cache/postern/peers"
MEMIF_HOSTS = "198.18.0.16"  # and those behind it
DEADLINE_S = 30
CONNECTIONS = 16384  # of all workers: within the usual limit of open files
TICKS = os.sysconf("SC_CLK_TCK")
EAL_THREADS = ("eal-", "telemetry", "rte_mp")  # DPDK binds some of its own to one core
# The users that the peers' programs ask for, in a passwd file that only they see.
USERS = {"postfix": 9101, "postdrop": 9102, "Debian-exim": 9103}


class Problem(Exception):
    """What went wrong, in a sentence."""


def run(*args, **kw):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **kw)
    if done.returncode != 0:
        raise Problem("%s: %s" % (" ".join(args), done.stdout[-1000:]))
    return done.stdout


def wait_for(what, condition, seconds=DEADLINE_S):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Problem("timed out waiting for " + what)
        threading.Event().wait(0.02)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


# --- programs ------------------------------------------------------------------------------------


def fetch(cache, kinds, say):
    """The peers' packages, unpacked into the cache; what is there is not fetched again."""
    for kind in kinds:
        if kind.package is None:
            continue
        place = os.path.join(cache, kind.package.lower())
        if os.path.exists(place):
            continue
        say("fetching %s into %s" % (kind.package, cache))
        new = place + ".new"
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(new)
        if kind.npm:
            run("npm", "install", "--no-audit", "--no-fund", "--omit=optional", "--prefix", new,
                kind.package)
        else:
            run("apt-get", "download", "-q", kind.package, cwd=new)
            for name in os.listdir(new):
                run("dpkg", "-x", os.path.join(new, name), new)
        os.rename(new, place)


def prepare(o, work):
    """In the namespaces: the link, the users, the peers' files over /usr, keys."""
    run("mount", "--make-rprivate", "/")
    run("ip", "link", "set", "lo", "mtu", "1500", "up")  # the wire's size for all
    etc = os.path.join(work, "etc")
    for name in ("passwd", "group"):
        with open("/etc/" + name) as f:
            text = f.read()
        for user, number in USERS.items():
            tail = ":%d:bench:/nonexistent:/usr/sbin/nologin" % number if name == "passwd" else ":"
            text += "%s:x:%d%s\n" % (user, number, tail)
        write(os.path.join(etc, name), text)
    lower = [os.path.join(o.cache, k.package, "usr") for k in KINDS.values()
             if k.package and not k.npm and os.path.exists(os.path.join(o.cache, k.package))]
    run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s:/etc" % etc, "/etc")
    if lower:
        run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s:/usr" % ":".join(lower), "/usr")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=" + HOSTNAME, "-keyout", os.path.join(work, "key.pem"),
        "-out", os.path.join(work, "cert.pem"))
    os.chmod(os.path.join(work, "key.pem"), 0o644)  # the peers' users read it
    write(os.path.join(work, "password"), PASSWORD + "\n")


# --- a server ------------------------------------------------------------------------------------


def proc_stat(pid):
    """Parent, and CPU ticks of the process and of children it has waited for; None: gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), sum(int(x) for x in fields[11:15])


class Server:
    package = None
    npm = False
    address = "127.0.0.1"

    def __init__(self, name, o, work, port):
        self.name, self.o, self.work, self.port = name, o, work, port
        self.dir = os.path.join(work, name)
        self.process = None
        os.makedirs(self.dir)

    def file(self, *names):
        return os.path.join(self.dir, *names)

    def start(self):
        self.configure()
        with open(self.file("output"), "ab") as out:
            self.process = subprocess.Popen(
                ["taskset", "-c", self.cores(), *self.command()], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, cwd=self.dir, start_new_session=True)
        wait_for(self.name + " to listen", self.listens)
        self.started()

    def cores(self):
        return str(self.o.server_core)

    def client_options(self):
        """What a client needs beside the address and the port."""
        return []

    def listens(self):
        if self.process.poll() is not None:
            raise Problem("it ended at once")
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def last_words(self):
        """The end of what it printed."""
        with open(self.file("output"), errors="replace") as f:
            return f.read()[-1500:]

    def started(self):
        pass

    def wake(self):
        pass

    def rest(self):
        pass

    def tree(self):
        """Its processes: pid -> ticks."""
        stats = {int(p): proc_stat(int(p)) for p in os.listdir("/proc") if p.isdigit()}
        mine = {self.process.pid}
        grown = True
        while grown:
            more = {p for p, s in stats.items() if s and s[0] in mine} - mine
            grown = bool(more)
            mine |= more
        return {p: stats[p][1] for p in mine if stats.get(p)}

    def cpu_s(self):
        return sum(self.tree().values()) / TICKS

    def stop(self):
        if self.process is None:
            return
        mine = self.tree()
        self.wake()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in mine:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


DEVICE = """device {
    eal = { "--no-huge", "--no-shconf", "--no-pci", "-m", "%(memory)d", "--vdev=%(vdev)s" }
    address = "%(address)s/24"
    gateway = "%(gateway)s"
}
"""


class Postern(Server):
    """Workers are bound by the configuration; every other thread after the start."""

    kernel = True
    worker_count = 1
    connections = CONNECTIONS
    memory_mb = 512  # for DPDK
    limits = ""  # further ones of the configuration
    last = (0.0, 0.0)
    busy = 0.0

    def cores(self):
        return "%d,%d" % (self.o.server_core, self.o.client_core)

    def worker_cores(self):
        return (self.o.server_core, self.o.client_core)[:self.worker_count]

    def configure(self):
        os.mkdir(self.file("spool"), 0o700)
        write(self.file("users"), "%s:%s\n" % (
            LOGIN, run("openssl", "passwd", "-6", PASSWORD).strip()))
        device = "" if self.kernel else DEVICE % {
            "memory": self.memory_mb, "vdev": self.vdev(), "address": TAP_SERVER,
            "gateway": TAP_HOST}
        write(self.file("postern.conf"), (
            'hostname = "%s"\nuser = ""\nusers = "%s"\nlog { file = "%s" }\n%s'
            "workers { count = %d cores = { %s } idle = sleep }\n"
            'listener bench { address = "%s" port = %d path = %s }\n'
            'tls { certificate { chain = "%s/cert.pem" key = "%s/key.pem" } }\n'
            'control { socket = "" }\n'
            'spool { directory = "%s" size = 40G }\n'
            "limits { connections = %d connections-per-client = %d %s }\n" % (
                HOSTNAME, self.file("users"), self.file("log"), device, self.worker_count,
                ", ".join(map(str, self.worker_cores())), self.address, self.port,
                "kernel" if self.kernel else "dpdk", self.work, self.work, self.file("spool"),
                self.connections // self.worker_count, self.connections, self.limits)))

    def command(self):
        return [os.path.join(self.o.build, "gateway/postern"), "-c", self.file("postern.conf")]

    def log_text(self, start=0):
        try:
            with open(self.file("log"), errors="replace") as f:
                f.seek(start)
                return f.read()
        except FileNotFoundError:
            return ""

    def listens(self):
        return "event=ready" in self.log_text() if super().listens() else False

    def threads(self):
        return [int(t) for t in os.listdir("/proc/%d/task" % self.process.pid)]

    def started(self):
        self.workers = [t for t in self.threads() if len(os.sched_getaffinity(t)) == 1
                        and not self.thread_name(t).startswith(EAL_THREADS)]
        if len(self.workers) != self.worker_count:
            raise Problem("the workers' threads are not to be told from the others")
        for thread in set(self.threads()) - set(self.workers):
            os.sched_setaffinity(thread, {self.o.server_core})

    def counter(self, name):
        start = os.path.getsize(self.file("log"))
        pattern = re.compile(r"event=counter name=%s value=(\d+)\n" % name)
        os.kill(self.process.pid, signal.SIGUSR1)
        wait_for("counters", lambda: pattern.search(self.log_text(start)))
        return int(pattern.search(self.log_text(start)).group(1))

    def thread_name(self, thread):
        with open("/proc/%d/task/%d/comm" % (self.process.pid, thread)) as f:
            return f.read().strip()

    def thread_s(self, thread):
        """CPU time of one thread, to the nanosecond."""
        with open("/proc/%d/task/%d/schedstat" % (self.process.pid, thread)) as f:
            return int(f.read().split()[0]) / 1e9

    def cpu_s(self):
        """Busy cycles hold what strangers took from the core meanwhile; CPU time holds idle turns:
        the smaller of what each grew by is the nearer to the truth."""
        now = (self.counter("loop_cycles_busy") / tsc_hz(bench_of(self.o)),
               sum(map(self.thread_s, self.workers)))
        self.busy += min(a - b for a, b in zip(now, self.last))
        self.last = now
        return self.busy + sum(self.thread_s(t) for t in self.threads() if t not in self.workers)

    def rest(self):
        self.process.send_signal(signal.SIGSTOP)  # an idle loop looks at its device now and then

    def wake(self):
        self.process.send_signal(signal.SIGCONT)


class PosternTwoWorkers(Postern):
    """The second one has the client's core: compare CPU of a message, not rates."""

    worker_count = 2


class PosternDpdk(Postern):
    """On a TAP device: its wire is the kernel."""

    kernel = False
    address = TAP_SERVER

    def vdev(self):
        return "net_tap0,iface=%s" % TAP

    def listens(self):
        if TAP not in [name for _, name in socket.if_nameindex()]:
            self.process.poll()
            return super().listens() if self.process.returncode is not None else False
        run("ip", "address", "replace", TAP_HOST + "/24", "dev", TAP)
        run("ip", "link", "set", TAP, "up")
        return super().listens()


class PosternMemif(Postern):
    """On shared memory with the client, which then has our TCP too: no kernel between them."""

    kernel = False
    address = TAP_SERVER

    def vdev(self, role="server"):
        return "net_memif0,role=%s,socket=%s,socket-abstract=no,rsize=11" % (
            role, self.file("memif"))

    def client_options(self):
        return ["--device", self.vdev("client"), "--address", MEMIF_HOSTS + "/24", "--hosts", "32"]

    def listens(self):
        if self.process.poll() is not None:
            raise Problem("it ended at once")
        return "event=ready" in self.log_text()


class PosternMemifIdle(PosternMemif):
    """For idle connections by the hundred thousand."""

    connections = 210000
    memory_mb = 1024
    limits = "connections-per-network = 210000 command-timeout = 3600 session-timeout = 7200"


def bench_of(o):
    """postern-bench, as it was built."""
    return os.path.join(o.build, "bench/postern-bench")


@functools.cache
def tsc_hz(bench):
    """Of the time stamp counter, as the bench measures it."""
    with tempfile.NamedTemporaryFile("r") as out:
        run(bench, "limit", "-r", "9", "-o", out.name, "memcpy/64")
        return float(re.search(r"^tsc\tHz\t(\d+)", out.read(), re.M).group(1))


class DovecotAuth(threading.Thread):
    """The side of Dovecot's auth protocol that Postfix asks: LOGIN and PASSWORD are right. It runs
    on the client's core and is not counted as the server's CPU: a cached verdict is cheap."""

    def __init__(self, path, core):
        super().__init__(daemon=True)
        self.core = core
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(64)

    def run(self):
        os.sched_setaffinity(threading.get_native_id(), {self.core})
        while True:
            threading.Thread(target=self.serve, args=(self.socket.accept()[0],),
                             daemon=True).start()

    @staticmethod
    def serve(connection):
        right = base64.b64encode(("\0%s\0%s" % (LOGIN, PASSWORD)).encode()).decode()
        connection.sendall(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
                           b"COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n")
        for text in connection.makefile():
            words = text.rstrip("\n").split("\t")
            if words[0] == "AUTH":
                good = "resp=" + right in words
                answer = "OK\t%s\tuser=%s\n" if good else "FAIL\t%s\tuser=%s\n"
                connection.sendall((answer % (words[1], LOGIN)).encode())


class Postfix(Server):
    package = "postfix"

    def configure(self):
        queue = self.file("queue")
        for name, mode, owner, group in (
                ("active", 0o700, "postfix", 0), ("bounce", 0o700, "postfix", 0),
                ("corrupt", 0o700, "postfix", 0), ("defer", 0o700, "postfix", 0),
                ("deferred", 0o700, "postfix", 0), ("flush", 0o700, "postfix", 0),
                ("hold", 0o700, "postfix", 0), ("incoming", 0o700, "postfix", 0),
                ("private", 0o700, "postfix", 0), ("saved", 0o700, "postfix", 0),
                ("trace", 0o700, "postfix", 0), ("maildrop", 0o730, "postfix", "postdrop"),
                ("public", 0o710, "postfix", "postdrop"), ("pid", 0o755, "root", 0)):
            os.makedirs(os.path.join(queue, name))
            os.chown(os.path.join(queue, name), USERS.get(owner, 0), USERS.get(group, 0))
            os.chmod(os.path.join(queue, name), mode)
        os.makedirs(self.file("data"))
        os.chown(self.file("data"), USERS["postfix"], 0)
        DovecotAuth(os.path.join(queue, "private", "auth"), self.o.client_core).start()
        write(self.file("etc", "main.cf"), POSTFIX_MAIN % {
            "dir": self.dir, "work": self.work, "host": HOSTNAME})
        write(self.file("etc", "master.cf"), POSTFIX_MASTER % {"port": self.port})

    def command(self):
        return ["/usr/lib/postfix/sbin/master", "-c", self.file("etc"), "-d"]


POSTFIX_MAIN = """compatibility_level = 3.6
myhostname = %(host)s
mydestination =
queue_directory = %(dir)s/queue
data_directory = %(dir)s/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = %(dir)s/log
maillog_file_prefixes = %(dir)s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtputf8_enable = no
message_size_limit = 52428800
queue_minfree = 0
in_flow_delay = 0
default_process_limit = 200
max_use = 10000
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions = static:all
smtpd_tls_chain_files = %(work)s/key.pem, %(work)s/cert.pem
smtpd_tls_security_level = encrypt
smtpd_tls_mandatory_protocols = TLSv1.3
smtpd_tls_loglevel = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access static:HOLD
"""

POSTFIX_MASTER = """127.0.0.1:%(port)d inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
"""

class Exim(Server):
    package = "exim4-daemon-light"

    def configure(self):
        os.makedirs(self.file("spool"))
        os.chown(self.file("spool"), USERS["Debian-exim"], USERS["Debian-exim"])
        write(self.file("exim.conf"), EXIM % {
            "dir": self.dir, "work": self.work, "host": HOSTNAME, "port": self.port,
            "login": LOGIN, "password": PASSWORD})

    def command(self):
        return ["/usr/sbin/exim4", "-C", self.file("exim.conf"), "-bdf"]


EXIM = """primary_hostname = %(host)s
spool_directory = %(dir)s/spool
log_file_path = %(dir)s/spool/%%slog
pid_file_path = %(dir)s/spool/pid
split_spool_directory = true
daemon_smtp_ports = %(port)d
local_interfaces = 127.0.0.1
tls_on_connect_ports = %(port)d
tls_advertise_hosts = *
tls_certificate = %(work)s/cert.pem
tls_privatekey = %(work)s/key.pem
tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.3
queue_only = true
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 0
smtp_accept_max_per_connection = 1000000
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 256
message_size_limit = 50M
check_spool_space = 0
never_users =
acl_smtp_rcpt = check
begin acl
check:
  accept authenticated = *
  deny
begin routers
hold:
  driver = redirect
  data = :defer: held
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{%(login)s}}{eq{$auth3}{%(password)s}}}}
  server_set_id = $auth2
"""


class Haraka(Server):
    package = "Haraka"
    npm = True

    def configure(self):
        config = {
            "smtp.ini": "listen=127.0.0.1:%d\nsmtps_port=%d\nnodes=0\n" % (self.port, self.port),
            "plugins": "tls\nauth/flat_file\n",
            "tls.ini": "key=tls_key.pem\ncert=tls_cert.pem\nminVersion=TLSv1.3\n",
            "auth_flat_file.ini": "[core]\nmethods=PLAIN\nconstrain_sender=false\n[users]\n%s=%s\n"
            % (LOGIN, PASSWORD),
            "outbound.ini": "disabled=true\n",
            "databytes": "52428800\n",
            "loglevel": "NOTICE\n",
            "me": HOSTNAME + "\n",
            "internalcmd_key": "bench\n",
        }
        shutil.copytree(os.path.join(self.home(), "config"), self.file("config"))
        for name, text in config.items():
            write(self.file("config", name), text)
        for ours, theirs in (("key.pem", "tls_key.pem"), ("cert.pem", "tls_cert.pem")):
            shutil.copy(os.path.join(self.work, ours), self.file("config", theirs))
        os.makedirs(self.file("queue"))

    def home(self):
        return os.path.join(self.o.cache, "haraka", "node_modules", "Haraka")

    def command(self):
        return ["node", os.path.join(self.home(), "bin", "haraka"), "-c", self.dir]


# What a campaign runs when it is not told.
STANDARD = {"postern-kernel": Postern, "postern-dpdk": PosternDpdk, "postfix": Postfix,
            "exim": Exim, "haraka": Haraka}
KINDS = {**STANDARD, "postern-kernel-2w": PosternTwoWorkers, "postern-memif": PosternMemif,
         "postern-memif-idle": PosternMemifIdle}
