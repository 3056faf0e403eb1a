#!/usr/bin/env python3
"""postern-bench report: tables, two files side by side, plots where gnuplot is, and lines that are
no results. Usage: report.py POSTERN-BENCH"""

import os
import shutil
import subprocess
import sys
import tempfile

PEERS = (
    "peers/held-1K/postern-kernel/rate\tmessages/s\t2000\t1900\t2100\t9\n"
    "peers/held-1K/exim/rate\tmessages/s\t200\t100\t300\t9\n"
    "peers/held-1K/postern-kernel:exim/rate\tratio\t10\t9\t11\t9\n"
)


def report(folder):
    return subprocess.run([sys.argv[1], "report", folder], capture_output=True, text=True,
                          check=False)


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)


def main():
    with tempfile.TemporaryDirectory() as folder:
        assert report(folder).returncode != 0, "an empty folder is no report"
        write(folder, "peers.tsv", PEERS)
        write(folder, "micro-a.tsv", "smtp/command\tcycles\t500\t490\t510\t31\n")
        write(folder, "micro-b.tsv", "smtp/command\tcycles\t400\t390\t410\t31\n")
        write(folder, "about.txt", "limit <here>\n")
        done = report(folder)
        assert done.returncode == 0, done.stderr
        with open(os.path.join(folder, "report.html")) as f:
            page = f.read()
        assert "<td>smtp/command<td>cycles<td>500<td>400<td>0.800" in page
        assert "<td>peers/held-1K/postern-kernel:exim/rate<td>ratio<td>10<td>9<td>11<td>9" in page
        assert "limit &lt;here&gt;" in page
        assert page.count("<svg") == (1 if shutil.which("gnuplot") else 0), "one plot of one case"
        write(folder, "bad.tsv", "one\ttwo\n")
        done = report(folder)
        assert done.returncode != 0 and "bad.tsv:1: 2 fields, not 6" in done.stderr, done.stderr


main()
