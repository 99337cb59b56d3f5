/* bytes.c - borrowed bytes: comparing, searching, cutting, reading.
 *
 * Threads   values; any thread.
 * Source    RFC 3629 section 4 (UTF-8). */
#include "base/bytes.h"

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

bool bytes_starts_with(struct bytes b, struct bytes prefix)
{
    return b.len >= prefix.len && bytes_equal(bytes_first(b, prefix.len), prefix);
}

bool bytes_ends_with(struct bytes b, struct bytes suffix)
{
    return b.len >= suffix.len && bytes_equal(bytes_from(b, b.len - suffix.len), suffix);
}

struct bytes bytes_from(struct bytes b, size_t from)
{
    if (from == 0)
        return b; /* adding to a NULL pointer is undefined, even zero */
    if (from > b.len)
        from = b.len;
    return from ? bytes_of(b.data + from, b.len - from) : b;
}

struct bytes bytes_first(struct bytes b, size_t len)
{
    return bytes_of(b.data, len < b.len ? len : b.len);
}

ptrdiff_t bytes_find(struct bytes b, uint8_t c)
{
    const uint8_t *found = b.len ? memchr(b.data, c, b.len) : NULL;

    return found ? found - b.data : -1;
}

ptrdiff_t bytes_find_bytes(struct bytes b, struct bytes needle)
{
    const uint8_t *found;

    if (needle.len == 0 || needle.len > b.len)
        return -1;
    found = memmem(b.data, b.len, needle.data, needle.len);
    return found ? found - b.data : -1;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes b)
{
    while (b.len > 0 && is_blank(b.data[b.len - 1]))
        b.len--;
    while (b.len > 0 && is_blank(b.data[0]))
        b = bytes_from(b, 1);
    return b;
}

bool bytes_cut(struct bytes *rest, uint8_t separator, struct bytes *ret_head)
{
    struct bytes whole = *rest;
    ptrdiff_t at = bytes_find(whole, separator);
    size_t len = at < 0 ? whole.len : (size_t)at;

    *ret_head = bytes_first(whole, len);
    *rest = bytes_from(whole, at < 0 ? len : len + 1);
    return at >= 0;
}

bool bytes_to_u64(struct bytes b, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (b.len == 0)
        return false;
    for (size_t i = 0; i < b.len; i++) {
        unsigned digit = (unsigned)b.data[i] - '0';
        if (digit > 9 || value > max / 10 || digit > max - value * 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

/* The first bytes of UTF-8 characters: their length, and the range of the
 * second byte, which is where overlong forms, surrogates and code points past
 * U+10FFFF show. */
struct utf8_row {
    uint8_t first, last;
    uint8_t len;
    uint8_t second_min, second_max;
};

static const struct utf8_row utf8_rows[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static const struct utf8_row *find_utf8_row(uint8_t c)
{
    for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++) {
        if (c >= utf8_rows[i].first && c <= utf8_rows[i].last)
            return &utf8_rows[i];
    }
    return NULL;
}

/* The length of the character at the start of `b`, 0 where it is malformed. */
static size_t utf8_len(struct bytes b)
{
    const struct utf8_row *row = find_utf8_row(b.data[0]);

    if (!row || row->len > b.len)
        return 0;
    if (row->len > 1 && (b.data[1] < row->second_min || b.data[1] > row->second_max))
        return 0;
    for (size_t i = 2; i < row->len; i++) {
        if ((b.data[i] & 0xC0) != 0x80)
            return 0;
    }
    return row->len;
}

bool bytes_is_utf8(struct bytes b)
{
    while (b.len > 0) {
        size_t len = utf8_len(b);
        if (len == 0)
            return false;
        b = bytes_from(b, len);
    }
    return true;
}
