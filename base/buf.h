/* buf.h - a growable buffer, born with a cap.
 *
 * Owns      its memory; buf_done() frees it.
 * Threads   a buf belongs to one thread at a time.
 *
 * A failed append leaves the content as it was and is remembered: a writer
 * may append many times and look once, at buf_ok(), before using the result. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

struct buf {
    uint8_t *data;
    size_t len;           /* bytes used */
    size_t room;          /* bytes allocated */
    size_t max;           /* bytes; appending past it fails */
    enum err_code failed; /* ERR_OK, ERR_LIMIT or ERR_NO_MEMORY: the first failure */
};

/* Start empty, without allocating. `max` is a cap from limits.h. */
void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);

/* Empty it, forget a failure, keep the memory. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, struct bytes b);
void buf_append_str(struct buf *buf, const char *s);
void buf_append_u8(struct buf *buf, uint8_t value);
void buf_append_u16be(struct buf *buf, uint16_t value);
void buf_append_u32be(struct buf *buf, uint32_t value);
void buf_append_u64be(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `len` more bytes at the end, counted as used, to be filled by the
 * caller at once; NULL (remembered) when it cannot be had. */
uint8_t *buf_extend(struct buf *buf, size_t len);

static inline struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->data, buf->len);
}

static inline bool buf_ok(const struct buf *buf)
{
    return buf->failed == ERR_OK;
}

static inline void buf_auto(struct buf *buf)
{
    buf_done(buf);
}

#endif
