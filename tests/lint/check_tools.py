"""check_tools.py - what other programs judge: gcc, clang-format, sh, python."""

import ast
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from source import Finding

FORMAT_VERSION = 14  # Debian 12's; that of Debian 13 breaks some lines elsewhere


def _halves(items):
    return [half for half in (items[::2], items[1::2]) if half]


def _run(tree, commands):
    """The commands' stderr, side by side."""
    def one(command):
        return subprocess.run(command, cwd=tree.root, capture_output=True, text=True).stderr

    with ThreadPoolExecutor(2) as pool:
        return "\n".join(pool.map(one, commands))


def _findings(text, words):
    for m in re.finditer(rf"^([^\s:]+):(\d+):\d+: (?:fatal )?(?:{words}): (.*)$", text, re.M):
        yield Finding(m.group(1), int(m.group(2)), m.group(3))


def headers_compile_alone(tree):
    """Headers compile alone"""
    headers = [s.path for s in tree.c() if s.name.endswith(".h")]
    flags = shlex.split(os.environ.get("CPPFLAGS", "-D_GNU_SOURCE -I."))
    command = ["gcc", "-fsyntax-only", "-std=c17", "-Wall", "-Wextra", "-Wno-unused", *flags]
    command += ["-x", "c"]
    told = set()  # one line a header
    text = _run(tree, [command + half for half in _halves(headers)])
    for finding in _findings(text, "error|warning"):
        if finding.path not in told:
            told.add(finding.path)
            yield finding


def formatted(tree):
    """clang-format 14 changes nothing"""
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    if f"version {FORMAT_VERSION}." not in version:
        print(f"        not judged: clang-format is not version {FORMAT_VERSION}")
        return
    command = ["clang-format", "--dry-run", "--ferror-limit=1"]
    files = [s.path for s in tree.c()]
    text = _run(tree, [command + half for half in _halves(files)])
    for finding in _findings(text, "error|warning"):
        yield finding._replace(what="not as clang-format has it")


def scripts_parse(tree):
    """Scripts parse"""
    for source in tree.files.values():
        if source.name.endswith(".py"):
            try:
                ast.parse(source.text)
            except SyntaxError as e:
                yield Finding(source.path, e.lineno or 1, e.msg)
            continue
        m = re.match(r"#!/bin/(sh|bash)\b", source.text)
        if m:
            complaint = _run(tree, [[m.group(1), "-n", source.path]])
            if complaint:
                yield Finding(source.path, 1, complaint.split("\n")[0])
