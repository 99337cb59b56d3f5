/* token.c - see token.h. Base64 of
 *
 *   [format u8][bucket u32][seal, 16 bytes][after…]
 *
 * with '-' and '_' for '+' and '/', without padding. The seal is the front of
 * HMAC-SHA256 over format, bucket and after. */
#include "storage/s3/token.h"

#include <assert.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/limits.h"

#define FORMAT    1
#define SEAL_AT   5
#define SEAL_LEN  16
#define AFTER_AT  (SEAL_AT + SEAL_LEN)
#define PLAIN_MAX (AFTER_AT + S3_KEY_MAX)
#define TEXT_MAX  CODEC_BASE64_LEN(PLAIN_MAX)

static void seal(const uint8_t *key, uint32_t bucket_id, struct bytes after,
                 uint8_t ret_mac[HASH_HMAC_LEN])
{
    uint8_t message[SEAL_AT + S3_KEY_MAX];
    message[0] = FORMAT;
    codec_put_u32be(message + 1, bucket_id);
    if (after.len > 0)
        memcpy(message + SEAL_AT, after.data, after.len);
    hash_hmac_sha256(bytes_of(key, TOKEN_KEY_LEN), bytes_of(message, SEAL_AT + after.len), ret_mac);
}

static void swap(uint8_t *text, size_t len, const char from[2], const char to[2])
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == (uint8_t)from[0] || text[i] == (uint8_t)from[1])
            text[i] = (uint8_t)to[text[i] == (uint8_t)from[1]];
}

struct bytes token_make(const uint8_t *key, uint32_t bucket_id, struct bytes after,
                        struct arena *arena)
{
    uint8_t plain[PLAIN_MAX], mac[HASH_HMAC_LEN], *text;
    size_t len = CODEC_BASE64_LEN(AFTER_AT + after.len);
    assert(after.len <= S3_KEY_MAX);
    text = arena_alloc_raw(arena, len + 1);
    if (!text)
        return bytes_of(NULL, 0);
    seal(key, bucket_id, after, mac);
    plain[0] = FORMAT;
    codec_put_u32be(plain + 1, bucket_id);
    memcpy(plain + SEAL_AT, mac, SEAL_LEN);
    if (after.len > 0)
        memcpy(plain + AFTER_AT, after.data, after.len);
    codec_base64(bytes_of(plain, AFTER_AT + after.len), (char *)text);
    while (len > 0 && text[len - 1] == '=')
        len--;
    swap(text, len, "+/", "-_");
    return bytes_of(text, len);
}

/* Undo the alphabet and the missing padding.
 *
 * returns  bytes at ret_plain, or -1 */
static ptrdiff_t decode(struct bytes token, uint8_t ret_plain[PLAIN_MAX])
{
    uint8_t text[TEXT_MAX + 3];
    size_t len = token.len;
    if (len == 0 || len > TEXT_MAX || bytes_find(token, '+') >= 0 || bytes_find(token, '/') >= 0)
        return -1;
    memcpy(text, token.data, len);
    swap(text, len, "-_", "+/");
    while (len % 4 != 0)
        text[len++] = '=';
    return codec_unbase64(bytes_of(text, len), ret_plain, PLAIN_MAX);
}

enum err_code token_read(const uint8_t *key, uint32_t bucket_id, struct bytes token,
                         struct arena *arena, struct bytes *ret_after, struct err *err)
{
    uint8_t plain[PLAIN_MAX], mac[HASH_HMAC_LEN];
    ptrdiff_t len = decode(token, plain);
    struct bytes after;
    bool is_ours = len >= AFTER_AT && plain[0] == FORMAT;
    if (is_ours) {
        after = bytes_of(plain + AFTER_AT, (size_t)len - AFTER_AT);
        seal(key, bucket_id, after, mac);
        is_ours = codec_get_u32be(plain + 1) == bucket_id &&
                  hash_equal_secret(bytes_of(plain + SEAL_AT, SEAL_LEN), bytes_of(mac, SEAL_LEN));
    }
    if (!is_ours)
        return s3_fail_because(err, S3_INVALID_ARGUMENT,
                               "The continuation token provided is incorrect");
    after = arena_copy(arena, after);
    if (!after.data)
        return err_fail(err, ERR_NO_MEMORY, "continuation token");
    *ret_after = after;
    return ERR_OK;
}
