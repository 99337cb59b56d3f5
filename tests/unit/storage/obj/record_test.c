/* record_test.c - rows of the object store: every field comes back, a damaged
 * row is refused or decodes to something sane, and memory that is out is said so.
 *
 * Planted and caught: a checksum's length not checked; seq written little-endian.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "storage/obj/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "storage/obj/bucket.h"
#include "storage/obj/record.pb-c.h"
#include "tests/unit/alloc_fail.h"

#define ARENA_MAX MIB(4)

static struct record_pair some_pairs[] = {
    {BYTES_LIT("content-type"), BYTES_LIT("text/plain")},
    {BYTES_LIT("x"), BYTES_LIT("")},
    {BYTES_LIT("\xc3\xa9\x01"), BYTES_LIT("a\0b")},
};

static struct record_checksum some_checksum(enum hash_kind kind)
{
    return (struct record_checksum){
        .present = true, .composite = true, .kind = kind, .value = hash_once(kind, BYTES_LIT("x"))};
}

static struct record_object some_object(void)
{
    return (struct record_object){
        .seq = 0x0102030405060708,
        .stamp = 0x1112131415161718,
        .delete_marker = true,
        .null_version = true,
        .length = S3_OBJECT_BYTES_MAX,
        .modified_unix_ms = UINT64_MAX,
        .etag = "0123456789abcde",
        .parts = S3_PARTS_MAX,
        .owner = BYTES_LIT("owner"),
        .body = {BODY_MANIFEST, UINT64_MAX, UINT64_MAX - 1},
        .headers = {some_pairs, 3},
        .metadata = {some_pairs + 1, 2},
        .tags = {some_pairs + 2, 1},
        .checksum = some_checksum(HASH_SHA256),
        .origin = {UINT32_MAX, 2, 3, 4},
        .lineage_trace = BYTES_LIT("Root=1-2"),
        .lineage_depth = 16,
        .storage_class = BYTES_LIT("GLACIER"),
    };
}

static const struct record_part some_part = {
    .number = S3_PARTS_MAX,
    .length = S3_PART_BYTES_MAX,
    .modified_unix_ms = 5,
    .etag = "ABCDEFGHIJKLMNO",
    .body = {BODY_EXTENTS, 6, 7},
    .body_offset = 8,
};

static struct record_extent some_extents[] = {{1, 4096, 2 * OBJ_BLOCK_BYTES}, {2, 0, 5}};

static const struct record_change some_change = {
    .seq = 1,
    .stamp = 2,
    .operation = CHANGE_OBJECT_TAGS,
    .bucket = BYTES_LIT("bucket"),
    .bucket_id = 3,
    .key = BYTES_LIT("a/b"),
    .version_seq = 4,
    .version_site = 5,
    .null_version = true,
    .length = 6,
    .etag = "0123456789abcde",
    .parts = 7,
    .time_unix_ms = 8,
    .origin = {9, 10, 11, 12},
    .lineage_trace = BYTES_LIT("trace"),
    .lineage_depth = 13,
    .user = BYTES_LIT("user"),
};

static void assert_bytes(struct bytes got, struct bytes wanted)
{
    assert_non_null(got.data);
    assert_true(bytes_equal(got, wanted));
}

static void assert_pairs(const struct record_pairs *got, const struct record_pairs *wanted)
{
    assert_int_equal(got->count, wanted->count);
    for (size_t i = 0; i < got->count; i++) {
        assert_bytes(got->items[i].name, wanted->items[i].name);
        assert_bytes(got->items[i].value, wanted->items[i].value);
    }
}

static void assert_checksum(const struct record_checksum *got, const struct record_checksum *wanted)
{
    assert_int_equal(got->present, wanted->present);
    if (!wanted->present)
        return;
    assert_int_equal(got->composite, wanted->composite);
    assert_int_equal(got->kind, wanted->kind);
    assert_int_equal(got->value.len, wanted->value.len);
    assert_memory_equal(got->value.data, wanted->value.data, wanted->value.len);
}

static void assert_body(const struct record_body *got, const struct record_body *wanted)
{
    assert_int_equal(got->kind, wanted->kind);
    assert_int_equal(got->id, wanted->id);
    assert_int_equal(got->owner, wanted->owner);
}

static void assert_origin(const struct record_origin *got, const struct record_origin *wanted)
{
    assert_int_equal(got->site, wanted->site);
    assert_int_equal(got->epoch, wanted->epoch);
    assert_int_equal(got->seq, wanted->seq);
    assert_int_equal(got->console_seq_seen, wanted->console_seq_seen);
}

static void assert_object(const struct record_object *got, const struct record_object *wanted)
{
    assert_int_equal(got->delete_marker, wanted->delete_marker);
    assert_int_equal(got->null_version, wanted->null_version);
    assert_int_equal(got->length, wanted->length);
    assert_int_equal(got->modified_unix_ms, wanted->modified_unix_ms);
    assert_memory_equal(got->etag, wanted->etag, RECORD_ETAG_LEN);
    assert_int_equal(got->parts, wanted->parts);
    assert_bytes(got->owner, wanted->owner);
    assert_body(&got->body, &wanted->body);
    assert_pairs(&got->headers, &wanted->headers);
    assert_pairs(&got->metadata, &wanted->metadata);
    assert_pairs(&got->tags, &wanted->tags);
    assert_checksum(&got->checksum, &wanted->checksum);
    assert_origin(&got->origin, &wanted->origin);
    assert_bytes(got->lineage_trace, wanted->lineage_trace);
    assert_int_equal(got->lineage_depth, wanted->lineage_depth);
    assert_bytes(got->storage_class, wanted->storage_class);
}

static struct arena arena;

static int set_up(void **state UNUSED)
{
    arena_init(&arena, ARENA_MAX);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    arena_done(&arena);
    return 0;
}

static void an_object_comes_back(void **state UNUSED)
{
    struct record_object object = some_object(), got;
    struct bytes row = record_encode_object(&object, &arena);
    struct err err;

    assert_non_null(row.data);
    assert_int_equal(row.data[0], RECORD_FORMAT);
    assert_int_equal(row.data[RECORD_SEQ_AT], 0x01);
    assert_int_equal(row.data[RECORD_SEQ_AT + 8], 0x11);
    assert_int_equal(record_decode_object(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.seq, object.seq);
    assert_int_equal(got.stamp, object.stamp);
    assert_object(&got, &object);
}

static void an_empty_object_comes_back(void **state UNUSED)
{
    struct record_object object = {0}, got;
    struct bytes row = record_encode_object(&object, &arena);
    struct err err;

    assert_in_range(row.len, RECORD_HEAD_LEN, RECORD_HEAD_LEN + 2);
    assert_int_equal(record_decode_object(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.seq, 0);
    assert_object(&got, &object);
}

static void every_checksum_comes_back(void **state UNUSED)
{
    for (enum hash_kind kind = 0; kind < HASH_KINDS; kind++) {
        struct record_object object = {.checksum = some_checksum(kind)}, got;
        struct bytes row = record_encode_object(&object, &arena);
        struct err err;

        assert_int_equal(record_decode_object(row, &arena, &got, &err), ERR_OK);
        assert_checksum(&got.checksum, &object.checksum);
    }
}

static void what_is_decoded_does_not_borrow_from_the_row(void **state UNUSED)
{
    struct record_object object = some_object(), got;
    struct bytes row = record_encode_object(&object, &arena);
    uint8_t *copy = malloc(row.len);
    struct err err;

    memcpy(copy, row.data, row.len);
    assert_int_equal(record_decode_object(bytes_of(copy, row.len), &arena, &got, &err), ERR_OK);
    free(copy);
    assert_object(&got, &object);
}

static void an_upload_comes_back(void **state UNUSED)
{
    struct record_upload upload = {.object = some_object(),
                                   .initiated_unix_ms = 9,
                                   .has_checksum = true,
                                   .composite = true,
                                   .checksum_kind = HASH_CRC64NVME,
                                   .initiator = BYTES_LIT("initiator")};
    struct record_upload got;
    struct err err;
    struct bytes row = record_encode_upload(&upload, &arena);

    assert_int_equal(record_decode_upload(row, &arena, &got, &err), ERR_OK);
    assert_object(&got.object, &upload.object);
    assert_int_equal(got.initiated_unix_ms, 9);
    assert_true(got.has_checksum);
    assert_true(got.composite);
    assert_int_equal(got.checksum_kind, HASH_CRC64NVME);
    assert_bytes(got.initiator, upload.initiator);

    upload.has_checksum = false;
    row = record_encode_upload(&upload, &arena);
    assert_int_equal(record_decode_upload(row, &arena, &got, &err), ERR_OK);
    assert_false(got.has_checksum);
}

static void a_part_comes_back(void **state UNUSED)
{
    struct record_part part = some_part, got;
    struct err err;

    part.checksum = some_checksum(HASH_CRC32C);
    struct bytes row = record_encode_part(&part, &arena);
    assert_int_equal(record_decode_part(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.number, part.number);
    assert_int_equal(got.length, part.length);
    assert_int_equal(got.modified_unix_ms, part.modified_unix_ms);
    assert_memory_equal(got.etag, part.etag, RECORD_ETAG_LEN);
    assert_checksum(&got.checksum, &part.checksum);
    assert_body(&got.body, &part.body);
    assert_int_equal(got.body_offset, part.body_offset);
}

static void a_bucket_comes_back(void **state UNUSED)
{
    struct record_bucket bucket = {
        7, BYTES_LIT("owner"), 8, BUCKET_SUSPENDED, {some_pairs, 3}, BYTES_LIT("eu-west-1")};
    struct record_bucket got;
    struct err err;
    struct bytes row = record_encode_bucket(&bucket, &arena);

    assert_int_equal(record_decode_bucket(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.id, bucket.id);
    assert_bytes(got.owner, bucket.owner);
    assert_int_equal(got.created_unix_ms, bucket.created_unix_ms);
    assert_int_equal(got.versioning, bucket.versioning);
    assert_pairs(&got.tags, &bucket.tags);
    assert_bytes(got.region, bucket.region);
}

/* Three blocks: two of the first extent, one of the second. */
static struct record_extents three_blocks(void)
{
    return (struct record_extents){2 * OBJ_BLOCK_BYTES + 5, OBJ_BLOCK_BYTES, some_extents, 2,
                                   BYTES_LIT("aaaabbbbcccc")};
}

