/* compact.h - sparse segment files: what is alive in them moves to the current
 * one, so that the files do not grow in number and in holes for ever.
 *
 * Deletes give their bytes back at once by holes; this is about files. See
 * compact.c for how a body moves while it is read.
 *
 * Threads   any, but for start, stop and free: who opens and closes the store. */
#ifndef STORAGE_OBJ_COMPACT_H
#define STORAGE_OBJ_COMPACT_H

#include "storage/obj/store.h"

/* Start the thread. errors  ERR_NO_MEMORY, ERR_IO */
MUST_USE enum err_code compact_start(struct store *store, const struct store_compaction *options,
                                     struct err *err);

/* Interrupt it and wait until it stands; nothing where it was not started. */
void compact_stop(struct store *store);
void compact_free(struct store *store);

/* Something was freed: a segment may be sparse now. */
void compact_wake(struct store *store);

/* For the sweeper: whether `body` is the old place of one that moved, and readers
 * who came before may still read there. */
bool compact_is_read(struct store *store, uint64_t body);

#endif
