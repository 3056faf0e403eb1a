#!/usr/bin/env python3
"""SCRAM-SHA-256 by a client written from RFC 5802, and -PLUS by GNU SASL: who has keys comes in,
and who has none is told nothing. -PLUS by tls-server-end-point too, with openssl(1)'s hash of each
kind of certificate.

POSTERN_PATH: kernel or tap. POSTERN_BUILD: the build directory.
"""

import base64
import hashlib
import hmac
import os
import secrets
import signal
import smtplib
import ssl
import subprocess
import unittest

import clients
from harness import DEADLINE_S, HEADER, PASSWORD, USER, Gateway, run, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")


def text(data):
    return base64.b64encode(data).decode()


def make_keys(password, iterations=4096):
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return "{SCRAM-SHA-256}%d,%s,%s,%s" % (iterations, text(salt), text(stored), text(server))


class Scram:
    """The authobject of smtplib.SMTP.auth; `challenge` is the server's first message."""

    def __init__(self, login, password, header="n,,", binding=b""):
        self.header, self.binding = header, binding
        self.login, self.password = login, password
        self.challenge = self.signature = None
        name = login.replace("=", "=3D").replace(",", "=2C")
        self.bare = "n=%s,r=%s" % (name, secrets.token_hex(12))

    def __call__(self, challenge=None):
        if challenge is None:
            return self.header + self.bare
        if self.challenge is None:
            return self.prove(challenge.decode())
        assert hmac.compare_digest(challenge.decode(), "v=" + text(self.signature))
        return ""

    def prove(self, challenge):
        self.challenge = challenge
        parts = dict(p.split("=", 1) for p in challenge.split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", self.password.encode(), base64.b64decode(parts["s"]), int(parts["i"])
        )
        client = hmac.digest(salted, b"Client Key", "sha256")
        without = "c=%s,r=%s" % (text(self.header.encode() + self.binding), parts["r"])
        message = ",".join((self.bare, challenge, without)).encode()
        stored = hashlib.sha256(client).digest()
        signature = hmac.digest(stored, message, "sha256")
        server = hmac.digest(salted, b"Server Key", "sha256")
        self.signature = hmac.digest(server, message, "sha256")
        return without + ",p=" + text(bytes(a ^ b for a, b in zip(client, signature)))


