/* bytes.h - borrowed bytes: a pointer and a length, never NUL-terminated by
 * assumption, never owned.
 *
 * Threads   values; any thread. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t len; /* bytes */
};

/* From a string literal, and for printf: printf("%" BYTES_FMT, BYTES_ARG(b)). */
#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)("" s), sizeof(s) - 1})
#define BYTES_FMT    ".*s"
#define BYTES_ARG(b) (int)(b).len, (const char *)(b).data

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){(const uint8_t *)data, len};
}

static inline struct bytes bytes_of_str(const char *s)
{
    return (struct bytes){(const uint8_t *)s, s ? strlen(s) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *s)
{
    return bytes_equal(a, bytes_of_str(s));
}

/* Order as memcmp, a prefix before its extension: <0, 0, >0. */
int bytes_compare(struct bytes a, struct bytes b);

/* Equal but for the case of ASCII letters. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

bool bytes_starts_with(struct bytes b, struct bytes prefix);
bool bytes_ends_with(struct bytes b, struct bytes suffix);

/* The part from `from` (clipped to the end) on. */
struct bytes bytes_from(struct bytes b, size_t from);

/* The first `len` bytes (clipped to the end). */
struct bytes bytes_first(struct bytes b, size_t len);

/* The index of the first `c`, or -1. */
ptrdiff_t bytes_find(struct bytes b, uint8_t c);

/* The index of the first `needle` (one byte or more), or -1. */
ptrdiff_t bytes_find_bytes(struct bytes b, struct bytes needle);

/* Without spaces and tabs at both ends. */
struct bytes bytes_trim(struct bytes b);

/* Cut at the first `separator`: `ret_head` is what stands before it, `rest`
 * what comes after (in place). Without one the head is everything, the rest
 * empty.
 *
 * returns  whether the separator was there */
bool bytes_cut(struct bytes *rest, uint8_t separator, struct bytes *ret_head);

/* Read decimal digits and nothing else (no sign, no space, not empty).
 *
 * returns  false where it is not such a number or above `max` */
bool bytes_to_u64(struct bytes b, uint64_t max, uint64_t *ret_value);

/* Valid UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF). */
bool bytes_is_utf8(struct bytes b);

#endif
