/* body_test.c - writing and reading one body (OBJ-BODY).
 *
 * Planted bug that it caught: a writer above OBJ_BUFFERS that waited for a
 * buffer (the test hangs). */
#include "tests/unit/storage/obj/obj_fixture.h"

static enum err_code write_pattern(struct body_writer *writer, size_t len, size_t step,
                                   struct err *err)
{
    static uint8_t piece[MIB(2)];
    enum err_code rc = ERR_OK;
    for (size_t at = 0; rc == ERR_OK && at < len; at += step) {
        size_t now = len - at < step ? len - at : step;
        pattern(piece, now, at, 9);
        rc = body_writer_write(writer, bytes_of(piece, now), err);
    }
    return rc;
}

static void store_body(struct fixture *f, struct body_writer *writer, const char *key, size_t len)
{
    struct err err;
    struct record_object object;
    struct object_put put = {.key = bytes_of_str(key),
                             .object = {.owner = OWNER},
                             .body = writer,
                             .operation = CHANGE_OBJECT_PUT};
    assert_ok(object_put(f->store, f->bucket, &put, &f->arena, &object, &err));
    assert_ok(get(f, key, len, 9, &err));
}

/* OBJ-BODY-1: an unknown length, pieces of any size. */
static void test_unknown_length(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const size_t lengths[] = {0, 1, KIB(64), KIB(64) + 1, MIB(1), MIB(6) + 5};
    static const size_t steps[] = {1000, KIB(64) + 3, MIB(2)};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        for (size_t j = 0; j < ARRAY_LEN(steps); j++) {
            struct body_writer *writer;
            assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &writer, &err));
            assert_ok(write_pattern(writer, lengths[i], steps[j], &err));
            store_body(f, writer, "key", lengths[i]);
        }
    delete_key(f, "key");
    assert_nothing_left(f);
}

/* OBJ-BODY-2: more than was announced is refused, fewer is fine. */
static void test_announced(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const size_t announced[] = {0, 10, KIB(64), MIB(1)};
    for (size_t i = 0; i < ARRAY_LEN(announced); i++) {
        struct body_writer *writer;
        assert_ok(body_writer_open(f->store, announced[i], &writer, &err));
        assert_ok(write_pattern(writer, announced[i], 4096, &err));
        assert_int_equal(body_writer_write(writer, BYTES_LIT("x"), &err), ERR_LIMIT);
        body_writer_free(writer);
    }
    struct body_writer *writer;
    assert_ok(body_writer_open(f->store, MIB(3), &writer, &err));
    assert_ok(write_pattern(writer, MIB(1) + 1, 4096, &err));
    store_body(f, writer, "short", MIB(1) + 1);
    wait_live(f, MIB(1) + 4096);
}

/* OBJ-BODY-3: any number of writers at once; none waits for another. */
static void test_many_writers(void **state)
{
    struct fixture *f = *state;
    struct err err;
    enum { WRITERS = OBJ_BUFFERS + 8 };
    struct body_writer *writers[WRITERS];
    for (size_t i = 0; i < WRITERS; i++) {
        assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &writers[i], &err));
        assert_ok(write_pattern(writers[i], KIB(700), KIB(100), &err));
    }
    for (size_t i = 0; i < WRITERS; i++) {
        char key[8];
        snprintf(key, sizeof(key), "%zu", i);
        store_body(f, writers[i], key, KIB(700));
    }
}

/* OBJ-BODY-4: what is given up is given back. */
static void test_given_up(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (int i = 0; i < 20; i++) {
        struct body_writer *writer;
        assert_ok(body_writer_open(f->store, i % 2 ? MIB(3) : BODY_LENGTH_UNKNOWN, &writer, &err));
        assert_ok(write_pattern(writer, MIB(2) + 1, KIB(100), &err));
        body_writer_free(writer);
    }
    wait_live(f, 0);
    struct segments_stats stats;
    segments_get_stats(f->store->segments, &stats);
    assert_true(stats.files <= 2);
    put(f, "key", MIB(3), 4); /* reused space holds no old bytes */
    assert_ok(get(f, "key", MIB(3), 4, &err));
}

/* A write that fails although all of it is there, as a restart will find. */
static enum err_code apply_and_fail(void *ctx, const struct kv_op *ops, size_t count, bool sync)
{
    struct fake_kv *fake = ctx;
    (void)sync;
    pthread_mutex_lock(&fake->lock);
    for (size_t i = 0; i < count; i++)
        fake_apply(fake, &ops[i]);
    pthread_mutex_unlock(&fake->lock);
    return fake->fail_write_code;
}

/* OBJ-BODY-5: bytes that a restart may find a record of stay, whichever way the commit failed. */
static void test_commit_unknown(void **state)
{
    static const enum err_code codes[] = {ERR_IO, ERR_CORRUPT};
    struct fixture *f = *state;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct record_object object;
        uint32_t salt = (uint32_t)i + 2;
        put(f, "key", KIB(100), 1);
        wait_swept(f); /* it would meet the failing writes first */
        f->fake->fail_write_code = codes[i];
        f->fake->on_write_ctx = f->fake;
        f->fake->on_write = apply_and_fail;
        assert_int_equal(put_bytes(f, "key", KIB(100), salt, &object, &err), codes[i]);
        fixture_halt(f);
        f->fake->on_write = NULL;
        assert_ok(fixture_start(f, &err));
        assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
        assert_ok(get(f, "key", KIB(100), salt, &err));
    }
}

