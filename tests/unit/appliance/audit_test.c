/* audit_test.c - the audit log's writer: BOX-AUDIT-1 (an entry and its change are one
 * commit), BOX-AUDIT-2 (one chain, whoever writes, whatever fails), BOX-AUDIT-4 (what is
 * trimmed is told, and the rest still verifies).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bugs it caught: the lock given back before the commit; the state moved on
 * although the commit failed. */
#include "appliance/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/appliance/audit_fixture.h"

static void entries_follow_one_another(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    audit_fixture_write(f, 3);
    f->now_ms += 5;
    audit_fixture_write(f, 1);
    struct audit_entry *entries = audit_fixture_list(f, 1, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(entries[i].seq, i + 1);
    assert_true(bytes_equal_str(entries[2].resource, "3"));
    assert_true(bytes_equal_str(entries[2].actor.address, "192.0.2.1"));
    assert_int_equal(entries[3].unix_ms, f->now_ms);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.entries, 4);
    assert_memory_equal(f->report.hash, entries[3].hash, SEAL_HASH_LEN);
    assert_int_equal(metrics_get(&audit_stats(f->audit)->entries), 4);
}

static void an_empty_log_is_whole(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.last_seq, 0);
    audit_fixture_list(f, 1, &count);
    assert_int_equal(count, 0);
}

/* BOX-AUDIT-1 */
static void an_entry_goes_with_its_change(void **state)
{
    struct audit_fixture *f = *state;
    struct audit_entry entry = {.action = BYTES_LIT("test:change")};
    struct commit_batch batch;
    struct kv_value value;
    for (int fails = 1; fails >= 0; fails--) {
        size_t rows = fake_kv_count(f->fake, KV_META), writes = f->fake->writes;
        f->fake->fail_write = (unsigned)fails;
        f->fake->fail_write_code = ERR_NO_SPACE;
        commit_batch_init(&batch, &f->arena);
        commit_put(&batch, KV_META, BYTES_LIT("xchange"), BYTES_LIT("made"));
        enum err_code code = audit_commit(f->audit, &entry, 1, &batch, &f->err);
        assert_int_equal(code, fails ? ERR_NO_SPACE : ERR_OK);
        assert_int_equal(fake_kv_count(f->fake, KV_META), fails ? rows : rows + 3);
        assert_int_equal(f->fake->writes, writes + 1);
        while (committer_health(f->committer, &f->err) != ERR_OK)
            committer_wait(f->committer, UINT64_MAX - 1, 10);
    }
    assert_int_equal(kv_get(&f->fake->kv, KV_META, BYTES_LIT("xchange"), &value, &f->err), ERR_OK);
    kv_value_free(&f->fake->kv, &value);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.entries, 1);
    assert_int_equal(metrics_get(&audit_stats(f->audit)->failures), 1);
}

/* BOX-AUDIT-2 */
static void a_failed_write_leaves_the_chain(void **state)
{
    struct audit_fixture *f = *state;
    audit_fixture_write(f, 2);
    f->fake->fail_write = 1;
    assert_int_equal(audit_fixture_try(f, "lost"), ERR_IO);
    assert_int_equal(audit_fixture_try(f, "refused"), ERR_READ_ONLY);
    assert_int_equal(metrics_get(&audit_stats(f->audit)->failures), 2);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.last_seq, 2);
}

static void it_goes_on_after_reopening(void **state)
{
    struct audit_fixture *f = *state;
    for (int i = 1; i <= 5; i++) {
        audit_fixture_write(f, 2);
        audit_fixture_reopen(f);
        assert_int_equal(audit_fixture_broken(f), 0);
        assert_int_equal(f->report.last_seq, 2 * i);
    }
}

static void *write_some(void *ctx)
{
    struct audit_fixture *f = ctx;
    const struct audit_entry entry = {.action = BYTES_LIT("test:do")};
    struct err err;
    for (int i = 0; i < 200; i++)
        assert_int_equal(audit_write(f->audit, &entry, &err), ERR_OK);
    return NULL;
}

/* BOX-AUDIT-2 */
static void many_threads_make_one_chain(void **state)
{
    struct audit_fixture *f = *state;
    pthread_t threads[8];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, f), 0);
    assert_int_equal(audit_fixture_broken(f), 0); /* in the middle of it, too */
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.entries, 200 * ARRAY_LEN(threads));
}

static void long_texts_are_cut(void **state)
{
    struct audit_fixture *f = *state;
    static char text[2 * AUDIT_RESOURCE_MAX];
    memset(text, 'x', sizeof(text));
    struct bytes all = bytes_of(text, sizeof(text));
    const struct audit_entry entry = {
        .actor = {.user = all, .access_key = all, .address = all},
        .action = all,
        .resource = all,
        .result = all,
        .detail = all,
        .request_id = all,
    };
    size_t count;
    assert_int_equal(audit_write(f->audit, &entry, &f->err), ERR_OK);
    struct audit_entry *read = audit_fixture_list(f, 1, &count);
    assert_int_equal(read->resource.len, AUDIT_RESOURCE_MAX);
    assert_int_equal(read->actor.address.len, AUDIT_TEXT_MAX);
    assert_int_equal(read->detail.len, AUDIT_TEXT_MAX);
    assert_int_equal(audit_fixture_broken(f), 0);
}

