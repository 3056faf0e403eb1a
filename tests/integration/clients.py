"""Real clients, each as one function: submit `data` from USER to `to`, over implicit TLS or by
STARTTLS, as the gateway has it.

Each returns nothing when the client says that the server took the message, and raises Problem
otherwise.
`data` has CRLF line ends. What a client makes of it before it is sent is the client's business:
`as_sent` says what
must arrive.
"""

import base64
import os
import select
import smtplib
import socket
import subprocess
import tempfile

from harness import DEADLINE_S, PASSWORD, USER, Problem, run


def _file(gw, data):
    handle, name = tempfile.mkstemp(dir=gw.dir)
    with os.fdopen(handle, "wb") as f:
        f.write(data)
    return name


def _starts(gw):
    return gw.tls == "starttls"


def curl_command(gw, data, to, *options):
    args = [
        "curl",
        *options,
        "--silent",
        "--show-error",
        "--ssl-reqd",
        "--cacert",
        gw.file("cert.pem"),
        "--url",
        "%s://%s:%d" % ("smtp" if _starts(gw) else "smtps", gw.host, gw.port),
        "--user",
        USER + ":" + PASSWORD,
        "--mail-from",
        USER,
        "--upload-file",
        _file(gw, data),
    ]
    for r in to:
        args += ["--mail-rcpt", r]
    return args


def curl(gw, data, to, *options):
    run(*curl_command(gw, data, to, *options))


def swaks(gw, data, to, *options):
    run(
        "swaks",
        *options,
        "--silent",
        "3",
        "--tls" if _starts(gw) else "--tls-on-connect",
        "--server",
        gw.address,
        "--port",
        str(gw.port),
        "--auth",
        "PLAIN",
        "--auth-user",
        USER,
        "--auth-password",
        PASSWORD,
        "--from",
        USER,
        "--to",
        ",".join(to),
        "--no-data-fixup",
        "--data",
        "@" + _file(gw, stuffed(data)),
    )


def msmtp(gw, data, to):
    # msmtp reads text with the host's line ends and makes CRLF of them.
    run(
        "msmtp",
        "--file=/dev/null",
        "--host=" + gw.address,
        "--port=%d" % gw.port,
        "--tls=on",
        "--tls-starttls=" + ("on" if _starts(gw) else "off"),
        "--tls-trust-file=" + gw.file("cert.pem"),
        "--auth=plain",
        "--user=" + USER,
        "--passwordeval=printf '%s\\n' '" + PASSWORD + "'",
        "--from=" + USER,
        "--tls-host-override=mail.example.org",
        *to,
        input=data.replace(b"\r\n", b"\n")
    )


def stuffed(data):
    text = data.replace(b"\r\n.", b"\r\n..")
    return (b"." + text if text.startswith(b".") else text) + b".\r\n"


class _Talk:
    """A dialogue with a program whose standard input and output are the TLS connection."""

    def __init__(self, args):
        self.p = subprocess.Popen(
            args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.seen = b""

    def expect(self, code):
        while True:
            lines = self.seen.split(b"\r\n")
            for i, line in enumerate(lines[:-1]):
                if len(line) >= 4 and line[3:4] == b" " and line[:3].isdigit():
                    self.seen = b"\r\n".join(lines[i + 1 :])
                    if line[:3] != code:
                        raise Problem("expected %s, got %r" % (code.decode(), line))
                    return line
            if not select.select([self.p.stdout], [], [], DEADLINE_S)[0]:
                raise Problem("no reply; seen so far: %r" % self.seen[-500:])
            piece = os.read(self.p.stdout.fileno(), 65536)
            if not piece:
                raise Problem("ended; seen: %r" % self.seen[-500:])
            self.seen += piece

    def say(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()


def _dialogue(gw, args, data, to):
    """`args`: a program that is the TLS connection; one that does STARTTLS has read the banner."""
    t = _Talk(args)
    try:
        if not _starts(gw):
            t.expect(b"220")
        t.say(b"EHLO client.example.org\r\n")
        t.expect(b"250")
        t.say(
            b"AUTH PLAIN "
            + base64.b64encode(b"\0" + USER.encode() + b"\0" + PASSWORD.encode())
            + b"\r\n"
        )
        t.expect(b"235")
        t.say(b"MAIL FROM:<" + USER.encode() + b">\r\n")
        t.expect(b"250")
        for r in to:
            t.say(b"RCPT TO:<" + r.encode() + b">\r\n")
            t.expect(b"250")
        t.say(b"DATA\r\n")
        t.expect(b"354")
        t.say(stuffed(data))
        t.expect(b"250")
        t.say(b"QUIT\r\n")
        t.expect(b"221")
    finally:
        t.p.stdin.close()
        t.p.stdout.close()
        t.p.terminate()
        t.p.wait()


def openssl(gw, data, to, *options):
    _dialogue(
        gw,
        [
            "openssl",
            "s_client",
            "-quiet",
            "-connect",
            "%s:%d" % (gw.host, gw.port),
            "-CAfile",
            gw.file("cert.pem"),
            "-verify_return_error",
            *(["-starttls", "smtp"] if _starts(gw) else []),
            *options,
        ],
        data,
        to,
    )


def openssl_tls12(gw, data, to):
    openssl(gw, data, to, "-tls1_2")


def gnutls(gw, data, to):
    _dialogue(
        gw,
        [
            "gnutls-cli",
            "--logfile=/dev/null",
            "--x509cafile=" + gw.file("cert.pem"),
            "--sni-hostname=mail.example.org",
            "--verify-hostname=mail.example.org",
            *(["--starttls-proto=smtp"] if _starts(gw) else []),
            "-p",
            str(gw.port),
            gw.address,
        ],
        data,
        to,
    )


def smtplib_login(gw, raw=None):
    """A session that has logged in, over `raw` (a socket of the caller's, not yet connected) or one
    of its own."""
    raw = raw or socket.socket(gw.family)
    raw.settimeout(DEADLINE_S)
    c = smtplib.SMTP()
    try:
        raw.connect((gw.address, gw.port))
        c.sock = raw if _starts(gw) else gw.context().wrap_socket(raw)
        code, text = c.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        if _starts(gw):
            c._host = gw.address  # as its own connect() would have set
            c.starttls(context=gw.context())
        c.login(USER, PASSWORD)
    except (OSError, smtplib.SMTPException):
        (c.sock or raw).close()
        raise
    return c


def python(gw, data, to):
    c = smtplib_login(gw)
    refused = c.sendmail(USER, to, data)
    if refused:
        raise Problem("refused: %r" % refused)
    c.quit()


CLIENTS = {
    "curl": curl,
    "swaks": swaks,
    "msmtp": msmtp,
    "openssl": openssl,
    "openssl-tls1.2": openssl_tls12,
    "gnutls-cli": gnutls,
    "smtplib": python,
}