static void extents_come_back(void **state UNUSED)
{
    struct record_extents extents = three_blocks(), got;
    struct err err;
    struct bytes row = record_encode_extents(&extents, &arena);

    assert_int_equal(record_decode_extents(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.length, extents.length);
    assert_int_equal(got.block_bytes, extents.block_bytes);
    assert_int_equal(got.extent_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(got.extents[i].segment, some_extents[i].segment);
        assert_int_equal(got.extents[i].offset, some_extents[i].offset);
        assert_int_equal(got.extents[i].stored, some_extents[i].stored);
    }
    assert_bytes(got.block_crcs, extents.block_crcs);
}

static void a_change_comes_back(void **state UNUSED)
{
    struct record_change change = some_change, got;
    struct err err;

    change.checksum = some_checksum(HASH_SHA1);
    struct bytes row = record_encode_change(&change, &arena);
    assert_int_equal(record_decode_change(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.seq, change.seq);
    assert_int_equal(got.stamp, change.stamp);
    assert_int_equal(got.operation, change.operation);
    assert_bytes(got.bucket, change.bucket);
    assert_int_equal(got.bucket_id, change.bucket_id);
    assert_bytes(got.key, change.key);
    assert_int_equal(got.version_seq, change.version_seq);
    assert_int_equal(got.version_site, change.version_site);
    assert_int_equal(got.null_version, change.null_version);
    assert_int_equal(got.length, change.length);
    assert_memory_equal(got.etag, change.etag, RECORD_ETAG_LEN);
    assert_int_equal(got.parts, change.parts);
    assert_checksum(&got.checksum, &change.checksum);
    assert_int_equal(got.time_unix_ms, change.time_unix_ms);
    assert_origin(&got.origin, &change.origin);
    assert_bytes(got.lineage_trace, change.lineage_trace);
    assert_int_equal(got.lineage_depth, change.lineage_depth);
    assert_bytes(got.user, change.user);
}

static void the_system_and_a_cursor_come_back(void **state UNUSED)
{
    struct record_system system = {2, "0123456789abcde", 3, 4, 5}, got;
    struct err err;
    uint64_t seq;
    struct bytes row = record_encode_system(&system, &arena);

    assert_int_equal(record_decode_system(row, &arena, &got, &err), ERR_OK);
    assert_int_equal(got.format, 2);
    assert_memory_equal(got.box_id, system.box_id, 16);
    assert_int_equal(got.epoch, 3);
    assert_int_equal(got.site, 4);
    assert_int_equal(got.created_unix_ms, 5);
    row = record_encode_cursor(UINT64_MAX, &arena);
    assert_int_equal(record_decode_cursor(row, &seq, &err), ERR_OK);
    assert_int_equal(seq, UINT64_MAX);
}

/* Rows of every kind, and a decoder of each that yields only its code. */
struct row_kind {
    const char *name;
    size_t head_len;
    struct bytes (*encode)(struct arena *arena);
    enum err_code (*decode)(struct bytes row, struct arena *arena, struct err *err);
};

#define ROW_KIND_DECODE(name)                                                                      \
    static enum err_code decode_##name(struct bytes row, struct arena *in, struct err *err)        \
    {                                                                                              \
        struct record_##name got;                                                                  \
        return record_decode_##name(row, in, &got, err);                                           \
    }

ROW_KIND_DECODE(object)
ROW_KIND_DECODE(part)
ROW_KIND_DECODE(upload)
ROW_KIND_DECODE(bucket)
ROW_KIND_DECODE(extents)
ROW_KIND_DECODE(change)
ROW_KIND_DECODE(system)

static enum err_code decode_cursor(struct bytes row, struct arena *in UNUSED, struct err *err)
{
    uint64_t seq;

    return record_decode_cursor(row, &seq, err);
}

static struct bytes encode_object(struct arena *to)
{
    struct record_object object = some_object();

    return record_encode_object(&object, to);
}

static struct bytes encode_part(struct arena *to)
{
    return record_encode_part(&some_part, to);
}

static struct bytes encode_upload(struct arena *to)
{
    struct record_upload upload = {.object = some_object(), .has_checksum = true};

    return record_encode_upload(&upload, to);
}

static struct bytes encode_bucket(struct arena *to)
{
    struct record_bucket bucket = {.id = 1, .tags = {some_pairs, 3}};

    return record_encode_bucket(&bucket, to);
}

static struct bytes encode_extents(struct arena *to)
{
    struct record_extents extents = three_blocks();

    return record_encode_extents(&extents, to);
}

static struct bytes encode_change(struct arena *to)
{
    return record_encode_change(&some_change, to);
}

static struct bytes encode_system(struct arena *to)
{
    struct record_system system = {.format = 1};

    return record_encode_system(&system, to);
}

static struct bytes encode_cursor(struct arena *to)
{
    return record_encode_cursor(300, to);
}

static const struct row_kind row_kinds[] = {
    {"object", RECORD_HEAD_LEN, encode_object, decode_object},
    {"part", 1, encode_part, decode_part},
    {"upload", 1, encode_upload, decode_upload},
    {"bucket", 1, encode_bucket, decode_bucket},
    {"extents", 1, encode_extents, decode_extents},
    {"change", RECORD_HEAD_LEN, encode_change, decode_change},
    {"system", 1, encode_system, decode_system},
    {"cursor", 1, encode_cursor, decode_cursor},
};

static uint8_t *row_copy(struct bytes row)
{
    uint8_t *copy = malloc(row.len ? row.len : 1);

    if (row.len)
        memcpy(copy, row.data, row.len);
    return copy;
}

/* Decode from memory of exactly that size, so that a sanitizer sees reads past it. */
static enum err_code decode_exact(const struct row_kind *kind, struct bytes row, struct err *err)
{
    uint8_t *copy = row_copy(row);
    struct arena scratch;

    arena_init(&scratch, ARENA_MAX);
    enum err_code rc = kind->decode(bytes_of(copy, row.len), &scratch, err);
    arena_done(&scratch);
    free(copy);
    return rc;
}

static void an_unknown_format_is_corrupt(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(row_kinds); i++) {
        uint8_t *row;
        struct bytes good = row_kinds[i].encode(&arena);
        struct err err;

        assert_int_equal(decode_exact(&row_kinds[i], good, &err), ERR_OK);
        row = row_copy(good);
        row[0] = RECORD_FORMAT + 1;
        assert_int_equal(decode_exact(&row_kinds[i], bytes_of(row, good.len), &err), ERR_CORRUPT);
        assert_int_equal(err.code, ERR_CORRUPT);
        free(row);
        for (size_t len = 0; len < row_kinds[i].head_len; len++)
            assert_int_equal(decode_exact(&row_kinds[i], bytes_first(good, len), &err),
                             ERR_CORRUPT);
    }
}

static void a_cut_row_is_corrupt_or_decodes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(row_kinds); i++) {
        struct bytes good = row_kinds[i].encode(&arena);

        for (size_t len = 0; len < good.len; len++) {
            struct err err;
            enum err_code rc = decode_exact(&row_kinds[i], bytes_first(good, len), &err);
            assert_true(rc == ERR_OK || rc == ERR_CORRUPT);
        }
    }
}

