/* audit_read_test.c - the audit log read back: BOX-AUDIT-3 (whatever is done to it past its
 * writer is found, and where), pages of a list.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bugs it caught: rows judged without their numbers (the first entries taken away);
 * the end not compared with the noted one (the last entries taken away). */
#include "appliance/audit_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/appliance/audit_fixture.h"

#define ENTRIES 5

static int setup(void **state)
{
    if (audit_fixture_setup(state) != 0)
        return -1;
    audit_fixture_write(*state, ENTRIES);
    return 0;
}

static void remove_entry(struct audit_fixture *f, uint64_t seq)
{
    struct audit_row_key key = audit_row_key(seq);
    audit_fixture_remove(f, audit_row_key_bytes(&key));
}

/* BOX-AUDIT-3 */
static void every_changed_bit_is_found(void **state)
{
    struct audit_fixture *f = *state;
    for (uint64_t seq = 1; seq <= ENTRIES; seq++) {
        struct bytes row = audit_fixture_row(f, seq);
        for (size_t bit = 0; bit < 8 * row.len; bit++) {
            struct bytes changed = arena_copy(&f->arena, row);
            ((uint8_t *)(uintptr_t)changed.data)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            audit_fixture_set(f, seq, changed);
            if (audit_fixture_broken(f) != seq)
                fail_msg("entry %d, bit %zu", (int)seq, bit);
            assert_int_equal(f->report.last_seq, seq > 1 ? seq - 1 : 0);
        }
        audit_fixture_set(f, seq, row);
    }
    assert_int_equal(audit_fixture_broken(f), 0);
}

/* BOX-AUDIT-3 */
static void a_missing_entry_is_found(void **state)
{
    struct audit_fixture *f = *state;
    for (uint64_t seq = 1; seq <= ENTRIES; seq++) {
        struct bytes row = audit_fixture_row(f, seq);
        remove_entry(f, seq);
        assert_int_equal(audit_fixture_broken(f), seq);
        assert_string_equal(f->report.why, "it is missing");
        audit_fixture_set(f, seq, row);
    }
    for (uint64_t seq = ENTRIES; seq >= 1; seq--) { /* from the end, one more each time */
        remove_entry(f, seq);
        assert_int_equal(audit_fixture_broken(f), seq);
    }
}

/* BOX-AUDIT-3 */
static void entries_out_of_order_are_found(void **state)
{
    struct audit_fixture *f = *state;
    for (uint64_t seq = 1; seq < ENTRIES; seq++) {
        struct bytes first = audit_fixture_row(f, seq), second = audit_fixture_row(f, seq + 1);
        audit_fixture_set(f, seq, second);
        audit_fixture_set(f, seq + 1, first);
        assert_int_equal(audit_fixture_broken(f), seq);
        audit_fixture_set(f, seq, first);
        audit_fixture_set(f, seq + 1, second);
    }
}

/* A row that follows rightly, but that the log did not write. */
static struct bytes forge(struct audit_fixture *f, uint64_t seq, const uint8_t after[SEAL_HASH_LEN])
{
    const struct audit_entry entry = {.seq = seq, .action = BYTES_LIT("test:do")};
    struct commit_batch batch;
    uint8_t chain[SEAL_HASH_LEN];
    memcpy(chain, after, sizeof(chain));
    commit_batch_init(&batch, &f->arena);
    audit_row_put(&batch, &entry, chain);
    return batch.ops[0].op.value;
}

/* BOX-AUDIT-3 */
static void forged_entries_are_found(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    struct audit_entry *entries = audit_fixture_list(f, 1, &count);
    audit_fixture_set(f, ENTRIES + 1, forge(f, ENTRIES + 1, entries[ENTRIES - 1].hash));
    assert_int_equal(audit_fixture_broken(f), ENTRIES + 1);
    remove_entry(f, ENTRIES + 1);
    struct bytes last = audit_fixture_row(f, ENTRIES);
    audit_fixture_set(f, ENTRIES, forge(f, ENTRIES, entries[ENTRIES - 2].hash));
    assert_int_equal(audit_fixture_broken(f), ENTRIES);
    audit_fixture_set(f, ENTRIES, last);
    struct bytes second = audit_fixture_row(f, 2);
    audit_fixture_set(f, 2, forge(f, 2, entries[0].hash)); /* then the third does not follow */
    assert_int_equal(audit_fixture_broken(f), 3);
    audit_fixture_set(f, 2, second);
    fake_kv_set(f->fake, KV_META, BYTES_LIT("A\0\0\0\0\0\0\0\x03x"), BYTES_LIT("not a number"));
    assert_int_equal(audit_fixture_broken(f), 4);
}

