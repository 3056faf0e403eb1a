"""What the checks of this folder share: which files there are, C without its comments, the
functions that ctags sees, and the exceptions.

A check is a program: `check_x ROOT`. It prints one line for each place that breaks a rule
(`file:line: rule: what`), and ends with 1 if there was one. `exceptions` excuses a place with a
line `check rule file[:name] -- reason` (`*` stands for anything); an exception that excuses nothing
is an error itself.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys

ROOMS = ("base", "dataplane", "tls", "smtp", "spool", "gateway", "bench", "tests")
SKIP = {".git", "corpus", "__pycache__", "subprojects"}


class Check:
    """One run of one check over one tree."""

    def __init__(self, name):
        self.name = name
        self.root = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.getcwd()
        self.complaints = []
        self.excused = self.read_exceptions()

    def read_exceptions(self):
        excused = {}
        path = os.path.join(self.root, "tests/style/exceptions")
        if not os.path.exists(path):
            return excused
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            head, dashes, reason = line.partition(" -- ")
            words = head.split()
            if len(words) != 3 or not dashes or not reason.strip():
                self.complaints.append(f"tests/style/exceptions:{number}: form: "
                                       "want `check rule file[:name] -- reason`")
            elif words[0] == self.name:
                excused[(words[1], words[2])] = [number, 0]
        return excused

    def files(self, *suffixes, under=ROOMS):
        """Paths below the root, sorted; `under`: folders, or () for the whole tree."""
        found = []
        for top in under or [""]:
            for folder, folders, names in os.walk(os.path.join(self.root, top)):
                folders[:] = sorted(f for f in folders
                                    if f not in SKIP and not f.startswith("build"))
                for name in sorted(set(names) - SKIP):
                    path = os.path.relpath(os.path.join(folder, name), self.root)
                    if not suffixes or path.endswith(suffixes):
                        found.append(path)
        return found

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
            return f.read()

    def complain(self, rule, path, line, what, name=None):
        """Notes a broken rule, unless the file, or the file and name, is excused from it."""
        for (a_rule, place), entry in self.excused.items():
            if a_rule == rule and fnmatch.fnmatch(f"{path}:{name}", place) or \
                    a_rule == rule and place == path:
                entry[1] += 1
                return
        self.complaints.append(f"{path}:{line}: {rule}: {what}")

    def finish(self):
        for (rule, place), (number, used) in self.excused.items():
            if not used:
                self.complaints.append(f"tests/style/exceptions:{number}: stale: "
                                       f"{self.name} {rule} {place} excuses nothing any more")
        for line in self.complaints:
            print(line)
        print(f"{self.name}: {len(self.complaints)} broken")
        sys.exit(1 if self.complaints else 0)


def blank(text):
    """C with comments, strings and character constants blanked; every byte keeps its place."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(pattern, spaces, text, flags=re.S)


def functions(check, paths):
    """The functions that ctags finds: dicts with path, name, line, end, static, parameters."""
    if not paths:
        return []
    out = subprocess.run(
        ["ctags", "-f", "-", "--languages=C,C++", "--langmap=C:.c.h", "--kinds-C=f",
         "--kinds-C++=f", "--fields=+neSf", "--output-format=json", "-L", "-"],
        cwd=check.root, input="\n".join(paths), capture_output=True, text=True, check=True).stdout
    found = []
    for line in out.splitlines():
        tag = json.loads(line)
        if tag.get("_type") != "tag" or "end" not in tag:
            continue
        found.append({
            "path": tag["path"], "name": tag["name"], "line": tag["line"], "end": tag["end"],
            "static": tag.get("file", False), "parameters": count_parameters(tag["signature"]),
        })
    return found


def count_parameters(signature):
    """Commas outside inner brackets, plus one; `(void)` is none."""
    inner = signature.strip()[1:-1].strip()
    if inner in ("", "void"):
        return 0
    depth, count = 0, 1
    for c in inner:
        depth += c in "(["
        depth -= c in ")]"
        count += c == "," and depth == 0
    return count


def function_at(found, path, line):
    """The name of the function of `path` that holds `line`, or ''."""
    for f in found:
        if f["path"] == path and f["line"] <= line <= f["end"]:
            return f["name"]
    return ""
