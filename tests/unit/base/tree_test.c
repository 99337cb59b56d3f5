/* tree_test.c - folders removed with all that is in them (BASE-TREE-1). */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/tree.h"

static void test_remove(void **state)
{
    char dir[] = "/tmp/valise-test-XXXXXX", path[128], command[256];
    struct err err;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p a/b/c other && touch a/b/c/d a/e other/kept && ln -s ../other a/l",
             dir);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s/a", dir);
    assert_int_equal(tree_remove(path, &err), ERR_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(tree_remove(path, &err), ERR_OK); /* not there: fine */
    snprintf(path, sizeof(path), "%s/other/kept", dir);
    assert_int_equal(access(path, F_OK), 0); /* what a link leads to stays */
    assert_int_equal(tree_remove(path, &err), ERR_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(tree_remove("/proc/self/status", &err), ERR_IO);
    assert_int_equal(tree_remove(dir, &err), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_remove)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