static void a_flipped_bit_is_corrupt_or_decodes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(row_kinds); i++) {
        struct bytes good = row_kinds[i].encode(&arena);
        uint8_t *row = row_copy(good);

        for (size_t bit = 0; bit < good.len * 8; bit++) {
            struct err err;
            row[bit / 8] ^= (uint8_t)(1u << bit % 8);
            enum err_code rc = decode_exact(&row_kinds[i], bytes_of(row, good.len), &err);
            assert_true(rc == ERR_OK || rc == ERR_CORRUPT);
            row[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(row);
    }
}

/* A row from a message that no encoder of ours makes. */
static struct bytes raw_row(const ProtobufCMessage *message, size_t head_len)
{
    size_t len = head_len + protobuf_c_message_get_packed_size(message);
    uint8_t *row = arena_alloc(&arena, len);

    row[0] = RECORD_FORMAT;
    protobuf_c_message_pack(message, row + head_len);
    return bytes_of(row, len);
}

static void assert_object_corrupt(const Valise__Obj__Object *message)
{
    struct record_object got;
    struct err err;

    assert_int_equal(
        record_decode_object(raw_row(&message->base, RECORD_HEAD_LEN), &arena, &got, &err),
        ERR_CORRUPT);
}

static void impossible_objects_are_corrupt(void **state UNUSED)
{
    uint8_t data[64] = "x";
    Valise__Obj__Object message = VALISE__OBJ__OBJECT__INIT;

    message.etag = (ProtobufCBinaryData){15, data};
    assert_object_corrupt(&message);
    valise__obj__object__init(&message);
    message.length = S3_OBJECT_BYTES_MAX + 1;
    assert_object_corrupt(&message);
    valise__obj__object__init(&message);
    message.parts = S3_PARTS_MAX + 1;
    assert_object_corrupt(&message);
    valise__obj__object__init(&message);
    Valise__Obj__Body body = VALISE__OBJ__BODY__INIT;
    body.kind = BODY_REMOTE + 1;
    message.body = &body;
    assert_object_corrupt(&message);
}

static void impossible_checksums_are_corrupt(void **state UNUSED)
{
    static const struct {
        uint32_t algorithm;
        size_t len;
    } rows[] = {{0, 0}, {0, 4}, {1, 0}, {1, 3}, {1, 5}, {3, 4}, {4, 16}, {5, 33}, {7, 4}};
    uint8_t data[64] = "x";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Valise__Obj__Object message = VALISE__OBJ__OBJECT__INIT;
        Valise__Obj__Checksum checksum = VALISE__OBJ__CHECKSUM__INIT;
        checksum.algorithm = rows[i].algorithm;
        checksum.value = (ProtobufCBinaryData){rows[i].len, data};
        message.checksum = &checksum;
        assert_object_corrupt(&message);
    }
}

