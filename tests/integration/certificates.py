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


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
