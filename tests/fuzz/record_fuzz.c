/* record_fuzz.c - every decoder of rows, on any bytes: it refuses them, or what it
 * yields encodes to a row that decodes to the same.
 *
 * The first byte chooses the decoder, the rest is the row.
 * Planted and caught: extents whose CRC count is not checked against their length. */
#include "storage/obj/record.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_MAX MIB(64)

/* Decoded, encoded, decoded and encoded again: the two rows are one. */
#define ROUND_TRIP(name)                                                                           \
    static void round_trip_##name(struct bytes row, struct arena *arena)                           \
    {                                                                                              \
        struct record_##name first, second;                                                        \
        struct err err;                                                                            \
        enum err_code rc = record_decode_##name(row, arena, &first, &err);                         \
        assert(rc == ERR_OK || rc == ERR_CORRUPT || rc == ERR_NO_MEMORY);                          \
        if (rc != ERR_OK)                                                                          \
            return;                                                                                \
        check_##name(&first);                                                                      \
        struct bytes once = record_encode_##name(&first, arena);                                   \
        if (!once.data)                                                                            \
            return;                                                                                \
        rc = record_decode_##name(once, arena, &second, &err);                                     \
        if (rc == ERR_NO_MEMORY)                                                                   \
            return;                                                                                \
        assert(rc == ERR_OK);                                                                      \
        struct bytes twice = record_encode_##name(&second, arena);                                 \
        assert(!twice.data || bytes_equal(once, twice));                                           \
    }

static unsigned check_pairs(const struct record_pairs *pairs)
{
    unsigned sum = 0;

    for (size_t i = 0; i < pairs->count; i++) {
        struct bytes value = pairs->items[i].value;
        sum += value.len ? value.data[value.len - 1] : 0;
    }
    return sum;
}

static void check_checksum(const struct record_checksum *checksum)
{
    assert(!checksum->present || checksum->value.len == hash_len(checksum->kind));
}

static void check_object(const struct record_object *object)
{
    volatile unsigned sum =
        check_pairs(&object->headers) + check_pairs(&object->metadata) + check_pairs(&object->tags);
    (void)sum;
    check_checksum(&object->checksum);
    assert(object->length <= S3_OBJECT_BYTES_MAX && object->body.kind <= BODY_REMOTE);
}

static void check_part(const struct record_part *part)
{
    check_checksum(&part->checksum);
    assert(part->number >= 1 && part->number <= S3_PARTS_MAX);
}

static void check_upload(const struct record_upload *upload)
{
    check_object(&upload->object);
}

static void check_bucket(const struct record_bucket *bucket)
{
    volatile unsigned sum = check_pairs(&bucket->tags);
    (void)sum;
}

/* What a reader of bodies relies on. */
static void check_extents(const struct record_extents *extents)
{
    uint64_t stored = 0;

    assert(extents->block_bytes > 0 && extents->block_bytes <= OBJ_BLOCK_BYTES);
    for (size_t i = 0; i < extents->extent_count; i++) {
        assert(extents->extents[i].stored <= S3_OBJECT_BYTES_MAX - stored);
        stored += extents->extents[i].stored;
    }
    assert(extents->length <= stored);
    assert(extents->block_crcs.len / 4 * extents->block_bytes >= stored);
}

static void check_change(const struct record_change *change)
{
    check_checksum(&change->checksum);
}

static void check_system(const struct record_system *system)
{
    (void)system;
}

ROUND_TRIP(object)
ROUND_TRIP(part)
ROUND_TRIP(upload)
ROUND_TRIP(bucket)
ROUND_TRIP(extents)
ROUND_TRIP(change)
ROUND_TRIP(system)

static void round_trip_cursor(struct bytes row, struct arena *arena)
{
    uint64_t seq, again;
    struct err err;

    if (record_decode_cursor(row, &seq, &err) != ERR_OK)
        return;
    struct bytes once = record_encode_cursor(seq, arena);
    assert(record_decode_cursor(once, &again, &err) == ERR_OK && again == seq);
}

static void (*const round_trips[])(struct bytes row, struct arena *arena) = {
    round_trip_object,  round_trip_part,   round_trip_upload, round_trip_bucket,
    round_trip_extents, round_trip_change, round_trip_system, round_trip_cursor,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    if (size == 0)
        return 0;
    arena_init(&arena, ARENA_MAX);
    round_trips[data[0] % ARRAY_LEN(round_trips)](bytes_of(data + 1, size - 1), &arena);
    arena_done(&arena);
    return 0;
}