static void assert_extents_corrupt(const struct record_extents *extents)
{
    struct record_extents got;
    struct err err;

    assert_int_equal(
        record_decode_extents(record_encode_extents(extents, &arena), &arena, &got, &err),
        ERR_CORRUPT);
}

static void impossible_extents_are_corrupt(void **state UNUSED)
{
    struct record_extents extents = three_blocks();

    extents.block_bytes = 0;
    assert_extents_corrupt(&extents);
    extents.block_bytes = OBJ_BLOCK_BYTES + 1;
    assert_extents_corrupt(&extents);
    extents = three_blocks();
    extents.block_crcs = BYTES_LIT("aaaabbbbccc");
    assert_extents_corrupt(&extents);
    extents.block_crcs = BYTES_LIT("aaaabbbb");
    assert_extents_corrupt(&extents);
    extents = three_blocks();
    extents.length++;
    assert_extents_corrupt(&extents);
    extents = three_blocks();
    extents.extents = (struct record_extent[]){{1, 0, UINT64_MAX}, {1, 0, 2}};
    assert_extents_corrupt(&extents);
}

static void other_impossible_rows_are_corrupt(void **state UNUSED)
{
    struct record_part part = some_part;
    struct record_change change = some_change;
    struct record_bucket bucket = {.versioning = BUCKET_SUSPENDED + 1};
    Valise__Obj__System system = VALISE__OBJ__SYSTEM__INIT;
    Valise__Obj__Upload upload = VALISE__OBJ__UPLOAD__INIT;
    struct err err;

    part.number = 0;
    assert_int_equal(decode_part(record_encode_part(&part, &arena), &arena, &err), ERR_CORRUPT);
    part.number = S3_PARTS_MAX + 1;
    assert_int_equal(decode_part(record_encode_part(&part, &arena), &arena, &err), ERR_CORRUPT);
    part = some_part;
    part.length++;
    assert_int_equal(decode_part(record_encode_part(&part, &arena), &arena, &err), ERR_CORRUPT);
    change.operation = 7;
    assert_int_equal(decode_change(record_encode_change(&change, &arena), &arena, &err),
                     ERR_CORRUPT);
    assert_int_equal(decode_bucket(record_encode_bucket(&bucket, &arena), &arena, &err),
                     ERR_CORRUPT);
    assert_int_equal(decode_system(raw_row(&system.base, 1), &arena, &err), ERR_CORRUPT);
    assert_int_equal(decode_upload(raw_row(&upload.base, 1), &arena, &err), ERR_CORRUPT);
}

