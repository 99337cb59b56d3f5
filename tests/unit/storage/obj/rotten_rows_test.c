/* rotten_rows_test.c - rows that no version of this program wrote, bodies and
 * segments that are gone, buckets that were deleted while somebody held them,
 * limits: each is an error that tells what it is (OBJ-FAULT-6).
 *
 * Planted bug that it caught: an extent behind the segment's end taken for one that
 * lives. */
#include "storage/obj/change.h"
#include "storage/obj/scrub.h"
#include "tests/unit/storage/obj/obj_fixture.h"

#define KEY BYTES_LIT("key")

static const struct object_version latest = {.kind = VERSION_LATEST};

static void set_row(struct fixture *f, enum kv_family family, const struct key *key,
                    struct bytes value)
{
    fake_kv_set(f->fake, family, key_bytes(key), value);
}

/* Delete what stands in [from, until). */
static void drop_rows(struct fixture *f, enum kv_family family, const struct key *from,
                      const struct key *until)
{
    struct err err;
    struct kv_op op = {KV_DELETE_RANGE, family, key_bytes(from), key_bytes(until)};
    assert_ok(f->fake->kv.calls->write(&f->fake->kv, &op, 1, true, &err));
}

static struct record_object record_of(struct fixture *f)
{
    struct err err;
    struct record_object object;
    assert_ok(object_head(f->store, f->bucket, KEY, latest, &f->arena, &object, &err));
    return object;
}

static void set_record(struct fixture *f, const struct record_object *object)
{
    struct key row = key_object(TAG_CURRENT, bucket_info(f->bucket).id, KEY);
    set_row(f, KV_META, &row, record_encode_object(object, &f->arena));
}

#define assert_fails(call, wanted)                                                                 \
    do {                                                                                           \
        enum err_code got = (call);                                                                \
        if (got != (wanted))                                                                       \
            fail_msg("%s: %s, %s", #call, err_code_name(got), got ? err.msg : "");                 \
    } while (0)

/* A record whose small body has no row. */
static void test_small_body_gone(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", 100, 1);
    struct key first = key_bare(0), last = key_bare(UINT64_MAX);
    drop_rows(f, KV_BODIES, &first, &last);
    assert_fails(get(f, "key", 100, 1, &err), ERR_CORRUPT);
    assert_fails(copy_key(f, "key", "copy", &f->arena, &err), ERR_CORRUPT);
}

/* A body that is on another site. */
static void test_remote(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", 100, 1);
    struct record_object object = record_of(f);
    object.body.kind = BODY_REMOTE;
    set_record(f, &object);
    assert_fails(get(f, "key", 100, 1, &err), ERR_UNSUPPORTED);
    assert_fails(copy_key(f, "key", "copy", &f->arena, &err), ERR_UNSUPPORTED);
}

static void set_extents(struct fixture *f, const struct record_extents *extents)
{
    struct key row = key_number(TAG_BODY, record_of(f).body.id);
    set_row(f, KV_META, &row, record_encode_extents(extents, &f->arena));
}

/* Extents that do not hold what the record says, or lie nowhere. */
static void test_extents(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const uint8_t crcs[(KIB(200) + OBJ_BLOCK_BYTES - 1) / OBJ_BLOCK_BYTES * 4];
    struct record_extent extent = {1, 0, KIB(200)};
    struct record_extents extents = {.length = KIB(200),
                                     .block_bytes = OBJ_BLOCK_BYTES,
                                     .extents = &extent,
                                     .extent_count = 1}; /* and no checksums */
    put(f, "key", KIB(200), 1);
    struct record_object object = record_of(f);
    object.length = KIB(300); /* more than the body has */
    set_record(f, &object);
    assert_fails(get(f, "key", KIB(300), 1, &err), ERR_CORRUPT);
    set_extents(f, &extents);
    assert_fails(get(f, "key", KIB(300), 1, &err), ERR_CORRUPT);
    extents.block_crcs = bytes_of(crcs, sizeof(crcs));
    set_extents(f, &extents);
    assert_fails(get(f, "key", KIB(300), 1, &err), ERR_CORRUPT); /* wrong ones */
    extent.segment = 77;                                         /* there is none */
    set_extents(f, &extents);
    assert_fails(get(f, "key", KIB(300), 1, &err), ERR_CORRUPT);
    assert_fails(recover_space(f->store, &err), ERR_CORRUPT);
    extent = (struct record_extent){1, GIB(1), KIB(200)}; /* behind the segment's end */
    set_extents(f, &extents);
    assert_fails(recover_space(f->store, &err), ERR_CORRUPT);
}

/* A segment that is smaller than what is wanted in one piece. */
static void test_small_segment(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct segment_space space;
    assert_fails(segment_take(f->store->segments, MIB(16), MIB(8), &space, &err), ERR_NO_SPACE);
}

/* The segment itself is gone: reads say so, and freeing has nothing to do. */
static void test_segment_gone(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char path[128];
    put(f, "key", KIB(200), 1);
    snprintf(path, sizeof(path), "%s/bodies/00000001.seg", f->dir);
    assert_int_equal(unlink(path), 0);
    assert_fails(get(f, "key", KIB(200), 1, &err), ERR_CORRUPT);
    assert_fails(segment_free(f->store->segments, 1, 0, KIB(128), &err), ERR_OK);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(get(f, "key", KIB(200), 1, &err), ERR_IO);
    assert_fails(segment_free(f->store->segments, 1, 0, KIB(128), &err), ERR_IO);
    assert_int_equal(rmdir(path), 0);
}

/* An object of one part, which the row of the manifest gives another place. */
static void test_manifest(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "key", 100, 1);
    struct record_object object = record_of(f);
    struct record_part part = {.number = 1, .length = 100, .body = object.body};
    object.body = (struct record_body){BODY_MANIFEST, 4711, 1};
    set_record(f, &object);
    struct key row = key_manifest(4711, 100, 1);
    set_row(f, KV_META, &row, record_encode_part(&part, &f->arena));
    assert_fails(get(f, "key", 100, 1, &err), ERR_OK);
    part.length = 101; /* it would begin before the first byte */
    set_row(f, KV_META, &row, record_encode_part(&part, &f->arena));
    assert_fails(get(f, "key", 100, 1, &err), ERR_CORRUPT);
    part.length = 100;
    set_row(f, KV_META, &row, record_encode_part(&part, &f->arena));
    object.length = 200; /* longer than its parts */
    set_record(f, &object);
    AUTO(body_reader) struct body_reader *reader = NULL;
    assert_ok(object_get(f->store, f->bucket, KEY, latest, &f->arena, &object, &reader, &err));
    assert_fails(check_range(reader, 100, 200, 100, 1, 100, &err), ERR_CORRUPT);
    struct record_body shared;
    uint64_t offset;
    bool within;
    assert_fails(body_reader_within(reader, 150, 160, &within, &shared, &offset, &err),
                 ERR_CORRUPT);
}