/* BOX-AUDIT-4 */
static void the_oldest_are_trimmed(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    audit_fixture_write(f, 100);
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_OK);
    assert_int_equal(audit_fixture_list(f, 1, &count)->seq, 1);
    audit_fixture_write(f, 1);
    struct audit_entry eleventh = *audit_fixture_list(f, 11, &count);
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_OK);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.first_seq, 12);
    assert_int_equal(f->report.last_seq, 102);
    struct audit_entry *entries = audit_fixture_list(f, 1, &count);
    assert_int_equal(count, 91);
    assert_true(bytes_equal_str(entries[90].action, "audit:trim"));
    assert_true(bytes_equal_str(entries[90].resource, "1-11"));
    char hash[2 * SEAL_HASH_LEN + 1];
    for (size_t i = 0; i < SEAL_HASH_LEN; i++)
        snprintf(hash + 2 * i, 3, "%02x", eleventh.hash[i]);
    assert_true(bytes_find_bytes(entries[90].detail, bytes_of_str(hash)) >= 0);
    audit_fixture_reopen(f);
    audit_fixture_write(f, 1);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.last_seq, 103);
}

/* BOX-AUDIT-4 */
static void a_broken_log_is_not_trimmed(void **state)
{
    struct audit_fixture *f = *state;
    audit_fixture_write(f, 101);
    struct bytes row = audit_fixture_row(f, 11);
    audit_fixture_set(f, 11, BYTES_LIT("\x01nonsense"));
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_CORRUPT);
    struct audit_row_key key = audit_row_key(11);
    audit_fixture_remove(f, audit_row_key_bytes(&key));
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_NOT_FOUND);
    audit_fixture_set(f, 11, row);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.entries, 101);
    f->fake->fail_write = 1;
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_IO);
    assert_int_equal(audit_fixture_broken(f), 0);
    assert_int_equal(f->report.entries, 101);
}

/* Somebody took the note of where it ends: nothing is written over. */
static void a_lost_state_overwrites_nothing(void **state)
{
    struct audit_fixture *f = *state;
    size_t count;
    audit_fixture_write(f, 5);
    audit_fixture_remove(f, BYTES_LIT("saudit"));
    audit_fixture_reopen(f);
    audit_fixture_write(f, 2);
    assert_int_equal(audit_fixture_list(f, 1, &count)->seq, 1);
    assert_int_equal(count, 7);
    assert_int_equal(audit_fixture_broken(f), 0);
    struct audit_row_key first = audit_row_key(1);
    audit_fixture_remove(f, audit_row_key_bytes(&first));
    audit_fixture_set(f, 7, BYTES_LIT(""));
    fake_kv_set(f->fake, KV_META, BYTES_LIT("saudit"), BYTES_LIT("\x01\xff"));
    audit_fixture_reopen(f);
    audit_fixture_write(f, 1);
    assert_int_equal(audit_fixture_broken(f), 2); /* its hash follows what is gone */
}

static void failed_reads_are_told(void **state)
{
    struct audit_fixture *f = *state;
    struct audit *other;
    audit_fixture_write(f, 101);
    f->fake->fail_read = 1;
    assert_int_equal(audit_trim(f->audit, 100, &f->err), ERR_IO);
    f->fake->fail_read = 1;
    assert_int_equal(audit_open(&f->fake->kv, f->committer, &f->clock, &other, &f->err), ERR_IO);
    audit_fixture_remove(f, BYTES_LIT("saudit"));
    f->fake->fail_read = 2;
    assert_int_equal(audit_open(&f->fake->kv, f->committer, &f->clock, &other, &f->err), ERR_IO);
}

static bool write_one(void *ctx)
{
    enum err_code code = audit_fixture_try(ctx, "one");
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static bool open_one(void *ctx)
{
    struct audit_fixture *f = ctx;
    struct audit *audit = NULL;
    enum err_code code = audit_open(&f->fake->kv, f->committer, &f->clock, &audit, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    audit_close(audit);
    return code == ERR_OK;
}

static bool trim_some(void *ctx)
{
    struct audit_fixture *f = ctx;
    enum err_code code = audit_trim(f->audit, 100, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    struct audit_fixture *f = *state;
    assert_true(alloc_fail_sweep(write_one, f) > 0);
    assert_true(alloc_fail_sweep(open_one, f) > 0);
    audit_fixture_write(f, 120);
    assert_true(alloc_fail_sweep(trim_some, f) > 0);
    assert_int_equal(audit_fixture_broken(f), 0);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, audit_fixture_setup, audit_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_follow_one_another),
        TEST(an_empty_log_is_whole),
        TEST(an_entry_goes_with_its_change),
        TEST(a_failed_write_leaves_the_chain),
        TEST(it_goes_on_after_reopening),
        TEST(many_threads_make_one_chain),
        TEST(long_texts_are_cut),
        TEST(the_oldest_are_trimmed),
        TEST(a_broken_log_is_not_trimmed),
        TEST(a_lost_state_overwrites_nothing),
        TEST(failed_reads_are_told),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
