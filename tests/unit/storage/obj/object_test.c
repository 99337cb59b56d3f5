/* object_test.c - objects and versions (OBJ-PUT, OBJ-VERSION, OBJ-COPY, OBJ-FREE).
 *
 * Planted bugs that it caught: the null pointer kept after its version went; a
 * copy that shared a body without a reference row (zeros after the source's delete). */
#include "tests/unit/storage/obj/obj_fixture.h"

static const size_t lengths[] = {0,       1,           4096,        KIB(64) - 1,
                                 KIB(64), KIB(64) + 1, KIB(256),    KIB(256) + 1,
                                 MIB(1),  MIB(1) + 7,  MIB(3) + 13, MIB(9) + 4097};

/* OBJ-PUT-1: what was put is what is got, at every length where the way changes. */
static void test_put_get(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        put(f, "key", lengths[i], (uint32_t)i);
        assert_ok(get(f, "key", lengths[i], (uint32_t)i, &err));
    }
    delete_key(f, "key");
    assert_int_equal(get(f, "key", 0, 0, &err), ERR_NOT_FOUND);
    assert_int_equal(err.reason, STORE_NO_KEY);
    assert_nothing_left(f);
}

/* OBJ-PUT-1: ranges of every alignment. */
static void test_ranges(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", MIB(2) + 100, 5);
    struct record_object object;
    AUTO(body_reader) struct body_reader *reader = NULL;
    assert_ok(object_get(f->store, f->bucket, BYTES_LIT("key"),
                         (struct object_version){.kind = VERSION_LATEST}, &f->arena, &object,
                         &reader, &err));
    static const uint64_t edges[] = {0,      1,          KIB(256) - 1, KIB(256), KIB(256) + 1,
                                     MIB(1), MIB(2) + 99};
    static const size_t steps[] = {1, 1000, KIB(64), KIB(256), MIB(1)};
    for (size_t i = 0; i < ARRAY_LEN(edges); i++)
        for (size_t j = 0; j < ARRAY_LEN(steps); j++) {
            uint64_t until = edges[i] + 3 * steps[j];
            if (until > object.length)
                until = object.length;
            assert_ok(check_range(reader, edges[i], until, steps[j], 5, edges[i], &err));
        }
    size_t len;
    uint8_t byte;
    assert_int_equal(body_reader_read(reader, object.length, &byte, 1, &len, &err), ERR_INVALID);
}

/* OBJ-PUT-2: a restart changes nothing; what was written and not committed is freed. */
static void test_restart(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "small", 100, 1);
    put(f, "large", MIB(1), 2);
    struct body_writer *lost;
    assert_ok(body_writer_open(f->store, MIB(3), &lost, &err));
    static uint8_t zeros[MIB(2)];
    assert_ok(body_writer_write(lost, bytes_of(zeros, sizeof(zeros)), &err));
    body_writer_committed(lost, ERR_OK); /* as if the power went before the commit */
    body_writer_free(lost);
    fixture_restart(f);
    assert_ok(get(f, "small", 100, 1, &err));
    assert_ok(get(f, "large", MIB(1), 2, &err));
    wait_live(f, MIB(1));
    assert_ok(get(f, "large", MIB(1), 2, &err));
    put(f, "after", MIB(1), 3);
    assert_ok(get(f, "after", MIB(1), 3, &err));
}

static enum err_code refuse(void *ctx, const struct record_object *current, struct err *err)
{
    *(bool *)ctx = current != NULL;
    return err_fail(err, ERR_PRECONDITION, "refused");
}

/* OBJ-PUT-3: a condition that does not hold changes nothing. */
static void test_condition(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool there = true;
    for (int round = 0; round < 2; round++) {
        struct body_writer *writer;
        assert_ok(body_writer_open(f->store, 5, &writer, &err));
        assert_ok(body_writer_write(writer, BYTES_LIT("other"), &err));
        struct object_put request = {
            .key = BYTES_LIT("key"), .body = writer, .condition = {refuse, &there}};
        struct record_object object;
        assert_int_equal(object_put(f->store, f->bucket, &request, &f->arena, &object, &err),
                         ERR_PRECONDITION);
        assert_int_equal(there, round == 1);
        if (round == 0)
            put(f, "key", 10, 1);
        else
            assert_ok(get(f, "key", 10, 1, &err));
    }
}

