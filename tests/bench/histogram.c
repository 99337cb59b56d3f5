/* histogram.c - see histogram.h. A slot's number is the exponent and the upper
 * bits of the mantissa of its time, as in a float. */
#include "tests/bench/histogram.h"

static unsigned slot_of(uint64_t ns)
{
    if (ns < 1u << HISTOGRAM_BITS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_BITS;
    return (shift << HISTOGRAM_BITS) + (unsigned)(ns >> shift);
}

/* The largest time of a slot. */
static uint64_t slot_end(unsigned slot)
{
    if (slot < 2u << HISTOGRAM_BITS)
        return slot;
    unsigned shift = (slot >> HISTOGRAM_BITS) - 1;
    uint64_t mantissa = slot - ((uint64_t)shift << HISTOGRAM_BITS);
    return ((mantissa + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->slots[slot_of(ns)]++;
    histogram->count++;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->count), seen = 0;
    for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        seen += histogram->slots[slot];
        if (seen > wanted) {
            uint64_t end = slot_end(slot);
            return end < histogram->max_ns ? end : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}
