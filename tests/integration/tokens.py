#!/usr/bin/env python3
"""Access tokens: OAUTHBEARER and XOAUTH2 by curl and by hand, and the keys' file while it runs.

POSTERN_PATH: kernel or tap. POSTERN_BUILD: the build directory. Tokens are signed by openssl(1).
"""

import base64
import json
import os
import re
import signal
import smtplib
import time
import unittest

import clients
from harness import DEADLINE_S, HEADER, USER, Gateway, run, run_in_namespace

PATH = os.environ.get("POSTERN_PATH", "kernel")
ISSUER, AUDIENCE, SCOPE = "https://id.example.org", "postern", "mail.send"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """An identity provider with one RSA key."""

    def __init__(self, folder, kid):
        self.key, self.kid = os.path.join(folder, kid + ".key"), kid
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
            self.key)

    def publish(self, path):
        out = run("openssl", "rsa", "-in", self.key, "-noout", "-modulus").decode()
        modulus = bytes.fromhex(re.search("=([0-9A-F]+)", out).group(1))
        key = {"kty": "RSA", "kid": self.kid, "n": encode(modulus), "e": "AQAB"}
        with open(path + ".new", "w") as f:
            json.dump({"keys": [key]}, f)
        os.rename(path + ".new", path)

    def token(self, **claims):
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "scope": SCOPE,
                  "email": USER, **claims}
        header = {"alg": "RS256", "kid": self.kid, "typ": "at+jwt"}
        text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = run("openssl", "dgst", "-sha256", "-sign", self.key, input=text.encode())
        return text + "." + encode(signature)


def bearer(token, user=USER):
    return "n,a=%s,\x01host=mail.example.org\x01port=465\x01auth=Bearer %s\x01\x01" % (user, token)


def google(token, user=USER):
    return "user=%s\x01auth=Bearer %s\x01\x01" % (user, token)


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gw = Gateway(
            PATH,
            tls="starttls",
            extra='auth { jwks = "%s" jwt-issuer = "%s" jwt-audience = "%s" jwt-scope = "%s" '
            "guesses-per-client = 1000 }",
        )
        cls.gw.extra %= (cls.gw.file("jwks"), ISSUER, AUDIENCE, SCOPE)
        cls.gw._write_config()
        cls.provider = Provider(cls.gw.dir, "first")
        cls.provider.publish(cls.gw.file("jwks"))
        cls.gw.start()

    @classmethod
    def tearDownClass(cls):
        cls.gw.close()

    def client(self):
        c = smtplib.SMTP(self.gw.address, self.gw.port, timeout=DEADLINE_S)
        c.starttls(context=self.gw.context())
        c.ehlo()
        return c

    def accepted(self, token, mechanism="OAUTHBEARER", form=bearer, **kw):
        with self.client() as c:
            return c.auth(mechanism, lambda challenge=None: form(token, **kw))[0] == 235

    def refused(self, token, mechanism="OAUTHBEARER", form=bearer, **kw):
        """What the challenge says."""
        said = []

        def reply(challenge=None):
            if challenge is None:
                return form(token, **kw)
            said.append(json.loads(challenge))
            return "\x01" if form is bearer else ""

        with self.client() as c, self.assertRaises(smtplib.SMTPAuthenticationError) as seen:
            c.auth(mechanism, reply)
        self.assertEqual(seen.exception.smtp_code, 535)
        self.assertEqual(len(said), 1)
        return said[0]

    def test_both_mechanisms(self):
        token = self.provider.token()
        with self.client() as c:
            self.assertEqual(
                c.esmtp_features["auth"].split(), ["OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"]
            )
            c.auth("OAUTHBEARER", lambda challenge=None: bearer(token))
            c.sendmail(USER, ["b@example.net"], b"Subject: token\r\n\r\nhi\r\n")
        self.assertTrue(self.accepted(token, "XOAUTH2", google))

    def test_curl(self):
        token = self.provider.token()
        before = len(self.gw.ids())
        data = b"Subject: by curl\r\n" + HEADER + b"\r\nhi\r\n"
        for option in ("OAUTHBEARER", "XOAUTH2"):
            clients.curl(self.gw, data, ["b@example.net"], "--oauth2-bearer", token,
                         "--login-options", "AUTH=" + option)
        self.assertEqual(len(self.gw.ids()), before + 2)

    def test_refused(self):
        bad = {"status": "invalid_token", "schemes": "bearer", "scope": SCOPE}
        token = self.provider.token()
        self.assertEqual(self.refused(self.provider.token(exp=int(time.time()) - 600)), bad)
        self.assertEqual(self.refused(self.provider.token(aud="another")), bad)
        self.assertEqual(self.refused(token[:-8] + "AAAAAAAA"), bad)
        self.assertEqual(self.refused(token, user="bob@example.org"), bad)
        self.assertEqual(self.refused(""), bad)
        self.assertEqual(self.refused(self.provider.token(scope="other"))["status"],
                         "insufficient_scope")
        self.assertEqual(self.refused(token[:-8], "XOAUTH2", google)["status"], "401")
        self.gw.wait_for_log('event="token refused" client=127.0.0.1 why=expired')
        self.assertTrue(self.accepted(token))
        self.assertNotIn(token[-40:], self.gw.log())

    def test_keys_change(self):
        new = Provider(self.gw.dir, "second")
        seen = self.gw.log().count('event="keys of tokens taken"')
        new.publish(self.gw.file("jwks"))
        self.gw.wait_for_log('event="keys of tokens taken"', seen + 1)
        self.refused(self.provider.token())
        self.assertTrue(self.accepted(new.token()))
        with open(self.gw.file("jwks"), "w") as f:
            f.write("{}")
        self.gw.wait_for_log('event="keys of tokens not taken"')
        self.assertTrue(self.accepted(new.token()))
        self.provider.publish(self.gw.file("jwks"))
        self.gw.process.send_signal(signal.SIGHUP)
        self.gw.wait_for_log('event="keys of tokens taken"', seen + 2)
        self.assertTrue(self.accepted(self.provider.token()))


if __name__ == "__main__":
    run_in_namespace()
    unittest.main(verbosity=2)
