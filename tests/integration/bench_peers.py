#!/usr/bin/env python3
"""postern-bench peers and campaign with Postern alone: a short round, whose results hold
figures and no error. The other servers' programs come from the network, which tests do not use."""

import os
import sys
import tempfile

from harness import Problem, need_root, run


def figures(path):
    with open(path) as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return {row[0]: float(row[2]) for row in rows}


def main():
    need_root()
    bench = os.path.join(os.environ["POSTERN_BUILD"], "bench/postern-bench")
    with tempfile.TemporaryDirectory() as folder:
        run(bench, "peers", "--servers", "postern-kernel", "--cases", "held-10K", "--rounds", "1",
            "--seconds", "1", "--work", folder, folder)
        got = figures(os.path.join(folder, "peers.tsv"))
        left = sorted(os.listdir(folder))
        run(bench, "campaign", "--peers", "", "--steps", "sessions", "--rounds", "1",
            "--work", folder, folder)
        with open(os.path.join(folder, "campaign.md")) as f:
            table = f.read()
    if "not measured" in table or "net_memif" not in table:
        raise Problem("the campaign has not measured: %s" % table)
    place = "peers/held-10K/postern-kernel/"
    if got[place + "rate"] <= 0 or got[place + "cpu_us"] <= 0 or got[place + "errors"] != 0:
        raise Problem("no figures, or errors: %s" % got)
    if left != ["about.txt", "peers.tsv"]:
        raise Problem("left behind: %s" % left)


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
