"""coverage.py BUILD - what the tests reached, from gcov's counts: lines and branches by folder and
by group, the error returns that no test took, and whether each group reaches its floor.

A line that was not reached stands in BUILD/uncovered.txt, an error return that was not taken in
BUILD/untaken.txt. Generated code is left out. So is the branch of an assert that fails: no test
can take it. A box that is killed writes no counts, so what only such a box does is missing here.

An error return makes an error (err_fail and its kin), or hands one up from under an `if`. Those
that EXCUSED names are known, each with its reason in tests/README.md; one more fails the run, and
so does an excuse that nothing needs any longer.
"""

import glob
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from fnmatch import fnmatch

PRODUCT = ("base", "storage", "functions", "console-sync", "appliance")
LEAST = 10  # files shown

# name: (floor in percent of lines, every error return must be taken, files)
GROUPS = {
    "auth": (95, True, ["storage/auth/*.c"]),
    "parsers": (95, False, [
        "base/codec.c", "base/http/head.c", "storage/obj/bucket_name.c", "storage/obj/record*.c",
        "storage/s3/checksum.c", "storage/s3/chunked.c", "storage/s3/condition.c",
        "storage/s3/content.c", "storage/s3/etag.c", "storage/s3/headers.c",
        "storage/s3/intake.c", "storage/s3/metadata.c", "storage/s3/names.c",
        "storage/s3/parts.c", "storage/s3/range.c", "storage/s3/region.c", "storage/s3/source.c",
        "storage/s3/tag*.c", "storage/s3/token.c", "storage/s3/xml_read.c"]),
    "obj": (95, True, ["storage/obj/*.c"]),
    "kv": (0, True, ["storage/kv/*.c"]),
}

MAKES_ERROR = re.compile(r"\b(err_fail\w*|err_from_errno|proof_deny|bad_query|bad_token|fail)\(")
HANDS_UP = re.compile(r"^\s*return (rc|code|err->code);")

# (file, text in the line); why: tests/README.md
EXCUSED = [
    ("storage/kv/log_file.c", "a record of a log is too long"),
    ("storage/kv/table_sum.c", "the path of '%s' is too long"),
    ("storage/obj/body_read.c", "no extent for %llu"),
    ("storage/obj/import.c", "more bytes than there were"),
]


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

    def percent(self):
        return 100 * self.reached / self.lines if self.lines else 100

    def __str__(self):
        branches = 100 * self.taken / self.branches if self.branches else 100
        return f"{self.lines:6} lines {self.percent():5.1f} %  " \
               f"{self.branches:6} branches {branches:5.1f} %"


class Source:
    """One file: its text, and what gcov says of each line."""

    def __init__(self, path, lines):
        self.path, self.lines = path, lines
        with open(path, encoding="utf-8") as f:
            self.text = f.read().split("\n")

    def tally(self):
        result = Tally()
        for number, (count, taken) in self.lines.items():
            result.lines += 1
            result.reached += count > 0
            if "assert(" not in self.text[number - 1]:
                result.branches += len(taken)
                result.taken += sum(t > 0 for t in taken)
        return result

    def uncovered(self):
        return [n for n, (count, _) in sorted(self.lines.items()) if count == 0]

    def is_under_if(self, number):
        """The statement in that line stands in the branch of an `if` or `else`."""
        def depth(text):
            return len(text) - len(text.lstrip())

        mine = depth(self.text[number - 1])
        for before in range(number - 2, -1, -1):
            text = self.text[before]
            if text.strip() and depth(text) < mine:
                return text.strip() != "{"
            if text.strip().endswith(")") and before == number - 2:
                return True  # the last line of a long condition
        return False

    def error_returns(self):
        """Numbers of the lines that make an error or hand one up."""
        def is_one(number):
            line = self.text[number - 1]
            return bool(MAKES_ERROR.search(line)) or \
                bool(HANDS_UP.match(line)) and self.is_under_if(number)

        return [n for n in sorted(self.lines) if is_one(n)]

    def untaken(self):
        return [n for n in self.error_returns() if self.lines[n][0] == 0]


def write_lines(path, rows):
    """rows of (source, number) -> one line of text each"""
    with open(path, "w", encoding="utf-8") as to:
        for source, number in rows:
            to.write(f"{source.path}:{number}: {source.text[number - 1].strip()}\n")


def folder_table(sources):
    folders, total = defaultdict(Tally), Tally()
    for source in sources:
        folders[os.path.dirname(source.path)].add(source.tally())
        total.add(source.tally())
    for folder in sorted(folders):
        print(f"{folder:16} {folders[folder]}")
    print(f"{'total':16} {total}")
    print("least reached:")
    for source in sorted(sources, key=lambda s: s.tally().percent())[:LEAST]:
        print(f"  {source.path:36} {source.tally()}")


def members(sources, patterns):
    return [s for s in sources if any(fnmatch(s.path, p) for p in patterns)]


def group_table(sources):
    """returns whether every group reaches its floor"""
    ok = True
    print("groups:")
    for name, (floor, _, patterns) in GROUPS.items():
        total = Tally()
        for source in members(sources, patterns):
            total.add(source.tally())
        short = total.percent() < floor
        ok = ok and not short
        print(f"  {name:14} {total}" + (f"  BELOW {floor} %" if short else ""))
    return ok


def is_excused(source, number):
    """The excuse of that line, or None."""
    for path, text in EXCUSED:
        if source.path == path and text in source.text[number - 1]:
            return path, text
    return None


def error_table(sources, build):
    """returns whether nothing but what is excused was left untaken"""
    all_rows, fresh, used = [], [], set()
    for name, (_, wanted, patterns) in GROUPS.items():
        if not wanted:
            continue
        mine = members(sources, patterns)
        rows = [(s, n) for s in mine for n in s.untaken()]
        total = sum(len(s.error_returns()) for s in mine)
        print(f"error returns not taken: {name} {len(rows)} of {total}")
        all_rows += rows
        for source, number in rows:
            excuse = is_excused(source, number)
            used.add(excuse)
            if not excuse:
                fresh.append((source, number))
    write_lines(f"{build}/untaken.txt", all_rows)
    for source, number in fresh:
        print(f"  {source.path}:{number}: {source.text[number - 1].strip()}")
    stale = [excuse for excuse in EXCUSED if excuse not in used]
    for path, text in stale:
        print(f"  {path}: '{text}' needs no excuse")
    return not fresh and not stale


def main():
    build = sys.argv[1]
    sources = [Source(path, lines) for path, lines in sorted(counts(build).items())]
    write_lines(f"{build}/uncovered.txt", [(s, n) for s in sources for n in s.uncovered()])
    folder_table(sources)
    floors_ok = group_table(sources)
    errors_ok = error_table(sources, build)
    print(f"lines not reached: {build}/uncovered.txt")
    return 0 if floors_ok and errors_ok else 1


if __name__ == "__main__":
    sys.exit(main())