/* OBJ-PUT-4: keys that cannot be are refused. */
static void test_bad_keys(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static uint8_t long_key[S3_KEY_MAX + 1];
    memset(long_key, 'k', sizeof(long_key));
    const struct bytes bad[] = {{0},
                                bytes_of(long_key, sizeof(long_key)),
                                BYTES_LIT("a\0b"),
                                BYTES_LIT("\xff\xfe"),
                                BYTES_LIT("\xed\xa0\x80")};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct record_object object;
        assert_int_equal(object_head(f->store, f->bucket, bad[i],
                                     (struct object_version){.kind = VERSION_LATEST}, &f->arena,
                                     &object, &err),
                         ERR_INVALID);
    }
}

static struct record_object put_one(struct fixture *f, const char *key, size_t len, uint32_t salt)
{
    struct err err;
    struct record_object object;
    assert_ok(put_bytes(f, key, len, salt, &object, &err));
    return object;
}

static void set_versioning(struct fixture *f, enum bucket_versioning versioning)
{
    struct err err;
    assert_ok(bucket_set_versioning(f->store, f->bucket, versioning, OWNER, &err));
}

/* OBJ-VERSION-1: every version is kept and got by its id; the null version too. */
static void test_versions(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_object null = put_one(f, "key", 100, 0);
    assert_true(null.null_version);
    set_versioning(f, BUCKET_ENABLED);
    struct record_object v1 = put_one(f, "key", MIB(1), 1);
    struct record_object v2 = put_one(f, "key", 300, 2);
    assert_ok(get(f, "key", 300, 2, &err));
    assert_ok(get_version(f, "key", version_of(&v1), MIB(1), 1, &err));
    assert_ok(get_version(f, "key", version_of(&null), 100, 0, &err));
    /* A marker hides the key; its removal shows the version before it. */
    struct object_deleted marker;
    assert_ok(
        delete_version(f, "key", (struct object_version){.kind = VERSION_LATEST}, &marker, &err));
    assert_true(marker.is_marker && marker.has_version);
    assert_int_equal(get(f, "key", 0, 0, &err), ERR_NOT_FOUND);
    assert_int_equal(err.reason, STORE_DELETE_MARKER);
    assert_ok(get_version(f, "key", version_of(&v2), 300, 2, &err));
    struct object_version id;
    assert_true(object_version_parse(bytes_of_str(marker.version_id), &id));
    struct object_deleted gone;
    assert_ok(delete_version(f, "key", id, &gone, &err));
    assert_true(gone.is_marker);
    assert_ok(get(f, "key", 300, 2, &err));
    /* Suspended: the null version is replaced, in the middle of the others. */
    set_versioning(f, BUCKET_SUSPENDED);
    struct record_object null2 = put_one(f, "key", 500, 9);
    assert_true(null2.null_version);
    assert_ok(get_version(f, "key", version_of(&null), 500, 9, &err));
    assert_ok(
        delete_version(f, "key", (struct object_version){.kind = VERSION_LATEST}, &gone, &err));
    assert_string_equal(gone.version_id, "null");
    assert_int_equal(get_version(f, "key", version_of(&null), 0, 0, &err), ERR_NOT_FOUND);
    assert_int_equal(err.reason, STORE_DELETE_MARKER);
    /* Everything by id, oldest first: nothing is left. */
    assert_ok(delete_version(f, "key", version_of(&v1), &gone, &err));
    assert_ok(delete_version(f, "key", version_of(&null), &gone, &err));
    assert_ok(get(f, "key", 300, 2, &err));
    assert_ok(delete_version(f, "key", version_of(&v2), &gone, &err));
    assert_nothing_left(f);
}

