/* codec.c - hex, base64, percent-encoding.
 *
 * Threads   pure functions.
 * Source    RFC 4648 section 4 (base64), RFC 3986 section 2 (percent-encoding). */
#include "base/codec.h"

#include <string.h>

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void codec_hex(struct bytes from, char *ret_text)
{
    for (size_t i = 0; i < from.len; i++) {
        *ret_text++ = hex_lower[from.data[i] >> 4];
        *ret_text++ = hex_lower[from.data[i] & 15];
    }
    *ret_text = '\0';
}

size_t codec_decimal(uint64_t value, char ret_text[CODEC_DECIMAL_MAX + 1])
{
    char backward[CODEC_DECIMAL_MAX];
    size_t len = 0;

    do
        backward[len++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    for (size_t i = 0; i < len; i++)
        ret_text[i] = backward[len - 1 - i];
    ret_text[len] = '\0';
    return len;
}

/* The value of a hex digit, or -1. */
static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two hex digits make, or -1. */
static int hex_pair(const uint8_t *text)
{
    int high = hex_value(text[0]);
    int low = hex_value(text[1]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool codec_unhex(struct bytes text, uint8_t *ret_data, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int value = hex_pair(text.data + 2 * i);
        if (value < 0)
            return false;
        ret_data[i] = (uint8_t)value;
    }
    return true;
}

void codec_base64(struct bytes from, char *ret_text)
{
    for (size_t i = 0; i < from.len; i += 3) {
        size_t left = from.len - i;
        uint32_t group = (uint32_t)from.data[i] << 16;

        if (left > 1)
            group |= (uint32_t)from.data[i + 1] << 8;
        if (left > 2)
            group |= from.data[i + 2];
        *ret_text++ = base64_digits[group >> 18];
        *ret_text++ = base64_digits[group >> 12 & 63];
        *ret_text++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *ret_text++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *ret_text = '\0';
}

/* The value of a base64 digit, or -1. */
static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Read four digits of which the last `padding` are '='; -1 where they are not
 * digits, or the bits that padding leaves over are not zero. */
static int32_t base64_group(const uint8_t *text, size_t padding)
{
    int32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? base64_value(text[i]) : 0;
        if (value < 0)
            return -1;
        group = group << 6 | value;
    }
    return group & ((1 << 8 * padding) - 1) ? -1 : group;
}

static size_t base64_padding(struct bytes text)
{
    if (text.len == 0 || text.data[text.len - 1] != '=')
        return 0;
    return text.data[text.len - 2] == '=' ? 2 : 1;
}

ptrdiff_t codec_unbase64(struct bytes text, uint8_t *ret_data, size_t room)
{
    size_t padding, len;

    if (text.len % 4 != 0)
        return -1;
    padding = base64_padding(text);
    len = text.len / 4 * 3 - padding;
    if (len > room)
        return -1;
    for (size_t i = 0, at = 0; i < text.len; i += 4) {
        int32_t group = base64_group(text.data + i, i + 4 == text.len ? padding : 0);
        if (group < 0)
            return -1;
        for (int shift = 16; shift >= 0 && at < len; shift -= 8)
            ret_data[at++] = (uint8_t)(group >> shift);
    }
    return (ptrdiff_t)len;
}

static bool is_unreserved(uint8_t c)
{
    uint8_t letter = c | 0x20;

    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static bool stays(uint8_t c, bool keep_slash)
{
    return is_unreserved(c) || (c == '/' && keep_slash);
}

struct bytes codec_uri_encode(struct arena *arena, struct bytes from, bool keep_slash)
{
    size_t len = from.len;
    uint8_t *text, *to;

    for (size_t i = 0; i < from.len; i++)
        len += stays(from.data[i], keep_slash) ? 0 : 2;
    text = to = arena_alloc_raw(arena, len);
    if (!text)
        return bytes_of(NULL, 0);
    for (size_t i = 0; i < from.len; i++) {
        uint8_t c = from.data[i];
        if (stays(c, keep_slash)) {
            *to++ = c;
            continue;
        }
        *to++ = '%';
        *to++ = (uint8_t)hex_upper[c >> 4];
        *to++ = (uint8_t)hex_upper[c & 15];
    }
    return bytes_of(text, len);
}

/* Decode what stands at the start of `from`.
 *
 * ret_used  characters read
 * returns   the byte, or -1 */
static int uri_byte(struct bytes from, bool plus_is_space, size_t *ret_used)
{
    uint8_t c = from.data[0];

    *ret_used = c == '%' ? 3 : 1;
    if (c == '%')
        return from.len < 3 ? -1 : hex_pair(from.data + 1);
    return c == '+' && plus_is_space ? ' ' : c;
}

bool codec_uri_decode(struct arena *arena, struct bytes from, bool plus_is_space,
                      struct bytes *ret_bytes)
{
    uint8_t *data = arena_alloc_raw(arena, from.len);
    size_t len = 0;

    if (!data)
        return false;
    for (size_t used; from.len > 0; from = bytes_from(from, used)) {
        int value = uri_byte(from, plus_is_space, &used);
        if (value < 0)
            return false;
        data[len++] = (uint8_t)value;
    }
    *ret_bytes = bytes_of(data, len);
    return true;
}
