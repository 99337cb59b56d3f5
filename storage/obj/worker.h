/* worker.h - a thread that has work now and then: it is woken for it, rests
 * otherwise, and can be told to stand.
 *
 * Threads   worker_rest and worker_wait from the thread itself, all others from any. */
#ifndef STORAGE_OBJ_WORKER_H
#define STORAGE_OBJ_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define WORKER_FOREVER UINT32_MAX

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started;
    bool stop, woken; /* lock */
};

/* Before and after everything else. */
void worker_init(struct worker *worker);
void worker_done(struct worker *worker);

/* Start the thread. errors  ERR_IO (the system has no thread for it), ERR_NO_MEMORY */
MUST_USE enum err_code worker_start(struct worker *worker, void *(*run)(void *ctx), void *ctx,
                                    const char *name, struct err *err);

/* Have it stand, wait until it does; nothing where it was not started. It may still be woken. */
void worker_stop(struct worker *worker);

/* There is work. */
void worker_wake(struct worker *worker);

bool worker_stopping(struct worker *worker);

/* Rest until woken, but `ms` milliseconds at most, or WORKER_FOREVER.
 *
 * returns  false: stop */
MUST_USE bool worker_rest(struct worker *worker, uint32_t ms);

/* The same, but only to be stopped ends it early; a wake is kept for worker_rest. */
MUST_USE bool worker_wait(struct worker *worker, uint32_t ms);

#endif
