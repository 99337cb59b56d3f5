/* metadata_fuzz.c - x-amz-meta- fields: names once, sizes within the cap,
 * replies in ASCII.
 *
 * Input     lines "name:value"
 * Catches   a value cut short in a reply's encoded word (`digits` of value.len - 1) */
#include "storage/s3/metadata.h"

#include <assert.h>

#include "base/codec.h"
#include "base/limits.h"
#include "tests/fuzz/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(struct bytes value, struct arena *arena)
{
    struct bytes reply = metadata_reply_value(value, arena), word;
    uint8_t back[S3_METADATA_MAX + FIELDS_MAX];
    assert(reply.data || value.len == 0);
    for (size_t i = 0; i < reply.len; i++)
        assert(reply.data[i] < 0x80);
    if (bytes_equal(reply, value))
        return;
    assert(bytes_starts_with(reply, BYTES_LIT("=?UTF-8?B?")));
    assert(bytes_ends_with(reply, BYTES_LIT("?=")));
    word = bytes_of(reply.data + 10, reply.len - 12);
    assert(codec_unbase64(word, back, sizeof(back)) == (ptrdiff_t)value.len);
    assert(memcmp(back, value.data, value.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fields fields;
    struct arena arena;
    struct record_pairs pairs;
    struct err err = {0};
    size_t bytes = 0;
    arena_init(&arena, MIB(16));
    fields_cut(&fields, bytes_of(data, size));
    if (metadata_read(&fields.head, &arena, &pairs, &err) == ERR_OK)
        for (size_t i = 0; i < pairs.count; i++) {
            bytes += pairs.items[i].name.len + pairs.items[i].value.len;
            assert(pairs.items[i].name.len > 0);
            for (size_t k = 0; k < i; k++)
                assert(!bytes_equal(pairs.items[i].name, pairs.items[k].name));
            check_reply(pairs.items[i].value, &arena);
        }
    assert(bytes <= S3_METADATA_MAX + FIELDS_MAX);
    arena_done(&arena);
    return 0;
}
