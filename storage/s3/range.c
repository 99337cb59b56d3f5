/* range.c - see range.h. */
#include "storage/s3/range.h"

#define UNIT BYTES_LIT("bytes=")

/* Decimal digits; a number that does not fit is the largest there is: it lies behind any object.
 *
 * returns  false where it is not digits */
static bool read_offset(struct bytes digits, uint64_t *ret_value)
{
    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
    if (!bytes_to_u64(digits, UINT64_MAX, ret_value))
        *ret_value = UINT64_MAX;
    return true;
}

/* The two sides of "bytes=a-b". */
static bool cut_range(struct bytes field, struct bytes *ret_first, struct bytes *ret_last)
{
    if (!bytes_equal_nocase(bytes_first(field, UNIT.len), UNIT))
        return false;
    *ret_last = bytes_from(field, UNIT.len);
    return bytes_cut(ret_last, '-', ret_first);
}

static struct range part(uint64_t first, uint64_t len)
{
    return (struct range){len > 0 ? RANGE_PART : RANGE_UNSATISFIABLE, len > 0 ? first : 0, len};
}

struct range range_read(struct bytes field, uint64_t size)
{
    struct range whole = {RANGE_WHOLE, 0, size};
    struct bytes first_text, last_text;
    uint64_t first, last = UINT64_MAX;
    if (!cut_range(field, &first_text, &last_text))
        return whole;
    if (first_text.len == 0) {
        if (!read_offset(last_text, &last))
            return whole;
        return last < size ? part(size - last, last) : part(0, size);
    }
    if (!read_offset(first_text, &first) || (last_text.len > 0 && !read_offset(last_text, &last)) ||
        first > last)
        return whole;
    if (first >= size)
        return part(0, 0);
    return part(first, (last < size ? last + 1 : size) - first);
}

bool range_read_copy(struct bytes field, uint64_t *ret_first, uint64_t *ret_last)
{
    struct bytes first_text, last_text;
    uint64_t first, last;
    if (!cut_range(field, &first_text, &last_text) ||
        !bytes_to_u64(first_text, UINT64_MAX - 1, &first) ||
        !bytes_to_u64(last_text, UINT64_MAX - 1, &last) || first > last)
        return false;
    *ret_first = first;
    *ret_last = last;
    return true;
}
