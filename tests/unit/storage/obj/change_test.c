/* change_test.c - the change log and its readers (OBJ-CHANGE).
 *
 * Planted bug that it caught: a page that said upto = the newest number although
 * it was full (its reader skipped changes). */
#include "storage/obj/change.h"

#include "tests/unit/storage/obj/obj_fixture.h"

#define READER BYTES_LIT("reader")

static struct change_page read_page(struct fixture *f, uint64_t after, size_t max)
{
    struct err err;
    struct change_page page;
    assert_ok(change_read(f->store, after, max, &f->arena, &page, &err));
    return page;
}

/* OBJ-CHANGE-1 */
static void test_every_change(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t start;
    assert_ok(change_reader_add(f->store, READER, &start, &err));
    struct record_object object;
    assert_ok(put_bytes(f, "a", 10, 1, &object, &err));
    assert_ok(bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, &err));
    assert_ok(put_bytes(f, "a", MIB(1), 2, &object, &err));
    delete_key(f, "a");
    struct object_deleted gone;
    assert_ok(delete_version(f, "a", version_of(&object), &gone, &err));
    static const enum change_operation want[] = {CHANGE_OBJECT_PUT, CHANGE_BUCKET_SETTINGS,
                                                 CHANGE_OBJECT_PUT, CHANGE_OBJECT_DELETE_MARKER,
                                                 CHANGE_OBJECT_DELETE};
    for (size_t max = 1; max <= 8; max++) {
        uint64_t after = start;
        size_t seen = 0;
        for (;;) {
            struct change_page page = read_page(f, after, max);
            assert_false(page.lost);
            for (size_t i = 0; i < page.count; i++, seen++) {
                assert_true(seen < ARRAY_LEN(want) && page.changes[i].seq > after);
                assert_int_equal(page.changes[i].operation, want[seen]);
                assert_true(bytes_equal_str(page.changes[i].bucket, "bkt"));
                after = page.changes[i].seq;
            }
            after = page.upto;
            if (page.count < max)
                break;
        }
        assert_int_equal(seen, ARRAY_LEN(want));
    }
    struct change_page page = read_page(f, start, 8);
    assert_int_equal(page.changes[2].length, MIB(1));
    assert_int_equal(page.changes[2].seq, object.seq);
    assert_int_equal(page.changes[4].version_seq, object.seq);
}

/* OBJ-CHANGE-2 */
static void test_cursor(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t start, again;
    assert_ok(change_reader_add(f->store, READER, &start, &err));
    put(f, "a", 1, 1);
    uint64_t upto = read_page(f, start, 10).upto;
    assert_ok(change_reader_ack(f->store, READER, upto, &err));
    assert_ok(change_reader_ack(f->store, READER, start, &err)); /* backwards: nothing */
    put(f, "b", 1, 1);
    fixture_restart(f);
    assert_ok(change_reader_add(f->store, READER, &again, &err));
    assert_int_equal(again, upto);
    struct change_page page = read_page(f, again, 10);
    assert_int_equal(page.count, 1);
    assert_true(bytes_equal_str(page.changes[0].key, "b"));
    uint64_t lag;
    assert_ok(change_lag(f->store, &lag, &err));
    assert_true(lag >= 1);
    assert_int_equal(change_reader_ack(f->store, READER, page.upto + 1, &err), ERR_INVALID);
    assert_int_equal(change_reader_ack(f->store, BYTES_LIT("other"), 1, &err), ERR_NOT_FOUND);
    assert_int_equal(change_reader_add(f->store, (struct bytes){0}, &again, &err), ERR_INVALID);
    assert_ok(change_reader_remove(f->store, READER, &err));
    assert_ok(change_reader_remove(f->store, READER, &err));
    assert_ok(change_lag(f->store, &lag, &err));
    assert_int_equal(lag, 0);
}

struct seen_readers {
    char names[64];
    uint64_t lags[4];
    size_t count;
};

