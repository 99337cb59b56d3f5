/* metrics.h - counters and latency histograms, and their Prometheus text.
 *
 * A module owns its own struct of counters; who prints them walks the modules.
 * Threads   any: atomic, relaxed; a reader sees each number, not a moment. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

struct metrics_counter {
    atomic_uint_fast64_t value;
};

static inline void metrics_add(struct metrics_counter *counter, uint64_t n)
{
    atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

static inline uint64_t metrics_get(const struct metrics_counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

#define METRICS_BUCKETS 20
/* Upper bounds in microseconds: 50, 100, 200 … doubling; the last is +Inf. */
struct metrics_histogram {
    struct metrics_counter bucket[METRICS_BUCKETS];
    struct metrics_counter sum_us;
};

void metrics_observe_us(struct metrics_histogram *histogram, uint64_t us);

/* Write `# HELP`, `# TYPE`. type: "counter", "gauge", "histogram". */
void metrics_write_type(struct buf *to, const char *name, const char *type, const char *help);

/* Write `name="value"` into the caller's array, for the labels below: escaped, and what is no
 * printable ASCII becomes '?'.
 *
 * value  at most METRICS_LABEL_VALUE_MAX bytes are taken */
#define METRICS_LABEL_VALUE_MAX 64
#define METRICS_LABEL_MAX       (2 * METRICS_LABEL_VALUE_MAX + 32) /* bytes; names of up to 28 */
void metrics_label(char ret_label[METRICS_LABEL_MAX], const char *name, struct bytes value);

/* Write one sample; labels like `op="PutObject"`, or "" for none. */
void metrics_write(struct buf *to, const char *name, const char *labels, uint64_t value);

/* Write _bucket (le in seconds, cumulative), _sum and _count of one histogram. */
void metrics_write_histogram(struct buf *to, const char *name, const char *labels,
                             const struct metrics_histogram *histogram);

#endif
