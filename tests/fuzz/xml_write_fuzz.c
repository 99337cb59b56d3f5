/* xml_write_fuzz.c - any bytes as an element's text: what XML can carry comes
 * back as it was, what it cannot is refused by the reader and breaks nothing.
 *
 * Catches   '<' not escaped (its row left out) */
#include "storage/s3/xml_write.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/s3/xml_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* XML 1.0 has no way to say this. */
static bool is_unspeakable(struct bytes text)
{
    static const char nonsense[] = "\xef\xbf";
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
            return true;
        if (i + 2 < text.len && memcmp(text.data + i, nonsense, 2) == 0 && text.data[i + 2] >= 0xbe)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct xml_write xml;
    struct buf to;
    struct arena arena;
    struct err err = {0};
    const struct xml_node *root;
    arena_init(&arena, MIB(16));
    buf_init(&to, MIB(1));
    xml_write_start(&xml, &to, "R", true);
    xml_write_text(&xml, "K", text);
    xml_write_end(&xml);
    assert(buf_ok(&to) && bytes_is_utf8(buf_bytes(&to)));
    if (xml_read(buf_bytes(&to), "R", &arena, &root, &err))
        assert(is_unspeakable(text));
    else if (bytes_is_utf8(text))
        assert(bytes_equal(xml_read_text(root, "K"), text));
    buf_done(&to);
    arena_done(&arena);
    return 0;
}
