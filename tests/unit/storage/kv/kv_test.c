/* kv_test.c - one contract, two stores: RocksDB, and the fake that tests of
 * everything above use, so that the fake can be believed. KV-ORDER-1, KV-ORDER-2,
 * KV-SNAPSHOT-1.
 *
 * Planted and caught: an iterator of the fake that saw later writes; a missing
 * upper bound in rocks.c; kv_prefix_end that forgot to cut trailing 0xff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/storage/kv/fake_kv.h"
#include "tests/unit/storage/kv/place.h"

static struct bytes text(const char *s)
{
    return bytes_of_str(s);
}

static void put(struct kv *kv, enum kv_family family, const char *key, const char *value)
{
    struct kv_op op = {KV_PUT, family, text(key), text(value)};
    assert_int_equal(kv->calls->write(kv, &op, 1, false, NULL), ERR_OK);
}

static void expect_at(struct kv_iter *iter, struct kv *kv, const char *key, const char *value)
{
    struct bytes at_key = {0}, at_value = {0};
    assert_true(kv->calls->iter_at(iter, &at_key, &at_value));
    assert_true(bytes_equal_str(at_key, key));
    assert_true(bytes_equal_str(at_value, value));
}

static void expect_off(struct kv_iter *iter, struct kv *kv)
{
    assert_false(kv->calls->iter_at(iter, NULL, NULL));
    assert_int_equal(kv->calls->iter_check(iter, NULL), ERR_OK);
}

static struct kv_iter *iterate(struct kv *kv, const struct kv_snapshot *snapshot, struct bytes from,
                               struct bytes until)
{
    struct kv_iter *iter = NULL;
    assert_int_equal(kv->calls->iter_open(kv, snapshot, KV_META, from, until, &iter, NULL), ERR_OK);
    return iter;
}

static void check_get(struct kv *kv)
{
    struct kv_value value = {0};
    struct err err;
    bool found = true;
    put(kv, KV_META, "a", "1");
    put(kv, KV_META, "empty", "");
    put(kv, KV_BODIES, "a", "body");
    assert_int_equal(kv_get(kv, KV_META, text("a"), &value, &err), ERR_OK);
    assert_true(bytes_equal_str(value.bytes, "1"));
    put(kv, KV_META, "a", "2"); /* what was read stays as it was */
    assert_true(bytes_equal_str(value.bytes, "1"));
    kv_value_free(kv, &value);
    assert_null(value.bytes.data);
    kv_value_free(kv, &value); /* twice is fine */
    assert_int_equal(kv_find(kv, KV_BODIES, text("a"), &found, &value, &err), ERR_OK);
    assert_true(found && bytes_equal_str(value.bytes, "body"));
    kv_value_free(kv, &value);
    assert_int_equal(kv_find(kv, KV_META, text("empty"), &found, &value, &err), ERR_OK);
    assert_true(found && value.bytes.len == 0);
    kv_value_free(kv, &value);
    assert_int_equal(kv_get(kv, KV_CHANGES, text("a"), &value, &err), ERR_NOT_FOUND);
    assert_int_equal(kv_find(kv, KV_CHANGES, text("a"), &found, &value, &err), ERR_OK);
    assert_false(found);
    assert_null(value.owner);
}

/* KV-ORDER-1: keys order as memcmp, over all bytes, a prefix before its extension. */
static void check_order(struct kv *kv)
{
    static const char *const sorted[] = {"a", "a\x01", "a0", "ab", "b", "b\x7f", "b\x80", "b\xff"};
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
        put(kv, KV_META, sorted[(i * 5 + 3) % ARRAY_LEN(sorted)], "v");
    struct kv_iter *iter = iterate(kv, NULL, text(""), (struct bytes){0});
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++, kv->calls->iter_next(iter))
        expect_at(iter, kv, sorted[i], "v");
    expect_off(iter, kv);
    kv->calls->iter_next(iter); /* past the end is fine */
    expect_off(iter, kv);
    kv->calls->iter_close(iter);
}