static const struct row_kind *swept;

static bool encode_swept(void *ctx UNUSED)
{
    struct arena scratch;

    arena_init(&scratch, ARENA_MAX);
    bool made = swept->encode(&scratch).data != NULL;
    arena_done(&scratch);
    return made;
}

static bool decode_swept(void *ctx)
{
    const struct bytes *row = ctx;
    struct arena scratch;
    struct err err;

    arena_init(&scratch, ARENA_MAX);
    enum err_code rc = swept->decode(*row, &scratch, &err);
    arena_done(&scratch);
    assert_true(rc == ERR_OK || rc == ERR_NO_MEMORY);
    return rc == ERR_OK;
}

static void a_failing_malloc_is_told(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(row_kinds); i++) {
        swept = &row_kinds[i];
        struct bytes row = swept->encode(&arena);
        assert_true(alloc_fail_sweep(encode_swept, NULL) > 0);
        assert_true(alloc_fail_sweep(decode_swept, &row) > 0);
    }
}

/* The arena's cap reaches each allocation in turn; malloc alone only its blocks. */
static void a_full_arena_is_told(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(row_kinds); i++) {
        const struct row_kind *kind = &row_kinds[i];
        struct bytes row = kind->encode(&arena);
        enum err_code rc = ERR_NO_MEMORY;

        for (size_t max = 0; max < KIB(8); max++) {
            struct arena small;
            struct err err;
            arena_init(&small, max);
            struct bytes again = kind->encode(&small);
            assert_true(!again.data || bytes_equal(again, row));
            arena_reset(&small);
            rc = kind->decode(row, &small, &err);
            assert_true(rc == ERR_OK || rc == ERR_NO_MEMORY);
            arena_done(&small);
        }
        assert_int_equal(rc, ERR_OK);
    }
}

