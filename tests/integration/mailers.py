#!/usr/bin/env python3
"""Programs that people send mail with, on both ports at once: 465 on POSTERN_PATH, and 587 with
STARTTLS on the kernel's stack. What the spool gives back is byte for byte what was sent.

POSTERN_PATH: tap or kernel. POSTERN_BUILD: the build directory.
"""

import base64
import glob
import json
import os
import re
import smtplib
import socket
import unittest

import clients
from harness import DEADLINE_S, HEADER, PASSWORD, USER, Gateway, At, Problem, dotted, run
from harness import run_in_namespace, wait_for
from tokens import AUDIENCE, ISSUER, SCOPE, Provider

PATH = os.environ.get("POSTERN_PATH", "kernel")
HERE = os.path.dirname(os.path.abspath(__file__))
TO = ["bob@example.net", "carol@example.net"]
# What Mozilla's "old" profile and we have for TLS 1.2, and the groups of its clients.
OLD = ["ECDHE-%s-AES128-GCM-SHA256", "ECDHE-%s-AES256-GCM-SHA384", "ECDHE-%s-CHACHA20-POLY1305"]
GROUPS = ["X25519", "P-256"]
# The certificate's curve is one of the client's groups, or it cannot be shown (RFC 8422, 5.1).
GROUPS_ECDSA = ["X25519:P-256", "P-256"]

MUTTRC = """
set from = "%(user)s"
set realname = "Alice"
set smtp_url = "%(scheme)s://%(login)s@%(host)s:%(port)d/"
set smtp_pass = "%(password)s"
set ssl_force_tls = yes
set ssl_starttls = yes
set ssl_verify_host = no
set ssl_use_system_certs = no
set certificate_file = "%(dir)s/cert.pem"
set mbox_type = maildir
set record = "%(sent)s"
set copy = yes
set use_envelope_from = yes
set send_charset = "utf-8"
"""


class Thunderbird:
    """The commands of Thunderbird 128 in their order (its MailNewsSmtpClient): EHLO with the
    client's address as a literal, AUTH PLAIN with an initial response or LOGIN, one recipient at a
    time, and the connection kept for the next message."""

    def __init__(self, gw, login=False):
        self.sock = socket.create_connection((gw.address, gw.port), timeout=DEADLINE_S)
        self.context = gw.context()
        if gw.tls == "implicit":
            self.secure()
        self.expect("220")
        features = self.greet()
        if gw.tls == "starttls":
            if "STARTTLS" not in features:
                raise Problem("no STARTTLS: %s" % features)
            self.say("STARTTLS", "220")
            self.secure()
            features = self.greet()
        self.size = any(f.startswith("SIZE") for f in features)
        self.eight = "8BITMIME" in features
        self.log_in(login)

    def secure(self):
        self.sock = self.context.wrap_socket(self.sock)

    def expect(self, code):
        """The lines of a reply."""
        lines, got = [], b""
        while not lines or lines[-1][3:4] == "-":
            while not got.endswith(b"\r\n"):
                piece = self.sock.recv(1)
                if not piece:
                    raise Problem("the connection ended after %r" % lines)
                got += piece
            lines.append(got[:-2].decode())
            got = b""
        if lines[-1][:3] != code:
            raise Problem("expected %s, got %r" % (code, lines))
        return [line[4:] for line in lines]

    def say(self, line, code):
        self.sock.sendall(line.encode() + b"\r\n")
        return self.expect(code)

    def greet(self):
        return self.say("EHLO [%s]" % self.sock.getsockname()[0], "250")

    def log_in(self, login):
        if login:
            self.say("AUTH LOGIN", "334")
            self.say(base64.b64encode(USER.encode()).decode(), "334")
            self.say(base64.b64encode(PASSWORD.encode()).decode(), "235")
        else:
            both = ("\0%s\0%s" % (USER, PASSWORD)).encode()
            self.say("AUTH PLAIN " + base64.b64encode(both).decode(), "235")

    def send(self, data, to):
        extras = (" BODY=8BITMIME" if self.eight else "") + (
            " SIZE=%d" % len(data) if self.size else ""
        )
        self.say("MAIL FROM:<%s>%s" % (USER, extras), "250")
        for r in to:
            self.say("RCPT TO:<%s>" % r, "250")
        self.say("DATA", "354")
        self.sock.sendall(clients.stuffed(data)[:-3])  # its last line has an end of its own
        self.say(".", "250")

    def quit(self):
        self.say("QUIT", "221")
        self.sock.close()


def at_each_door(test):
    def wrapped(self):
        for door in self.doors:
            with self.subTest(port=door.port):
                test(self, door)

    wrapped.__doc__ = test.__doc__
    return wrapped


def old(key, groups):
    """Each suite with the first group, and the first one with each."""
    suites = [suite % key for suite in OLD]
    return [(suite, groups[0]) for suite in suites] + [(suites[0], g) for g in groups[1:]]


def undated(message):
    """Mutt dates its copy when it writes it."""
    return re.sub(rb"(?m)^Date: .*\r\n", b"", message, count=1)