/* KV-ORDER-2: an iterator never leaves its range, whichever way it moves. */
static void check_range(struct kv *kv)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        put(kv, KV_META, keys[i], keys[i]);
    struct kv_iter *iter = iterate(kv, NULL, text("b"), text("d"));
    expect_at(iter, kv, "b", "b");
    kv->calls->iter_prev(iter);
    expect_off(iter, kv);
    kv->calls->iter_seek(iter, text("a")); /* before the range: its first */
    expect_at(iter, kv, "b", "b");
    kv->calls->iter_seek(iter, text("bb"));
    expect_at(iter, kv, "c", "c");
    kv->calls->iter_next(iter);
    expect_off(iter, kv);
    kv->calls->iter_seek(iter, text("d"));
    expect_off(iter, kv);
    kv->calls->iter_seek_last(iter);
    expect_at(iter, kv, "c", "c");
    kv->calls->iter_prev(iter);
    expect_at(iter, kv, "b", "b");
    kv->calls->iter_close(iter);
    iter = iterate(kv, NULL, text("bb"), text("bz")); /* nothing in it */
    expect_off(iter, kv);
    kv->calls->iter_seek_last(iter);
    expect_off(iter, kv);
    kv->calls->iter_close(iter);
    iter = iterate(kv, NULL, text("e"), text("b")); /* reversed */
    expect_off(iter, kv);
    kv->calls->iter_close(iter);
    kv->calls->iter_close(NULL);
}

/* KV-SNAPSHOT-1: a snapshot and an iterator see the moment they were made. */
static void check_snapshot(struct kv *kv)
{
    struct kv_value value = {0};
    struct kv_op gone = {KV_DELETE, KV_META, text("a"), {0}};
    put(kv, KV_META, "a", "1");
    struct kv_snapshot *snapshot = kv->calls->snapshot_open(kv);
    struct kv_iter *now = iterate(kv, NULL, text(""), (struct bytes){0});
    put(kv, KV_META, "a", "2");
    put(kv, KV_META, "b", "2");
    assert_int_equal(kv->calls->write(kv, &gone, 1, false, NULL), ERR_OK);
    assert_int_equal(kv->calls->get(kv, snapshot, KV_META, text("a"), &value, NULL), ERR_OK);
    assert_true(bytes_equal_str(value.bytes, "1"));
    kv_value_free(kv, &value);
    assert_int_equal(kv->calls->get(kv, snapshot, KV_META, text("b"), &value, NULL), ERR_NOT_FOUND);
    struct kv_iter *then = iterate(kv, snapshot, text(""), (struct bytes){0});
    expect_at(then, kv, "a", "1");
    kv->calls->iter_next(then);
    expect_off(then, kv);
    expect_at(now, kv, "a", "1");
    kv->calls->iter_next(now);
    expect_off(now, kv);
    kv->calls->iter_close(now);
    kv->calls->iter_close(then);
    kv->calls->snapshot_close(kv, snapshot);
    kv->calls->snapshot_close(kv, NULL);
    assert_int_equal(kv_get(kv, KV_META, text("a"), &value, NULL), ERR_NOT_FOUND);
}

static void check_batch(struct kv *kv)
{
    struct kv_value value = {0};
    struct kv_op ops[] = {
        {KV_PUT, KV_META, text("a1"), text("1")},
        {KV_PUT, KV_META, text("a2"), text("2")},
        {KV_PUT, KV_META, text("a1"), text("3")}, /* the last one counts */
        {KV_PUT, KV_META, text("b1"), text("4")},
        {KV_PUT, KV_META, text("b2"), text("5")},
        {KV_DELETE_RANGE, KV_META, text("b"), text("b2")},
        {KV_DELETE_RANGE, KV_META, text("c"), text("a")}, /* reversed: nothing */
        {KV_DELETE_RANGE, KV_META, text("a"), text("a")}, /* empty: nothing */
        {KV_DELETE, KV_META, text("not there"), {0}},
    };
    assert_int_equal(kv->calls->write(kv, ops, ARRAY_LEN(ops), true, NULL), ERR_OK);
    struct kv_iter *iter = iterate(kv, NULL, text(""), (struct bytes){0});
    expect_at(iter, kv, "a1", "3");
    kv->calls->iter_next(iter);
    expect_at(iter, kv, "a2", "2");
    kv->calls->iter_next(iter);
    expect_at(iter, kv, "b2", "5");
    kv->calls->iter_next(iter);
    expect_off(iter, kv);
    kv->calls->iter_close(iter);
    assert_int_equal(kv_get(kv, KV_META, text("b1"), &value, NULL), ERR_NOT_FOUND);
}

