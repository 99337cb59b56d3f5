"""lint_test.py - for each check a small tree with one fault planted, and one without."""

import os
import subprocess
import tempfile
import unittest

import check_docs
import check_includes
import check_names
import check_sizes
import check_tools
from source import Source, Tree

LATER = "TO" "DO"
ROOT_PATH = "/ro" "ot/x"

# check, the files, what the one finding says (None: there is none)
CASES = [
    (check_tools.headers_compile_alone, {"base/a.h": "size_t a;\n"}, "unknown type"),
    (check_tools.headers_compile_alone, {"base/a.h": "#include <stddef.h>\nsize_t a;\n"}, None),
    (check_tools.formatted, {"base/a.c": "int  a;\n"}, "not as clang-format"),
    (check_tools.scripts_parse, {"a.sh": "#!/bin/sh\nif\n"}, "a.sh"),
    (check_tools.scripts_parse, {"a.py": "def\n"}, "invalid"),
    (check_includes.from_the_root, {"base/a.c": '#include "../b.h"\n'}, "not from the root"),
    (check_includes.from_the_root, {"base/a.c": '#include "a.h"\n', "base/a.h": ""}, "not there"),
    (check_includes.own_header_first, {"base/a.c": "#include <time.h>\n", "base/a.h": ""}, "own"),
    (check_includes.own_header_first, {"base/a.c": '#include "base/a.h"\n', "base/a.h": ""}, None),
    (check_includes.third_parties, {"base/a.c": "#include <sodium.h>\n"}, "is for base/seal.c"),
    (check_includes.third_parties, {"base/a.c": "#include <curl/curl.h>\n"}, "has no row"),
    (check_includes.third_parties, {"base/seal.c": "#include <sodium.h>\n"}, None),
    (check_includes.arrows, {"base/a.c": '#include "storage/obj/obj.h"\n'}, "must not include"),
    (check_includes.arrows, {"storage/obj/a.c": '#include "storage/auth/a.h"\n'}, "must not"),
    (check_includes.arrows, {"storage/s3/a.c": '#include "appliance/api.h"\n'}, "must not"),
    (check_includes.arrows, {"storage/new/a.c": ""}, "has no row"),
    (check_includes.arrows, {"appliance/a.c": '#include "storage/s3/s3.h"\n'}, None),
    (
        check_includes.internal_headers,
        {"storage/s3/a.c": '#include "storage/obj/internal.h"\n'},
        "internal to storage/obj",
    ),
    (check_includes.internal_headers, {"base/seal.c": '#include "base/hash_crc.h"\n'}, "is for"),
    (check_includes.auto_and_lua, {"base/a.c": "#include <lua.h>\nAUTO(x) int a;\n"}, "AUTO"),
    (check_names.public_symbols, {"base/a.c": "int b_go(void)\n{\n}\n"}, "'b_go'"),
    (check_names.public_symbols, {"base/a.h": "MUST_USE int b_go(int (*f)(void));\n"}, "'b_go'"),
    (check_names.public_symbols, {"base/a.c": "static int b(void)\n{\n}\nint a_b;\n"}, None),
    (check_names.public_symbols, {"base/a_b.c": "int a_go(void)\n{\n}\n"}, None),
    (check_names.opening_comments, {"base/a.c": "/* b.c - x */\n"}, "does not open"),
    (check_names.no_later, {"base/a.c": f"/* {LATER} */\n"}, "not for this tree"),
    (check_names.banned_words, {"base/a.c": "void f(void) { goto x; }\n"}, "goto"),
    (check_names.banned_words, {"base/a.c": "typedef struct a {\n} a;\n"}, "typedef"),
    (check_names.banned_words, {"base/a.c": "/* goto */ typedef struct a *(*f)(void);\n"}, None),
    (check_names.no_machine_paths, {"base/a.c": f'"{ROOT_PATH}"\n'}, "one machine"),
    (check_names.text_files, {"base/a.c": "int a; \n"}, "space"),
    (check_names.text_files, {"base/a.c": "int a;"}, "newline"),
    (check_sizes.file_lengths, {"base/a.c": "\n" * 801}, "801 lines"),
    (check_sizes.function_sizes, {"base/a.c": "void f(void)\n{" + "\n" * 80 + "}\n"}, "82 lines"),
    (check_sizes.function_sizes, {"base/a.c": "void f(void) {" + "if (1)\n" * 15 + "}\n"}, "of 16"),
    (
        check_sizes.function_sizes,
        {"base/a.c": "/* lint: long, because so */\nvoid f(void)\n{" + "\n" * 80 + "}\n"},
        None,
    ),
    (check_docs.promises_are_tested, {"base/README.md": "| BASE-A-1 | x |\n"}, "no test names"),
    (
        check_docs.promises_are_tested,
        {"base/README.md": "- **BASE-A-1** x\n", "tests/unit/a.c": "/* BASE-A-1 */\n"},
        None,
    ),
    (
        check_docs.promises_exist,
        {"base/README.md": "| BASE-A-1 | x |\n", "tests/unit/a.c": "/* BASE-A-12 */\n"},
        "no README has BASE-A-12",
    ),
    (check_docs.promises_exist, {"base/README.md": "- BASE-A-1 x\n- BASE-A-1 y\n"}, "stands in"),
    (check_docs.readmes, {"base/a.c": ""}, "has no README.md"),
    (check_docs.files_in_readmes, {"base/a.c": "", "base/README.md": "`ab`\n"}, "does not name"),
    (check_docs.links, {"a.md": "[x](b.md)\n"}, "link to 'b.md'"),
    (check_docs.links, {"a.md": "`b.c`\n"}, "'b.c' is not there"),
    (check_docs.links, {"a.md": "[x](base/b.md#y) `b.md`\n", "base/b.md": ""}, None),
]


def _tree(folder, files):
    subprocess.run(["git", "init", "-q", folder], check=True)
    for path, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
            f.write(text)
    return Tree(folder)


class Planted(unittest.TestCase):
    def test_cases(self):
        for check, files, what in CASES:
            with self.subTest(check=check.__name__, files=files):
                with tempfile.TemporaryDirectory() as folder:
                    found = list(check(_tree(folder, files)))
                self.assertEqual(len(found), 0 if what is None else 1, found)
                if what:
                    self.assertIn(what, f"{found[0].path}: {found[0].what}")


class Functions(unittest.TestCase):
    def test_shapes(self):
        text = (
            "struct a {\n    int (*f)(void);\n} b = {0};\n"
            "static int (*const table[])(int) = {0};\n"
            "AUTO_DEFINE(a, b, c)\n"
            "/* why */\nstatic __attribute__((cold)) const struct a *f(int a, int (*g)(int, int))\n"
            "{\n    if (a && '}')\n        return a ? 1 : 2; // }\n}\n"
            "MUST_USE int g(void) PRINTF_LIKE(1, 2);\n"
        )
        f, g = Source("base/a.c", text).functions()
        self.assertEqual((f.name, f.line, f.lines, f.parameters), ("f", 7, 5, 2))
        self.assertEqual((f.complexity, f.is_static, f.defined), (4, True, True))
        self.assertIn("why", f.comment)
        self.assertEqual((g.name, g.parameters, g.defined, g.is_static), ("g", 0, False, False))
