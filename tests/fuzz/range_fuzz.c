/* range_fuzz.c - ranges: what comes out lies within the object.
 *
 * Input     [size u64 big-endian][field…]
 * Catches   an end that is not clipped (`last < size` made `last <= size`) */
#include "storage/s3/range.h"

#include <assert.h>

#include "base/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t object, first, last;
    struct bytes field;
    struct range range;
    if (size < 8)
        return 0;
    object = codec_get_u64be(data);
    field = bytes_of(data + 8, size - 8);
    range = range_read(field, object);
    if (range.kind == RANGE_WHOLE)
        assert(range.first == 0 && range.len == object);
    if (range.kind == RANGE_UNSATISFIABLE)
        assert(range.first == 0 && range.len == 0);
    if (range.kind == RANGE_PART)
        assert(range.len > 0 && range.first < object && range.len <= object - range.first);
    if (range_read_copy(field, &first, &last)) {
        assert(first <= last && last < UINT64_MAX);
        assert(first >= object || (range.kind == RANGE_PART && range.first == first));
    }
    return 0;
}
