#!/usr/bin/env python3
"""Clients with certificates, by an authority of openssl(1): who has a good one logs in by EXTERNAL,
on 465 (DPDK or the kernel, as POSTERN_PATH says) and on 587 (the kernel), with TLS 1.3 and 1.2;
what is wrong with another is told; and who is revoked by a reload is out.

POSTERN_PATH: kernel or tap. POSTERN_BUILD: the build directory.
"""

import os
import signal
import smtplib
import ssl
import unittest

from harness import DEADLINE_S, Gateway, run, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")
OTHER = 'listener submission { address = "127.0.0.1" path = kernel tls = starttls }\n'
AUTHORITY = """
[ca]
default_ca = this
[this]
database = %(dir)s/%(name)s.index
serial = %(dir)s/%(name)s.serial
crlnumber = %(dir)s/%(name)s.serial
new_certs_dir = %(dir)s
certificate = %(dir)s/%(name)s.pem
private_key = %(dir)s/%(name)s.key
default_md = sha256
default_days = 2
default_crl_days = 1
unique_subject = no
copy_extensions = copy
policy = any
[any]
commonName = supplied
"""
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    def __init__(self, gw, name):
        self.gw, self.name = gw, name
        with open(gw.file(name + ".cnf"), "w") as f:
            f.write(AUTHORITY % {"dir": gw.dir, "name": name})
        open(gw.file(name + ".index"), "w").close()
        with open(gw.file(name + ".serial"), "w") as f:
            f.write("1000\n")
        run("openssl", "req", "-x509", *EC, "-days", "2", "-subj", "/CN=" + name,
            "-keyout", gw.file(name + ".key"), "-out", gw.file(name + ".pem"))

    def ca(self, *args):
        run("openssl", "ca", "-batch", "-config", self.gw.file(self.name + ".cnf"), *args)

    def issue(self, name, *dates):
        """NAME.pem and NAME.key, for NAME@example.org."""
        file = self.gw.file
        run("openssl", "req", "-new", *EC, "-subj", "/CN=" + name,
            "-addext", "subjectAltName=email:%s@Example.ORG" % name,
            "-addext", "extendedKeyUsage=clientAuth",
            "-keyout", file(name + ".key"), "-out", file(name + ".csr"))
        self.ca("-in", file(name + ".csr"), "-out", file(name + ".pem"), "-notext", *dates)
        return name

    def write_list(self, *revoked):
        for name in revoked:
            self.ca("-revoke", self.gw.file(name + ".pem"))
        self.ca("-gencrl", "-out", self.gw.file("list.pem"))


class Certificates(unittest.TestCase):
    def open(self, clients, path=PATH):
        self.gw = gw = Gateway(path, extra=OTHER)
        self.addCleanup(gw.close)
        self.authority = Authority(gw, "ca")
        for name in ("alice", "bob"):
            self.authority.issue(name)
        self.authority.write_list()
        with open(gw.file("postern.conf")) as f:
            text = f.read()
        with open(gw.file("postern.conf"), "w") as f:
            f.write(text.replace("tls { cert", (
                'tls { client-certificates = %s client-ca = "%s" client-crl = "%s" cert'
                % (clients, gw.file("ca.pem"), gw.file("list.pem"))
            )))
        gw.start()

    def connect(self, port, name=None, session=None, version=ssl.TLSVersion.TLSv1_3):
        gw, context, old = self.gw, *(session or (self.gw.context(), None))
        context.maximum_version = version
        if name is not None:
            context.load_cert_chain(gw.file(name + ".pem"), gw.file(name + ".key"))
        made = type(context).wrap_socket
        context.wrap_socket = lambda *a, **k: made(context, *a, session=old, **k)
        if port == 465:
            c = smtplib.SMTP_SSL(gw.address, 465, context=context, timeout=DEADLINE_S)
        else:
            c = smtplib.SMTP("127.0.0.1", 587, timeout=DEADLINE_S)
            c.starttls(context=context)
        c.ehlo()
        return c

    def each(self):
        for port in (465, 587):
            for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
                with self.subTest(port=port, version=version):
                    yield port, version

    def refused(self, port, version, name, reason):
        before = self.gw.log().count('result="%s"' % reason)
        with self.assertRaises((smtplib.SMTPServerDisconnected, ssl.SSLError, OSError)):
            self.connect(port, name, version=version)
        self.gw.wait_for_log('result="%s"' % reason, before + 1)

    def test_good(self):
        self.open("ask")
        for port, version in self.each():
            with self.connect(port, "alice", version=version) as c:
                self.assertEqual(c.esmtp_features["auth"].split(), ["EXTERNAL", "PLAIN", "LOGIN"])
                self.assertEqual(c.docmd("AUTH", "EXTERNAL =")[0], 235)
                c.sendmail("alice@example.org", ["b@example.net"], b"Subject: x\r\n\r\nhi\r\n")
            with self.connect(port, "alice", version=version) as c:
                self.assertEqual(
                    c.auth("EXTERNAL", lambda _: "", initial_response_ok=False)[0], 235)
            with self.connect(port, "alice", version=version) as c:
                with self.assertRaises(smtplib.SMTPAuthenticationError):
                    c.auth("EXTERNAL", lambda _=None: "bob@example.org")
                self.assertEqual(c.auth("EXTERNAL", lambda _=None: "alice@example.org")[0], 235)
            with self.connect(port, version=version) as c:
                self.assertNotIn("EXTERNAL", c.esmtp_features["auth"])
                self.assertEqual(c.docmd("AUTH", "EXTERNAL =")[0], 504)
        self.assertIn("user=alice@example.org", self.gw.log())
        self.assertIn("certificate=alice@example.org", self.gw.log())
        shown = self.gw.tool("show", self.gw.ids()[-1]).decode()
        self.assertRegex(shown, "user.*alice@example.org")

    def test_bad(self):
        self.open("ask")
        self.authority.issue("late", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
        Authority(self.gw, "stranger").issue("mallory")
        for port, version in self.each():
            self.refused(port, version, "late", "client's certificate has expired")
            self.refused(
                port, version, "mallory", "client's certificate is by an unknown authority")

    def test_required(self):
        self.open("require", "kernel")
        for port, version in self.each():
            self.refused(port, version, None, "no certificate of the client")
            self.connect(port, "alice", version=version).quit()

    def test_revoked_by_a_reload(self):
        self.open("ask")
        held = self.connect(465, "bob")
        self.assertEqual(held.docmd("AUTH", "EXTERNAL =")[0], 235)
        self.authority.write_list("bob")
        self.gw.process.send_signal(signal.SIGHUP)
        self.gw.wait_for_log('event="certificates taken"')
        for port, version in self.each():
            self.refused(port, version, "bob", "client's certificate is revoked")
            self.connect(port, "alice", version=version).quit()
        self.assertEqual(held.noop()[0], 250)
        held.quit()

    def test_resumed(self):
        """No ticket for a certificate's owner; one for others, who are nobody then, too."""
        self.open("ask")
        for port, version in self.each():
            with self.connect(port, "alice", version=version) as c:
                self.assertFalse(c.sock.session.has_ticket)
            context = self.gw.context()
            with self.connect(port, None, (context, None), version) as c:
                self.assertTrue(c.sock.session.has_ticket)
                session = (context, c.sock.session)
            with self.connect(port, "alice", session, version) as c:
                self.assertTrue(c.sock.session_reused)
                self.assertNotIn("EXTERNAL", c.esmtp_features["auth"])


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