/* BOX-AUDIT-3: the note of both ends. */
static void a_changed_state_is_found(void **state)
{
    struct audit_fixture *f = *state;
    struct kv_value value;
    struct bytes key = BYTES_LIT("saudit");
    for (size_t i = 0; i < 100; i++)
        audit_fixture_write(f, 1);
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_OK);
    assert_int_equal(kv_get(&f->fake->kv, KV_META, key, &value, &f->err), ERR_OK);
    struct bytes row = arena_copy(&f->arena, value.bytes);
    kv_value_free(&f->fake->kv, &value);
    for (size_t bit = 0; bit < 8 * row.len; bit++) {
        struct bytes changed = arena_copy(&f->arena, row);
        ((uint8_t *)(uintptr_t)changed.data)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fake_kv_set(f->fake, KV_META, key, changed);
        if (audit_fixture_broken(f) == 0)
            fail_msg("bit %zu", bit);
    }
    fake_kv_set(f->fake, KV_META, key, row);
    assert_int_equal(audit_fixture_broken(f), 0);
}

static void lists_come_in_pages(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    audit_fixture_write(f, AUDIT_PAGE_MAX + 10 - ENTRIES);
    assert_int_equal(audit_fixture_list(f, 1, &count)->seq, 1);
    assert_int_equal(count, AUDIT_PAGE_MAX);
    assert_int_equal(audit_fixture_list(f, AUDIT_PAGE_MAX + 1, &count)->seq, AUDIT_PAGE_MAX + 1);
    assert_int_equal(count, 10);
    audit_fixture_list(f, AUDIT_PAGE_MAX + 11, &count);
    assert_int_equal(count, 0);
    audit_fixture_list(f, UINT64_MAX, &count);
    assert_int_equal(count, 0);
}

/* What stands before a damaged row is told, then the row. */
static void a_list_tells_of_damage(void **state)
{
    struct audit_fixture *f = *state;
    struct audit_entry *entries;
    size_t count;
    audit_fixture_set(f, 3, BYTES_LIT("\x02"));
    audit_fixture_list(f, 1, &count);
    assert_int_equal(count, 2);
    assert_int_equal(audit_read_list(f->audit, 3, &f->arena, &entries, &count, &f->err),
                     ERR_CORRUPT);
    assert_non_null(strstr(f->err.msg, "entry 3"));
    assert_int_equal(audit_fixture_list(f, 4, &count)->seq, 4);
}

static void failed_reads_are_told(void **state)
{
    struct audit_fixture *f = *state;
    struct audit_entry *entries;
    size_t count;
    for (unsigned i = 1; i <= 2; i++) {
        f->fake->fail_read = i;
        assert_int_equal(audit_read_verify(f->audit, &f->report, &f->err), ERR_IO);
    }
    f->fake->fail_read = 1;
    assert_int_equal(audit_read_list(f->audit, 1, &f->arena, &entries, &count, &f->err), ERR_IO);
    f->fake->fail_iter = 3;
    assert_int_equal(audit_read_list(f->audit, 1, &f->arena, &entries, &count, &f->err), ERR_IO);
    f->fake->fail_iter = 3;
    assert_int_equal(audit_read_verify(f->audit, &f->report, &f->err), ERR_IO);
}

static bool verify(void *ctx)
{
    struct audit_fixture *f = ctx;
    enum err_code code = audit_read_verify(f->audit, &f->report, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    assert_int_equal(f->report.broken_seq, 0);
    return code == ERR_OK;
}

static bool read_list(void *ctx)
{
    struct audit_fixture *f = ctx;
    struct audit_entry *entries;
    struct arena arena;
    size_t count;
    arena_init(&arena, MIB(1));
    enum err_code code = audit_read_list(f->audit, 1, &arena, &entries, &count, &f->err);
    arena_done(&arena);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    assert_true(alloc_fail_sweep(verify, *state) > 0);
    assert_true(alloc_fail_sweep(read_list, *state) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, audit_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_changed_bit_is_found),     TEST(a_missing_entry_is_found),
        TEST(entries_out_of_order_are_found), TEST(forged_entries_are_found),
        TEST(a_changed_state_is_found),       TEST(lists_come_in_pages),
        TEST(a_list_tells_of_damage),         TEST(failed_reads_are_told),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