static void check_reopen(struct kv *kv)
{
    struct kv_value value = {0};
    put(kv, KV_META, "a", "1");
    assert_int_equal(kv->calls->reopen(kv, NULL), ERR_OK);
    assert_int_equal(kv_get(kv, KV_META, text("a"), &value, NULL), ERR_OK);
    kv_value_free(kv, &value);
    put(kv, KV_META, "b", "1");
}

static void (*const checks[])(struct kv *kv) = {
    check_get, check_order, check_range, check_snapshot, check_batch, check_reopen,
};

static void test_fake_keeps_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct fake_kv *fake = fake_kv_new();
        checks[i](&fake->kv);
        fake->kv.calls->close(&fake->kv);
    }
}

static void test_rocks_keeps_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct place *place = place_new();
        struct kv *kv = place_open(place);
        checks[i](kv);
        kv->calls->close(kv);
        place_free(place);
    }
}

static void test_fake_fails_on_demand(void **state)
{
    struct fake_kv *fake = fake_kv_new();
    struct kv *kv = &fake->kv;
    struct kv_value value = {0};
    struct kv_op op = {KV_PUT, KV_META, text("b"), text("1")};
    (void)state;
    put(kv, KV_META, "a", "1");
    fake->fail_write = 2;
    fake->fail_write_code = ERR_NO_SPACE;
    put(kv, KV_META, "a", "2");
    assert_int_equal(kv->calls->write(kv, &op, 1, true, NULL), ERR_NO_SPACE);
    assert_int_equal(fake_kv_count(fake, KV_META), 1);
    assert_int_equal(kv->calls->write(kv, &op, 1, true, NULL), ERR_OK);
    assert_int_equal(fake->writes, 4);
    fake->fail_read = 1;
    fake->fail_read_code = ERR_CORRUPT;
    assert_int_equal(kv_get(kv, KV_META, text("a"), &value, NULL), ERR_CORRUPT);
    assert_int_equal(kv_get(kv, KV_META, text("a"), &value, NULL), ERR_OK);
    kv_value_free(kv, &value);
    fake->fail_iter = 1;
    struct kv_iter *iter = iterate(kv, NULL, text(""), (struct bytes){0});
    assert_false(kv->calls->iter_at(iter, NULL, NULL));
    assert_int_equal(kv->calls->iter_check(iter, NULL), ERR_CORRUPT);
    kv->calls->iter_close(iter);
    fake_kv_free(fake);
}

static void test_prefix_end(void **state)
{
    static const struct {
        struct bytes prefix, end;
    } rows[] = {
        {BYTES_LIT("a"), BYTES_LIT("b")},
        {BYTES_LIT("ab"), BYTES_LIT("ac")},
        {BYTES_LIT("a\xff"), BYTES_LIT("b")},
        {BYTES_LIT("a\xff\xff"), BYTES_LIT("b")},
        {BYTES_LIT("\xfe\xff"), BYTES_LIT("\xff")},
        {BYTES_LIT("a\0"), BYTES_LIT("a\x01")},
        {BYTES_LIT(""), {NULL, 0}},
        {BYTES_LIT("\xff"), {NULL, 0}},
        {BYTES_LIT("\xff\xff\xff"), {NULL, 0}},
    };
    uint8_t room[8];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bytes end = kv_prefix_end(rows[i].prefix, room);
        assert_true(bytes_equal(end, rows[i].end));
        assert_int_equal(!end.data, !rows[i].end.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fake_keeps_the_contract),
        cmocka_unit_test(test_rocks_keeps_the_contract),
        cmocka_unit_test(test_fake_fails_on_demand),
        cmocka_unit_test(test_prefix_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
