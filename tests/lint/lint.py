"""lint.py - run every check over the tree; see README.md."""

import os
import sys
import unittest

import check_docs
import check_includes
import check_names
import check_sizes
import check_tools
import lint_test
from source import Finding, Tree

CHECKS = [
    check_tools.headers_compile_alone,
    check_tools.formatted,
    check_tools.scripts_parse,
    check_includes.from_the_root,
    check_includes.own_header_first,
    check_includes.third_parties,
    check_includes.arrows,
    check_includes.internal_headers,
    check_includes.auto_and_lua,
    check_names.public_symbols,
    check_names.opening_comments,
    check_names.no_later,
    check_names.banned_words,
    check_names.no_machine_paths,
    check_names.text_files,
    check_sizes.file_lengths,
    check_sizes.function_sizes,
    check_docs.promises_are_tested,
    check_docs.promises_exist,
    check_docs.readmes,
    check_docs.files_in_readmes,
    check_docs.links,
]


def own_tests(_tree):
    """Every check finds its planted fault"""
    suite = unittest.defaultTestLoader.loadTestsFromModule(lint_test)
    result = unittest.TestResult()
    suite.run(result)
    for test, why in result.failures + result.errors:
        yield Finding("tests/lint/lint_test.py", 1, f"{test.id()}: {why.strip().splitlines()[-1]}")


def main():
    tree = Tree(os.path.realpath(os.path.join(os.path.dirname(__file__), "../..")))
    failed = 0
    for check in CHECKS + [own_tests]:
        findings = sorted(check(tree), key=lambda f: (f.path, f.line))
        failed += bool(findings)
        print(f"  {'FAIL' if findings else 'ok  '}  {check.__doc__}", flush=True)
        for finding in findings:
            print(f"{finding.path}:{finding.line}: {finding.what}")
    for line in check_sizes.listing(tree):
        print(line)
    print(f"{len(CHECKS) + 1 - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
