/* write_behind.h - writes to segments by threads of their own: who fills buffers
 * receives and hashes the next one meanwhile.
 *
 *     line of a body:  | on disk | early synced | written | in flight | being filled |
 *
 * A disk takes bytes into its own memory and is slow at the sync. So a long line is
 * synced early, every WRITE_BEHIND_SYNC_BYTES, and its last sync finds little to do.
 *
 * Owns      the threads.
 * Not here  where bytes go and what is under a checksum (body_write.c).
 * Threads   a line is one thread's; all else any. */
#ifndef STORAGE_OBJ_WRITE_BEHIND_H
#define STORAGE_OBJ_WRITE_BEHIND_H

#include <pthread.h>

#include "storage/obj/segment.h"

struct write_behind; /* opaque: write_behind.c */

/* The writes of one body. */
struct write_line {
    struct write_behind *behind;
    pthread_cond_t moved; /* one of the below did */
    unsigned in_flight;   /* writes and early syncs; the lock of write_behind, as the rest */
    uint64_t unsynced;    /* bytes written since the last early sync */
    struct err failed;    /* the first write that failed; nothing is written after it */
};

/* One write: segment_write() of `data`, which stays as it is while `busy`. */
struct write_job {
    uint32_t segment;
    uint64_t at;
    struct bytes data;
    struct write_line *line; /* this and below: write_behind.c's */
    struct write_job *next;
    bool busy;
};

/* errors  ERR_IO (the system has no thread for it), ERR_NO_MEMORY */
MUST_USE enum err_code write_behind_new(struct segments *segments, struct write_behind **ret_behind,
                                        struct err *err);
/* After every line is done. */
void write_behind_free(struct write_behind *behind);

void write_line_init(struct write_line *line, struct write_behind *behind);

/* Hand over a write into a space that the line's owner has taken, and keeps until
 * write_line_wait. The job must not be busy. */
void write_line_put(struct write_line *line, struct write_job *job);

/* Wait until `job` is not busy, or with NULL until nothing is in flight.
 *
 * errors  those of segment_write() of any job so far, for ever */
MUST_USE enum err_code write_line_wait(struct write_line *line, const struct write_job *job,
                                       struct err *err);

/* Nothing is in flight any more, however it ended. */
void write_line_done(struct write_line *line);

#endif
