/* worker.c - see worker.h. */
#include "storage/obj/worker.h"

#include <errno.h>

#include "base/deadline.h"

void worker_init(struct worker *worker)
{
    *worker = (struct worker){0};
    pthread_mutex_init(&worker->lock, NULL);
    deadline_cond_init(&worker->wake);
}

void worker_done(struct worker *worker)
{
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
}

enum err_code worker_start(struct worker *worker, void *(*run)(void *ctx), void *ctx,
                           const char *name, struct err *err)
{
    int failed = pthread_create(&worker->thread, NULL, run, ctx);
    worker->started = failed == 0;
    return failed ? err_fail_sys(err, failed, "thread of the %s", name) : ERR_OK;
}

void worker_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    if (worker->started)
        pthread_join(worker->thread, NULL);
    worker->started = false;
}

void worker_wake(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->woken = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

bool worker_stopping(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool stop = worker->stop;
    pthread_mutex_unlock(&worker->lock);
    return stop;
}

/* The lock is held. */
static void doze(struct worker *worker, uint32_t ms, const bool *until)
{
    struct timespec deadline = deadline_after(ms);
    int rc = 0;
    while (!worker->stop && !*until && rc != ETIMEDOUT)
        rc = ms == WORKER_FOREVER ? pthread_cond_wait(&worker->wake, &worker->lock)
                                  : pthread_cond_timedwait(&worker->wake, &worker->lock, &deadline);
}

bool worker_rest(struct worker *worker, uint32_t ms)
{
    pthread_mutex_lock(&worker->lock);
    doze(worker, ms, &worker->woken);
    worker->woken = false;
    bool go_on = !worker->stop;
    pthread_mutex_unlock(&worker->lock);
    return go_on;
}

bool worker_wait(struct worker *worker, uint32_t ms)
{
    pthread_mutex_lock(&worker->lock);
    doze(worker, ms, &worker->stop);
    bool go_on = !worker->stop;
    pthread_mutex_unlock(&worker->lock);
    return go_on;
}
