/* space.h - the disk below DIR: how full it is, when writes must stop, and when
 * the reserve is given up or taken again.
 *
 * "Full" counts the space that the reserve still lacks as used, so it means
 * the same with and without it.
 *
 * Owns      DIR/reserve while the box is open (through reserve.c).
 * Threads   space_measure and space_keep from one thread; space_now from any. */
#ifndef APPLIANCE_SPACE_H
#define APPLIANCE_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct space_limits {
    uint64_t reserve_bytes; /* to hold back */
    uint64_t room_bytes;    /* that the store needs free to open, and to go on after a full disk */
    uint32_t full_percent;
};

struct space_now {
    uint64_t total_bytes;     /* of the file system */
    uint64_t available_bytes; /* to us */
    uint64_t reserve_bytes;   /* held back now */
    bool low;                 /* at the end of the disk; not told by space_now */
    bool full;                /* past the high-water mark */
};

struct space {
    const char *dir; /* borrowed */
    struct space_limits limits;
    bool low; /* the measuring thread's own */
    atomic_uint_fast64_t total, available, reserve;
    atomic_bool full;
};

enum space_advice { SPACE_KEEP, SPACE_GIVE, SPACE_TAKE };

/* Decide from numbers alone.
 *
 * used_bytes  of the file system
 * now         available_bytes and reserve_bytes are read; low and full are read
 *             as what they were before, and set
 * returns     what to do with the reserve. It is given at the second low look:
 *             who was filling the disk has hit its end by then and does not get it.
 *             The store's room is kept for the next start */
enum space_advice space_decide(uint64_t used_bytes, const struct space_limits *limits,
                               struct space_now *now);

/* `dir` is borrowed for the life of the space. */
void space_init(struct space *space, const char *dir, const struct space_limits *limits);

/* Look at the disk without touching it.
 *
 * ret_advice  what to do with the reserve
 * errors      ERR_IO; the last numbers stay */
MUST_USE enum err_code space_measure(struct space *space, enum space_advice *ret_advice,
                                     struct err *err);

/* Look, and give or take of the reserve. errors  ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code space_keep(struct space *space, struct err *err);

/* Give so much of the reserve that `room_bytes` are available, but keep
 * `keep_bytes` of it. errors  ERR_IO */
MUST_USE enum err_code space_make_room(const char *dir, uint64_t room_bytes, uint64_t keep_bytes,
                                       struct err *err);

/* Whether so little is left that a store cannot be opened safely.
 *
 * errors  ERR_NO_SPACE, ERR_IO */
MUST_USE enum err_code space_check_end(const char *dir, struct err *err);

struct space_now space_now(const struct space *space);

/* Milliseconds until the next look: sooner where the mark is near. */
uint32_t space_interval_ms(const struct space *space);

#endif
