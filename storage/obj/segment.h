/* segment.h - segment files: where large bodies lie, DIR/bodies/00000001.seg …
 *
 * A segment is preallocated in growing steps, filled from its start by a bump
 * allocator, written at any offset with O_DIRECT (buffered where the file system
 * has none), never overwritten. What is freed is punched out; a full segment
 * without anything alive is unlinked, a sparse one is told of. Every start begins a new segment:
 * space of an earlier one that no record names was never acknowledged, and segments_recover() frees
 * it.
 *
 * fdatasync tells of a failed write-back once and then says OK, so each segment
 * has a latch: after a failure no sync of it succeeds again.
 *
 * Owns      DIR/bodies.
 * Not here  what the bytes mean, checksums (body_write.c, body_read.c).
 * Threads   any. */
#ifndef STORAGE_OBJ_SEGMENT_H
#define STORAGE_OBJ_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "storage/obj/record.h"

#define SEGMENT_ALIGN 4096u /* bytes: offsets, lengths and buffers of O_DIRECT */

/* With its padding: what `n` bytes take of a segment. */
static inline uint64_t segment_round_up(uint64_t n)
{
    return (n + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
}

struct segments; /* opaque: segment.c */

/* A piece of a segment that one writer may fill. */
struct segment_space {
    uint32_t segment;
    uint64_t offset; /* multiple of SEGMENT_ALIGN */
    uint64_t len;    /* bytes, multiple of SEGMENT_ALIGN */
};

/* Open the folder, which is made where it does not exist.
 *
 * segment_bytes  what segments grow to; multiple of SEGMENT_ALIGN
 * errors         ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code segments_open(const char *dir, uint64_t segment_bytes,
                                     struct segments **ret_segments, struct err *err);
void segments_close(struct segments *segments);

/* New segments have this number or a higher one: lower ones were given before. The
 * files tell that, but for those that are gone or lost: rows may still name them. */
void segments_begin_at(struct segments *segments, uint32_t number);

/* Take space for up to `want` bytes (> 0): as much as the current segment has, at least
 * one block of `unit` bytes or all that is wanted. Each space must be given
 * back by segment_keep or segment_return.
 *
 * errors  ERR_NO_SPACE, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code segment_take(struct segments *segments, uint64_t want, uint64_t unit,
                                    struct segment_space *ret_space, struct err *err);

/* Write into a space.
 *
 * at    offset in the segment; with data.data and data.len a multiple of SEGMENT_ALIGN
 * errors  ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code segment_write(struct segments *segments, uint32_t segment, uint64_t at,
                                     struct bytes data, struct err *err);

/* Everything written to the segment so far is on stable storage.
 *
 * errors  ERR_IO, now and for ever after a failure */
MUST_USE enum err_code segment_sync(struct segments *segments, uint32_t segment, struct err *err);

/* The writer is done: the first `used` bytes stay (a record names them), the
 * rest goes back. used = 0 gives up all of it. */
void segment_keep(struct segments *segments, const struct segment_space *space, uint64_t used);

/* A descriptor for reading; yours to close.
 *
 * direct  past the page cache where the file system can: reads are then aligned as writes are
 * errors  ERR_CORRUPT (no such segment), ERR_IO */
MUST_USE enum err_code segment_open_read(struct segments *segments, uint32_t segment, bool direct,
                                         int *ret_fd, struct err *err);

/* Free the bytes of an extent: the disk has them back at once. May be done again.
 *
 * len     bytes, rounded up to SEGMENT_ALIGN here
 * errors  ERR_IO */
MUST_USE enum err_code segment_free(struct segments *segments, uint32_t segment, uint64_t offset,
                                    uint64_t len, struct err *err);

/* Count a freed extent off, once, when no row names it any more, now and after a
 * restart. Not before: the file may go, and its number to another one. */
void segment_forget(struct segments *segments, uint32_t segment, uint64_t len);

/* After a start: tell what is alive in the segments of earlier runs. From
 * segments_live_start on segments_live once for each extent that a record names,
 * then segments_recover punches out everything else in them and unlinks what is empty.
 *
 * errors  ERR_NO_MEMORY, ERR_IO, ERR_CORRUPT (an extent outside its segment) */
void segments_live_start(struct segments *segments);
MUST_USE enum err_code segments_live(struct segments *segments, const struct record_extent *extent,
                                     struct err *err);
MUST_USE enum err_code segments_recover(struct segments *segments, uint64_t *ret_freed,
                                        struct err *err);

/* Segments that are sparse: nothing more is handed out or written there, and less than `percent`
 * of the file is alive. Those that a stop cut short, less than `percent` of a whole segment
 * alive, count as sparse once there are many.
 *
 * ret_numbers  the first `max` of them, oldest first
 * returns      how many */
size_t segments_sparse(struct segments *segments, unsigned percent, uint32_t *ret_numbers,
                       size_t max);

/* Everything that could be moved out of it was: it is not sparse again before more is freed. */
void segment_tried(struct segments *segments, uint32_t segment);

struct segments_stats {
    uint64_t files, file_bytes, live_bytes, syncs;
};
void segments_get_stats(struct segments *segments, struct segments_stats *ret_stats);

#endif
