#!/usr/bin/env python3
"""scripts/run, as a stranger uses it: the lines that it prints are pasted, and what they handed in
is in the spool; Ctrl-C ends it.

usage: run_script.py REPOSITORY [dpdk|kernel]
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import Problem, run, run_in_namespace, wait_for

ROOT, PATH = sys.argv[1], sys.argv[2]
START_S = 240  # it may have to build first


def paste(line):
    return run("bash", "-c", line)


def pasted_lines(said):
    """The commands among what it printed, in their order: curl, swaks at either port, the spool."""
    found = re.findall(r"^(?:printf|swaks|\S*/postern-spool) .*$", said, re.MULTILINE)
    words = [line.split()[0].split("/")[-1] for line in found]
    if words != ["printf", "swaks", "swaks", "postern-spool"]:
        raise Problem("the lines to paste are %r in:\n%s" % (words, said))
    return found


def try_it(process, out):
    def said():
        if process.poll() is not None:
            raise Problem("ended with %d:\n%s" % (process.returncode, open(out).read()))
        text = open(out).read()
        return text if "Ctrl-C stops it" in text else None

    curl, *swaks, spool = pasted_lines(wait_for("scripts/run to be ready", said, START_S))
    if b"accepted" not in paste(curl):
        raise Problem("curl did not say that the mail was accepted")
    for line in swaks:
        paste(line)
    kept = paste(spool)
    if kept.count(b"you@example.net") != 3:
        raise Problem("three mails were handed in, and the spool shows:\n%s" % kept.decode())
    process.send_signal(signal.SIGINT)
    if process.wait(timeout=60) != 0:
        raise Problem("Ctrl-C: status %d:\n%s" % (process.returncode, open(out).read()))


def main():
    state = tempfile.mkdtemp(prefix="postern-run-")
    out = os.path.join(state, "out")
    env = dict(os.environ, POSTERN_STATE=os.path.join(state, "state"))
    with open(out, "wb") as f:
        process = subprocess.Popen(
            [os.path.join(ROOT, "scripts/run"), "--path", PATH],
            stdin=subprocess.DEVNULL,
            stdout=f,
            stderr=f,
            env=env,
        )
    try:
        try_it(process, out)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        shutil.rmtree(state)


if __name__ == "__main__":
    run_in_namespace()
    main()
