/* lock.h - key locks: a stripe of mutexes, so that one key changes at a time.
 *
 * Order     bucket lock first, then stripes in rising order, as lock_keys takes them.
 * Threads   any; a lock is released by the thread that took it. */
#ifndef STORAGE_OBJ_LOCK_H
#define STORAGE_OBJ_LOCK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define LOCK_STRIPES  1024
#define LOCK_KEYS_MAX 2 /* keys that one operation changes or reads under lock */

struct locks {
    pthread_mutex_t stripe[LOCK_STRIPES];
};

/* What lock_keys took: each stripe once, rising. */
struct lock_held {
    unsigned stripe[LOCK_KEYS_MAX];
    size_t count;
};

struct lock_key {
    unsigned bucket;
    struct bytes key;
};

void locks_init(struct locks *locks);
void locks_done(struct locks *locks);

/* Lock 1..LOCK_KEYS_MAX keys. */
void lock_keys(struct locks *locks, const struct lock_key *keys, size_t count,
               struct lock_held *ret_held);
void lock_release(struct locks *locks, const struct lock_held *held);

/* The same for any number of keys. */
struct lock_many {
    uint64_t stripes[LOCK_STRIPES / 64]; /* a bit each */
};
void lock_many(struct locks *locks, const struct lock_key *keys, size_t count,
               struct lock_many *ret_held);
void lock_many_release(struct locks *locks, const struct lock_many *held);

#endif
