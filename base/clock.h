/* clock.h - time, passed in, so that tests can own it.
 *
 * Monotonic time (`_ms`) measures; wall time (`_unix_ms`) is only shown and
 * compared with what clients say; order comes from sequence numbers.
 *
 * Threads   any. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
    uint64_t (*mono_ms)(void *ctx);
    uint64_t (*unix_ms)(void *ctx);
    void *ctx;
};

/* The machine's clocks (CLOCK_MONOTONIC, CLOCK_REALTIME). */
const struct clock *clock_system(void);

static inline uint64_t clock_mono_ms(const struct clock *clock)
{
    return clock->mono_ms(clock->ctx);
}

static inline uint64_t clock_unix_ms(const struct clock *clock)
{
    return clock->unix_ms(clock->ctx);
}

/* Monotonic nanoseconds, for latency histograms only. */
uint64_t clock_mono_ns(void);

/* Hybrid stamp after `last`: wall milliseconds in the upper 48 bits, a counter
 * in the lower 16. Rises strictly, even where the wall clock steps back; a wall
 * clock that is ahead of `last` is followed at once, one that fell behind only
 * makes the counter grow (carrying into the milliseconds).
 *
 * source  Kulkarni et al., Logical Physical Clocks, 2014 */
uint64_t clock_hybrid_next(uint64_t last, uint64_t now_unix_ms);

/* Formats of wall time, each NUL-terminated into the caller's array. */
#define CLOCK_TEXT_MAX 32
void clock_format_iso(uint64_t unix_ms,
                      char ret_text[CLOCK_TEXT_MAX]); /* 2026-11-24T10:16:19.000Z */
void clock_format_http(uint64_t unix_ms,
                       char ret_text[CLOCK_TEXT_MAX]); /* Tue, 24 Nov 2026 10:16:19 GMT */

/* Read one of the formats clients send: ISO basic (20261124T101619Z), ISO
 * (2026-11-24T10:16:19Z, with or without fraction), HTTP date (ending in GMT, or in
 * +0000 as signature version 2 clients write it). Years 1970 to 9999.
 *
 * returns  0 and sets `ret_unix_ms`, or -1 where it is none of them */
int clock_parse(const char *text, size_t len, uint64_t *ret_unix_ms);

#endif
