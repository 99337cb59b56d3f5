/* metrics.c - latency histograms, and Prometheus text.
 *
 * Threads   any: atomic, relaxed.
 * Source    Prometheus text exposition format 0.0.4. */
#include "base/metrics.h"

#include <inttypes.h>
#include <stdio.h>

#define FIRST_BOUND_US 50u
#define INFINITE       (METRICS_BUCKETS - 1) /* the index of the bucket without a bound */

void metrics_observe_us(struct metrics_histogram *histogram, uint64_t us)
{
    int i = 0;

    for (uint64_t bound_us = FIRST_BOUND_US; i < INFINITE && us > bound_us; bound_us *= 2)
        i++;
    metrics_add(&histogram->bucket[i], 1);
    metrics_add(&histogram->sum_us, us);
}

void metrics_write_type(struct buf *to, const char *name, const char *type, const char *help)
{
    buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_label(char ret_label[METRICS_LABEL_MAX], const char *name, struct bytes value)
{
    struct bytes rest = bytes_first(value, METRICS_LABEL_VALUE_MAX);
    char *at = ret_label + snprintf(ret_label, METRICS_LABEL_MAX, "%.28s=\"", name);

    for (size_t i = 0; i < rest.len; i++) {
        uint8_t c = rest.data[i];
        if (c == '\n')
            *at++ = '\\', c = 'n';
        else if (c == '"' || c == '\\')
            *at++ = '\\';
        else if (c < ' ' || c > '~')
            c = '?';
        *at++ = (char)c;
    }
    *at++ = '"';
    *at = 0;
}

/* name{labels}, without braces where there are no labels. */
static void write_name(struct buf *to, const char *name, const char *suffix, const char *labels)
{
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";

    buf_printf(to, "%s%s%s%s%s ", name, suffix, open, labels, close);
}

void metrics_write(struct buf *to, const char *name, const char *labels, uint64_t value)
{
    write_name(to, name, "", labels);
    buf_printf(to, "%" PRIu64 "\n", value);
}

/* Microseconds as seconds, whatever the locale makes of a decimal point. */
static void write_seconds(struct buf *to, uint64_t us)
{
    buf_printf(to, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void write_bucket(struct buf *to, const char *name, const char *labels, int i,
                         uint64_t cumulative)
{
    buf_printf(to, "%s_bucket{%s%sle=\"", name, labels, *labels ? "," : "");
    if (i < INFINITE)
        write_seconds(to, (uint64_t)FIRST_BOUND_US << i);
    else
        buf_append_str(to, "+Inf");
    buf_printf(to, "\"} %" PRIu64 "\n", cumulative);
}

void metrics_write_histogram(struct buf *to, const char *name, const char *labels,
                             const struct metrics_histogram *histogram)
{
    uint64_t cumulative = 0;

    for (int i = 0; i < METRICS_BUCKETS; i++) {
        cumulative += metrics_get(&histogram->bucket[i]);
        write_bucket(to, name, labels, i, cumulative);
    }
    write_name(to, name, "_sum", labels);
    write_seconds(to, metrics_get(&histogram->sum_us));
    buf_append_str(to, "\n");
    write_name(to, name, "_count", labels);
    buf_printf(to, "%" PRIu64 "\n", cumulative);
}
