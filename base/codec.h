/* codec.h - integers in big-endian order, hex, base64, percent-encoding.
 *
 * Threads   pure functions. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

static inline void codec_put_u16be(uint8_t *to, uint16_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static inline void codec_put_u32be(uint8_t *to, uint32_t v)
{
    codec_put_u16be(to, (uint16_t)(v >> 16));
    codec_put_u16be(to + 2, (uint16_t)v);
}

static inline void codec_put_u64be(uint8_t *to, uint64_t v)
{
    codec_put_u32be(to, (uint32_t)(v >> 32));
    codec_put_u32be(to + 4, (uint32_t)v);
}

static inline uint16_t codec_get_u16be(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t codec_get_u32be(const uint8_t *from)
{
    return (uint32_t)codec_get_u16be(from) << 16 | codec_get_u16be(from + 2);
}

static inline uint64_t codec_get_u64be(const uint8_t *from)
{
    return (uint64_t)codec_get_u32be(from) << 32 | codec_get_u32be(from + 4);
}

/* Lower-case hex of `from`: 2 * len characters and a NUL. */
void codec_hex(struct bytes from, char *ret_text);

#define CODEC_DECIMAL_MAX 20 /* digits */

/* Decimal digits, NUL-terminated: a fifth of what printf takes for them.
 *
 * returns  how many */
size_t codec_decimal(uint64_t value, char ret_text[CODEC_DECIMAL_MAX + 1]);

/* Read hex in either case: exactly `len` bytes.
 *
 * returns  false where the text is not 2 * len hex digits */
bool codec_unhex(struct bytes text, uint8_t *ret_data, size_t len);

/* Base64 with padding (RFC 4648 section 4). Room: CODEC_BASE64_LEN(len) + 1. */
#define CODEC_BASE64_LEN(len) (((len) + 2) / 3 * 4)
void codec_base64(struct bytes from, char *ret_text);

/* Read padded base64, strictly: no spaces, no missing padding, no stray bits.
 *
 * room     bytes available at ret_data
 * returns  the length, or -1 where the text is not base64 or does not fit */
ptrdiff_t codec_unbase64(struct bytes text, uint8_t *ret_data, size_t room);

/* Percent-encode every byte but A-Z a-z 0-9 - . _ ~ (and '/' when keep_slash),
 * upper-case hex, as SigV4 and S3's encoding-type=url want it.
 *
 * returns  arena memory; data is NULL when memory is out */
struct bytes codec_uri_encode(struct arena *arena, struct bytes from, bool keep_slash);

/* Percent-decode. '+' stays '+' (plus_is_space false) or becomes ' '.
 *
 * returns  false where a '%' is not followed by two hex digits, or memory is out */
bool codec_uri_decode(struct arena *arena, struct bytes from, bool plus_is_space,
                      struct bytes *ret_bytes);

#endif
