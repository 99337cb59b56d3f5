/* body.h - one body: bytes written once, read checked, never changed.
 *
 * Up to OBJ_INLINE_MAX bytes lie in KV_BODIES with a CRC32C behind them; more
 * go to extents in segments as they stream in, with a CRC32C per block. Memory
 * is one buffer a writer, whatever the length.
 *
 * Threads   a writer or reader belongs to one thread at a time. */
#ifndef STORAGE_OBJ_BODY_H
#define STORAGE_OBJ_BODY_H

#include "storage/obj/store.h"

struct body_writer; /* opaque: body_write.c */

#define BODY_LENGTH_UNKNOWN UINT64_MAX

/* Start a body.
 *
 * length      bytes to come, or BODY_LENGTH_UNKNOWN; a hint for where to put it
 * ret_writer  yours: body_writer_free, which gives up what was not committed
 * errors      ERR_NO_MEMORY, ERR_READ_ONLY, ERR_NO_SPACE */
MUST_USE enum err_code body_writer_open(struct store *store, uint64_t length,
                                        struct body_writer **ret_writer, struct err *err);

/* Append; may block for the disk or for a buffer.
 *
 * errors  ERR_NO_SPACE, ERR_IO, ERR_LIMIT (over S3_PUT_BYTES_MAX), ERR_NO_MEMORY; the
 *         first one again from then on, whatever is written: the body has a gap */
MUST_USE enum err_code body_writer_write(struct body_writer *writer, struct bytes piece,
                                         struct err *err);
uint64_t body_writer_length(const struct body_writer *writer);
void body_writer_free(struct body_writer *writer);
AUTO_DEFINE(body_writer, struct body_writer, body_writer_free)

struct body_reader; /* opaque: body_read.c */

/* Read the next bytes of a body from `offset`, checked before they are handed over.
 *
 * ret_len  1..room
 * errors   ERR_CORRUPT (rot: counted and logged by the store), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code body_reader_read(struct body_reader *reader, uint64_t offset, uint8_t *to,
                                        size_t room, size_t *ret_len, struct err *err);
void body_reader_free(struct body_reader *reader);
AUTO_DEFINE(body_reader, struct body_reader, body_reader_free)

/* The whole body where it is small (inline or empty): borrowed until the
 * reader is freed; data is NULL where the body is larger. Checked already. */
struct bytes body_reader_small(const struct body_reader *reader);

#endif
