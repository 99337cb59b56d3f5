/* text.h - writing into memory whose size was computed before.
 *
 * Threads   a text belongs to one thread. */
#ifndef STORAGE_AUTH_TEXT_H
#define STORAGE_AUTH_TEXT_H

#include <assert.h>

#include "base/arena.h"

struct text {
    uint8_t *data;
    size_t len;
    size_t room; /* bytes; writing past it is our own mistake */
};

/* returns  false when memory is out */
static inline bool text_init(struct text *text, struct arena *arena, size_t room)
{
    *text = (struct text){arena_alloc_raw(arena, room), 0, room};
    return text->data != NULL;
}

static inline void text_put(struct text *text, struct bytes b)
{
    assert(b.len <= text->room - text->len);
    if (b.len > 0)
        memcpy(text->data + text->len, b.data, b.len);
    text->len += b.len;
}

static inline void text_put_char(struct text *text, char c)
{
    text_put(text, bytes_of(&c, 1));
}

static inline void text_put_line(struct text *text, struct bytes b)
{
    text_put(text, b);
    text_put_char(text, '\n');
}

static inline struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->data, text->len);
}

#endif
