/* hold.h - what is stored stays where it is while somebody copies it.
 *
 *     copier:               hold_begin → copy → hold_end
 *     sweeper, compaction:  hold_free_begin → move, commit, punch, unlink → hold_free_end
 *
 * While anybody holds, hold_free_begin says no: who frees leaves its rows as they
 * are and comes back later. So a copy of the ordered store that was made under
 * the hold names only bytes that are there until hold_end. Deleted space is not
 * freed meanwhile: a holder gives up when the disk is full.
 *
 * Threads   any. */
#ifndef STORAGE_OBJ_HOLD_H
#define STORAGE_OBJ_HOLD_H

#include <pthread.h>
#include <stdbool.h>

struct hold {
    pthread_mutex_t lock;
    pthread_cond_t idle;       /* nobody frees any more */
    unsigned holders, freeing; /* lock */
};

void hold_init(struct hold *hold);
void hold_done(struct hold *hold);

/* Hold. effect  waits until what is being freed right now is done; may be nested */
void hold_begin(struct hold *hold);
void hold_end(struct hold *hold);

/* Whether anybody holds right now: what takes long need not be begun then. */
bool hold_is_held(struct hold *hold);

/* Ask to free or move bytes of bodies.
 *
 * returns  true: nobody begins to hold before hold_free_end; false: try again later */
bool hold_free_begin(struct hold *hold);
void hold_free_end(struct hold *hold);

#endif
