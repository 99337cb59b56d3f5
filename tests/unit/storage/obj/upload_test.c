/* upload_test.c - multipart uploads (OBJ-UPLOAD).
 *
 * Planted bugs that it caught: an unnamed part's body kept for ever; a range
 * that crossed a part's end served from the wrong body. */
#include "tests/unit/storage/obj/obj_fixture.h"

#define KEY BYTES_LIT("big")

static void begin(struct fixture *f, char id[UPLOAD_ID_TEXT])
{
    struct err err;
    struct record_upload upload = {.object = {.owner = OWNER},
                                   .initiator = OWNER,
                                   .has_checksum = true,
                                   .checksum_kind = HASH_CRC32};
    assert_ok(upload_create(f->store, f->bucket, KEY, &upload, &f->arena, id, &err));
}

/* The ETag of a part is its number here: the store does not compute it. */
static struct upload_part_named part(struct fixture *f, const char *id, uint32_t number, size_t len)
{
    struct err err;
    struct body_writer *writer;
    assert_ok(body_writer_open(f->store, len, &writer, &err));
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    pattern(bytes, len, 0, number);
    assert_ok(body_writer_write(writer, bytes_of(bytes, len), &err));
    struct record_part record = {.number = number};
    record.etag[0] = (uint8_t)number;
    record.checksum = (struct record_checksum){
        .present = true, .kind = HASH_CRC32, .value = hash_once(HASH_CRC32, bytes_of(bytes, len))};
    free(bytes);
    assert_ok(upload_put_part(f->store, f->bucket, KEY, bytes_of_str(id), &record, writer,
                              &f->arena, &err));
    struct upload_part_named named = {.number = number};
    named.etag[0] = (uint8_t)number;
    return named;
}

static enum err_code finish(struct fixture *f, const char *id, struct upload_part_named *parts,
                            size_t count, struct record_object *ret, struct err *err)
{
    struct upload_complete request = {
        .parts = parts, .part_count = count, .expected_length = UINT64_MAX};
    return upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &request, &f->arena, ret,
                           err);
}

static const size_t sizes[] = {MIB(5) + 3, MIB(6), 1000};

/* Put all three parts and name them. */
static void put_parts(struct fixture *f, const char *id, struct upload_part_named *ret_named)
{
    for (uint32_t i = 0; i < 3; i++)
        ret_named[i] = part(f, id, i * 10 + 1, sizes[i]);
}

static void check_object(struct fixture *f, struct bytes key)
{
    struct err err;
    struct record_object object;
    AUTO(body_reader) struct body_reader *reader = NULL;
    assert_ok(object_get(f->store, f->bucket, key, (struct object_version){.kind = VERSION_LATEST},
                         &f->arena, &object, &reader, &err));
    assert_int_equal(object.length, sizes[0] + sizes[1] + sizes[2]);
    uint64_t at = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(check_range(reader, at, at + sizes[i], KIB(100), i * 10 + 1, 0, &err));
        at += sizes[i];
    }
    /* Backwards, over the ends of the parts. */
    assert_ok(check_range(reader, sizes[0] + sizes[1], object.length, 300, 21, 0, &err));
    assert_ok(check_range(reader, sizes[0] - 10, sizes[0], 300, 1, sizes[0] - 10, &err));
}

/* OBJ-UPLOAD-1: Complete makes one object; its bytes stay where they were. */
static void test_complete(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    struct upload_part_named named[3];
    struct record_object object;
    begin(f, id);
    put_parts(f, id, named);
    part(f, id, 11, MIB(6)); /* again: replaces */
    struct segments_stats before;
    part(f, id, 12, MIB(1)); /* not named: freed */
    wait_swept(f);
    assert_ok(finish(f, id, named, 3, &object, &err));
    assert_int_equal(object.parts, 3);
    wait_swept(f);
    segments_get_stats(f->store->segments, &before);
    check_object(f, KEY);
    uint64_t seq = object.seq;
    assert_ok(finish(f, id, named, 3, &object, &err)); /* the answer was lost: the same again */
    assert_int_equal(object.seq, seq);
    assert_int_equal(finish(f, id, named, 2, &object, &err), ERR_NOT_FOUND);
    assert_int_equal(err.reason, STORE_NO_UPLOAD);
    named[1].etag[0] ^= 1;
    assert_int_equal(finish(f, id, named, 3, &object, &err), ERR_NOT_FOUND);
    assert_int_equal(err.reason, STORE_NO_UPLOAD);
    fixture_restart(f);
    wait_swept(f);
    check_object(f, KEY);
    wait_live(f, before.live_bytes);
    delete_key(f, "big");
    assert_nothing_left(f);
}

