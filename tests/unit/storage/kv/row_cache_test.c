/* row_cache_test.c - what the cache says is what the store holds.
 *
 * Planted and caught: a write that is not counted, or leaves its row in; a miss
 * that forgets a write under way; a range that leaves rows in; a row that is
 * freed under its reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "storage/kv/row_cache.h"

#define CACHE_BYTES (64 << 10)
#define KEYS        64
#define READERS     3
#define WRITES      20000

static struct bytes key_of(uint32_t n)
{
    static _Thread_local char text[16];
    return bytes_of(text, (size_t)snprintf(text, sizeof text, "key-%u", n));
}

static struct kv_op put_of(struct bytes key)
{
    return (struct kv_op){KV_PUT, KV_META, key, BYTES_LIT("new")};
}

static bool holds(struct row_cache *cache, enum kv_family family, struct bytes key,
                  struct bytes value)
{
    struct kv_value found = {0};
    struct row_miss miss;
    if (!row_cache_find(cache, family, key, &found, &miss))
        return false;
    assert_true(bytes_equal(found.bytes, value));
    row_release(found.owner);
    return true;
}

static struct row_miss miss_of(struct row_cache *cache, struct bytes key)
{
    struct kv_value found;
    struct row_miss miss;
    assert_false(row_cache_find(cache, KV_META, key, &found, &miss));
    return miss;
}

static void add(struct row_cache *cache, struct bytes key, struct bytes value)
{
    struct row_miss miss = miss_of(cache, key);
    row_cache_add(cache, KV_META, key, value, &miss);
}

static void test_a_row_is_found_under_its_family_and_key(void **state)
{
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    (void)state;
    add(cache, BYTES_LIT("a"), BYTES_LIT("one"));
    add(cache, BYTES_LIT("ab"), BYTES_LIT(""));
    assert_true(holds(cache, KV_META, BYTES_LIT("a"), BYTES_LIT("one")));
    assert_true(holds(cache, KV_META, BYTES_LIT("ab"), BYTES_LIT("")));
    assert_false(holds(cache, KV_BODIES, BYTES_LIT("a"), BYTES_LIT("one")));
    assert_false(holds(cache, KV_META, BYTES_LIT("b"), BYTES_LIT("one")));
    row_cache_free(cache);
}

static void test_two_readers_that_missed_leave_one_row(void **state)
{
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    struct row_miss first = miss_of(cache, BYTES_LIT("a")), second = first;
    (void)state;
    row_cache_add(cache, KV_META, BYTES_LIT("a"), BYTES_LIT("one"), &first);
    uint64_t bytes = row_cache_bytes(cache);
    row_cache_add(cache, KV_META, BYTES_LIT("a"), BYTES_LIT("one"), &second);
    assert_int_equal(row_cache_bytes(cache), bytes);
    row_cache_free(cache);
}

/* KV-ROW-1 */
static void test_what_is_written_is_out_until_the_write_ended(void **state)
{
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    const struct kv_op op = put_of(BYTES_LIT("a"));
    (void)state;
    add(cache, BYTES_LIT("a"), BYTES_LIT("old"));
    row_cache_begin(cache, &op, 1);
    assert_false(holds(cache, KV_META, op.key, BYTES_LIT("old")));
    add(cache, op.key, BYTES_LIT("old"));
    assert_false(holds(cache, KV_META, op.key, BYTES_LIT("old")));
    row_cache_end(cache, &op, 1);
    add(cache, op.key, BYTES_LIT("new"));
    assert_true(holds(cache, KV_META, op.key, BYTES_LIT("new")));
    row_cache_free(cache);
}

/* KV-ROW-1: whether the write began after the reader's look or before it */
static void test_a_reader_that_met_a_write_keeps_nothing(void **state)
{
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    const struct kv_op op = put_of(BYTES_LIT("a"));
    (void)state;
    struct row_miss before = miss_of(cache, op.key);
    row_cache_begin(cache, &op, 1);
    struct row_miss during = miss_of(cache, op.key);
    row_cache_end(cache, &op, 1);
    row_cache_add(cache, KV_META, op.key, BYTES_LIT("old"), &before);
    row_cache_add(cache, KV_META, op.key, BYTES_LIT("old"), &during);
    assert_false(holds(cache, KV_META, op.key, BYTES_LIT("old")));
    row_cache_free(cache);
}

/* KV-ROW-1 */
static void test_a_range_takes_all_out(void **state)
{
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    const struct kv_op op = {KV_DELETE_RANGE, KV_META, BYTES_LIT("a"), BYTES_LIT("b")};
    (void)state;
    for (uint32_t n = 0; n < KEYS; n++)
        add(cache, key_of(n), BYTES_LIT("old"));
    struct row_miss before = miss_of(cache, BYTES_LIT("a"));
    row_cache_begin(cache, &op, 1);
    row_cache_add(cache, KV_META, BYTES_LIT("a"), BYTES_LIT("old"), &before);
    assert_int_equal(row_cache_bytes(cache), 0);
    row_cache_end(cache, &op, 1);
    add(cache, BYTES_LIT("a"), BYTES_LIT("new"));
    assert_true(holds(cache, KV_META, BYTES_LIT("a"), BYTES_LIT("new")));
    row_cache_free(cache);
}

