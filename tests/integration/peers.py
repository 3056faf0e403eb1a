#!/usr/bin/env python3
"""The dialogues, told to Postfix and Exim from Debian: do they answer as we do?

Each script of tests/dialogue that can be played from outside (the world behind the session is the
default one: a user who may do all, and a spool that takes all) is sent in one flight, in clear, and
its replies are compared with the .ref code by code. Texts, enhanced codes (their class is the
code's, which is checked) and the number of lines of a reply are each server's own.

A difference stands in the script, with its reason:

    # postfix: 501>250 503>-:
    #     RFC 5321, 4.1.1.1: why

ours>theirs, each pair once in order of appearance, `-` where a side has no reply. A difference that
is not explained fails, and so does an explanation of what is no longer so.

The servers' programs are those of `postern-bench peers`, which scripts/setup puts into a cache:
they run in namespaces of their own and are never installed.

Usage: peers.py [--show] [SCRIPT...]     --show: what differs, as a line for the script
"""

import base64
import concurrent.futures
import difflib
import os
import re
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import types

from harness import need_root

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIALOGUES = os.path.join(ROOT, "tests/dialogue")
sys.path.insert(0, os.path.join(ROOT, "bench"))
import postern_bench_servers as servers  # noqa: E402

MARK = "POSTERN_TEST_NAMESPACE"
TOGETHER = 4  # dialogues at a time
DEADLINE_S = 30
# A directive that tells of a world which a peer does not live in.
PRIVATE = re.compile(
    r"!(policy|lost|end|delivery|config|no-tls)\b"
    r"|!client (scram|oauth|xclient|address|certificate)\b"
    r"|!verdict .*(challenge|blocked)"
)
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
PLAIN = {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}
EXPLAINED = re.compile(r"# (postfix|exim): ((?:\d{3}|-)?>(?:\d{3}|-)(?: .*)?):")
REASON = re.compile(r"#     (RFC \d+|a choice: )")
QUIT = b"QUIT\r\n"
REPLY = re.compile(rb"(\d{3})([ -])(?:(\d)\.\d+\.\d+ )?")


def unescape(text):
    def one(m):
        word = m.group(1)
        return chr(int(word[1:], 16)) if word[0] == "x" and len(word) == 3 else PLAIN[word]

    return ESCAPE.sub(one, text).encode("latin-1")


class Script:
    """A dialogue, as tests/dialogue/script.h has it."""

    def __init__(self, path):
        self.name = os.path.basename(path)[: -len(".in")]
        self.clear, self.behind = b"", None  # what is sent at once; what waits for TLS
        self.starttls, self.playable = False, True
        self.verdicts, self.reasons = [], {}
        self.peer = None  # whose reason the next line gives
        # As bytes: a script may hold any.
        with open(path, encoding="latin-1", newline="\n") as f:
            for line in f:
                self.read(line.rstrip("\n"))
        with open(path[: -len(".in")] + ".ref", "rb") as f:
            lines = f.read().split(b"\n")
        self.ours = codes(m[3:] for m in lines if m.startswith(b"S: "))
        self.left_open = any(m.startswith(b"open: ") for m in lines)

    def read(self, line):
        explained = EXPLAINED.fullmatch(line)
        if explained:
            self.peer = explained.group(1)
            self.reasons[self.peer] = explained.group(2)
        elif self.peer:
            if not REASON.match(line):
                raise servers.Problem("%s: %s without a reason" % (self.name, self.peer))
            self.peer = None
        elif line.startswith("!"):
            self.directive(line)
        elif line[:3] == "X: ":
            count, text = line[3:].split(" ", 1)
            self.send(unescape(text) * int(count))
        elif line[:3] in ("C: ", "R: "):
            self.send(unescape(line[3:]) + (b"\r\n" if line[0] == "C" else b""))

    def directive(self, line):
        if line == "!wait":
            self.behind = b""
        elif line.startswith("!verdict"):
            self.verdicts = line.split()[1:]
        elif line.startswith("!client secure"):
            self.starttls = True  # no: the same port, whose client never asks for it
        if PRIVATE.match(line):
            self.playable = False

    def send(self, data):
        if self.behind is None:
            self.clear += data
        else:
            self.behind += data


