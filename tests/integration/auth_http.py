#!/usr/bin/env python3
"""Logins that an HTTP hook knows, in nginx's form: a real HTTP server that says yes, no, later or
nothing, dies, and talks rubbish or too much.

POSTERN_BUILD: the build directory.
"""

import http.server
import threading
import time
import unittest
import urllib.parse

from auth_dovecot import client, login
from harness import PASSWORD, USER, Gateway, run_in_namespace, wait_for

PORT = 9000


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    how = None  # a function of the request, instead of the usual answer
    seen = []
    connections = 0

    def setup(self):
        Hook.connections += 1
        super().setup()

    def answer(self, fields, status=200):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.send_header("Connection", "keep-alive")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = False

    def do_GET(self):
        Hook.seen.append(dict(self.headers))
        if Hook.how is not None:
            Hook.how(self)
            return
        user = urllib.parse.unquote(self.headers["Auth-User"])
        password = urllib.parse.unquote(self.headers["Auth-Pass"])
        if user.lower() == USER and password == PASSWORD:
            self.answer({"Auth-Status": "OK", "Auth-User": user.lower(), "Auth-Server": "x"})
        else:
            self.answer({"Auth-Status": "Invalid login or password", "Auth-Wait": "1"})

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *args):
        pass  # the gateway had enough of it


def raw(data):
    """A way to answer: these bytes, and the connection's end."""

    def how(request):
        request.wfile.write(data)
        request.close_connection = True

    return how


def serve():
    server = Server(("127.0.0.1", PORT), Hook)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


class AuthHttp(unittest.TestCase):
    def setUp(self):
        Hook.how, Hook.seen, Hook.connections = None, [], 0
        self.server = serve()
        settings = "guesses-per-pair = 1000 guesses-per-client = 1000 timeout = 2s"
        url = "http://127.0.0.1:%d/auth" % PORT
        extra = 'auth { backend = http  url = "%s"  %s }' % (url, settings)
        self.gw = Gateway("kernel", extra=extra)
        self.gw.start()

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.gw.close()

    def test_yes_and_no(self):
        with client(self.gw) as c:
            self.assertEqual(c.esmtp_features["auth"].split(), ["PLAIN", "LOGIN"])
        for how in ("PLAIN", "LOGIN"):
            begun = time.monotonic()
            self.assertEqual(login(self.gw, USER, "wrong " + how, how), 535)
            self.assertGreaterEqual(time.monotonic() - begun, 0.99)  # Auth-Wait
        for how in ("PLAIN", "LOGIN"):
            self.assertEqual(login(self.gw, USER, PASSWORD, how), 235)
        self.assertEqual(len(Hook.seen), 3)  # the second right one was kept
        self.assertEqual(Hook.connections, 1)
        first = Hook.seen[0]
        self.assertEqual(first["Auth-Method"], "plain")
        self.assertEqual(first["Auth-Pass"], "wrong%20PLAIN")
        self.assertEqual(first["Auth-Protocol"], "smtp")
        self.assertEqual(first["Auth-Login-Attempt"], "1")
        self.assertEqual(first["Client-IP"], "127.0.0.1")
        self.assertEqual(first["Auth-SSL"], "on")
        self.assertIn("Invalid login or password", self.gw.log())
        self.assertNotIn(PASSWORD, self.gw.log())

    def test_the_login_is_as_the_hook_writes_it(self):
        for _ in range(2):
            self.assertEqual(login(self.gw, USER.upper(), PASSWORD), 235)
        wait_for("the sessions' lines", lambda: self.gw.log().count("user=" + USER) == 2)
        self.assertEqual(len(Hook.seen), 1)  # as it was kept

    def test_what_it_grants(self):
        fields = {"Auth-Status": "OK", "Auth-Senders": "*@example.net, rcpt=1 size=20000"}
        Hook.how = lambda r: r.answer(fields)
        for _ in range(2):  # the second time it is kept
            with client(self.gw) as c:
                c.login(USER, PASSWORD)
                c.ehlo()
                self.assertEqual(c.esmtp_features["size"], "20000")
                self.assertEqual(c.mail(USER)[0], 553)
                self.assertEqual(c.mail("any@example.net")[0], 250)
                self.assertEqual(c.rcpt("b@example.com")[0], 250)
                self.assertEqual(c.rcpt("c@example.com")[0], 452)
        self.assertEqual(len(Hook.seen), 1)
        fields["Auth-Senders"] = "everything"
        self.assertEqual(login(self.gw, USER, "another"), 454)

    def test_many_at_once(self):
        codes = []
        threads = [
            threading.Thread(target=lambda n=n: codes.append(login(self.gw, USER, "%d" % n)))
            for n in range(8)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(codes, [535] * 8)

    def test_each_way_to_fail(self):
        let_go = threading.Event()
        ways = {
            "it does not answer": lambda r: let_go.wait(10),
            "it closed the connection": lambda r: setattr(r, "close_connection", True),
            "it does not speak HTTP/1": raw(b"220 hello\r\n\r\n"),
            "a status other than 200": lambda r: r.answer({"Auth-Status": "OK"}, 500),
            "no Auth-Status": lambda r: r.answer({}),
            "a malformed header field": raw(b"HTTP/1.1 200 OK\r\nrubbish\r\n\r\n"),
            "an answer that is too long": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000000),
        }
        for n, (why, how) in enumerate(ways.items()):
            Hook.how = lambda r: r.answer({"Auth-Status": "OK"})
            self.assertEqual(login(self.gw, USER, "well %d" % n), 235)
            Hook.how = how
            self.assertEqual(login(self.gw, USER, "way %d" % n), 454)
            wait_for(why, lambda: why in self.gw.log())
        let_go.set()
        Hook.how = lambda r: r.answer({"Auth-Status": "db", "Auth-Error-Code": "451 4.3.0"})
        self.assertEqual(login(self.gw, USER, "later"), 454)
        self.server.shutdown()
        self.server.server_close()
        self.assertEqual(login(self.gw, USER, "gone"), 454)
        Hook.how = None
        self.server = serve()
        self.assertEqual(login(self.gw, USER, PASSWORD), 235)


if __name__ == "__main__":
    run_in_namespace()
    unittest.main()
