/* pace.h - work kept to a rate: how long to wait now, after bytes that were done.
 *
 * Time that passed unused is made good, so that slow reads and late wakes do not
 * lower the rate; but a second of it at most: after an hour's rest a second's bytes
 * may go at once, and not an hour's.
 *
 * Not here  clocks and waiting: the time is passed in, and who waits may be stopped.
 * Threads   a pace belongs to one thread at a time. */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include <stdint.h>

#define PACE_CREDIT_MS   1000      /* of unused time that is made good */
#define PACE_WAIT_MS_MAX INT32_MAX /* longest wait that is asked for, 24 days */

struct pace {
    uint64_t bytes_per_second;
    uint64_t due_ms; /* monotonic: when what was done is due ... */
    uint64_t bytes;  /* ... but for these, less than a second's */
};

/* Begin: nothing was done, and no time passed unused.
 *
 * bytes_per_second  at most UINT64_MAX / 1000; 0 = as fast as can be
 * now_ms            monotonic */
void pace_init(struct pace *pace, uint64_t bytes_per_second, uint64_t now_ms);

/* Count `bytes` that were done just now.
 *
 * returns  how long to wait before the next, in milliseconds, 0 to PACE_WAIT_MS_MAX */
uint32_t pace_wait_ms(struct pace *pace, uint64_t bytes, uint64_t now_ms);

#endif
