/* scrub_test.c - finding rot before it is asked for (OBJ-SCRUB).
 *
 * Planted bug that it caught: a scrub that read through the page cache called a
 * flipped bit fine. */
#include "storage/obj/scrub.h"

#include "tests/unit/storage/obj/obj_fixture.h"

static struct scrub_status wait_done(struct fixture *f)
{
    struct err err;
    struct scrub_status status;
    for (int i = 0; i < 1000; i++) {
        assert_ok(scrub_get_status(f->store, &status, &err));
        if (!status.running)
            return status;
        usleep(10000);
    }
    fail_msg("the scrub does not end");
    return status;
}

/* Flip one bit of the segment at `at`. */
static void flip(struct fixture *f, off_t at)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/bodies/00000001.seg", f->dir);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseeko(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseeko(file, at, SEEK_SET), 0);
    fputc(byte ^ 0x10, file);
    assert_int_equal(fclose(file), 0);
}

/* Flip one bit of the first small body. */
static void flip_small(struct fixture *f)
{
    const struct kv_calls *calls = f->fake->kv.calls;
    struct err err;
    struct kv_iter *iter;
    assert_ok(calls->iter_open(&f->fake->kv, NULL, KV_BODIES, (struct bytes){0}, (struct bytes){0},
                               &iter, &err));
    struct bytes key, value;
    assert_true(calls->iter_at(iter, &key, &value));
    uint8_t changed[256];
    assert_true(value.len <= sizeof(changed));
    memcpy(changed, value.data, value.len);
    changed[value.len / 2] ^= 1;
    struct kv_op op = {KV_PUT, KV_BODIES, key, bytes_of(changed, value.len)};
    assert_ok(calls->write(&f->fake->kv, &op, 1, true, &err));
    calls->iter_close(iter);
}

static bool has_finding(struct fixture *f, const char *text)
{
    struct err err;
    struct scrub_finding *findings;
    size_t count;
    assert_ok(scrub_get_findings(f->store, &f->arena, &findings, &count, &err));
    for (size_t i = 0; i < count; i++)
        if (bytes_find_bytes(findings[i].what, bytes_of_str(text)) >= 0)
            return true;
    return false;
}

/* OBJ-SCRUB-1: what is whole is called whole. */
static void test_clean(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "small", 100, 1);
    put(f, "large", MIB(1) + 5, 2);
    put(f, "empty", 0, 3);
    struct scrub_status status;
    assert_ok(scrub_get_status(f->store, &status, &err));
    assert_int_equal(status.started_unix_ms, 0);
    assert_ok(scrub_start(f->store, 0, &err));
    status = wait_done(f);
    assert_int_equal(status.phase, SCRUB_DONE);
    assert_int_equal(status.rot, 0);
    assert_int_equal(status.bodies, 2);
    assert_int_equal(status.bytes, 104 + MIB(1) + 5);
    assert_false(status.failed);
}

/* OBJ-SCRUB-2: every rotten body is found and named, small, large, of a part, of a version. */
static void test_rot(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "first-large", MIB(1), 1);
    put(f, "second-large", MIB(1), 2);
    put(f, "tiny", 100, 3);
    flip(f, MIB(1) + 70000);
    flip_small(f);
    assert_ok(scrub_start(f->store, 0, &err));
    struct scrub_status status = wait_done(f);
    assert_int_equal(status.rot, 2);
    assert_true(has_finding(f, "bkt/second-large (version null)"));
    assert_true(has_finding(f, "bkt/tiny "));
    assert_false(has_finding(f, "first-large"));
    /* A second one counts anew. */
    delete_key(f, "tiny");
    delete_key(f, "second-large");
    wait_swept(f);
    assert_ok(scrub_start(f->store, 0, &err));
    assert_int_equal(wait_done(f).rot, 0);
}

/* Take away the row of a small body, or of a large one's extents. */
static void lose_row(struct fixture *f, enum kv_family family, struct bytes key)
{
    struct err err;
    struct kv_op op = {KV_DELETE, family, key};
    assert_ok(f->fake->kv.calls->write(&f->fake->kv, &op, 1, true, &err));
}

static struct record_object put_one(struct fixture *f, const char *key, size_t len)
{
    struct err err;
    struct record_object object;
    assert_ok(put_bytes(f, key, len, 1, &object, &err));
    return object;
}

/* OBJ-SCRUB-6: a record whose body is gone is found and named, whatever its body is. */
static void test_missing(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "sound", 100, 1);
    put(f, "empty", 0, 1);
    struct key small = key_bare(put_one(f, "small", 100).body.id);
    struct key large = key_number(TAG_BODY, put_one(f, "large", MIB(1)).body.id);
    lose_row(f, KV_BODIES, key_bytes(&small));
    lose_row(f, KV_META, key_bytes(&large));
    assert_ok(scrub_start(f->store, 0, &err));
    assert_int_equal(wait_done(f).rot, 2);
    assert_true(has_finding(f, "bkt/small (version null): its bytes are missing"));
    assert_true(has_finding(f, "bkt/large (version null): its bytes are missing"));
    assert_false(has_finding(f, "sound"));
    assert_false(has_finding(f, "empty"));
}

