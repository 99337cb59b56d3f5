/* last_seen.h - the latest wall time at which this box was running, kept on
 * disk: a clock that is behind it (a dead battery, 1970) is wrong, and shown.
 *
 * It only moves forward. Nothing is ordered by it.
 *
 * Threads   last_seen_keep from one thread; last_seen_behind_ms from any. */
#ifndef APPLIANCE_LAST_SEEN_H
#define APPLIANCE_LAST_SEEN_H

#include <stdatomic.h>

#include "base/clock.h"
#include "storage/kv/commit.h"

struct last_seen {
    struct committer *committer; /* borrowed */
    const struct clock *clock;
    atomic_uint_fast64_t unix_ms; /* on disk */
};

/* Read what the disk has. errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code last_seen_load(struct last_seen *last_seen, struct kv *kv,
                                      struct committer *committer, const struct clock *clock,
                                      struct err *err);

/* Move it to now, where now is later.
 *
 * errors  those of commit(). effect  durable */
MUST_USE enum err_code last_seen_keep(struct last_seen *last_seen, struct err *err);

/* Milliseconds that the clock is behind; 0 where it is not. */
uint64_t last_seen_behind_ms(const struct last_seen *last_seen);

#endif
