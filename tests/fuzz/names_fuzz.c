/* names_fuzz.c - paths and copy sources: a key that was read, encoded, and read
 * again is the same bytes.
 *
 * Input     host, LF, path (or copy source)
 * Catches   '+' decoded as a space (plus_is_space true in decode_text()) */
#include "storage/s3/names.h"

#include <assert.h>

#include "base/codec.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(struct bytes key)
{
    struct err err = {0};
    assert(key.len == 0 || names_check_key(key, &err) == ERR_OK);
}

static void check_path(struct bytes host, struct bytes path, struct arena *arena)
{
    struct bytes domain = BYTES_LIT("s3.local"), none = bytes_of(NULL, 0);
    struct names_place place, again;
    struct err err = {0};
    if (names_locate(path, host, domain, arena, &place, &err))
        return;
    check_key(place.key);
    struct bytes bucket = codec_uri_encode(arena, place.bucket, false);
    struct bytes key = codec_uri_encode(arena, place.key, true);
    struct bytes encoded =
        arena_printf(arena, "/%" BYTES_FMT "/%" BYTES_FMT, BYTES_ARG(bucket), BYTES_ARG(key));
    if (names_locate(encoded, none, none, arena, &again, &err))
        assert(!"what was encoded cannot be read");
    assert(bytes_equal(again.bucket, place.bucket) && bytes_equal(again.key, place.key));
    /* A path without escapes is its own key. */
    if (bytes_find(path, '%') < 0)
        assert(bytes_ends_with(path, place.key));
}

static void check_source(struct bytes field, struct arena *arena)
{
    struct names_source source;
    struct err err = {0};
    if (names_read_source(field, arena, &source, &err))
        return;
    assert(source.bucket.len > 0 && source.key.len > 0);
    assert(bytes_find(source.bucket, '/') < 0);
    assert(!source.version_id.data || source.version_id.len > 0);
    check_key(source.key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size), host;
    struct arena arena;
    arena_init(&arena, MIB(16));
    bytes_cut(&rest, '\n', &host);
    check_path(host, rest, &arena);
    check_source(rest, &arena);
    arena_done(&arena);
    return 0;
}
