#!/usr/bin/env python3
"""Certificates by the name that the client asks for, and read again under load: no session is lost,
new ones have the new certificate, and a broken file changes nothing.

POSTERN_PATH: kernel or tap. POSTERN_BUILD: the build directory.
"""

import os
import signal
import smtplib
import ssl
import subprocess
import threading
import unittest

from harness import DEADLINE_S, PASSWORD, USER, Gateway, run, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")


def make(gw, name, host, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
    run("openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj", "/CN=" + name,
        "-addext", "subjectAltName=DNS:" + host, "-keyout", gw.file(name + ".key.new"),
        "-out", gw.file(name + ".pem.new"))
    for end in (".key", ".pem"):
        os.rename(gw.file(name + end + ".new"), gw.file(name + end))


class Certificates(unittest.TestCase):
    def setUp(self):
        self.gw = gw = Gateway(PATH)
        make(gw, "net", "*.example.net")
        make(gw, "net_rsa", "*.example.net", ("rsa:2048",))
        blocks = "".join(
            'certificate { chain = "%s" key = "%s" }\n' % (gw.file(n + ".pem"), gw.file(n + ".key"))
            for n in ("net", "net_rsa")
        )
        with open(gw.file("postern.conf")) as f:
            text = f.read()
        with open(gw.file("postern.conf"), "w") as f:
            f.write(text.replace(" } }\nspool", " }\n%s}\nspool" % blocks))
        gw.start()

    def tearDown(self):
        self.gw.close()

    def shown(self, *options):
        """The subject that openssl(1) sees."""
        out = subprocess.run(
            ["openssl", "s_client", "-connect", "%s:%d" % (self.gw.address, self.gw.port)]
            + list(options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=DEADLINE_S,
        ).stdout.decode()
        return next(line for line in out.splitlines() if line.startswith("subject="))[-40:]

    def session(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return smtplib.SMTP_SSL(self.gw.address, self.gw.port, context=context, timeout=DEADLINE_S)

    def fingerprint(self):
        with self.session() as c:
            return c.sock.getpeercert(True)

    def test_by_name(self):
        self.assertIn("mail.example.org", self.shown("-noservername"))
        self.assertIn("mail.example.org", self.shown("-servername", "nobody.example"))
        self.assertTrue(self.shown("-servername", "a.example.net").endswith("CN = net"))
        self.assertTrue(
            self.shown("-servername", "A.EXAMPLE.net", "-sigalgs", "RSA-PSS+SHA256").endswith(
                "CN = net_rsa"
            )
        )
        self.assertIn("mail.example.org", self.shown("-servername", "a.b.example.net"))

    def reload(self, event, count=1):
        self.gw.process.send_signal(signal.SIGHUP)
        self.gw.wait_for_log('event="certificates %s"' % event, count)

    def load(self, stop, results):
        """Sessions one after the other, each with a message."""
        while not stop.is_set():
            with self.session() as c:
                c.login(USER, PASSWORD)
                c.sendmail(USER, ["b@example.net"], b"Subject: load\r\n\r\nhi\r\n")
            results.append(True)

    def test_read_again_under_load(self):
        gw, stop, results = self.gw, threading.Event(), []
        old = self.fingerprint()
        held = self.session()
        runner = threading.Thread(target=self.load, args=(stop, results))
        runner.start()
        for n in range(5):
            gw._make_keys("ec")
            self.reload("taken", n + 1)
        new = self.fingerprint()
        self.assertNotEqual(old, new)
        with open(gw.file("cert.pem"), "w") as f:
            f.write("half of it")
        self.reload("not taken")
        self.assertEqual(self.fingerprint(), new)
        stop.set()
        runner.join()
        self.assertGreater(len(results), 0)
        self.assertEqual(len(gw.ids()), len(results))
        self.assertEqual(gw.counters()["tls_handshake_errors"], 0)
        self.assertEqual(held.noop()[0], 250)
        held.quit()


class Staples(unittest.TestCase):
    """A certificate that demands a stapled response (RFC 7633), and a response by openssl(1)."""

    def open(self, settings):
        self.gw = gw = Gateway(PATH)
        self.addCleanup(gw.close)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=ca", "-keyout", gw.file("ca.key"), "-out", gw.file("ca.pem"))
        run("openssl", "req", "-new", "-key", gw.file("key.pem"), "-subj", "/CN=mail.example.org",
            "-out", gw.file("x.csr"))
        with open(gw.file("x.ext"), "w") as f:
            f.write("tlsfeature = status_request\n")
        run("openssl", "x509", "-req", "-in", gw.file("x.csr"), "-days", "2", "-set_serial",
            "0x1000", "-CA", gw.file("ca.pem"), "-CAkey", gw.file("ca.key"), "-extfile",
            gw.file("x.ext"), "-out", gw.file("cert.pem"))
        with open(gw.file("index"), "w") as f:
            f.write("V\t491231235959Z\t\t1000\tunknown\t/CN=mail.example.org\n")
        run("openssl", "ocsp", "-index", gw.file("index"), "-CA", gw.file("ca.pem"), "-rsigner",
            gw.file("ca.pem"), "-rkey", gw.file("ca.key"), "-issuer", gw.file("ca.pem"), "-cert",
            gw.file("cert.pem"), "-ndays", "1", "-respout", gw.file("response"), "-noverify")
        with open(gw.file("postern.conf")) as f:
            text = f.read()
        with open(gw.file("postern.conf"), "w") as f:
            f.write(text.replace(" } }\nspool", settings % {"dir": gw.dir} + " } }\nspool"))
        gw.start()

    def shown(self):
        return run(
            "openssl", "s_client", "-status", "-verify_return_error", "-connect",
            "%s:%d" % (self.gw.address, self.gw.port), "-CAfile", self.gw.file("ca.pem"),
            stdin=subprocess.DEVNULL,
        ).decode(errors="replace")

    def test_stapled(self):
        self.open(' ocsp = "%(dir)s/response"')
        shown = self.shown()
        self.assertIn("OCSP Response Status: successful", shown)
        self.assertIn("Cert Status: good", shown)
        self.assertNotIn("OCSP response", self.gw.log())

    def test_missed(self):
        self.open("")
        self.gw.wait_for_log("has no OCSP response beside it")
        self.assertIn("OCSP response: no response sent", self.shown())
        self.gw.process.send_signal(signal.SIGHUP)
        self.gw.wait_for_log("clients will refuse the certificate, which demands one", 2)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
