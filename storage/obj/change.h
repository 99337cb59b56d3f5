/* change.h - the change log and who reads it: functions, sync, whoever comes.
 *
 * A change is written in the batch of what it tells of, so none is lost and none
 * is told of what did not happen. A reader has a name and a durable cursor: it
 * gets every change after it at least once, in order of their numbers (which
 * rise, with gaps: not every number is a change). Changes that every reader has
 * are trimmed; a reader that falls more than changes_max behind is told that it
 * lost some, and lists instead.
 *
 * Threads   any; a reader's own calls from one thread at a time. */
#ifndef STORAGE_OBJ_CHANGE_H
#define STORAGE_OBJ_CHANGE_H

#include "storage/obj/store.h"

#define CHANGE_READER_NAME_MAX 64 /* bytes */

/* Register a reader. A new one starts behind the newest change; one that is there
 * keeps its cursor.
 *
 * name     1..CHANGE_READER_NAME_MAX bytes
 * ret_seq  its cursor
 * errors   ERR_INVALID (name), those of commit()
 * effect   durable */
MUST_USE enum err_code change_reader_add(struct store *store, struct bytes name, uint64_t *ret_seq,
                                         struct err *err);

/* Forget a reader: the log is not kept for it any more. What is not there is removed with success.
 */
MUST_USE enum err_code change_reader_remove(struct store *store, struct bytes name,
                                            struct err *err);

/* The reader has dealt with everything up to `seq`. An older seq than its cursor changes nothing.
 *
 * errors   ERR_NOT_FOUND (no such reader), ERR_INVALID (above the newest number), those of commit()
 * effect   durable */
MUST_USE enum err_code change_reader_ack(struct store *store, struct bytes name, uint64_t seq,
                                         struct err *err);

struct change_page {
    struct record_change *changes; /* in order; arena memory */
    size_t count;
    uint64_t
        upto;  /* everything up to this number was looked at: the next `after`, and what to ack */
    bool lost; /* changes after `after` were trimmed: list, then go on from upto */
};

/* The changes after a number.
 *
 * max     how many at most
 * errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code change_read(struct store *store, uint64_t after, size_t max,
                                   struct arena *arena, struct change_page *ret_page,
                                   struct err *err);

/* Block until there may be a change after `after`, or `timeout_ms` passed. */
void change_wait(struct store *store, uint64_t after, uint32_t timeout_ms);

/* How far the last reader is behind, in numbers; 0 without readers. */
MUST_USE enum err_code change_lag(struct store *store, uint64_t *ret_lag, struct err *err);

/* One reader. `name` is borrowed for the call; `lag` is as in change_lag(). */
typedef enum err_code (*change_reader_fn)(void *ctx, struct bytes name, uint64_t lag,
                                          struct err *err);

/* Tell of each reader, in the order of their names.
 *
 * errors  ERR_IO, ERR_CORRUPT, ERR_NO_MEMORY; those of fn, at which it ends */
MUST_USE enum err_code change_reader_each(struct store *store, change_reader_fn fn, void *ctx,
                                          struct err *err);

#endif
