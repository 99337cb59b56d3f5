/* token_fuzz.c - tokens: bytes that nobody made are refused; a token comes back
 * as it was, and not with a byte changed.
 *
 * Input     [place u16][change u8][text…]
 * Catches   a token whose seal covers no key (`after` left out of seal()) */
#include "storage/s3/token.h"

#include <assert.h>

#include "base/codec.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[TOKEN_KEY_LEN] = "a secret that is in no input";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct bytes text, token, back;
    struct err err = {0};
    if (size < 3)
        return 0;
    arena_init(&arena, KIB(64));
    text = bytes_of(data + 3, size - 3);
    if (token_read(key, 7, text, &arena, &back, &err) == ERR_OK)
        assert(!"a token from nowhere");
    token = token_make(key, 7, bytes_first(text, S3_KEY_MAX), &arena);
    assert(token.data);
    if (token_read(key, 7, token, &arena, &back, &err))
        assert(!"a good token was refused");
    assert(bytes_equal(back, bytes_first(text, S3_KEY_MAX)));
    if (token_read(key, 8, token, &arena, &back, &err) == ERR_OK)
        assert(!"a token of another bucket");
    if (data[2] != 0) {
        ((uint8_t *)token.data)[codec_get_u16be(data) % token.len] ^= data[2];
        if (token_read(key, 7, token, &arena, &back, &err) == ERR_OK)
            assert(!"a changed token");
    }
    arena_done(&arena);
    return 0;
}