def codes(lines):
    """The code of each reply, from its last line."""
    found = []
    for text in lines:
        m = REPLY.match(text)
        if m is None:
            raise servers.Problem("no reply: %r" % text[:100])
        if m.group(3) and m.group(3) != m.group(1)[:1]:  # RFC 2034, 4
            raise servers.Problem("the code and its class differ: %r" % text[:100])
        if m.group(2) == b" ":
            found.append(m.group(1).decode())
    return found


def difference(ours, theirs):
    pairs = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, False).get_opcodes():
        if ours[a:b] != theirs[c:d]:
            left, right = ours[a:b], theirs[c:d]
            size = max(len(left), len(right))
            left, right = left + ["-"] * (size - len(left)), right + ["-"] * (size - len(right))
            pairs += [x + ">" + y for x, y in zip(left, right) if x != y]
    return " ".join(dict.fromkeys(pairs))


# --- the servers ---------------------------------------------------------------------------------


class Verdicts(servers.DovecotAuth):
    """Dovecot's auth protocol for Postfix: answers as the script says, which is known by the
    client's address; ok when it has said all."""

    scripts = {}

    @classmethod
    def next(cls, client):
        verdicts = cls.scripts[client]
        return verdicts.pop(0) if verdicts else "ok"

    def run(self):
        while True:
            threading.Thread(
                target=self.serve, args=(self.socket.accept()[0],), daemon=True
            ).start()

    def serve(self, connection):
        connection.sendall(
            b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\n"
            b"COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"
        )
        talks = {}
        for text in connection.makefile(encoding="latin-1"):
            words = text.rstrip("\n").split("\t")
            if words[0] not in ("AUTH", "CONT"):
                continue
            number = words[1]
            if words[0] == "AUTH":
                client = next(w for w in words if w.startswith("rip="))[4:]
                talks[number] = [words[2], client, []]
            given = [w[5:] for w in words if w.startswith("resp=")] or (
                words[2:3] if words[0] == "CONT" else []
            )
            connection.sendall(self.answer(number, talks[number], given).encode())

    def answer(self, number, talk, given):
        mechanism, client, said = talk
        try:
            said += [base64.b64decode(g, validate=True) for g in given]
        except ValueError:
            return "FAIL\t%s\treason=malformed\n" % number
        if mechanism == "PLAIN" and not said:
            return "CONT\t%s\t\n" % number
        if mechanism == "LOGIN" and len(said) < 2:
            prompt = b"Password:" if said else b"Username:"
            return "CONT\t%s\t%s\n" % (number, base64.b64encode(prompt).decode())
        parts = said[0].split(b"\0")
        if mechanism == "PLAIN" and (len(parts) != 3 or parts[0] not in (b"", parts[1])):
            return "FAIL\t%s\treason=malformed, or another's identity\n" % number
        verdict = self.next(client)
        if verdict == "ok":
            return "OK\t%s\tuser=alice\n" % number
        return "FAIL\t%s\tuser=alice%s\n" % (number, "\ttemp" if verdict == "temporary" else "")


class EximVerdicts(Verdicts):
    """The same for Exim, which sends the address and reads a word."""

    def serve(self, connection):
        with connection, connection.makefile(encoding="latin-1") as f:
            verdict = self.next(f.readline().rstrip("\n"))
            answer = {"ok": "yes", "wrong": "no", "temporary": "not now"}[verdict]
            connection.sendall(answer.encode())


