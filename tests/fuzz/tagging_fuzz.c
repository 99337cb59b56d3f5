/* tagging_fuzz.c - x-amz-tagging: tags that were read keep the rules, and
 * encoded again they are the same.
 *
 * Catches   a key that is there twice (is_taken() left out) */
#include "storage/s3/tagging.h"

#include <assert.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rules(const struct record_pairs *tags)
{
    assert(tags->count <= S3_TAGS_MAX);
    for (size_t i = 0; i < tags->count; i++) {
        struct bytes name = tags->items[i].name, value = tags->items[i].value;
        assert(name.len > 0 && name.len <= (size_t)4 * TAGGING_KEY_MAX && bytes_is_utf8(name));
        assert(value.len <= (size_t)4 * TAGGING_VALUE_MAX && bytes_is_utf8(value));
        assert(!bytes_starts_with(name, BYTES_LIT("aws:")));
        for (size_t k = 0; k < i; k++)
            assert(!bytes_equal(name, tags->items[k].name));
    }
}

static void check_again(const struct record_pairs *tags, struct arena *arena)
{
    struct record_pairs again;
    struct buf text;
    struct err err = {0};
    buf_init(&text, MIB(1));
    for (size_t i = 0; i < tags->count; i++) {
        buf_append(&text, codec_uri_encode(arena, tags->items[i].name, false));
        buf_append_u8(&text, '=');
        buf_append(&text, codec_uri_encode(arena, tags->items[i].value, false));
        buf_append_u8(&text, '&');
    }
    if (tagging_read_header(buf_bytes(&text), arena, &again, &err))
        assert(!"what was encoded cannot be read");
    assert(again.count == tags->count);
    for (size_t i = 0; i < tags->count; i++)
        assert(bytes_equal(again.items[i].name, tags->items[i].name) &&
               bytes_equal(again.items[i].value, tags->items[i].value));
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct record_pairs tags;
    struct err err = {0};
    arena_init(&arena, MIB(16));
    if (tagging_read_header(bytes_of(data, size), &arena, &tags, &err) == ERR_OK) {
        check_rules(&tags);
        check_again(&tags, &arena);
    }
    arena_done(&arena);
    return 0;
}