/* OBJ-UPLOAD-2: the checksum of the whole is that of all bytes. */
static void test_checksum(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    struct upload_part_named named[3];
    struct record_object object;
    begin(f, id);
    put_parts(f, id, named);
    AUTO(hash_set) struct hash_set *set = NULL;
    assert_ok(hash_set_new(HASH_BIT(HASH_CRC32), &set, &err));
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t *bytes = malloc(sizes[i]);
        pattern(bytes, sizes[i], 0, i * 10 + 1);
        hash_set_update(set, bytes_of(bytes, sizes[i]));
        free(bytes);
    }
    struct hash_value want = hash_set_finish(set, HASH_CRC32);
    struct upload_complete request = {
        .parts = named, .part_count = 3, .expected_length = UINT64_MAX};
    request.expected = (struct record_checksum){.present = true, .kind = HASH_CRC32, .value = want};
    request.expected.value.data[0] ^= 1;
    assert_int_equal(upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &request,
                                     &f->arena, &object, &err),
                     ERR_INVALID);
    assert_int_equal(err.reason, STORE_BAD_CHECKSUM);
    request.expected.value.data[0] ^= 1;
    assert_ok(upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &request, &f->arena,
                              &object, &err));
    assert_memory_equal(object.checksum.value.data, want.data, want.len);
}

/* OBJ-UPLOAD-3: what cannot be completed changes nothing. */
static void test_bad_complete(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    struct upload_part_named named[3], wrong[3];
    struct record_object object;
    begin(f, id);
    put_parts(f, id, named);
    static const struct {
        int swap, etag, number;
        int reason;
    } cases[] = {{.swap = 1, .reason = STORE_PART_ORDER},
                 {.etag = 1, .reason = STORE_BAD_PART},
                 {.number = 1, .reason = STORE_BAD_PART}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memcpy(wrong, named, sizeof(wrong));
        if (cases[i].swap)
            wrong[1] = named[0], wrong[0] = named[1];
        wrong[0].etag[5] ^= (uint8_t)cases[i].etag;
        wrong[0].number += (uint32_t)cases[i].number;
        assert_int_equal(finish(f, id, wrong, 3, &object, &err), ERR_INVALID);
        assert_int_equal(err.reason, cases[i].reason);
    }
    assert_int_equal(finish(f, id, named, 0, &object, &err), ERR_INVALID);
    struct upload_part_named small[2] = {named[2], part(f, id, 30, 10)};
    assert_int_equal(finish(f, id, small, 2, &object, &err), ERR_INVALID);
    assert_int_equal(err.reason, STORE_PART_TOO_SMALL);
    struct upload_complete request = {.parts = named,
                                      .part_count = 3,
                                      .expected_length = UINT64_MAX,
                                      .length_max = sizes[0] + sizes[1] + sizes[2] - 1};
    assert_int_equal(upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &request,
                                     &f->arena, &object, &err),
                     ERR_LIMIT);
    assert_int_equal(get(f, "big", 0, 0, &err), ERR_NOT_FOUND);
    assert_ok(finish(f, id, named, 3, &object, &err));
    check_object(f, KEY);
}