/* OBJ-BODY-7: what a full disk keeps from being committed gives its space back at once. */
static void test_no_space(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_object object;
    put(f, "key", KIB(100), 1);
    f->fake->fail_write_code = ERR_NO_SPACE;
    f->fake->fail_write = 1;
    assert_int_equal(put_bytes(f, "other", KIB(300), 2, &object, &err), ERR_NO_SPACE);
    wait_live(f, KIB(100));
    assert_ok(get(f, "key", KIB(100), 1, &err));
}

/* OBJ-BODY-8: after one write failed every later one fails, and so does what would finish
 * the body: it has a gap. */
static void test_stays_failed(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const size_t announced[] = {10, MIB(1)};
    for (size_t i = 0; i < ARRAY_LEN(announced); i++) {
        struct body_writer *writer;
        struct record_object object;
        assert_ok(body_writer_open(f->store, announced[i], &writer, &err));
        assert_ok(write_pattern(writer, 5, 5, &err));
        static uint8_t piece[MIB(1)];
        assert_int_equal(body_writer_write(writer, bytes_of(piece, announced[i] - 4), &err),
                         ERR_LIMIT);
        err = (struct err){0};
        assert_int_equal(body_writer_write(writer, BYTES_LIT("x"), &err), ERR_LIMIT);
        assert_true(strstr(err.msg, "longer than") != NULL);
        assert_int_equal(body_writer_write(writer, BYTES_LIT(""), &err), ERR_LIMIT);
        struct object_put put = {.key = BYTES_LIT("key"),
                                 .object = {.owner = OWNER},
                                 .body = writer,
                                 .operation = CHANGE_OBJECT_PUT};
        assert_int_equal(object_put(f->store, f->bucket, &put, &f->arena, &object, &err),
                         ERR_LIMIT);
    }
    assert_nothing_left(f);
}

/* OBJ-FREE-1: who comes with an old record while its parts are being freed is told that
 * the body is gone, not that it is rotten. */
static void test_half_freed(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    struct upload_part_named named[] = {{.number = 1}, {.number = 2}};
    struct upload_complete request = {
        .parts = named, .part_count = 2, .expected_length = UINT64_MAX};
    struct record_object object;
    char id[UPLOAD_ID_TEXT];
    struct bytes key = BYTES_LIT("key");
    assert_ok(upload_create(f->store, f->bucket, key, &upload, &f->arena, id, &err));
    for (uint32_t i = 0; i < 2; i++) {
        struct body_writer *writer;
        struct record_part part = {.number = named[i].number};
        assert_ok(body_writer_open(f->store, S3_PART_BYTES_MIN, &writer, &err));
        assert_ok(write_pattern(writer, S3_PART_BYTES_MIN, MIB(1), &err));
        assert_ok(upload_put_part(f->store, f->bucket, key, bytes_of_str(id), &part, writer,
                                  &f->arena, &err));
    }
    assert_ok(upload_complete(f->store, f->bucket, key, bytes_of_str(id), &request, &f->arena,
                              &object, &err));
    struct commit_batch batch;
    commit_batch_init(&batch, &f->arena);
    struct key first = key_manifest(object.body.id, S3_PART_BYTES_MIN, 1);
    commit_delete(&batch, KV_META, key_bytes(&first));
    assert_ok(commit(f->committer, &batch, &err));
    bool gone = false;
    struct body_reader *reader = NULL;
    assert_ok(body_reader_open(f->store, &object.body, object.length, &gone, &reader, &err));
    assert_true(gone);
    assert_null(reader);
}

/* OBJ-BODY-6: a reader of a small body, whole or a part, holds nothing of the ordered store. */
static void test_reader_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_object object;
    for (size_t len = 0; len <= KIB(64); len += KIB(16)) {
        put(f, "key", len, 3);
        AUTO(body_reader) struct body_reader *reader = NULL;
        struct object_version latest = {.kind = VERSION_LATEST};
        assert_ok(object_get(f->store, f->bucket, BYTES_LIT("key"), latest, &f->arena, &object,
                             &reader, &err));
        pthread_mutex_lock(&f->fake->lock);
        size_t held = f->fake->held;
        pthread_mutex_unlock(&f->fake->lock);
        assert_int_equal(held, 0);
        assert_int_equal(body_reader_small(reader).len, len);
        delete_key(f, "key"); /* what is read stays */
        assert_ok(check_range(reader, 0, len, 999, 3, 0, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_length), TEST(test_announced),      TEST(test_many_writers),
        TEST(test_given_up),       TEST(test_commit_unknown), TEST(test_half_freed),
        TEST(test_no_space),       TEST(test_stays_failed),   TEST(test_reader_holds_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
