/* compact_internal.h - compaction at work, shared by compact.c (when, and what)
 * and compact_move.c (how one body moves).
 *
 * Threads   the fields marked lock: under it; the others: the compaction's own. */
#ifndef STORAGE_OBJ_COMPACT_INTERNAL_H
#define STORAGE_OBJ_COMPACT_INTERNAL_H

#include "base/pace.h"
#include "storage/obj/internal.h"

#define COMPACT_VICTIMS_MAX 16   /* segments emptied in one walk over the bodies */
#define COMPACT_BODIES_MAX  4096 /* bodies found in one step of it */
#define COMPACT_MOVED_MAX   1024 /* old places that may still be read */

/* An old place, a body of its own now. */
struct compact_moved {
    uint64_t old, body;
    uint64_t mark; /* the last pin of `body` that may have to do with it */
};

struct compact {
    struct store *store;
    struct store_compaction options;
    struct worker worker;
    struct pace pace; /* of one look */
    uint32_t victims[COMPACT_VICTIMS_MAX];
    size_t victim_count;
    uint64_t bodies[COMPACT_BODIES_MAX]; /* with extents in the victims */
    size_t body_count;
    uint8_t block[OBJ_BLOCK_BYTES];
    pthread_mutex_t lock;
    struct compact_moved moved[COMPACT_MOVED_MAX]; /* lock */
    size_t moved_count;                            /* lock */
};

/* Whether the segment is being emptied. */
bool compact_is_victim(const struct compact *compact, uint32_t segment);

/* Count bytes that were moved, and keep to the rate. returns  false: stop */
MUST_USE bool compact_pace(struct compact *compact, uint64_t bytes);

/* Old places: remembered before the commit that makes one, for every reader of `body`;
 * then for those up to a mark; forgotten when the commit failed.
 *
 * returns  false: too many are still read */
MUST_USE bool compact_remember(struct compact *compact, uint64_t old, uint64_t body);
void compact_set_mark(struct compact *compact, uint64_t old, uint64_t mark);
void compact_forget(struct compact *compact, uint64_t old);

/* Move what a body has in the victims. One that is gone, dead or rotten is left as it is.
 *
 * errors  ERR_BUSY (bodies are held, or too many old places are read: later), ERR_CLOSED
 *         (stopped), those of writing and commit() */
MUST_USE enum err_code compact_move(struct compact *compact, uint64_t body, struct err *err);

#endif
