/* etag_fuzz.c - tags: what was read, written, and read again is the same.
 *
 * Catches   a number of parts that is cut to 16 bits (`(uint16_t)parts` in etag_parse) */
#include "storage/s3/etag.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number behind '-', computed here in another way; 0 without one. */
static uint64_t parts_of(struct bytes text)
{
    uint64_t parts = 0;
    struct bytes head;
    if (!bytes_cut(&text, '-', &head))
        return 0;
    for (size_t i = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        parts = parts * 10 + text.data[i] - '0';
    return parts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t etag[RECORD_ETAG_LEN], again[RECORD_ETAG_LEN];
    uint32_t parts, parts_again;
    char text[ETAG_TEXT_MAX];
    if (!etag_parse(bytes_of(data, size), etag, &parts))
        return 0;
    assert(parts == parts_of(bytes_of(data, size)));
    etag_text(etag, parts, text);
    if (!etag_parse(bytes_of_str(text), again, &parts_again))
        assert(!"what was written cannot be read");
    assert(parts == parts_again && memcmp(etag, again, sizeof(etag)) == 0);
    return 0;
}