POSTFIX_LIKE_US = """
message_size_limit = 1000000
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_auth_only = no
smtpd_helo_required = yes
smtpd_recipient_limit = 100
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 20
smtpd_error_sleep_time = 0
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =
strict_rfc821_envelopes = yes
smtpd_delay_reject = no
smtpd_sender_restrictions = permit_sasl_authenticated, reject
smtpd_client_event_limit_exceptions = static:all
reject_code = 530
smtpd_junk_command_limit = 1000
smtpd_sasl_security_options = noanonymous
smtpd_discard_ehlo_keywords =
"""


class Postfix(servers.Postfix):
    auth = Verdicts

    def configure(self):
        ready, servers.DovecotAuth = servers.DovecotAuth, self.auth
        try:
            super().configure()
        finally:
            servers.DovecotAuth = ready
        with open(self.file("etc", "main.cf"), "a") as f:
            f.write(POSTFIX_LIKE_US)
        # Its log daemon has words to log as it starts, and waits for itself when others were first.
        servers.run("sysctl", "-qw", "net.unix.max_dgram_qlen=1000")
        # One port for both: AUTH is offered in clear, and STARTTLS too.
        self.edit("etc/master.cf", r"(?m)^ +-o smtpd_tls_wrappermode.*\n", "")

    def edit(self, name, pattern, by):
        with open(self.file(name)) as f:
            text = re.sub(pattern, by, f.read())
        servers.write(self.file(name), text)


EXIM_LIKE_US = """message_size_limit = 1000000
recipients_max = 100
smtp_enforce_sync = false
smtp_max_synprot_errors = 20
smtp_max_unknown_commands = 20
smtp_accept_max_nonmail = 1000
smtp_return_error_details = true
dsn_advertise_hosts = *
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
auth_advertise_hosts = *
helo_accept_junk_hosts =
acl_smtp_mail = known
acl_smtp_vrfy = all
allow_domain_literals = true
"""


class Exim(servers.Exim):
    def configure(self):
        super().configure()
        verdicts = self.file("verdicts")
        EximVerdicts(verdicts, 0).start()
        with open(self.file("exim.conf")) as f:
            text = f.read()
        for line in ("tls_on_connect_ports", "message_size_limit", "tls_require_ciphers"):
            text = re.sub(r"(?m)^%s.*\n" % line, "", text)
        text = re.sub(r"(?ms)^begin authenticators.*", "", text)
        text = text.replace(
            "begin acl\n",
            EXIM_LIKE_US + "begin acl\nknown:\n  accept authenticated = *\n"
            "  deny message = 530 5.7.0 Authentication required\nall:\n  accept\n",
        )
        condition = "${readsocket{%s}{$sender_host_address\\n}}" % verdicts
        text += "begin authenticators\n" + "".join(
            "%s:\n  driver = plaintext\n  public_name = %s\n  server_prompts = %s\n"
            "  server_condition = %s\n  server_set_id = %s\n"
            % (name, name.upper(), prompts, condition, who)
            for name, prompts, who in (
                ("plain", ":", "$auth2"),
                ("login", "Username:: : Password::", "$auth1"),
            )
        )
        servers.write(self.file("exim.conf"), text)


# --- playing -------------------------------------------------------------------------------------


def play(script, address, client):
    """The replies of the server there: all is sent, then the end. Where a script does not say QUIT
    at last, it is said for it: Exim says nothing more to a client of which it sees that it has
    gone. The reply to that is taken off where our session is still open."""
    with socket.socket() as raw:
        raw.settimeout(DEADLINE_S)
        raw.bind((client, 0))
        Verdicts.scripts[client] = list(script.verdicts)
        raw.connect(address)
        got, connection, data = b"", raw, script.clear
        if script.behind is not None:
            got, connection = begin_tls(raw, script.clear)
            data = script.behind
        if not data.endswith(QUIT):
            data += QUIT
        got += flight(connection, data)
    replies = codes(got.split(b"\r\n")[:-1])
    if script.left_open and replies[-1:] in (["221"], ["421"]):
        replies.pop()
    return replies


