#!/usr/bin/env python3
"""postern-bench load against servers that break the protocol: each fault is counted once, under its
step and kind, and nothing is acknowledged that the server did not vouch for in its turn. Every case
is a script of what the server reads and says. Usage: load_faults.py POSTERN-BENCH"""

import concurrent.futures
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

BANNER = "220 x\r\n"
EHLO = "250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH LOGIN PLAIN\r\n"
MAIL = ["MAIL", "RCPT", "DATA"]
END = "\r\n.\r\n"
TLS = object()  # the handshake, in a script
CLOSE = object()

GREETED = [TLS, BANNER, ["EHLO"], EHLO, ["AUTH PLAIN"]]
READY = GREETED + ["235 x\r\n", MAIL]
# Name, options, script, what the output must hold.
CASES = [
    ("all is well", [], READY + ["250 a\r\n250 b\r\n354 c\r\n", [END], "250 d\r\n", ["QUIT"],
                                 "221 e\r\n"], "1  acknowledged"),
    ("by BDAT", ["--bdat"],
     GREETED + ["235 x\r\n", ["BDAT 512 LAST"], "250 a\r\n250 b\r\n250 c\r\n", ["QUIT"],
                "221 e\r\n"], "1  acknowledged"),
    ("banner 554", [], [TLS, "554 go away\r\n"], "banner: refused (5xx): 554 go away"),
    ("banner that is none", [], [TLS, "hello\r\n"], "banner: not a reply: hello"),
    ("bare LF", [], [TLS, "220 x\n"], "banner: not a reply"),
    ("no PLAIN", [], [TLS, BANNER, ["EHLO"], "250-x\r\n250 AUTH LOGIN\r\n"],
     "EHLO: not offered: AUTH PLAIN"),
    ("AUTH refused", [], GREETED + ["535 no\r\n"], "AUTH: refused (5xx): 535 no"),
    ("RCPT for now", [], READY + ["250 a\r\n451 later\r\n"], "RCPT: refused for now (4xx): 451"),
    ("354 out of turn", [], READY + ["354 c\r\n"], "MAIL: wrong reply code: 354 c"),
    ("250 before the end", [], READY + ["250 a\r\n250 b\r\n354 c\r\n250 d\r\n"],
     "message: bytes nobody asked for: 250 d"),
    ("452 at the end", [], READY + ["250 a\r\n250 b\r\n354 c\r\n", [END], "452 full\r\n"],
     "message: refused for now (4xx): 452 full"),
    ("closed at the end", [], READY + ["250 a\r\n250 b\r\n354 c\r\n", [END], CLOSE],
     "message: closed by the server"),
    ("silence", ["--timeout", "1"], [TLS, BANNER, ["EHLO"], ["never"]], "EHLO: timed out"),
    ("plain text", [], ["220 x\r\n", ["never"]], "TLS: TLS error"),
    ("STARTTLS", ["--starttls"],
     [BANNER, ["EHLO"], "250-x\r\n250 STARTTLS\r\n", ["STARTTLS"], "220 x\r\n", TLS, ["EHLO"], EHLO,
      ["AUTH"], "235 x\r\n", MAIL, "250 a\r\n250 b\r\n354 c\r\n", [END], "250 d\r\n", ["QUIT"],
      "221 e\r\n"], "1  acknowledged"),
    ("STARTTLS not offered", ["--starttls"], [BANNER, ["EHLO"], "250 x\r\n"],
     "EHLO: not offered: STARTTLS"),
    ("text behind STARTTLS", ["--starttls"],
     [BANNER, ["EHLO"], "250-x\r\n250 STARTTLS\r\n", ["STARTTLS"], "220 x\r\n250 injected\r\n"],
     "STARTTLS: bytes nobody asked for: 250 injected"),
    ("bytes after 221", [], READY + ["250 a\r\n250 b\r\n354 c\r\n", [END], "250 d\r\n", ["QUIT"],
                                     "221 e\r\n250 f\r\n"], "QUIT: bytes nobody asked for: 250 f"),
]


def play(listener, context, script):
    """One connection by its script: text is said; a list is waited for, word after word."""
    connection = listener.accept()[0]
    connection.settimeout(20)
    heard = b""
    try:
        for item in script:
            if item is TLS:
                connection = context.wrap_socket(connection, server_side=True)
            elif item is CLOSE:
                break
            elif isinstance(item, str):
                connection.sendall(item.encode())
            else:
                for word in item:
                    while word.encode() not in heard:
                        part = connection.recv(65536)
                        if not part:
                            return
                        heard += part
                    heard = heard[heard.index(word.encode()) + len(word) :]
        while item is not CLOSE and connection.recv(65536):
            pass
    except OSError:
        pass  # the client hung up, as it should on a fault
    finally:
        connection.close()


def run_case(folder, context, name, options, script, want):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=play, args=(listener, context, script))
        thread.start()
        done = subprocess.run(
            [sys.argv[1], "load", "-n", "1", "-s", "512", "--timeout", "10", "-u", "a", "-p",
             os.path.join(folder, "password"), *options, "127.0.0.1",
             str(listener.getsockname()[1])], capture_output=True, text=True, check=False)
        thread.join()
    good = "acknowledged" in want
    errors = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert want in done.stdout, "%s: want '%s':\n%s%s" % (name, want, done.stdout, done.stderr)
    assert done.returncode == (0 if good else 1), "%s: exit %d" % (name, done.returncode)
    assert len(errors) == (0 if good else 1), "%s: %s" % (name, errors)
    if not good and not name.endswith("221"):
        assert " 0  acknowledged" in done.stdout, "%s:\n%s" % (name, done.stdout)


def main():
    with tempfile.TemporaryDirectory() as folder:
        cert, key = os.path.join(folder, "cert"), os.path.join(folder, "key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", key,
                        "-out", cert], capture_output=True, check=True)
        with open(os.path.join(folder, "password"), "w") as f:
            f.write("secret\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for result in [pool.submit(run_case, folder, context, *case) for case in CASES]:
                result.result()


main()
