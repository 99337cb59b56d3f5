/* used_test.c - times of use: the latest is kept, the table has a cap.
 *
 * Planted bug it caught: an earlier time put over a later one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "storage/auth/used.h"

static void the_latest_time_is_kept(void **state)
{
    struct used *used = used_new();
    (void)state;
    assert_int_equal(used_get(used, BYTES_LIT("a")), 0);
    used_mark(used, BYTES_LIT("a"), 5);
    used_mark(used, BYTES_LIT("a"), 3);
    used_mark(used, BYTES_LIT("b"), 4);
    assert_int_equal(used_get(used, BYTES_LIT("a")), 5);
    assert_int_equal(used_get(used, BYTES_LIT("b")), 4);
    used_mark(used, bytes_of(NULL, 0), 9);
    assert_int_equal(used_get(used, bytes_of(NULL, 0)), 0);
    used_free(used);
    used_free(NULL);
}

static void the_table_has_a_cap(void **state)
{
    struct used *used = used_new();
    struct used_entry *entries = calloc(AUTH_USED_MAX, sizeof(*entries));
    char key[AUTH_KEY_ID_MAX + 2];
    (void)state;
    for (int i = 0; i < 2 * AUTH_USED_MAX; i++)
        used_mark(used, bytes_of(key, (size_t)snprintf(key, sizeof(key), "k%d", i)), 1);
    memset(key, 'x', sizeof(key));
    used_mark(used, bytes_of(key, sizeof(key)), 1); /* longer than an access key */
    assert_int_equal(used_get(used, BYTES_LIT("k0")), 1);
    assert_int_equal(used_get(used, BYTES_LIT("k600")), 0);
    used_mark(used, BYTES_LIT("k1"), 2); /* those inside still move on */
    assert_int_equal(used_get(used, BYTES_LIT("k1")), 2);
    assert_int_equal(used_take(used, entries), AUTH_USED_MAX);
    assert_int_equal(used_take(used, entries), 0);
    free(entries);
    used_free(used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_time_is_kept),
        cmocka_unit_test(the_table_has_a_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