/* The pointer to a null version is cut. */
static void test_null_pointer(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct object_deleted deleted;
    const struct object_version null_version = {.kind = VERSION_NULL};
    struct record_object object;
    put(f, "key", 100, 1);
    assert_ok(bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, &err));
    put(f, "key", 200, 1);
    struct key row = key_object(TAG_NULL, bucket_info(f->bucket).id, KEY);
    set_row(f, KV_META, &row, BYTES_LIT("\x01"));
    assert_fails(object_head(f->store, f->bucket, KEY, null_version, &f->arena, &object, &err),
                 ERR_CORRUPT);
    assert_fails(delete_version(f, "key", null_version, &deleted, &err), ERR_CORRUPT);
}

/* Keys of uploads that are too short. */
static void test_upload_keys(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct upload_list_options options = {.max = 10};
    struct upload_item *items;
    size_t count;
    bool more;
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    struct key row = key_object(TAG_UPLOAD, bucket_info(f->bucket).id, BYTES_LIT("a-longer-key"));
    set_row(f, KV_META, &row, record_encode_upload(&upload, &f->arena));
    assert_fails(upload_list(f->store, f->bucket, &options, &f->arena, &items, &count, &more, &err),
                 ERR_CORRUPT);
    assert_fails(upload_expire(f->store, UINT64_MAX, 10, &count, &err), ERR_CORRUPT);
}

/* Rows for the sweeper: it says so, goes on with the rest, and leaves them. */
static void test_sweep_rows(void **state)
{
    struct fixture *f = *state;
    const uint8_t parts = SWEEP_PARTS, unknown = 99;
    struct key cut = key_number(TAG_FREE, 1), kind = key_owned(TAG_FREE, 2, 1),
               rotten = key_owned(TAG_FREE, 3, 1), row = key_part(3, 1);
    set_row(f, KV_META, &cut, bytes_of(&parts, 1));
    set_row(f, KV_META, &kind, bytes_of(&unknown, 1));
    set_row(f, KV_META, &rotten, bytes_of(&parts, 1));
    set_row(f, KV_META, &row, BYTES_LIT("\x07"));
    put(f, "key", KIB(200), 1);
    delete_key(f, "key"); /* behind them */
    for (int i = 0; i < 500 && count_tag(f, TAG_FREE) > 3; i++)
        usleep(10000);
    assert_int_equal(count_tag(f, TAG_FREE), 3);
    assert_true(metrics_get(&store_stats(f->store)->sweep_errors) > 0);
}