static enum err_code see_reader(void *ctx, struct bytes name, uint64_t lag, struct err *err)
{
    struct seen_readers *seen = ctx;
    if (seen->count == ARRAY_LEN(seen->lags))
        return err_fail(err, ERR_LIMIT, "enough");
    strncat(seen->names, (const char *)name.data, name.len);
    seen->lags[seen->count++] = lag;
    return ERR_OK;
}

/* OBJ-CHANGE-2: each reader's own distance, by name; an error of who is told ends it. */
static void test_each_reader(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t start, lag;
    struct seen_readers seen = {0};
    assert_ok(change_reader_each(f->store, see_reader, &seen, &err));
    assert_int_equal(seen.count, 0);
    assert_ok(change_reader_add(f->store, BYTES_LIT("sync"), &start, &err));
    put(f, "a", 1, 1);
    uint64_t upto = read_page(f, start, 10).upto;
    assert_ok(change_reader_add(f->store, BYTES_LIT("fn"), &start, &err));
    assert_ok(change_reader_ack(f->store, BYTES_LIT("fn"), upto, &err));
    assert_ok(change_reader_each(f->store, see_reader, &seen, &err));
    assert_string_equal(seen.names, "fnsync");
    assert_true(seen.lags[0] < seen.lags[1]);
    assert_ok(change_lag(f->store, &lag, &err));
    assert_int_equal(lag, seen.lags[1]);
    assert_ok(change_reader_each(f->store, see_reader, &seen, &err));
    assert_int_equal(change_reader_each(f->store, see_reader, &seen, &err), ERR_LIMIT);
}

static void put_many(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        put(f, "key", 1, 1);
        arena_reset(&f->arena);
    }
}

/* OBJ-CHANGE-3: the fixture keeps 1000 numbers. */
static void test_trim(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t start;
    assert_ok(change_reader_add(f->store, READER, &start, &err));
    put_many(f, 900);
    assert_ok(change_trim(f->store, &err));
    struct change_page page = read_page(f, start, 2000);
    assert_false(page.lost);
    assert_int_equal(page.count, 900);
    put_many(f, 1300);
    assert_ok(change_trim(f->store, &err));
    page = read_page(f, start, 5000);
    assert_true(page.lost);
    assert_true(page.count >= 1000 && page.count < 2200);
    assert_false(read_page(f, page.upto, 10).lost);
    /* A reader that keeps up keeps the log short, and a restart goes on behind it. */
    assert_ok(change_reader_ack(f->store, READER, page.upto, &err));
    put_many(f, 1200);
    uint64_t upto = read_page(f, page.upto, 5000).upto;
    assert_ok(change_reader_ack(f->store, READER, upto, &err));
    assert_ok(change_trim(f->store, &err));
    assert_true(fake_kv_count(f->fake, KV_CHANGES) < 1000);
    fixture_restart(f);
    put(f, "after", 1, 1);
    page = read_page(f, upto, 10);
    assert_false(page.lost);
    assert_int_equal(page.count, 1);
    assert_true(page.changes[0].seq > upto);
}

/* OBJ-CHANGE-3: the newest row stays even where the newest number has none, because
 * its batch failed for space: a restart goes on behind it. */
static void test_trim_behind_hole(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_object object;
    uint64_t seq, stamp;
    assert_ok(change_reader_add(f->store, READER, &seq, &err));
    put_many(f, 1200);
    uint64_t last = read_page(f, 0, 5000).upto;
    f->fake->fail_write_code = ERR_NO_SPACE;
    f->fake->fail_write = 1;
    assert_int_equal(put_bytes(f, "key", 1, 1, &object, &err), ERR_NO_SPACE);
    for (int i = 0; i < 500 && store_health(f->store, &err) != ERR_OK; i++)
        usleep(10000);
    assert_ok(change_reader_ack(f->store, READER, last, &err)); /* a write without a number */
    assert_ok(change_reader_ack(f->store, READER, read_page(f, last, 10).upto, &err));
    assert_ok(change_trim(f->store, &err));
    assert_ok(store_last_seq(&f->fake->kv, &seq, &stamp, &err));
    assert_int_equal(seq, last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_every_change), TEST(test_cursor),
                                       TEST(test_each_reader), TEST(test_trim),
                                       TEST(test_trim_behind_hole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
