/* etag.c - see etag.h. */
#include "storage/s3/etag.h"

#include "base/codec.h"

#define HEX_LEN ((size_t)2 * RECORD_ETAG_LEN)

void etag_text(const uint8_t *etag, uint32_t parts, char ret_text[ETAG_TEXT_MAX])
{
    char *to = ret_text;
    *to++ = '"';
    codec_hex(bytes_of(etag, RECORD_ETAG_LEN), to);
    to += HEX_LEN;
    if (parts > 0) {
        *to++ = '-';
        to += codec_decimal(parts, to);
    }
    memcpy(to, "\"", sizeof("\""));
}

static struct bytes unquote(struct bytes text)
{
    bool quoted = text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"';
    return quoted ? bytes_of(text.data + 1, text.len - 2) : text;
}

bool etag_parse(struct bytes text, uint8_t ret_etag[RECORD_ETAG_LEN], uint32_t *ret_parts)
{
    struct bytes rest = unquote(bytes_trim(text)), hex;
    uint64_t parts = 0;
    bool has_parts = bytes_cut(&rest, '-', &hex);
    if (has_parts && (!bytes_to_u64(rest, UINT32_MAX, &parts) || parts == 0))
        return false;
    if (!codec_unhex(hex, ret_etag, RECORD_ETAG_LEN))
        return false;
    *ret_parts = (uint32_t)parts;
    return true;
}