/* The scrub names what it cannot make sense of. */
static void test_scrub_rows(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct scrub_status status = {.running = true};
    struct key row = key_owned(TAG_BODY, 1, 1);
    set_row(f, KV_META, &row, BYTES_LIT("\x01"));
    assert_ok(scrub_start(f->store, 0, &err));
    for (int i = 0; i < 500 && status.running; i++) {
        usleep(10000);
        assert_ok(scrub_get_status(f->store, &status, &err));
    }
    assert_true(!status.running && (status.failed || status.rot > 0));
}

/* Rows that a start looks at. */
static void test_start_rows(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct key starts = key_named(TAG_SYSTEM, BYTES_LIT("starts")),
               segments = key_named(TAG_SYSTEM, BYTES_LIT("segments")), last = key_bare(UINT64_MAX),
               bucket = key_named(TAG_BUCKET, BYTES_LIT("bkt"));
    fixture_halt(f);
    set_row(f, KV_CHANGES, &last, BYTES_LIT("\x01"));
    assert_fails(fixture_start(f, &err), ERR_CORRUPT);
    struct key behind = key_bare(UINT64_MAX - 1);
    drop_rows(
        f, KV_CHANGES, &behind,
        &(struct key){.data = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, .len = 9});
    struct bytes good = record_encode_cursor(1, &f->arena);
    set_row(f, KV_META, &starts, record_encode_cursor(UINT64_MAX, &f->arena));
    assert_fails(fixture_start(f, &err), ERR_LIMIT);
    set_row(f, KV_META, &starts, BYTES_LIT("\x07"));
    assert_fails(fixture_start(f, &err), ERR_CORRUPT);
    set_row(f, KV_META, &starts, good);
    set_row(f, KV_META, &segments, record_encode_cursor((uint64_t)UINT32_MAX + 1, &f->arena));
    assert_fails(fixture_start(f, &err), ERR_CORRUPT);
    set_row(f, KV_META, &segments, good);
    set_row(f, KV_META, &bucket, BYTES_LIT("\x07"));
    assert_fails(fixture_start(f, &err), ERR_CORRUPT);
}

static enum err_code hear(void *ctx UNUSED, struct bytes name UNUSED, uint64_t lag UNUSED,
                          struct err *err UNUSED)
{
    return ERR_OK;
}

/* A reader's cursor. */
static void test_cursor(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct key row = key_named(TAG_CURSOR, BYTES_LIT("reader"));
    set_row(f, KV_META, &row, BYTES_LIT("\x07"));
    assert_fails(change_reader_each(f->store, hear, NULL, &err), ERR_CORRUPT);
}

/* Data of a version to come. */
static void test_newer_format(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_system system = *store_system(f->store);
    struct key row = key_named(TAG_SYSTEM, BYTES_LIT("identity"));
    system.format = 99;
    set_row(f, KV_META, &row, record_encode_system(&system, &f->arena));
    fixture_halt(f);
    assert_fails(fixture_start(f, &err), ERR_UNSUPPORTED);
}

/* A part that no object has. */
static void test_no_part(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_part part;
    uint64_t offset;
    put(f, "key", 100, 1);
    struct record_object object = record_of(f);
    assert_fails(object_part_find(f->store, &object, 2, &f->arena, &offset, &part, &err),
                 ERR_NOT_FOUND);
}

/* A restored box that is none. */
static void test_no_identity(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct key row = key_named(TAG_SYSTEM, BYTES_LIT("identity")),
               until = key_named(TAG_SYSTEM, BYTES_LIT("identitz"));
    drop_rows(f, KV_META, &row, &until);
    assert_fails(store_new_epoch(&f->fake->kv, &err), ERR_CORRUPT);
}

