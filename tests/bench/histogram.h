/* histogram.h - times of requests, to 2 % in constant memory.
 *
 * Threads   one. */
#ifndef TESTS_BENCH_HISTOGRAM_H
#define TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS  6 /* steps in each power of two: 2^6 */
#define HISTOGRAM_SLOTS ((65 - HISTOGRAM_BITS) << HISTOGRAM_BITS)

struct histogram {
    uint64_t slots[HISTOGRAM_SLOTS]; /* zeroed by the owner */
    uint64_t count, max_ns;
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The time that `share` (0..1) of the requests did not exceed, in ns; 0 without requests. */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