static void pairs_are_found_by_name(void **state UNUSED)
{
    struct record_pairs pairs = {some_pairs, 3}, none = {0};

    assert_bytes(record_pair_find(&pairs, "content-type"), BYTES_LIT("text/plain"));
    assert_bytes(record_pair_find(&pairs, "x"), BYTES_LIT(""));
    assert_null(record_pair_find(&pairs, "Content-Type").data);
    assert_null(record_pair_find(&pairs, "").data);
    assert_null(record_pair_find(&none, "x").data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_comes_back),
        TEST(an_empty_object_comes_back),
        TEST(every_checksum_comes_back),
        TEST(what_is_decoded_does_not_borrow_from_the_row),
        TEST(an_upload_comes_back),
        TEST(a_part_comes_back),
        TEST(a_bucket_comes_back),
        TEST(extents_come_back),
        TEST(a_change_comes_back),
        TEST(the_system_and_a_cursor_come_back),
        TEST(an_unknown_format_is_corrupt),
        TEST(a_cut_row_is_corrupt_or_decodes),
        TEST(a_flipped_bit_is_corrupt_or_decodes),
        TEST(impossible_objects_are_corrupt),
        TEST(impossible_checksums_are_corrupt),
        TEST(impossible_extents_are_corrupt),
        TEST(other_impossible_rows_are_corrupt),
        TEST(a_failing_malloc_is_told),
        TEST(a_full_arena_is_told),
        TEST(pairs_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