/* OBJ-VERSION-2: deleting the latest version makes the one before it the latest. */
static void test_promote(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct object_deleted gone;
    put(f, "key", 10, 0);
    set_versioning(f, BUCKET_ENABLED);
    struct record_object v1 = put_one(f, "key", 20, 1), v2 = put_one(f, "key", 30, 2);
    assert_ok(delete_version(f, "key", version_of(&v2), &gone, &err));
    assert_ok(get(f, "key", 20, 1, &err));
    assert_ok(delete_version(f, "key", version_of(&v1), &gone, &err));
    assert_ok(get(f, "key", 10, 0, &err));
    assert_ok(get_version(f, "key", (struct object_version){.kind = VERSION_NULL}, 10, 0, &err));
    assert_int_equal(count_tag(f, TAG_NULL), 0);
    assert_ok(delete_version(f, "key", (struct object_version){.kind = VERSION_NULL}, &gone, &err));
    assert_nothing_left(f);
}

static enum err_code no_change(void *ctx, const struct record_object *source,
                               struct record_object *copy, struct err *err)
{
    (void)ctx, (void)source, (void)copy, (void)err;
    return ERR_OK;
}

/* OBJ-COPY-1: a copy shares the body, and outlives its source. */
static void test_copy(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const size_t sizes[] = {0, 1000, MIB(2)};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put(f, "from", sizes[i], 7);
        struct segments_stats before, after;
        segments_get_stats(f->store->segments, &before);
        struct object_copy request = {.source_bucket = f->bucket,
                                      .source_key = BYTES_LIT("from"),
                                      .key = BYTES_LIT("to"),
                                      .change = no_change};
        struct record_object source, copy;
        assert_ok(object_copy(f->store, f->bucket, &request, &f->arena, &source, &copy, &err));
        segments_get_stats(f->store->segments, &after);
        assert_int_equal(before.live_bytes, after.live_bytes);
        delete_key(f, "from");
        wait_swept(f);
        assert_ok(get(f, "to", sizes[i], 7, &err));
        delete_key(f, "to");
        assert_nothing_left(f);
    }
}

/* OBJ-FREE-1: a body that is being read is not punched before the reader is done. */
static void test_reader_pins(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", MIB(2), 3);
    struct record_object object;
    struct body_reader *reader;
    assert_ok(object_get(f->store, f->bucket, BYTES_LIT("key"),
                         (struct object_version){.kind = VERSION_LATEST}, &f->arena, &object,
                         &reader, &err));
    delete_key(f, "key");
    usleep(300000);
    assert_int_equal(count_tag(f, TAG_FREE), 1);
    assert_ok(check_range(reader, 0, MIB(2), OBJ_BLOCK_BYTES, 3, 0, &err));
    body_reader_free(reader);
    assert_nothing_left(f);
}