/* A bucket's own row. */
static void test_bucket_row(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_pairs tags = {NULL, 0};
    struct key row = key_named(TAG_BUCKET, BYTES_LIT("bkt")),
               until = key_named(TAG_BUCKET, BYTES_LIT("bku"));
    drop_rows(f, KV_META, &row, &until);
    assert_fails(bucket_get_tags(f->bucket, &f->arena, &tags, &err), ERR_CORRUPT);
    assert_fails(bucket_set_tags(f->store, f->bucket, &tags, OWNER, &err), ERR_CORRUPT);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    struct err err;
    enum { MAX = 100000 };
    struct bucket **few = f->store->buckets;
    size_t room = f->store->bucket_room;
    assert_fails(bucket_create(f->store, BYTES_LIT("NO"), OWNER, (struct bytes){0}, &err),
                 ERR_INVALID);
    assert_fails(change_reader_remove(f->store, BYTES_LIT(""), &err), ERR_INVALID);
    assert_fails(change_reader_ack(f->store, BYTES_LIT(""), 1, &err), ERR_INVALID);
    f->store->buckets = calloc(MAX + 1, sizeof(struct bucket *));
    assert_non_null(f->store->buckets);
    for (size_t i = 0; i < MAX; i++)
        f->store->buckets[i] = few[0];
    f->store->bucket_count = MAX;
    f->store->bucket_room = MAX + 1;
    assert_fails(bucket_create(f->store, BYTES_LIT("one-more"), OWNER, (struct bytes){0}, &err),
                 ERR_LIMIT);
    free(f->store->buckets);
    f->store->buckets = few;
    f->store->bucket_count = 1;
    f->store->bucket_room = room;
    store_set_full(f->store, true);
    assert_fails(bucket_create(f->store, BYTES_LIT("another"), OWNER, (struct bytes){0}, &err),
                 ERR_NO_SPACE);
    store_set_full(f->store, false);
}

/* A range longer than a part may be; parts without the upload's checksum. */
static void test_upload_limits(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    struct record_upload upload = {.object = {.owner = OWNER},
                                   .initiator = OWNER,
                                   .has_checksum = true,
                                   .checksum_kind = HASH_CRC32};
    struct record_object object;
    struct record_part part = {.number = 1, .etag = {1}};
    struct body_writer *writer;
    put(f, "key", KIB(200), 1);
    object = record_of(f);
    object.length = GIB(6);
    set_record(f, &object);
    assert_ok(upload_create(f->store, f->bucket, KEY, &upload, &f->arena, id, &err));
    struct upload_copy_part request = {
        .source_bucket = f->bucket, .source_key = KEY, .has_range = true, .last = GIB(6) - 1};
    assert_fails(upload_copy_part(f->store, f->bucket, KEY, bytes_of_str(id), 1, &request,
                                  &f->arena, &object, &part, &err),
                 ERR_LIMIT);
    part = (struct record_part){.number = 1, .etag = {1}};
    assert_ok(body_writer_open(f->store, 0, &writer, &err));
    assert_ok(upload_put_part(f->store, f->bucket, KEY, bytes_of_str(id), &part, writer, &f->arena,
                              &err));
    struct upload_part_named named = {.number = 1, .etag = {1}};
    struct upload_complete complete = {.parts = &named, .part_count = 1, .expected_length = 7};
    assert_fails(upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &complete, &f->arena,
                                 &object, &err),
                 ERR_INVALID);
    complete.expected_length = UINT64_MAX;
    assert_fails(upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &complete, &f->arena,
                                 &object, &err),
                 ERR_INVALID);
}

/* Upload and bucket go while the source of a part is looked at. */
static enum err_code delete_bucket(void *ctx, const struct record_object *source UNUSED,
                                   struct err *err)
{
    struct fixture *f = ctx;
    struct key row = key_upload(bucket_info(f->bucket).id, KEY, 0x10000000009), until = row;
    until.data[until.len - 1]++;
    drop_rows(f, KV_META, &row, &until);
    return bucket_delete(f->store, f->bucket, OWNER, err);
}

static void test_bucket_goes(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct bucket *other = NULL, *bucket = f->bucket;
    struct record_object object;
    struct record_part part;
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    struct key row = key_upload(bucket_info(bucket).id, KEY, 0x10000000009);
    set_row(f, KV_META, &row, record_encode_upload(&upload, &f->arena));
    assert_ok(bucket_create(f->store, BYTES_LIT("other"), OWNER, (struct bytes){0}, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("other"), &other, &err));
    f->bucket = other;
    put(f, "key", 100, 1);
    f->bucket = bucket;
    struct upload_copy_part from = {
        .source_bucket = other, .source_key = KEY, .source_condition = {delete_bucket, f}};
    assert_fails(upload_copy_part(f->store, bucket, KEY, BYTES_LIT("0000010000000009"), 1, &from,
                                  &f->arena, &object, &part, &err),
                 ERR_NOT_FOUND);
    bucket_release(other);
}

