"""source.py - the files of the tree, and as much of C as the checks need: code without comments,
the functions with their lengths and complexities, what is declared. No preprocessor: the body of
a macro is not looked at, and both branches of an #if are."""

import os
import re
import subprocess
from collections import namedtuple

Finding = namedtuple("Finding", "path line what")
Function = namedtuple("Function", "name line lines complexity parameters is_static comment defined")

PRODUCT = ("base", "storage", "functions", "console-sync", "appliance")

_QUIET = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|&&|\|\||[{}()\[\];?=,]")
_BRANCHES = {"if", "for", "while", "case", "&&", "||", "?"}
_KEYWORDS = set("int char void bool unsigned long short const return sizeof if while for".split())


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


class Source:
    """One text file. `code` has the shape of `text`, with blanks for comments and strings;
    `tokens` are (word, offset) without directives."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.split("\n")
        self.folder, self.name = os.path.split(path)
        self.stem = self.name.split(".")[0]
        self._functions = None

    def is_c(self):
        return self.name.endswith((".c", ".h"))

    def is_product(self):
        return self.path.split("/")[0] in PRODUCT

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def code(self):
        return _QUIET.sub(_blank, self.text)

    def tokens(self):
        code = _DIRECTIVE.sub(_blank, self.code())
        return [(m.group(), m.start()) for m in _TOKEN.finditer(code)]

    def includes(self):
        """(line, '<' or '"', header)"""
        for number, line in enumerate(self.lines, 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if m:
                yield number, m.group(1), m.group(2)

    def functions(self):
        """Every function defined or declared at file scope."""
        if self._functions is None:
            self._functions = list(_functions(self, self.tokens()))
        return self._functions


def _after_group(tokens, at):
    """The index behind the group that opens at `at`."""
    depth = 0
    while at < len(tokens):
        depth += tokens[at][0] in "({["
        depth -= tokens[at][0] in ")}]"
        at += 1
        if depth == 0:
            break
    return at


def _head(statement):
    """(index of the first token, index of the name) of a function's head; None if it is none.
    Calls of macros (CAPITALS, __attribute__) are passed over."""
    first, i = 0, 0
    while i < len(statement):
        word = statement[i][0]
        if word in ("=", "typedef"):
            return None
        if word[0].isalpha() or word[0] == "_":
            called = i + 1 < len(statement) and statement[i + 1][0] == "("
            if called and (word.isupper() or word == "__attribute__"):
                first = _after_group(statement, i + 1) if first == i else first
                i = _after_group(statement, i + 1)
                continue
            if called:
                return None if word in _KEYWORDS or word == "_Static_assert" else (first, i)
        i += 1
    return None


def _parameters(statement, name_at):
    depth, count, words = 0, 1, []
    for word, _ in statement[name_at + 1 :]:
        depth += word == "("
        depth -= word == ")"
        if depth == 0:
            break
        count += word == "," and depth == 1
        words.append(word)
    return 0 if words[1:] in ([], ["void"]) else count


def _function(source, statement, body, gap_start):
    head = _head(statement)
    if not head:
        return None
    first, name_at = head
    start = statement[first][1]
    end = body[-1][1] if body else statement[-1][1]
    line = source.line_of(start)
    return Function(
        name=statement[name_at][0],
        line=line,
        lines=source.line_of(end) - line + 1,
        complexity=1 + sum(word in _BRANCHES for word, _ in body),
        parameters=_parameters(statement, name_at),
        is_static=any(word == "static" for word, _ in statement[:name_at]),
        comment=source.text[gap_start:start],
        defined=bool(body),
    )


def _functions(source, tokens):
    statement, i, gap_start = [], 0, 0
    while i < len(tokens):
        word, offset = tokens[i]
        if word == "{":
            end = _after_group(tokens, i)
            found = _function(source, statement, tokens[i:end], gap_start)
            i = end
            if not found:
                continue
        elif word == ";":
            found = _function(source, statement, [], gap_start)
            i += 1
        else:
            statement.append(tokens[i])
            i += 1
            continue
        if found:
            yield found
        statement, gap_start = [], tokens[i - 1][1] + 1


class Tree:
    """The files below `root` that git knows or would add."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for path in self._paths():
            try:
                with open(os.path.join(root, path), encoding="utf-8") as f:
                    self.files[path] = Source(path, f.read())
            except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
                pass  # binary, deleted, or a link to a folder

    def _paths(self):
        ask = ["git", "-c", "safe.directory=*", "-C", self.root]
        ask += ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        out = subprocess.run(ask, check=True, capture_output=True, text=True).stdout
        return sorted(set(out.split("\0")) - {""})

    def c(self, product_only=False):
        for source in self.files.values():
            if source.is_c() and (source.is_product() or not product_only):
                yield source

    def has(self, path):
        return os.path.exists(os.path.join(self.root, path))
