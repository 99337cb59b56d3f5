"""check_includes.py - who may include what."""

import fnmatch
import os

import rules
from source import Finding


def _owner(path, allowed):
    return any(path == a or (a.endswith("/") and path.startswith(a)) for a in allowed)


def from_the_root(tree):
    """Includes are from the root, never ../"""
    for source in tree.c():
        for line, kind, header in source.includes():
            if kind != '"':
                continue
            if ".." in header.split("/") or header.startswith("./"):
                yield Finding(source.path, line, f"'{header}' is not from the root")
            elif not tree.has(header) and not tree.has(header.replace(".pb-c.h", ".proto")):
                yield Finding(source.path, line, f"'{header}' is not there, or not from the root")


def _reaches(tree, header, wanted, folder):
    """An internal header of the same folder that includes the wanted one, itself or in turn."""
    source = tree.files.get(header)
    if not source or source.folder != folder:
        return False
    included = [h for _, _, h in source.includes()]
    return wanted in included or any(_reaches(tree, h, wanted, folder) for h in included)


def own_header_first(tree):
    """x.c includes x.h before anything else"""
    for source in tree.c(product_only=True):
        own = source.path[:-2] + ".h"
        if not source.name.endswith(".c") or own not in tree.files:
            continue
        line, _, first = next(source.includes(), (1, "", ""))
        if first != own and not _reaches(tree, first, own, source.folder):
            yield Finding(source.path, line, f"does not include its own '{own}' first")


def third_parties(tree):
    """Third parties stay in one file each"""
    for source in tree.c(product_only=True):
        for line, kind, header in source.includes():
            if kind != "<" or _owner(header, rules.SYSTEM_HEADERS):
                continue
            rows = rules.THIRD_PARTIES.items()
            allowed = [files for name, files in rows if header.startswith(name)]
            if not allowed:
                yield Finding(source.path, line, f"<{header}> has no row in tests/lint/rules.py")
            elif not _owner(source.path, allowed[0]):
                where = ", ".join(allowed[0]) or "nobody yet"
                yield Finding(source.path, line, f"<{header}> is for {where}")


def arrows(tree):
    """Folders use one another one way"""
    for source in tree.c(product_only=True):
        if source.folder not in rules.ARROWS:
            what = f"folder {source.folder} has no row in tests/lint/rules.py"
            yield Finding(source.path, 1, what)
            continue
        allowed = rules.ARROWS[source.folder] + [source.folder]
        for line, kind, header in source.includes():
            folder = os.path.dirname(header)
            if kind != '"' or "*" in allowed or folder in allowed:
                continue
            yield Finding(source.path, line, f"{source.folder} must not include '{header}'")


def internal_headers(tree):
    """Internal headers stay in their folder, a few with a few files"""
    for source in tree.c(product_only=True):
        for line, kind, header in source.includes():
            folder, name = os.path.split(header)
            internal = name == "internal.h" or name.endswith("_internal.h")
            inside = source.folder == folder or source.folder.startswith(folder + "/")
            if kind == '"' and internal and not inside:
                yield Finding(source.path, line, f"'{header}' is internal to {folder}")
            friends = rules.FRIENDS.get(header)
            if friends and not any(fnmatch.fnmatch(source.name, f) for f in friends):
                yield Finding(source.path, line, f"'{header}' is for {', '.join(friends)}")


def auto_and_lua(tree):
    """No AUTO where lua's longjmp skips cleanups"""
    for source in tree.c(product_only=True):
        lua = any(header.startswith("lua") for _, _, header in source.includes())
        at = source.code().find("AUTO(")
        if lua and at >= 0:
            yield Finding(source.path, source.line_of(at), "AUTO in a file that includes lua.h")