static void test_the_change_log_and_large_rows_are_not_kept(void **state)
{
    static const uint8_t large[ROW_CACHE_VALUE_MAX + 1];
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    const struct kv_op op = {KV_PUT, KV_CHANGES, BYTES_LIT("a"), BYTES_LIT("b")};
    struct row_miss miss = miss_of(cache, BYTES_LIT("a"));
    (void)state;
    row_cache_add(cache, KV_CHANGES, BYTES_LIT("a"), BYTES_LIT("b"), &miss);
    row_cache_add(cache, KV_META, BYTES_LIT("a"), bytes_of(large, sizeof large), &miss);
    assert_int_equal(row_cache_bytes(cache), 0);
    row_cache_begin(cache, &op, 1);
    row_cache_end(cache, &op, 1);
    row_cache_free(cache);
}

/* KV-ROW-2 */
static void test_it_stays_within_its_bytes(void **state)
{
    static const uint8_t value[300];
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    (void)state;
    for (uint32_t n = 0; n < 10000; n++) {
        add(cache, key_of(n), bytes_of(value, sizeof value));
        assert_true(row_cache_bytes(cache) <= CACHE_BYTES);
    }
    assert_true(row_cache_bytes(cache) > CACHE_BYTES / 2);
    assert_true(holds(cache, KV_META, key_of(9999), bytes_of(value, sizeof value)));
    assert_false(holds(cache, KV_META, key_of(0), bytes_of(value, sizeof value)));
    row_cache_clear(cache);
    assert_int_equal(row_cache_bytes(cache), 0);
    row_cache_free(cache);
}

/* KV-SNAPSHOT-1: a value that was read stays, whatever becomes of its row. */
static void test_a_row_that_is_held_outlives_its_place(void **state)
{
    struct row_cache *cache = row_cache_new(CACHE_BYTES);
    struct kv_value value;
    struct row_miss miss;
    (void)state;
    add(cache, BYTES_LIT("a"), BYTES_LIT("one"));
    assert_true(row_cache_find(cache, KV_META, BYTES_LIT("a"), &value, &miss));
    row_cache_clear(cache);
    assert_true(bytes_equal(value.bytes, BYTES_LIT("one")));
    row_release(value.owner);
    row_cache_free(cache);
}

/* A store of numbers that only rise, with the cache before it. */
struct yard {
    struct row_cache *cache;
    atomic_uint rows[KEYS];
    atomic_bool stop;
};

/* Read as rocks.c does. */
static uint32_t read_row(struct yard *yard, uint32_t n)
{
    uint32_t value;
    struct kv_value found;
    struct row_miss miss;
    struct bytes key = key_of(n);
    if (row_cache_find(yard->cache, KV_META, key, &found, &miss)) {
        memcpy(&value, found.bytes.data, sizeof value);
        row_release(found.owner);
        return value;
    }
    value = atomic_load(&yard->rows[n]);
    row_cache_add(yard->cache, KV_META, key, bytes_of(&value, sizeof value), &miss);
    return value;
}

static void *read_on(void *arg)
{
    struct yard *yard = arg;
    uint32_t last[KEYS] = {0};
    for (uint32_t n = 0; !atomic_load(&yard->stop); n = (n + 1) % KEYS) {
        uint32_t value = read_row(yard, n);
        assert_true(value >= last[n]);
        last[n] = value;
    }
    return NULL;
}

/* KV-ROW-1 */
static void test_nobody_reads_an_older_row_than_was_there(void **state)
{
    struct yard yard = {.cache = row_cache_new(CACHE_BYTES)};
    pthread_t threads[READERS];
    (void)state;
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &yard), 0);
    for (uint32_t i = 1; i <= WRITES; i++) {
        struct kv_op op = put_of(key_of(i % KEYS));
        row_cache_begin(yard.cache, &op, 1);
        atomic_store(&yard.rows[i % KEYS], i);
        row_cache_end(yard.cache, &op, 1);
        assert_int_equal(read_row(&yard, i % KEYS), i);
    }
    atomic_store(&yard.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    row_cache_free(yard.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_found_under_its_family_and_key),
        cmocka_unit_test(test_two_readers_that_missed_leave_one_row),
        cmocka_unit_test(test_what_is_written_is_out_until_the_write_ended),
        cmocka_unit_test(test_a_reader_that_met_a_write_keeps_nothing),
        cmocka_unit_test(test_a_range_takes_all_out),
        cmocka_unit_test(test_the_change_log_and_large_rows_are_not_kept),
        cmocka_unit_test(test_it_stays_within_its_bytes),
        cmocka_unit_test(test_a_row_that_is_held_outlives_its_place),
        cmocka_unit_test(test_nobody_reads_an_older_row_than_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
