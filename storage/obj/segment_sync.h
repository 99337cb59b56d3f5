/* segment_sync.h - rounds of fdatasync on one file, shared by whoever waits.
 *
 * A caller needs a sync that starts after its own write returned: it joins the
 * next round, or leads it where none is under way. After a failed round none
 * succeeds again, since the kernel reports a lost write only once.
 *
 * Threads   any. */
#ifndef STORAGE_OBJ_SEGMENT_SYNC_H
#define STORAGE_OBJ_SEGMENT_SYNC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct segment_sync {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    uint64_t started; /* rounds */
    uint64_t finished;
    struct err failed; /* code ERR_OK until a round failed */
};

void segment_sync_init(struct segment_sync *sync);
void segment_sync_done(struct segment_sync *sync);

/* Wait for a round that starts from now on, leading it if need be.
 *
 * ret_led  whether this caller ran the fdatasync
 * errors   ERR_IO, ERR_NO_SPACE: as the failed round's, for ever */
MUST_USE enum err_code segment_sync_round(struct segment_sync *sync, int fd, bool *ret_led,
                                          struct err *err);

#endif