/* OBJ-UPLOAD-4: abort frees every part; parts of a gone upload are refused. */
static void test_abort(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    struct upload_part_named named[3];
    begin(f, id);
    put_parts(f, id, named);
    assert_int_equal(bucket_delete(f->store, f->bucket, OWNER, &err), ERR_EXISTS);
    assert_ok(upload_abort(f->store, f->bucket, KEY, bytes_of_str(id), &f->arena, &err));
    assert_nothing_left(f);
    struct body_writer *writer;
    assert_ok(body_writer_open(f->store, MIB(1), &writer, &err));
    static uint8_t zeros[MIB(1)];
    assert_ok(body_writer_write(writer, bytes_of(zeros, sizeof(zeros)), &err));
    struct record_part record = {.number = 1};
    assert_int_equal(upload_put_part(f->store, f->bucket, KEY, bytes_of_str(id), &record, writer,
                                     &f->arena, &err),
                     ERR_NOT_FOUND);
    assert_nothing_left(f);
}

/* OBJ-UPLOAD-5: a part copied from a range shares the blocks and outlives the source. */
static void test_copy_part(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    put(f, "source", MIB(8), 1);
    put(f, "tiny", 50, 2);
    begin(f, id);
    struct upload_copy_part request = {.source_bucket = f->bucket,
                                       .source_key = BYTES_LIT("source"),
                                       .has_range = true,
                                       .first = 1000,
                                       .last = 1000 + MIB(5) - 1};
    struct record_object source, object;
    struct record_part parts[2];
    struct segments_stats before, after;
    segments_get_stats(f->store->segments, &before);
    assert_ok(upload_copy_part(f->store, f->bucket, KEY, bytes_of_str(id), 1, &request, &f->arena,
                               &source, &parts[0], &err));
    segments_get_stats(f->store->segments, &after);
    assert_int_equal(before.live_bytes, after.live_bytes);
    struct upload_copy_part tiny = {.source_bucket = f->bucket, .source_key = BYTES_LIT("tiny")};
    assert_ok(upload_copy_part(f->store, f->bucket, KEY, bytes_of_str(id), 2, &tiny, &f->arena,
                               &source, &parts[1], &err));
    request.last = MIB(8);
    assert_int_equal(upload_copy_part(f->store, f->bucket, KEY, bytes_of_str(id), 3, &request,
                                      &f->arena, &source, &parts[1], &err),
                     ERR_INVALID);
    assert_int_equal(err.reason, STORE_BAD_RANGE);
    struct upload_part_named named[2] = {{.number = 1}, {.number = 2}};
    memcpy(named[0].etag, parts[0].etag, RECORD_ETAG_LEN);
    struct record_part *stored;
    size_t count;
    bool more;
    assert_ok(upload_parts(f->store, f->bucket, KEY, bytes_of_str(id), 0, 10, &f->arena, &stored,
                           &count, &more, &err));
    assert_int_equal(count, 2);
    memcpy(named[1].etag, stored[1].etag, RECORD_ETAG_LEN);
    assert_ok(finish(f, id, named, 2, &object, &err));
    delete_key(f, "source");
    delete_key(f, "tiny");
    wait_swept(f);
    AUTO(body_reader) struct body_reader *reader = NULL;
    assert_ok(object_get(f->store, f->bucket, KEY, (struct object_version){.kind = VERSION_LATEST},
                         &f->arena, &object, &reader, &err));
    assert_ok(check_range(reader, 0, MIB(5), KIB(256), 1, 1000, &err));
    assert_ok(check_range(reader, MIB(5), MIB(5) + 50, 7, 2, 0, &err));
    body_reader_free(TAKE(reader));
    delete_key(f, "big");
    assert_nothing_left(f);
}