class Mailers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        jwt = 'auth { jwks = "%s" jwt-issuer = "%s" jwt-audience = "%s" jwt-scope = "%s" }\n'
        door = "listener submission { address = 127.0.0.1 port = 587 path = kernel tls = starttls }"
        cls.gw = Gateway(PATH, extra="")
        cls.gw.extra = jwt % (cls.gw.file("jwks"), ISSUER, AUDIENCE, SCOPE) + door
        cls.gw._write_config()
        cls.provider = Provider(cls.gw.dir, "first")
        cls.provider.publish(cls.gw.file("jwks"))
        cls.gw.start()
        cls.doors = [cls.gw, At(cls.gw, "127.0.0.1", 587, "starttls")]

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def kept(self, before):
        """What came since, in order of their ids."""
        return [self.gw.body(i) for i in self.gw.ids() if i not in before]

    @at_each_door
    def test_thunderbird(self, door):
        messages = [b"Subject: \xc3\xa4\r\n" + HEADER + b"\r\n.%d\r\n" % i for i in range(3)]
        for login in (False, True):
            before = set(self.gw.ids())
            c = Thunderbird(door, login)
            for data in messages:
                c.send(data, TO)
            c.quit()
            self.assertEqual(self.kept(before), messages)

    def nodemailer(self, door, messages, auth, connections=1, name="node.example.org"):
        with open(self.gw.file("cert.pem")) as f:
            authority = f.read()
        job = {
            "transport": {
                "host": door.address,
                "port": door.port,
                "secure": door.tls == "implicit",
                "requireTLS": True,
                "maxConnections": connections,
                "auth": auth,
                "name": name,
                "tls": {"ca": [authority], "servername": "mail.example.org"},
            },
            "from": USER,
            "to": TO,
            "messages": [base64.b64encode(m).decode() for m in messages],
        }
        run(
            "node",
            os.path.join(HERE, "nodemailer.js"),
            input=json.dumps(job).encode(),
            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"},
        )

    @at_each_door
    def test_nodemailer(self, door):
        """A pool: many messages on one connection, and many on few."""
        messages = [dotted(2000) + b"%d\r\n" % i for i in range(20)]
        for connections in (1, 3):
            before, name = set(self.gw.ids()), "pool%d.port%d.example" % (connections, door.port)
            auth = {"user": USER, "pass": PASSWORD}
            self.nodemailer(door, messages, auth, connections, name)
            self.assertEqual(sorted(self.kept(before)), sorted(messages))
            sessions = re.compile(r"event=session .*helo=%s .*messages=(\d+)" % name)

            def counts():
                return [int(n) for n in sessions.findall(self.gw.log())]

            wait_for("the pool's sessions", lambda: sum(counts()) == len(messages))
            self.assertLessEqual(len(counts()), connections)

    @at_each_door
    def test_nodemailer_oauth2(self, door):
        messages = [dotted(1000) + b"%d\r\n" % i for i in range(2)]
        before = set(self.gw.ids())
        auth = {"type": "OAuth2", "user": USER, "accessToken": self.provider.token()}
        self.nodemailer(door, messages, auth)
        self.assertEqual(sorted(self.kept(before)), sorted(messages))
        auth["accessToken"] = self.provider.token(aud="another")
        with self.assertRaisesRegex(Problem, "new access token"):
            self.nodemailer(door, messages, auth)

    @at_each_door
    def test_mutt(self, door):
        """It writes the message itself, and a copy of what it sent."""
        before = set(self.gw.ids())
        sent = self.gw.file("sent-%d" % door.port)
        values = {"user": USER, "login": USER.replace("@", "%40"), "password": PASSWORD,
                  "scheme": "smtps" if door.tls == "implicit" else "smtp", "sent": sent,
                  "host": door.address, "port": door.port, "dir": self.gw.dir}
        with open(self.gw.file("muttrc"), "w") as f:
            f.write(MUTTRC % values)
        run("mutt", "-n", "-F", self.gw.file("muttrc"), "-s", "Gr\u00fc\u00dfe", "--", *TO,
            input="\u00e4\n.\n..b\nend\n".encode(), env={**os.environ, "LC_ALL": "C.UTF-8",
                                                   "HOME": self.gw.dir, "TERM": "dumb"})
        copies = glob.glob(os.path.join(sent, "*", "*"))
        self.assertEqual(len(copies), 1)
        with open(copies[0], "rb") as f:
            copy = f.read().replace(b"\n", b"\r\n")
        self.assertEqual([undated(m) for m in self.kept(before)], [undated(copy)])

    @at_each_door
    def test_old_openssl(self, door):
        """A client of TLS 1.2 alone, with the suites and groups that were the best then."""
        data = dotted(5000)
        for suite, group in old("ECDSA", GROUPS_ECDSA):
            before = set(self.gw.ids())
            clients.openssl(door, data, TO, "-tls1_2", "-cipher", suite, "-groups", group)
            self.assertEqual(self.kept(before), [data])

    def test_old_openssl_rsa(self):
        data = dotted(5000)
        with Gateway("kernel", key="rsa", listener="port = 466") as gw:
            gw.port = 466
            pairs = old("RSA", GROUPS)
            for suite, group in pairs:
                clients.openssl(gw, data, TO, "-tls1_2", "-cipher", suite, "-groups", group)
            self.assertEqual([gw.body(i) for i in gw.ids()], [data] * len(pairs))

    @at_each_door
    def test_smtplib_utf8(self, door):
        """Addresses that are not ASCII (RFC 6531)."""
        data = "Subject: Grüße\r\n".encode() + HEADER + "\r\nä\r\n".encode()
        to = "jörg@bücher.example"
        before = set(self.gw.ids())
        c = clients.smtplib_login(door)
        c.command_encoding = "utf-8"
        c.ehlo_or_helo_if_needed()
        self.assertTrue(c.has_extn("smtputf8"))
        self.assertEqual(c.sendmail(USER, [to], data, ["SMTPUTF8", "BODY=8BITMIME"]), {})
        with self.assertRaises(smtplib.SMTPRecipientsRefused):  # not said: RFC 6531, 3.5
            c.sendmail(USER, [to], data, ["BODY=8BITMIME"])
        c.quit()
        new = [i for i in self.gw.ids() if i not in before]
        self.assertEqual([self.gw.body(i) for i in new], [data])
        self.assertIn(to, self.gw.tool("show", new[0]).decode())


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
