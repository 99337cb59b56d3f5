"""check_names.py - names, words and the shape of files."""

import os
import re

import rules
from source import Finding

_LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
_TYPEDEF = re.compile(r"\btypedef\s+(?:struct|union)\b[^;(]*[;{]")
_TEXT = (".c", ".h", ".md", ".py", ".sh", ".mk", ".proto", ".def")
_MACHINE = re.compile(r"(?<![\w.})$*])/(?:work|root|home|Users)/\w")
_SHARED = ("internal.h", "op.h", "cmd.h")  # declare what several files of the folder define


def _prefixes(path):
    """What symbols of a file may begin with. storage/auth/auth_key.c: auth_key, a leading part
    (auth), the same in the singular or plural, after the folder's name (http_head in
    base/http/head.c), after a verb of S3 (put_object_tagging)."""
    folder, name = os.path.split(path)
    stem = name.split(".")[0]
    parts = stem.split("_")
    prefixes = {"_".join(parts[:n]) for n in range(1, len(parts) + 1)}
    prefixes |= {p + "s" for p in prefixes} | {stem.removesuffix("s")}
    prefixes |= {f"{os.path.basename(folder)}_{stem}"}
    prefixes |= {f"{verb}_{stem}" for verb in ("get", "put", "delete")}
    return prefixes | set(rules.FAMILIES.get(path[:-2], ()))


def _shared(source):
    return source.name in _SHARED or source.name.endswith("_internal.h")


def public_symbols(tree):
    """A public symbol begins with its file's name"""
    for source in tree.c(product_only=True):
        prefixes = _prefixes(source.path)
        if _shared(source):
            inside = [s.path for s in tree.c() if s.folder == source.folder]
            prefixes |= {p for path in inside for p in _prefixes(path)}
        for function in source.functions():
            name = function.name
            public = not function.is_static and name != "main"
            if source.name.endswith(".c"):
                public = public and function.defined
            if public and not any(name == p or name.startswith(p + "_") for p in prefixes):
                what = f"'{name}' does not begin with the file's name"
                yield Finding(source.path, function.line, what)


def opening_comments(tree):
    """A file opens with a comment that says what it is"""
    for source in tree.c():
        if not source.text.startswith(f"/* {source.name} - "):
            yield Finding(source.path, 1, f"does not open with '/* {source.name} - what it is'")


def without_docstring(tree):
    """Declarations with no words above them, alone or with their neighbors."""
    for source in tree.c(product_only=True):
        if not source.name.endswith(".h"):
            continue
        for function in source.functions():
            start = function.line - 1  # walk up the block of lines without a blank one
            while start > 0 and source.lines[start - 1].strip():
                start -= 1
            block = source.lines[start : function.line]
            if not function.defined and not any("*/" in line for line in block):
                yield source


def no_later(tree):
    """Nothing is left for later"""
    for source in tree.files.values():
        for number, line in enumerate(source.lines, 1):
            m = _LATER.search(line)
            if m:
                yield Finding(source.path, number, f"{m.group()} is not for this tree")


def banned_words(tree):
    """No goto, no sleep, no unbounded copies, no typedef of structs"""
    for source in tree.c(product_only=True):
        for word, offset in source.tokens():
            if word in rules.BANNED:
                yield Finding(source.path, source.line_of(offset), f"{word}: {rules.BANNED[word]}")
        for m in _TYPEDEF.finditer(source.code()):
            yield Finding(source.path, source.line_of(m.start()), "typedef of a struct")


def no_machine_paths(tree):
    """No path of one machine"""
    for source in tree.files.values():
        for number, line in enumerate(source.lines, 1):
            m = _MACHINE.search(line)
            example = source.name.endswith(".md") and m and m.group().startswith("/home/")
            if m and not example and not source.path.startswith("tests/fuzz/corpus/"):
                yield Finding(source.path, number, f"'{m.group()}…' is a path of one machine")


def text_files(tree):
    """Text ends in one newline, without spaces at line ends"""
    for source in tree.files.values():
        if os.path.splitext(source.name)[1] not in _TEXT:
            continue
        if not source.text.endswith("\n") or source.text.endswith("\n\n"):
            yield Finding(source.path, len(source.lines), "does not end in one newline")
        for number, line in enumerate(source.lines, 1):
            if line != line.rstrip():
                yield Finding(source.path, number, "space at the end of the line")