/* OBJ-UPLOAD-6: uploads are listed by key, then by start, in pages; old ones expire. */
static void test_list(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const char *const keys[] = {"a", "a", "d/1", "d/2", "e"};
    char ids[5][UPLOAD_ID_TEXT];
    for (size_t i = 0; i < 5; i++) {
        struct record_upload upload = {.initiator = OWNER};
        assert_ok(upload_create(f->store, f->bucket, bytes_of_str(keys[i]), &upload, &f->arena,
                                ids[i], &err));
    }
    static const char *const want[] = {"a", "a", "d/", "e"};
    struct upload_list_options options = {.delimiter = BYTES_LIT("/"), .max = 1};
    bool more = true;
    for (size_t i = 0; more; i++) {
        struct upload_item *items;
        size_t count;
        assert_ok(
            upload_list(f->store, f->bucket, &options, &f->arena, &items, &count, &more, &err));
        assert_int_equal(count, 1);
        assert_true(bytes_equal_str(items[0].key, want[i]));
        assert_int_equal(more, i < 3);
        options.after_key = items[0].key;
        options.after_id = items[0].is_prefix ? (struct bytes){0} : bytes_of_str(items[0].id);
    }
    size_t count;
    assert_ok(upload_expire(f->store, 1, 100, &count, &err));
    assert_int_equal(count, 0);
    assert_ok(upload_expire(f->store, UINT64_MAX, 100, &count, &err));
    assert_int_equal(count, 5);
    assert_nothing_left(f);
}

static void begin_of(struct fixture *f, const char *key, char ret_id[UPLOAD_ID_TEXT])
{
    struct err err;
    struct record_upload upload = {.initiator = OWNER};
    assert_ok(
        upload_create(f->store, f->bucket, bytes_of_str(key), &upload, &f->arena, ret_id, &err));
}

/* OBJ-UPLOAD-6: those begun before a mark go, and no others. */
static void test_mark(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char id[UPLOAD_ID_TEXT];
    size_t count;
    begin_of(f, "z", id);
    begin_of(f, "y", id);
    const uint64_t mark = upload_next_id(f->store);
    begin_of(f, "a", id);
    assert_ok(upload_expire(f->store, mark, 1, &count, &err));
    assert_int_equal(count, 1);
    fixture_restart(f);
    begin_of(f, "b", id);
    assert_ok(upload_expire(f->store, mark, 100, &count, &err));
    assert_int_equal(count, 1);
    assert_ok(upload_expire(f->store, UINT64_MAX, 100, &count, &err));
    assert_int_equal(count, 2);
}

/* OBJ-UPLOAD-7: one rotten upload keeps no other from expiring, and is told of. */
static void test_rotten_upload(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const char *const keys[] = {"a", "b", "c"};
    char ids[3][UPLOAD_ID_TEXT];
    for (size_t i = 0; i < 3; i++)
        begin_of(f, keys[i], ids[i]);
    uint64_t number = 0;
    uint8_t raw[8];
    assert_true(codec_unhex(bytes_of_str(ids[1]), raw, sizeof(raw)));
    number = codec_get_u64be(raw);
    struct commit_batch batch;
    commit_batch_init(&batch, &f->arena);
    struct key row = key_upload(f->bucket->id, BYTES_LIT("b"), number);
    commit_put(&batch, KV_META, key_bytes(&row), BYTES_LIT("rot"));
    assert_ok(commit(f->committer, &batch, &err));
    size_t count;
    assert_int_equal(upload_expire(f->store, UINT64_MAX, 100, &count, &err), ERR_CORRUPT);
    assert_int_equal(count, 2);
    assert_int_equal(count_tag(f, TAG_UPLOAD), 1);
}

/* OBJ-LIST-5: the same for uploads: a prefix longer than keys are. */
static void test_long_prefix(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static char key[S3_KEY_MAX + 2];
    char id[UPLOAD_ID_TEXT];
    memset(key, 'k', S3_KEY_MAX);
    begin_of(f, key, id);
    key[S3_KEY_MAX] = 'k';
    for (size_t len = S3_KEY_MAX; len <= S3_KEY_MAX + 1; len++) {
        struct upload_list_options options = {.prefix = bytes_of(key, len), .max = 10};
        struct upload_item *items;
        size_t count;
        bool more;
        assert_ok(
            upload_list(f->store, f->bucket, &options, &f->arena, &items, &count, &more, &err));
        assert_int_equal(count, len == S3_KEY_MAX);
        assert_false(more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_complete), TEST(test_checksum),      TEST(test_bad_complete),
        TEST(test_abort),    TEST(test_copy_part),     TEST(test_list),
        TEST(test_mark),     TEST(test_rotten_upload), TEST(test_long_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
