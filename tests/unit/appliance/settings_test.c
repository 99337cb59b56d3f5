/* settings_test.c - the table of settings is sane: names, defaults within their
 * ranges, help that fits, and the rules between rows.
 *
 * Caught on purpose: a default below its row's minimum. */
#include "appliance/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"

static struct settings *defaults(struct arena *arena)
{
    size_t count;
    const struct setting *rows = settings_rows(&count);
    struct settings *settings;
    struct err err;
    assert_int_equal(settings_new(rows, count, arena, &settings, &err), ERR_OK);
    return settings;
}

static enum err_code set(struct settings *settings, const char *name, const char *value)
{
    return settings_set(settings, bytes_of_str(name), bytes_of_str(value), NULL);
}

static void every_default_passes_its_own_check(void **state UNUSED)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct settings *settings = defaults(&arena);
    size_t count;
    const struct setting *rows = settings_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].fallback[0])
            assert_int_equal(set(settings, rows[i].name, rows[i].fallback), ERR_OK);
    assert_int_equal(settings_check(settings, NULL), ERR_OK);
    arena_done(&arena);
}

static void names_are_unlike_as_flags_and_helped(void **state UNUSED)
{
    size_t count;
    const struct setting *rows = settings_rows(&count);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].name);
        assert_int_equal(strspn(rows[i].name, "abcdefghijklmnopqrstuvwxyz._"), len);
        assert_true(strlen(rows[i].help) > 10);
        assert_int_not_equal(rows[i].help[strlen(rows[i].help) - 1], '.');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(rows[i].name, rows[j].name);
    }
}

static void the_shipped_defaults(void **state UNUSED)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct settings *settings = defaults(&arena);
    assert_string_equal(settings_text(settings, "api"), "127.0.0.1:9000");
    assert_string_equal(settings_text(settings, "console"), "127.0.0.1:9001");
    assert_string_equal(settings_text(settings, "api.region"), "");
    assert_int_equal(settings_u64(settings, "uploads.expire_days"), 7);
    arena_done(&arena);
}

static void out_of_range_is_refused(void **state UNUSED)
{
    static const char *const wrong[][2] = {
        {"store.full_percent", "101"},
        {"store.full_percent", "9"},
        {"store.cache_bytes", "1"},
        {"store.reserve_bytes", "0"},
        {"api.connections_max", "0"},
        {"api.connections_max", "many"},
        {"log.level", "loud"},
        {"api.metrics", "everybody"},
        {"api.object_bytes_max", "6T"},
        {"uploads.expire_days", "-1"},
        {"store.segment_bytes", "1048576"},
    };
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct settings *settings = defaults(&arena);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(set(settings, wrong[i][0], wrong[i][1]), ERR_INVALID);
    arena_done(&arena);
}

static void rules_between_rows(void **state UNUSED)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct settings *settings = defaults(&arena);
    assert_int_equal(set(settings, "api.tls_cert", "cert.pem"), ERR_OK);
    assert_int_equal(settings_check(settings, NULL), ERR_INVALID);
    assert_int_equal(set(settings, "api.tls_key", "key.pem"), ERR_OK);
    assert_int_equal(settings_check(settings, NULL), ERR_OK);
    assert_int_equal(set(settings, "store.memtable_bytes", "64M"), ERR_OK);
    assert_int_equal(settings_check(settings, NULL), ERR_INVALID);
    assert_int_equal(set(settings, "store.reserve_bytes", "176M"), ERR_OK);
    assert_int_equal(settings_check(settings, NULL), ERR_OK);
    assert_int_equal(set(settings, "store.segment_bytes", "33554433"), ERR_OK);
    assert_int_equal(settings_check(settings, NULL), ERR_INVALID);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_passes_its_own_check),
        cmocka_unit_test(names_are_unlike_as_flags_and_helped),
        cmocka_unit_test(the_shipped_defaults),
        cmocka_unit_test(out_of_range_is_refused),
        cmocka_unit_test(rules_between_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