/* Flip one bit of a file at `at`. */
static void flip(const char *path, off_t at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseeko(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseeko(file, at, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

/* OBJ-ROT-1: a flipped bit is found, counted and never handed over. */
static void test_rot(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", MIB(1), 3);
    char path[128];
    snprintf(path, sizeof(path), "%s/bodies/00000001.seg", f->dir);
    flip(path, KIB(300));
    struct record_object object;
    AUTO(body_reader) struct body_reader *reader = NULL;
    assert_ok(object_get(f->store, f->bucket, BYTES_LIT("key"),
                         (struct object_version){.kind = VERSION_LATEST}, &f->arena, &object,
                         &reader, &err));
    assert_ok(check_range(reader, 0, KIB(256), OBJ_BLOCK_BYTES, 3, 0, &err));
    static uint8_t to[OBJ_BLOCK_BYTES];
    size_t len;
    assert_int_equal(body_reader_read(reader, KIB(256), to, sizeof(to), &len, &err), ERR_CORRUPT);
    assert_int_equal(body_reader_read(reader, KIB(256) + 5, to, 10, &len, &err), ERR_CORRUPT);
    assert_int_equal(metrics_get(&store_stats(f->store)->rot_found), 2);
    assert_ok(check_range(reader, KIB(512), MIB(1), OBJ_BLOCK_BYTES, 3, KIB(512), &err));
}

/* OBJ-PUT-5: after a failed commit nothing is visible and nothing more is accepted. */
static void test_failed_commit(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "old", MIB(1), 1);
    f->fake->fail_write = 1;
    f->fake->fail_write_code = ERR_IO;
    f->fake->fail_writes_after = true;
    struct record_object object;
    assert_int_equal(put_bytes(f, "new", 100, 2, &object, &err), ERR_IO);
    assert_int_equal(put_bytes(f, "new", 100, 2, &object, &err), ERR_READ_ONLY);
    assert_int_equal(store_health(f->store, &err), ERR_READ_ONLY);
    assert_ok(get(f, "old", MIB(1), 1, &err));
    assert_int_equal(get(f, "new", 100, 2, &err), ERR_NOT_FOUND);
    f->fake->fail_writes_after = false;
    f->fake->fail_write = 0;
    fixture_restart(f);
    put(f, "new", 100, 2);
    assert_ok(get(f, "new", 100, 2, &err));
}

/* OBJ-PUT-6: a full disk refuses what needs space, not reads and deletes. */
static void test_full(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", 100, 1);
    store_set_full(f->store, true);
    struct record_object object;
    assert_int_equal(put_bytes(f, "key2", 10, 1, &object, &err), ERR_NO_SPACE);
    assert_ok(get(f, "key", 100, 1, &err));
    delete_key(f, "key");
    store_set_full(f->store, false);
    put(f, "key2", 10, 1);
}

/* OBJ-DELETE-1: many deletes are as many single ones, and in one commit. */
static void test_delete_many(void **state)
{
    struct fixture *f = *state;
    struct err err;
    enum { MANY = 300 };
    static struct object_delete requests[MANY];
    static struct object_delete_result results[MANY];
    static char keys[MANY][8];
    set_versioning(f, BUCKET_ENABLED);
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "%d", i);
        if (i % 3 == 0)
            put(f, keys[i], i % 2 ? KIB(70) : 10, 1);
        requests[i] = (struct object_delete){.key = bytes_of_str(keys[i]), .user = OWNER};
    }
    requests[7].key = (struct bytes){0}; /* refused, the others are not */
    size_t writes = f->fake->writes;
    assert_ok(object_delete_many(f->store, f->bucket, requests, MANY, &f->arena, results, &err));
    assert_int_equal(f->fake->writes, writes + 1);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(results[i].err.code, i == 7 ? ERR_INVALID : ERR_OK);
        assert_int_equal(results[i].deleted.is_marker, i != 7);
    }
    /* Each marker is found by the id it was given, and goes by it. */
    for (int i = 0; i < MANY; i++)
        assert_true(i == 7 || object_version_parse(bytes_of_str(results[i].deleted.version_id),
                                                   &requests[i].version));
    assert_ok(object_delete_many(f->store, f->bucket, requests, MANY, &f->arena, results, &err));
    for (int i = 0; i < MANY; i++)
        assert_int_equal(results[i].deleted.is_marker, i != 7);
    assert_ok(get(f, "3", KIB(70), 1, &err));
    assert_int_equal(count_tag(f, TAG_VERSION), 0);
    /* A key twice: the second finds what the first left. */
    struct object_delete twice[2] = {{.key = BYTES_LIT("0"), .user = OWNER},
                                     {.key = BYTES_LIT("0"), .user = OWNER}};
    assert_ok(object_delete_many(f->store, f->bucket, twice, 2, &f->arena, results, &err));
    assert_string_not_equal(results[0].deleted.version_id, results[1].deleted.version_id);
    assert_int_equal(count_tag(f, TAG_VERSION), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_put_get),     TEST(test_ranges),   TEST(test_restart),       TEST(test_condition),
        TEST(test_bad_keys),    TEST(test_versions), TEST(test_promote),       TEST(test_copy),
        TEST(test_reader_pins), TEST(test_rot),      TEST(test_failed_commit), TEST(test_full),
        TEST(test_delete_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