/* An object of a large part and a small one behind it. */
static struct record_object put_parts(struct fixture *f)
{
    struct err err;
    struct upload_part_named named[] = {{.number = 1}, {.number = 2}};
    struct upload_complete request = {
        .parts = named, .part_count = 2, .expected_length = UINT64_MAX};
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    struct record_object object;
    char id[UPLOAD_ID_TEXT];
    struct bytes key = BYTES_LIT("parts");
    uint8_t *piece = calloc(1, S3_PART_BYTES_MIN);
    assert_non_null(piece);
    assert_ok(upload_create(f->store, f->bucket, key, &upload, &f->arena, id, &err));
    for (uint32_t i = 0; i < 2; i++) {
        size_t len = i == 0 ? S3_PART_BYTES_MIN : 50;
        struct body_writer *writer;
        struct record_part part = {.number = i + 1};
        assert_ok(body_writer_open(f->store, len, &writer, &err));
        assert_ok(body_writer_write(writer, bytes_of(piece, len), &err));
        assert_ok(upload_put_part(f->store, f->bucket, key, bytes_of_str(id), &part, writer,
                                  &f->arena, &err));
    }
    assert_ok(upload_complete(f->store, f->bucket, key, bytes_of_str(id), &request, &f->arena,
                              &object, &err));
    free(piece);
    return object;
}

/* OBJ-SCRUB-6: of an object in parts, each part and its place in the list. */
static void test_missing_part(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_part *parts;
    size_t count;
    struct record_object object = put_parts(f);
    assert_ok(object_parts(f->store, &object, 0, 10, &f->arena, &parts, &count, &err));
    assert_int_equal(count, 2);
    assert_ok(scrub_start(f->store, 0, &err));
    assert_int_equal(wait_done(f).rot, 0);
    struct key small = key_bare(parts[1].body.id);
    struct key listed = key_manifest(object.body.id, object.length, 2);
    for (int i = 0; i < 2; i++) {
        lose_row(f, i ? KV_META : KV_BODIES, key_bytes(i ? &listed : &small));
        assert_ok(scrub_start(f->store, 0, &err));
        assert_int_equal(wait_done(f).rot, 1);
        assert_true(has_finding(f, "bkt/parts (version null): its bytes are missing"));
    }
}

/* OBJ-SCRUB-3: a slow one can be stopped and goes on after a restart, keeping to its rate. */
static void test_resume(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (int i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        put(f, key, KIB(256), 1);
    }
    uint64_t begin = clock_mono_ms(clock_system());
    assert_ok(scrub_start(f->store, MIB(2), &err));
    assert_int_equal(scrub_start(f->store, 0, &err), ERR_BUSY);
    usleep(400000);
    scrub_stop(f->store);
    struct scrub_status status = wait_done(f);
    assert_true(status.phase < SCRUB_DONE);
    uint64_t bytes = status.bytes;
    assert_true(bytes > 0 && bytes < MIB(2));
    fixture_restart(f);
    assert_ok(scrub_start(f->store, MIB(2), &err));
    status = wait_done(f);
    assert_int_equal(status.phase, SCRUB_DONE);
    assert_true(status.bytes >= MIB(2) && status.bytes <= MIB(2) + KIB(512));
    assert_true(clock_mono_ms(clock_system()) - begin >= 900);
}

/* OBJ-SCRUB-3: one that is stopped in the middle of a body has not seen the rest of it. */
static void test_stopped_in_body(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "large", MIB(2), 1);
    flip(f, MIB(2) - 100);
    assert_ok(scrub_start(f->store, MIB(1), &err));
    usleep(500000);
    scrub_stop(f->store);
    struct scrub_status status = wait_done(f);
    assert_int_equal(status.phase, SCRUB_LARGE);
    assert_int_equal(status.rot, 0);
    assert_ok(scrub_start(f->store, 0, &err));
    assert_int_equal(wait_done(f).rot, 1);
}

/* OBJ-SCRUB-5: a slow one holds nothing of the ordered store while it reads bodies. */
static void test_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "large", MIB(16), 1);
    assert_ok(scrub_start(f->store, MIB(1), &err));
    size_t held = 1;
    struct scrub_status status = {0};
    for (int i = 0; i < 500 && (held || status.bytes == 0); i++) {
        usleep(10000);
        pthread_mutex_lock(&f->fake->lock);
        held = f->fake->held;
        pthread_mutex_unlock(&f->fake->lock);
        assert_ok(scrub_get_status(f->store, &status, &err));
    }
    assert_true(status.running && status.bytes > 0);
    assert_int_equal(held, 0);
    scrub_stop(f->store);
}

/* OBJ-SCRUB-4: deletes and overwrites under way are no rot. */
static void test_busy_store(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 4; i++) {
            char key[16];
            snprintf(key, sizeof(key), "key-%d", i);
            put(f, key, i % 2 ? KIB(300) : 2000, (uint32_t)round);
        }
        enum err_code rc = scrub_start(f->store, 0, &err);
        assert_true(rc == ERR_OK || rc == ERR_BUSY);
        delete_key(f, "key-1");
    }
    assert_int_equal(wait_done(f).rot, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_clean),         TEST(test_rot),
                                       TEST(test_missing),       TEST(test_missing_part),
                                       TEST(test_resume),        TEST(test_stopped_in_body),
                                       TEST(test_holds_nothing), TEST(test_busy_store)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
