/* escape.c - see escape.h. */
#include "base/escape.h"

#include "base/codec.h"

/* Bytes of the character beyond ASCII that `text` begins with; 0 = it is none. */
static size_t character_len(struct bytes text)
{
    for (size_t len = 2; len <= 4 && len <= text.len; len++)
        if (bytes_is_utf8(bytes_first(text, len)))
            return len;
    return 0;
}

/* Bytes at the start of `text` that are shown as they are. */
static size_t plain_len(struct bytes text, enum escape_style style)
{
    const uint8_t c = text.data[0];
    if (c == ' ')
        return style != ESCAPE_TO_WORD;
    if (c == '\\')
        return style == ESCAPE_CONTROLS;
    if (c < 0x80)
        return c > ' ' && c < 0x7f;
    if (style != ESCAPE_CONTROLS || (c == 0xc2 && text.len > 1 && text.data[1] < 0xa0))
        return 0;
    return character_len(text);
}

static struct bytes plain_run(struct bytes text, enum escape_style style)
{
    size_t len = 0, more = 1;
    while (more > 0 && len < text.len) {
        more = plain_len(bytes_from(text, len), style);
        len += more;
    }
    return bytes_first(text, len);
}

static struct bytes escape_byte(uint8_t c, char room[ESCAPE_ROOM])
{
    if (c == '\\')
        return BYTES_LIT("\\\\");
    room[0] = '\\';
    room[1] = 'x';
    codec_hex(bytes_of(&c, 1), room + 2);
    return bytes_of(room, ESCAPE_ROOM - 1);
}

struct bytes escape_next(struct bytes *rest, enum escape_style style, char room[ESCAPE_ROOM])
{
    const struct bytes plain = plain_run(*rest, style);
    const struct bytes shown = plain.len > 0 ? plain : escape_byte(rest->data[0], room);
    *rest = bytes_from(*rest, plain.len > 0 ? plain.len : 1);
    return shown;
}
