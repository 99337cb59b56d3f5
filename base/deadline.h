/* deadline.h - conditions that are waited for with a deadline, on the monotonic clock.
 *
 * Threads   any. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition whose pthread_cond_timedwait goes by CLOCK_MONOTONIC. */
static inline void deadline_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* The moment `ms` milliseconds from now. */
static inline struct timespec deadline_after(uint32_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long ns = t.tv_nsec + (long)(ms % 1000) * 1000000;
    t.tv_sec += (time_t)(ms / 1000) + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

#endif
