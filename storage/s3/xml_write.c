/* xml_write.c - see xml_write.h. */
#include "storage/s3/xml_write.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"

#define DECLARATION        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NAMESPACE          " xmlns=\"" XML_WRITE_NAMESPACE "\""
#define REPLACEMENT        BYTES_LIT("\xef\xbf\xbd") /* U+FFFD */
#define UTF8_MAX           4                         /* bytes of one character */
#define IS_NONCHARACTER(p) ((p)[0] == 0xef && (p)[1] == 0xbf && (p)[2] >= 0xbe)

/* How a byte below 0x80 is written: NULL = as it is, "" = as a reference by number. */
static const char *const escapes[0x80] = {
    ['&'] = "&amp;",  ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&apos;",
    ['\r'] = "&#13;", [0] = "",       [1] = "",       [2] = "",         [3] = "",
    [4] = "",         [5] = "",       [6] = "",       [7] = "",         [8] = "",
    [11] = "",        [12] = "",      [14] = "",      [15] = "",        [16] = "",
    [17] = "",        [18] = "",      [19] = "",      [20] = "",        [21] = "",
    [22] = "",        [23] = "",      [24] = "",      [25] = "",        [26] = "",
    [27] = "",        [28] = "",      [29] = "",      [30] = "",        [31] = "",
};

/* The length of the character of several bytes that `text` begins with; 0 where it is not UTF-8. */
static size_t character_len(struct bytes text)
{
    for (size_t len = 2; len <= UTF8_MAX && len <= text.len; len++)
        if (bytes_is_utf8(bytes_first(text, len)))
            return len;
    return 0;
}

/* Write what `text` begins with that cannot stay as it is.
 *
 * returns  bytes of `text` that are dealt with, 1 or more */
static size_t write_special(struct buf *to, struct bytes text)
{
    uint8_t c = text.data[0];
    size_t len = c < 0x80 ? 1 : character_len(text);
    if (c < 0x80 && escapes[c][0])
        buf_append_str(to, escapes[c]);
    else if (c < 0x80)
        buf_printf(to, "&#x%x;", c);
    else if (len == 0)
        buf_append(to, REPLACEMENT);
    else if (len == 3 && IS_NONCHARACTER(text.data))
        buf_printf(to, "&#xFFF%X;", (unsigned)(text.data[2] & 15));
    else
        buf_append(to, bytes_first(text, len));
    return len ? len : 1;
}

/* How many bytes `text` begins with that stay as they are and are ASCII. */
static size_t plain_len(struct bytes text)
{
    size_t len = 0;
    while (len < text.len && text.data[len] < 0x80 && !escapes[text.data[len]])
        len++;
    return len;
}

static void write_escaped(struct buf *to, struct bytes text)
{
    while (text.len > 0) {
        size_t plain = plain_len(text);
        buf_append(to, bytes_first(text, plain));
        text = bytes_from(text, plain);
        if (text.len > 0)
            text = bytes_from(text, write_special(to, text));
    }
}

static void push(struct xml_write *xml, const char *name)
{
    assert(xml->depth < XML_WRITE_DEPTH_MAX);
    xml->open[xml->depth++] = name;
}

static void write_tag(struct buf *to, const char *before, const char *name)
{
    buf_append_str(to, before);
    buf_append_str(to, name);
    buf_append_u8(to, '>');
}

void xml_write_start(struct xml_write *xml, struct buf *to, const char *root, bool namespaced)
{
    xml->to = to;
    xml->depth = 0;
    buf_append_str(to, DECLARATION);
    xml_write_open_with(xml, root, namespaced ? NAMESPACE : "");
}

void xml_write_end(struct xml_write *xml)
{
    while (xml->depth > 0)
        xml_write_close(xml);
}

void xml_write_open(struct xml_write *xml, const char *name)
{
    write_tag(xml->to, "<", name);
    push(xml, name);
}

void xml_write_open_with(struct xml_write *xml, const char *name, const char *attributes)
{
    buf_append_u8(xml->to, '<');
    buf_append_str(xml->to, name);
    write_tag(xml->to, attributes, "");
    push(xml, name);
}

void xml_write_close(struct xml_write *xml)
{
    assert(xml->depth > 0);
    write_tag(xml->to, "</", xml->open[--xml->depth]);
}

void xml_write_text(struct xml_write *xml, const char *name, struct bytes text)
{
    write_tag(xml->to, "<", name);
    write_escaped(xml->to, text);
    write_tag(xml->to, "</", name);
}

void xml_write_made(struct xml_write *xml, const char *name, struct bytes text)
{
    if (text.data)
        xml_write_text(xml, name, text);
    else
        xml->to->failed = ERR_NO_MEMORY;
}

void xml_write_str(struct xml_write *xml, const char *name, const char *text)
{
    xml_write_text(xml, name, bytes_of_str(text));
}

void xml_write_u64(struct xml_write *xml, const char *name, uint64_t value)
{
    write_tag(xml->to, "<", name);
    buf_printf(xml->to, "%" PRIu64, value);
    write_tag(xml->to, "</", name);
}

void xml_write_bool(struct xml_write *xml, const char *name, bool value)
{
    xml_write_str(xml, name, value ? "true" : "false");
}

void xml_write_time(struct xml_write *xml, const char *name, uint64_t unix_ms)
{
    char text[CLOCK_TEXT_MAX];
    clock_format_iso(unix_ms, text);
    xml_write_str(xml, name, text);
}
