"""coverage.py BUILD - a table of the lines and branches reached, by folder, from gcov's counts.

Generated code is left out. So is the branch of an assert that fails: no test can take it.
A box that is killed writes no counts, so what only such a box does is missing here.
"""

import glob
import json
import os
import subprocess
import sys
from collections import defaultdict

PRODUCT = ("base", "storage", "functions", "console-sync", "appliance")
LEAST = 10  # files shown


def documents(build):
    """gcov's JSON documents, one for each object file, of those without counts too."""
    notes = glob.glob(f"{build}/**/*.gcno", recursive=True)
    notes = [n for n in notes if os.path.relpath(n, build).split("/")[0] in PRODUCT]
    command = ["gcov", "--json-format", "--branch-probabilities", "--stdout", *sorted(notes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def counts(build):
    """file -> line -> (times reached, [times each branch was taken])"""
    files = defaultdict(dict)
    for document in documents(build):
        for file in document["files"]:
            if file["file"].split("/")[0] not in PRODUCT:
                continue
            for line in file["lines"]:
                number, taken = line["line_number"], [b["count"] for b in line["branches"]]
                count, before = files[file["file"]].get(number, (0, []))
                if len(before) == len(taken):  # an inline function's, from another object
                    taken = [a + b for a, b in zip(before, taken)]
                files[file["file"]][number] = (count + line["count"], taken)
    return files


class Tally:
    def __init__(self):
        self.lines = self.reached = self.branches = self.taken = 0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self):
        lines = 100 * self.reached / self.lines if self.lines else 100
        branches = 100 * self.taken / self.branches if self.branches else 100
        return f"{self.lines:6} lines {lines:5.1f} %  {self.branches:6} branches {branches:5.1f} %"


def tally(path, lines):
    result = Tally()
    with open(path, encoding="utf-8") as f:
        text = f.read().split("\n")
    for number, (count, taken) in lines.items():
        result.lines += 1
        result.reached += count > 0
        if "assert(" not in text[number - 1]:
            result.branches += len(taken)
            result.taken += sum(t > 0 for t in taken)
    return result


def main():
    files = {path: tally(path, lines) for path, lines in counts(sys.argv[1]).items()}
    folders, total = defaultdict(Tally), Tally()
    for path, each in files.items():
        folders[os.path.dirname(path)].add(each)
        total.add(each)
    for folder in sorted(folders):
        print(f"{folder:16} {folders[folder]}")
    print(f"{'total':16} {total}")
    print("least reached:")
    share = sorted(files, key=lambda path: files[path].reached / files[path].lines)
    for path in share[:LEAST]:
        print(f"  {path:36} {files[path]}")


if __name__ == "__main__":
    main()
