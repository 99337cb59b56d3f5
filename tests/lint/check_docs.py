"""check_docs.py - promises and their tests, READMEs, links."""

import os
import re

import rules
from source import PRODUCT, Finding

_PROMISE = r"[A-Z][A-Z0-9]*-[A-Z][A-Z0-9]*-\d+"
_DECLARED = re.compile(rf"^(?:\| *|[-*] +)\**({_PROMISE})\**(?= |$)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED_FILE = re.compile(r"`([\w./-]+\.(?:c|h|py|sh|mk|md|proto|def|txt|service))`")


def _declared(tree):
    """(promise, source, line), in the READMEs of the product."""
    for source in tree.files.values():
        if source.name == "README.md" and source.is_product():
            for number, line in enumerate(source.lines, 1):
                m = _DECLARED.match(line)
                if m:
                    yield m.group(1), source, number


def _named(tree):
    """(promise, source, line) wherever code or a test speaks of one."""
    areas = {promise.split("-")[0] for promise, _, _ in _declared(tree)}
    word = re.compile(rf"\b(?:{'|'.join(sorted(areas)) or '(?!)'})-[A-Z][A-Z0-9]*-\d+\b")
    for source in tree.files.values():
        if source.path.startswith("tests/lint/"):
            continue
        for number, line in enumerate(source.lines, 1):
            for m in word.finditer(line):
                yield m.group(), source, number


def promises_are_tested(tree):
    """Every promise is named by a test"""
    tested = {
        promise
        for promise, source, _ in _named(tree)
        if source.path.startswith("tests/") and not source.name.endswith(".md")
    }
    for promise, source, line in _declared(tree):
        if promise not in tested:
            yield Finding(source.path, line, f"no test names {promise}")


def promises_exist(tree):
    """Every promise that is spoken of stands once in a README"""
    seen = {}
    for promise, source, line in _declared(tree):
        if promise in seen:
            yield Finding(source.path, line, f"{promise} stands in {seen[promise]} too")
        seen[promise] = source.path
    told = set()
    for promise, source, line in _named(tree):
        if promise not in seen and (promise, source.path) not in told:
            told.add((promise, source.path))
            yield Finding(source.path, line, f"no README has {promise}")


def _folders(tree):
    return sorted({s.folder for s in tree.c(product_only=True)})


def readmes(tree):
    """A README in each folder"""
    folders = [f for f in _folders(tree) if f not in rules.README_ABOVE]
    tops = {f.split("/")[0] for f in folders}
    present = {path.rsplit("/", 1)[0] for path in tree.files}
    tests = [f"tests/{f}" for f in rules.TEST_FOLDERS if f"tests/{f}" in present]
    for folder in sorted(set(folders) | tops) + tests:
        if f"{folder}/README.md" not in tree.files:
            yield Finding(folder, 1, "has no README.md")


def files_in_readmes(tree):
    """A README names every file of its folder"""
    for folder in _folders(tree):
        readme = tree.files.get(f"{folder}/README.md")
        if not readme:
            continue
        stems = {s.stem: s.path for s in tree.c(product_only=True) if s.folder == folder}
        for stem, path in stems.items():
            internal = stem.endswith("internal")
            if not internal and not re.search(rf"\b{stem}\b", readme.text):
                yield Finding(path, 1, f"{readme.path} does not name it")


def links(tree):
    """What the documents point at is there"""
    names = {s.name for s in tree.files.values()}
    for source in tree.files.values():
        if not source.name.endswith(".md"):
            continue
        for number, line in enumerate(source.lines, 1):
            for m in _LINK.finditer(line):
                target = m.group(1).split("#")[0]
                if "://" in target or target.startswith("mailto:") or not target:
                    continue
                if not tree.has(os.path.join(source.folder, target)):
                    yield Finding(source.path, number, f"link to '{target}', which is not there")
            for m in _NAMED_FILE.finditer(line):
                name = m.group(1)
                places = [os.path.join(f, name) for f in ("", source.folder, "tests") + PRODUCT]
                if name not in names and not any(tree.has(p) for p in places):
                    yield Finding(source.path, number, f"'{name}' is not there")