/* A handle that outlived its bucket. */
static void test_bucket_gone(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct bucket *bucket = f->bucket, *other = NULL;
    struct record_object object;
    struct record_part part = {.number = 1};
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    struct record_pairs tags = {NULL, 0};
    struct object_deleted deleted;
    struct object_delete_result result;
    const struct object_delete request = {.key = KEY, .user = OWNER};
    struct upload_part_named named = {.number = 1};
    struct upload_complete complete = {.parts = &named, .part_count = 1};
    struct body_reader *reader;
    struct body_writer *writer;
    struct bytes id = BYTES_LIT("0000000000000001");
    char made[UPLOAD_ID_TEXT];
    assert_ok(bucket_delete(f->store, bucket, OWNER, &err));
    assert_fails(put_bytes(f, "key", 10, 1, &object, &err), ERR_NOT_FOUND);
    assert_fails(object_head(f->store, bucket, KEY, latest, &f->arena, &object, &err),
                 ERR_NOT_FOUND);
    assert_fails(object_get(f->store, bucket, KEY, latest, &f->arena, &object, &reader, &err),
                 ERR_NOT_FOUND);
    assert_fails(object_delete(f->store, bucket, &request, &f->arena, &deleted, &err),
                 ERR_NOT_FOUND);
    assert_fails(object_delete_many(f->store, bucket, &request, 1, &f->arena, &result, &err),
                 ERR_NOT_FOUND);
    assert_fails(copy_key(f, "key", "copy", &f->arena, &err), ERR_NOT_FOUND);
    assert_fails(object_set_tags(f->store, bucket, KEY, latest, &tags, &f->arena, &object, &err),
                 ERR_NOT_FOUND);
    assert_fails(bucket_get_tags(bucket, &f->arena, &tags, &err), ERR_NOT_FOUND);
    assert_fails(bucket_set_tags(f->store, bucket, &tags, OWNER, &err), ERR_NOT_FOUND);
    assert_fails(bucket_delete(f->store, bucket, OWNER, &err), ERR_NOT_FOUND);
    assert_fails(upload_create(f->store, bucket, KEY, &upload, &f->arena, made, &err),
                 ERR_NOT_FOUND);
    assert_fails(upload_find(f->store, bucket, KEY, id, &f->arena, &upload, &err), ERR_NOT_FOUND);
    assert_fails(upload_abort(f->store, bucket, KEY, id, &f->arena, &err), ERR_NOT_FOUND);
    assert_fails(upload_complete(f->store, bucket, KEY, id, &complete, &f->arena, &object, &err),
                 ERR_NOT_FOUND);
    assert_ok(body_writer_open(f->store, 0, &writer, &err));
    assert_fails(upload_put_part(f->store, bucket, KEY, id, &part, writer, &f->arena, &err),
                 ERR_NOT_FOUND);
    assert_ok(bucket_create(f->store, BYTES_LIT("other"), OWNER, (struct bytes){0}, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("other"), &other, &err));
    struct upload_copy_part from = {.source_bucket = other, .source_key = KEY};
    assert_fails(
        upload_copy_part(f->store, bucket, KEY, id, 1, &from, &f->arena, &object, &part, &err),
        ERR_NOT_FOUND);
    from.source_bucket = bucket;
    assert_fails(
        upload_copy_part(f->store, other, KEY, id, 1, &from, &f->arena, &object, &part, &err),
        ERR_NOT_FOUND);
    bucket_release(other);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    /* OBJ-FAULT-6 */
    const struct CMUnitTest tests[] = {
        TEST(test_small_body_gone), TEST(test_remote),       TEST(test_extents),
        TEST(test_small_segment),   TEST(test_segment_gone), TEST(test_manifest),
        TEST(test_null_pointer),    TEST(test_upload_keys),  TEST(test_sweep_rows),
        TEST(test_scrub_rows),      TEST(test_start_rows),   TEST(test_no_identity),
        TEST(test_cursor),          TEST(test_newer_format), TEST(test_no_part),
        TEST(test_bucket_row),      TEST(test_limits),       TEST(test_upload_limits),
        TEST(test_bucket_goes),     TEST(test_bucket_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
