"""check_sizes.py - lengths and complexity. Over the listed size it is shown, over the most allowed
it fails, unless the comment above the function says `lint: long, because …` or
`lint: complex, because …`."""

from collections import Counter

import check_names
import rules
from source import Finding


def file_lengths(tree):
    """No C file over 800 lines"""
    for source in tree.c():
        if len(source.lines) - 1 > rules.FILE_LINES_MAX:
            yield Finding(source.path, 1, f"{len(source.lines) - 1} lines; split it")


def _defined(tree):
    return [(s, f) for s in tree.c(product_only=True) for f in s.functions() if f.defined]


def function_sizes(tree):
    """No function over 80 lines or a complexity of 15 without a reason"""
    for source, function in _defined(tree):
        name, comment = function.name, function.comment
        if function.lines > rules.FUNCTION_LINES_MAX and "lint: long, because" not in comment:
            yield Finding(source.path, function.line, f"{name}() has {function.lines} lines")
        if function.complexity > rules.COMPLEXITY_MAX and "lint: complex, because" not in comment:
            what = f"{name}() has a complexity of {function.complexity}"
            yield Finding(source.path, function.line, what)


def _worst(pairs, at_least=0):
    pairs = sorted((p for p in pairs if p[1] >= at_least), key=lambda p: -p[1])
    return ", ".join(f"{name} {number}" for name, number in pairs) or "none"


def listing(tree):
    """What is shown, not judged."""
    functions = [f for _, f in _defined(tree)]
    lengths = sorted(f.lines for f in functions)
    if lengths:
        yield f"{len(lengths)} functions, median {lengths[len(lengths) // 2]} lines"
    by_lines = sorted(((f.name, f.lines) for f in functions), key=lambda p: -p[1])
    by_branches = sorted(((f.name, f.complexity) for f in functions), key=lambda p: -p[1])
    sizes = [(s.path, len(s.lines) - 1) for s in tree.c()]
    headers = [size for size in sizes if size[0].endswith(".h")]
    wide = [(f.name, f.parameters) for f in functions]
    bare = Counter(s.path for s in check_names.without_docstring(tree))
    yield f"longest functions: {_worst(by_lines[: rules.SHOWN])}"
    yield f"most complex: {_worst(by_branches[: rules.SHOWN])}"
    yield f"functions over {rules.FUNCTION_LINES_LISTED} lines: " + _worst(
        by_lines, rules.FUNCTION_LINES_LISTED + 1
    )
    yield f"complexity over {rules.COMPLEXITY_LISTED}: " + _worst(
        by_branches, rules.COMPLEXITY_LISTED + 1
    )
    yield f"over {rules.PARAMETERS_LISTED} parameters: " + _worst(wide, rules.PARAMETERS_LISTED + 1)
    yield f"files over {rules.FILE_LINES_LISTED} lines: " + _worst(
        sizes, rules.FILE_LINES_LISTED + 1
    )
    yield f"headers over {rules.HEADER_LINES_LISTED} lines: " + _worst(
        headers, rules.HEADER_LINES_LISTED + 1
    )
    yield f"declarations without a docstring: {_worst(bare.items())}"