def begin_tls(raw, clear):
    """Sends what is said in clear; with a reply of 220 to the last of it, TLS begins."""
    raw.sendall(clear)
    want = 1 + clear.count(b"\r\n")
    got = b""
    while len(codes(got.split(b"\r\n")[:-1])) < want or not got.endswith(b"\r\n"):
        piece = raw.recv(65536)
        if not piece:
            return got, raw
        got += piece
    if codes(got.split(b"\r\n")[:-1])[-1] != "220":
        return got, raw
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return got, context.wrap_socket(raw, do_handshake_on_connect=True)


def flight(connection, data):
    """Sends, and reads to the end. In clear two threads do that: a long script fills both ways, and
    an end behind it is seen also where QUIT is none. What is said in TLS is short, ends by QUIT,
    and belongs to one thread."""
    sender = threading.Thread(target=send, args=(connection, data))
    if isinstance(connection, ssl.SSLSocket):
        connection.sendall(data)
    else:
        sender.start()
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionResetError:
        pass  # it was ended before all was read; what it said is what counts
    if sender.is_alive():
        sender.join()
    return got


def send(connection, data):
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the server has ended the session


def compare(script, name, address, client, show):
    """A sentence when the script does not tell the truth about this server."""
    try:
        theirs = play(script, address, client)
    except (OSError, servers.Problem) as problem:
        return "%s: %s: %s" % (script.name, name, problem)
    differs = difference(script.ours, theirs)
    explained = script.reasons.get(name, "")
    if show and differs != explained:
        return "%s\t%s\t%s\t%s | %s" % (
            script.name, name, differs, " ".join(script.ours), " ".join(theirs))
    if differs == explained:
        return None
    return "%s: %s: differs by '%s', and the script says '%s'\n    ours   %s\n    theirs %s" % (
        script.name, name, differs, explained, " ".join(script.ours), " ".join(theirs))


def campaign(scripts, show, work):
    o = types.SimpleNamespace(cache=servers.CACHE, server_core=0, client_core=1)
    servers.prepare(o, work)
    failed, explained = 0, 0
    peers = [("postfix", Postfix("postfix", o, work, 2501)), ("exim", Exim("exim", o, work, 2502))]
    try:
        for name, server in peers:
            server.cores = lambda: "0-%d" % (os.cpu_count() - 1)
            server.start()
        with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
            for name, server in peers:
                told = pool.map(
                    lambda i, s: compare(s, name, (server.address, server.port),
                                         "127.1.%d.%d" % divmod(i, 256), show),
                    range(1, len(scripts) + 1), scripts)
                for problem in filter(None, told):
                    failed += 1
                    print(problem)
    except servers.Problem:
        for _, server in peers:
            print(server.last_words())
        raise
    finally:
        for _, server in peers:
            server.stop()
    for name, _ in peers:
        explained = sum(name in s.reasons for s in scripts)
        print("%s: %d dialogues, %d of them answered otherwise and explained" % (
            name, len(scripts), explained))
    return failed


def main():
    need_root()
    if not all(os.path.exists(os.path.join(servers.CACHE, k.package)) for k in (Postfix, Exim)):
        print("Postfix and Exim are not in %s: scripts/setup puts them there" % servers.CACHE)
        sys.exit(77)
    if os.environ.get(MARK) != "1":
        os.environ[MARK] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--", sys.executable] + sys.argv)
    show = "--show" in sys.argv
    paths = [a for a in sys.argv[1:] if not a.startswith("-")] or sorted(
        os.path.join(DIALOGUES, n) for n in os.listdir(DIALOGUES) if n.endswith(".in"))
    scripts = [s for s in map(Script, paths) if s.playable]
    work = tempfile.mkdtemp(prefix="postern-peers-")
    os.chmod(work, 0o755)  # the peers' users come by here
    try:
        failed = campaign(scripts, show, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
