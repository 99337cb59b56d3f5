/* buf.c - a growable buffer, born with a cap.
 *
 * Owns      its memory, which always has one byte more than the content, so
 *           that buf_printf can let vsnprintf put its NUL there.
 * Threads   a buf belongs to one thread at a time. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define ROOM_MIN 256

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = ERR_OK;
}

/* Room for a content of `len` bytes and a NUL. */
static bool grow(struct buf *buf, size_t len)
{
    size_t room = buf->room > ROOM_MIN / 2 ? buf->room : ROOM_MIN / 2;
    uint8_t *data;

    if (len < buf->room)
        return true;
    room = room > buf->max / 2 ? buf->max + 1 : room * 2;
    if (room <= len)
        room = len + 1;
    data = realloc(buf->data, room);
    if (!data) {
        buf->failed = ERR_NO_MEMORY;
        return false;
    }
    buf->data = data;
    buf->room = room;
    return true;
}

uint8_t *buf_extend(struct buf *buf, size_t len)
{
    if (buf->failed)
        return NULL;
    if (len > buf->max - buf->len) {
        buf->failed = ERR_LIMIT;
        return NULL;
    }
    if (!grow(buf, buf->len + len))
        return NULL;
    buf->len += len;
    return buf->data + buf->len - len;
}

void buf_append(struct buf *buf, struct bytes b)
{
    uint8_t *to = buf_extend(buf, b.len);

    if (to && b.len > 0)
        memcpy(to, b.data, b.len);
}

void buf_append_str(struct buf *buf, const char *s)
{
    buf_append(buf, bytes_of_str(s));
}

void buf_append_u8(struct buf *buf, uint8_t value)
{
    buf_append(buf, bytes_of(&value, 1));
}

void buf_append_u16be(struct buf *buf, uint16_t value)
{
    uint8_t *to = buf_extend(buf, sizeof(value));

    if (to)
        codec_put_u16be(to, value);
}

void buf_append_u32be(struct buf *buf, uint32_t value)
{
    uint8_t *to = buf_extend(buf, sizeof(value));

    if (to)
        codec_put_u32be(to, value);
}

void buf_append_u64be(struct buf *buf, uint64_t value)
{
    uint8_t *to = buf_extend(buf, sizeof(value));

    if (to)
        codec_put_u64be(to, value);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    uint8_t *to;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    to = buf_extend(buf, len < 0 ? SIZE_MAX : (size_t)len);
    if (!to)
        return;
    va_start(args, format);
    vsnprintf((char *)to, (size_t)len + 1, format, args);
    va_end(args);
}