class Mechanisms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(PATH, tls="starttls")
        with open(cls.gw.file("users"), "w") as f:
            f.write("%s:%s\n" % (USER, make_keys(PASSWORD)))
        cls.gw.start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def client(self):
        c = smtplib.SMTP(self.gw.address, self.gw.port, timeout=DEADLINE_S)
        c.starttls(context=self.gw.context())
        c.ehlo()
        return c

    def test_keys_open_the_door(self):
        with self.client() as c:
            self.assertEqual(
                c.esmtp_features["auth"].split(),
                ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"],
            )
            self.assertEqual(c.auth("SCRAM-SHA-256", Scram(USER, PASSWORD))[0], 235)
            c.sendmail(USER, ["b@example.net"], b"Subject: by proof\r\n\r\nhi\r\n")

    def test_without_an_initial_response(self):
        with self.client() as c:
            scram = Scram(USER, PASSWORD)
            steps = iter((lambda _: scram(), scram, scram))
            self.assertEqual(
                c.auth("SCRAM-SHA-256", lambda challenge: next(steps)(challenge),
                       initial_response_ok=False)[0],
                235,
            )

    def test_a_password_opens_it_too(self):
        with self.client() as c:
            self.assertEqual(c.login(USER, PASSWORD)[0], 235)

    def refused(self, login):
        scram = Scram(login, "wrong")
        with self.client() as c, self.assertRaises(smtplib.SMTPAuthenticationError) as seen:
            c.auth("SCRAM-SHA-256", scram)
        self.assertEqual(seen.exception.smtp_code, 535)
        return scram.challenge.split(",s=")[1]

    def test_a_stranger_learns_nothing(self):
        known, stranger = self.refused(USER), self.refused("nobody@example.org")
        self.assertEqual(len(known), len(stranger))
        self.assertNotEqual(known, stranger)
        self.assertEqual(stranger, self.refused("nobody@example.org"))

    def test_clients_choose_what_works(self):
        data = b"Subject: chosen\r\n" + HEADER + b"\r\nhi\r\n"
        for client in (clients.curl, clients.swaks, clients.msmtp):
            with self.subTest(client.__name__):
                client(self.gw, data, ["b@example.net"])

    def gsasl(self, mechanism, password):
        return subprocess.run(
            [
                "gsasl",
                "--smtp",
                "--connect=%s:%d" % (self.gw.address, self.gw.port),
                "--mechanism=" + mechanism,
                "--authentication-id=" + USER,
                "--authorization-id=" + USER,
                "--password=" + password,
                "--x509-ca-file=" + self.gw.file("cert.pem"),
                "--hostname=mail.example.org",
                "--service=smtp",
                "--application-data",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE_S,
        ).stdout.decode(errors="replace")

    def test_gnu_sasl(self):
        self.assertIn("235 2.7.0", self.gsasl("SCRAM-SHA-256-PLUS", PASSWORD))
        self.assertIn("535 5.7.8", self.gsasl("SCRAM-SHA-256-PLUS", "wrong"))


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:2048")
# What signs the certificate, and the hash that RFC 5929, 4.1 has for that.
KINDS = [
    ((*EC, "-sha256"), "sha256"),
    ((*EC, "-sha384"), "sha384"),
    ((*EC, "-sha512"), "sha512"),
    ((*RSA, "-sha1"), "sha256"),
    ((*RSA, "-sha384"), "sha384"),
    ((*RSA, "-sha512", "-sigopt", "rsa_padding_mode:pss"), "sha512"),
    ((*RSA, "-sha1", "-sigopt", "rsa_padding_mode:pss"), "sha256"),
]


class EndPoint(unittest.TestCase):
    def setUp(self):
        self.gw = gw = Gateway(PATH)
        with open(gw.file("users"), "w") as f:
            f.write("%s:%s\n" % (USER, make_keys(PASSWORD)))
        gw.start()
        self.addCleanup(gw.close)

    def serve(self, count):
        self.gw.process.send_signal(signal.SIGHUP)
        self.gw.wait_for_log('event="certificates taken"', count)

    def client(self, version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        c = smtplib.SMTP_SSL(self.gw.address, 465, context=context, timeout=DEADLINE_S)
        c.ehlo()
        return c

    def log_in(self, client, name, binding):
        scram = Scram(USER, PASSWORD, "p=%s,," % name, binding)
        return client.auth("SCRAM-SHA-256-PLUS", scram)[0]

    def test_every_kind_of_certificate(self):
        file = self.gw.file
        for n, (options, digest) in enumerate(KINDS):
            run("openssl", "req", "-x509", *options, "-nodes", "-days", "2", "-subj", "/CN=x",
                "-keyout", file("key.pem"), "-out", file("cert.pem"))
            self.serve(n + 1)
            der = run("openssl", "x509", "-in", file("cert.pem"), "-outform", "DER")
            hashed = run("openssl", "dgst", "-" + digest, "-binary", input=der)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with self.subTest(options=options, version=version):
                    with self.client(version) as c:
                        self.assertEqual(self.log_in(c, "tls-server-end-point", hashed), 235)
                    with self.client(version) as c:
                        with self.assertRaises(smtplib.SMTPAuthenticationError):
                            self.log_in(c, "tls-server-end-point", hashed[::-1])

    def test_no_one_hash(self):
        """Signed by Ed25519: TLS 1.2 has no binding then, and 1.3 has the other."""
        file = self.gw.file
        run("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=ca",
            "-keyout", file("ca.key"), "-out", file("ca.pem"))
        run("openssl", "req", "-new", *EC, "-nodes", "-subj", "/CN=x",
            "-keyout", file("key.pem"), "-out", file("x.csr"))
        run("openssl", "x509", "-req", "-in", file("x.csr"), "-CA", file("ca.pem"),
            "-CAkey", file("ca.key"), "-CAcreateserial", "-out", file("cert.pem"))
        self.serve(1)
        for version, offered in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
            with self.client(version) as c:
                self.assertEqual("SCRAM-SHA-256-PLUS" in c.esmtp_features["auth"], offered)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
