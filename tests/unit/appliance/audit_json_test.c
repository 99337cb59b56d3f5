/* audit_json_test.c - the audit log as the command line gets it: BOX-AUDIT-6 (nothing that was
 * sent can forge a line or steer a terminal).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bug it caught: a backslash let through, so that `\x41` and `A` look alike. */
#include "appliance/audit_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/appliance/audit_fixture.h"

static json_t *first_entry(struct audit_fixture *f)
{
    json_t *list;
    assert_int_equal(audit_json_list(f->audit, 1, &f->arena, &list, &f->err), ERR_OK);
    json_t *entry = json_incref(json_array_get(json_object_get(list, "entries"), 0));
    json_decref(list);
    return entry;
}

static void assert_text(const json_t *entry, const char *name, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(entry, name)), expected);
}

static void every_member_is_told(void **state)
{
    struct audit_fixture *f = *state;
    const struct audit_entry written = {
        .actor = {.user = BYTES_LIT("root"), .is_local = true, .uid = 42},
        .action = BYTES_LIT("test:do"),
        .result = BYTES_LIT("ok"),
        .detail = BYTES_LIT("a few words"),
        .count = 7,
    };
    assert_int_equal(audit_write(f->audit, &written, &f->err), ERR_OK);
    json_t *entry = first_entry(f);
    assert_int_equal(json_object_size(entry), 13);
    assert_int_equal(json_integer_value(json_object_get(entry, "seq")), 1);
    assert_int_equal(json_integer_value(json_object_get(entry, "uid")), 42);
    assert_int_equal(json_integer_value(json_object_get(entry, "count")), 7);
    assert_text(entry, "time", "2026-11-24T11:51:11.000Z");
    assert_text(entry, "user", "root");
    assert_text(entry, "detail", "a few words");
    assert_true(json_is_null(json_object_get(entry, "address")));
    assert_true(json_is_null(json_object_get(entry, "request_id")));
    json_decref(entry);
}

/* BOX-AUDIT-6 */
static void hostile_bytes_are_escaped(void **state)
{
    struct audit_fixture *f = *state;
    const struct audit_entry written = {
        .actor = {.user = BYTES_LIT("a\nb\tc\0d"), .address = BYTES_LIT("\x1b[2J\x7f")},
        .action = BYTES_LIT("\\x41\\"),
        .resource = BYTES_LIT("caf\xc3\xa9 \xff\xc2\x9b\"x\""),
        .detail = BYTES_LIT("two words\r\n"),
    };
    assert_int_equal(audit_write(f->audit, &written, &f->err), ERR_OK);
    json_t *entry = first_entry(f);
    assert_text(entry, "user", "a\\x0ab\\x09c\\x00d");
    assert_text(entry, "address", "\\x1b[2J\\x7f");
    assert_text(entry, "action", "\\\\x41\\\\");
    assert_text(entry, "resource", "caf\\xc3\\xa9\\x20\\xff\\xc2\\x9b\"x\"");
    assert_text(entry, "detail", "two words\\x0d\\x0a");
    json_decref(entry);
}

static void the_longest_text_fits(void **state)
{
    struct audit_fixture *f = *state;
    static char text[AUDIT_RESOURCE_MAX];
    memset(text, '\n', sizeof(text));
    const struct audit_entry written = {.resource = bytes_of(text, sizeof(text))};
    assert_int_equal(audit_write(f->audit, &written, &f->err), ERR_OK);
    json_t *entry = first_entry(f);
    assert_int_equal(json_string_length(json_object_get(entry, "resource")),
                     4 * AUDIT_RESOURCE_MAX);
    json_decref(entry);
}

static void reports_say_where(void **state)
{
    struct audit_fixture *f = *state;
    json_t *report;
    assert_int_equal(audit_json_verify(f->audit, &report, &f->err), ERR_OK);
    assert_true(json_is_true(json_object_get(report, "intact")));
    assert_true(json_is_null(json_object_get(report, "last_seq")));
    json_decref(report);
    audit_fixture_write(f, 3);
    audit_fixture_set(f, 2, BYTES_LIT("\x01"));
    assert_int_equal(audit_json_verify(f->audit, &report, &f->err), ERR_OK);
    assert_true(json_is_false(json_object_get(report, "intact")));
    assert_int_equal(json_integer_value(json_object_get(report, "broken_seq")), 2);
    assert_int_equal(json_integer_value(json_object_get(report, "last_seq")), 1);
    assert_int_equal(json_string_length(json_object_get(report, "hash")), 2 * SEAL_HASH_LEN);
    json_decref(report);
}

static bool tell(void *ctx)
{
    struct audit_fixture *f = ctx;
    json_t *list = NULL;
    struct arena arena;
    arena_init(&arena, MIB(1));
    enum err_code code = audit_json_list(f->audit, 1, &arena, &list, &f->err);
    arena_done(&arena);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    json_decref(list);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    struct audit_fixture *f = *state;
    audit_fixture_write(f, 3);
    assert_true(alloc_fail_sweep(tell, f) > 0);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, audit_fixture_setup, audit_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_member_is_told), TEST(hostile_bytes_are_escaped), TEST(the_longest_text_fits),
        TEST(reports_say_where),    TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
