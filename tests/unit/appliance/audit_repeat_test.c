/* audit_repeat_test.c - what strangers repeat: BOX-AUDIT-5 (a thousand refusals are one entry
 * with a count; however many kinds there are, the log grows by a bounded rate).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bugs it caught: a flush that failed and dropped its counts; tokens that are never
 * used up. */
#include "appliance/audit_repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/appliance/audit_fixture.h"

#define MINUTE_MS 60000
#define OTHERS    4

static struct audit_repeat *repeat;

static int setup(void **state)
{
    if (audit_fixture_setup(state) != 0)
        return -1;
    struct audit_fixture *f = *state;
    return audit_repeat_new(f->audit, &repeat, &f->err) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    audit_repeat_free(repeat);
    return audit_fixture_teardown(state);
}

static void note(struct bytes address, const char *result)
{
    const struct audit_entry entry = {
        .actor = {.address = address, .access_key = BYTES_LIT("VKTRIED")},
        .action = BYTES_LIT("auth:refused"),
        .result = bytes_of_str(result),
    };
    audit_repeat_note(repeat, &entry);
}

static void note_numbered(size_t number)
{
    char address[32];
    snprintf(address, sizeof(address), "192.0.2.%zu", number);
    note(bytes_of_str(address), "AccessDenied");
}

static size_t flushed(struct audit_fixture *f, bool all)
{
    size_t before = metrics_get(&audit_stats(f->audit)->entries);
    assert_int_equal(audit_repeat_flush(repeat, all, &f->err), ERR_OK);
    assert_int_equal(audit_fixture_broken(f), 0);
    return metrics_get(&audit_stats(f->audit)->entries) - before;
}

static uint64_t sum_of_counts(struct audit_fixture *f)
{
    size_t count;
    uint64_t sum = 0;
    struct audit_entry *entries = audit_fixture_list(f, 1, &count);
    for (size_t i = 0; i < count; i++)
        sum += entries[i].count;
    return sum;
}

/* BOX-AUDIT-5 */
static void alike_ones_are_one_entry(void **state)
{
    struct audit_fixture *f = *state;
    size_t count, writes = f->fake->writes;
    for (int i = 0; i < 1000; i++)
        note(BYTES_LIT("192.0.2.1"), "SignatureDoesNotMatch");
    note(BYTES_LIT("192.0.2.1"), "AccessDenied");
    note(BYTES_LIT("192.0.2.2"), "AccessDenied");
    note(BYTES_LIT("192.0.2.1"), "SignatureDoesNotMatch");
    assert_int_equal(f->fake->writes, writes); /* nobody waits for the disk */
    assert_int_equal(flushed(f, false), 3);
    assert_int_equal(f->fake->writes, writes + 1);
    struct audit_entry *entries = audit_fixture_list(f, 1, &count);
    assert_int_equal(entries[0].count, 1001);
    assert_true(bytes_equal_str(entries[0].result, "SignatureDoesNotMatch"));
    assert_true(bytes_equal_str(entries[0].actor.address, "192.0.2.1"));
    assert_true(bytes_equal_str(entries[0].actor.access_key, "VKTRIED"));
    assert_true(bytes_equal_str(entries[0].detail, "since 2026-11-24T11:51:11.000Z"));
    assert_int_equal(entries[1].count, 1);
    assert_int_equal(audit_repeat_total(repeat), 1003);
    assert_int_equal(flushed(f, true), 0);
    assert_int_equal(f->fake->writes, writes + 1); /* nothing is no commit */
}

/* BOX-AUDIT-5 */
static void many_kinds_become_others(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    for (size_t i = 0; i < 5000; i++)
        note_numbered(i);
    assert_int_equal(flushed(f, true), AUDIT_REPEAT_MAX - OTHERS + 1);
    struct audit_entry *entries = audit_fixture_list(f, 1, &count);
    assert_true(bytes_equal_str(entries[count - 1].actor.address, "others"));
    assert_int_equal(entries[count - 1].count, 5000 - (AUDIT_REPEAT_MAX - OTHERS));
    assert_int_equal(sum_of_counts(f), 5000);
}

/* BOX-AUDIT-5 */
static void a_lasting_attack_costs_one_a_minute(void **state)
{
    struct audit_fixture *f = *state;
    size_t written = 0;
    for (size_t minute = 0; minute < 600; minute++) {
        for (size_t i = 0; i < 100; i++)
            note_numbered(minute * 100 + i);
        written += flushed(f, false);
        f->now_ms += MINUTE_MS;
    }
    assert_in_range(written, 600, AUDIT_REPEAT_BURST + 600);
    flushed(f, true);
    assert_int_equal(sum_of_counts(f), 60000);
    f->now_ms += 1000 * MINUTE_MS; /* quiet: as at first, and no more */
    for (size_t i = 0; i < 100; i++)
        note_numbered(i);
    assert_int_equal(flushed(f, false), AUDIT_REPEAT_BURST);
}

static void what_fails_counts_on(void **state)
{
    struct audit_fixture *f = *state;
    note_numbered(1);
    note_numbered(2);
    f->fake->fail_write = 1;
    f->fake->fail_write_code = ERR_NO_SPACE;
    assert_int_equal(audit_repeat_flush(repeat, false, &f->err), ERR_NO_SPACE);
    note_numbered(1);
    while (committer_health(f->committer, &f->err) != ERR_OK)
        committer_wait(f->committer, UINT64_MAX - 1, 10);
    assert_int_equal(flushed(f, false), 2);
    assert_int_equal(sum_of_counts(f), 3);
}

static void hostile_texts_fit(void **state)
{
    struct audit_fixture *f = *state;
    static char text[4 * AUDIT_RESOURCE_MAX];
    memset(text, '\xff', sizeof(text));
    struct bytes all = bytes_of(text, sizeof(text));
    struct audit_entry entry = {
        .actor = {.user = all, .access_key = all, .address = all},
        .action = all,
        .resource = all,
        .result = all,
        .request_id = all,
    };
    for (size_t i = 0; i < 2 * AUDIT_REPEAT_MAX; i++) {
        entry.resource.len = i;
        audit_repeat_note(repeat, &entry);
        entry.action.len = sizeof(text) - i; /* cut, and then alike */
    }
    assert_true(flushed(f, true) <= AUDIT_REPEAT_MAX);
    assert_int_equal(sum_of_counts(f), 2 * AUDIT_REPEAT_MAX);
}

static bool flush(void *ctx)
{
    struct audit_fixture *f = ctx;
    note_numbered(1);
    enum err_code code = audit_repeat_flush(repeat, true, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static bool make(void *ctx)
{
    struct audit_fixture *f = ctx;
    struct audit_repeat *other = NULL;
    enum err_code code = audit_repeat_new(f->audit, &other, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    audit_repeat_free(other);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    struct audit_fixture *f = *state;
    long allocations = alloc_fail_sweep(flush, f);
    assert_true(allocations > 0);
    assert_int_equal(sum_of_counts(f), allocations + 1); /* no count was lost on the way */
    assert_true(alloc_fail_sweep(make, f) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(alike_ones_are_one_entry),
        TEST(many_kinds_become_others),
        TEST(a_lasting_attack_costs_one_a_minute),
        TEST(what_fails_counts_on),
        TEST(hostile_texts_fit),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
