/* measure.c - see measure.h. One slot a row of the route table, and one for requests without. */
#include "storage/s3/measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/metrics.h"

#define STATUS_MIN 100
#define STATUSES   500 /* 100 … 599: most are never touched, and take no memory then */
#define LABELS_MAX 128

struct slot {
    struct metrics_counter by_status[STATUSES];
    struct metrics_histogram time;
};

struct measure {
    struct metrics_counter bytes_in, bytes_out;
    struct metrics_counter errors[S3_ERROR_COUNT];
    size_t slot_count; /* route_count() + 1 */
    struct slot slots[];
};

enum err_code measure_new(struct measure **ret_measure, struct err *err)
{
    size_t count = route_count() + 1;
    struct measure *measure = calloc(1, sizeof(*measure) + count * sizeof(struct slot));
    if (!measure)
        return err_fail(err, ERR_NO_MEMORY, "counters");
    measure->slot_count = count;
    *ret_measure = measure;
    return ERR_OK;
}

void measure_free(struct measure *measure)
{
    free(measure);
}

void measure_request(struct measure *measure, const struct route *route,
                     const struct http_request *request)
{
    struct slot *slot = &measure->slots[route ? route_index(route) : measure->slot_count - 1];
    int index = http_request_status(request) - STATUS_MIN;
    if (index >= 0 && index < STATUSES)
        metrics_add(&slot->by_status[index], 1);
    metrics_observe_us(&slot->time, http_request_elapsed_us(request));
    metrics_add(&measure->bytes_in, http_request_bytes_in(request));
    metrics_add(&measure->bytes_out, http_request_bytes_out(request));
}

void measure_error(struct measure *measure, enum s3_error error)
{
    metrics_add(&measure->errors[error - S3_ERROR_FIRST], 1);
}

static const char *slot_name(const struct measure *measure, size_t index)
{
    return index + 1 < measure->slot_count ? route_at(index)->name : "none";
}

static bool is_used(const struct slot *slot)
{
    for (size_t i = 0; i < STATUSES; i++)
        if (metrics_get(&slot->by_status[i]))
            return true;
    return false;
}

static void write_requests(const struct measure *measure, struct buf *to)
{
    char labels[LABELS_MAX];
    metrics_write_type(to, "valise_s3_requests_total", "counter",
                       "S3 requests by operation and status");
    for (size_t i = 0; i < measure->slot_count; i++)
        for (int status = 0; status < STATUSES; status++) {
            uint64_t count = metrics_get(&measure->slots[i].by_status[status]);
            if (count == 0)
                continue;
            snprintf(labels, sizeof(labels), "op=\"%s\",code=\"%d\"", slot_name(measure, i),
                     STATUS_MIN + status);
            metrics_write(to, "valise_s3_requests_total", labels, count);
        }
}

static void write_errors(const struct measure *measure, struct buf *to)
{
    char labels[LABELS_MAX];
    metrics_write_type(to, "valise_s3_errors_total", "counter", "S3 errors by code");
    for (int i = 0; i < S3_ERROR_COUNT; i++) {
        uint64_t count = metrics_get(&measure->errors[i]);
        if (count == 0)
            continue;
        snprintf(labels, sizeof(labels), "code=\"%s\"",
                 error_row((enum s3_error)(S3_ERROR_FIRST + i))->code);
        metrics_write(to, "valise_s3_errors_total", labels, count);
    }
}

static void write_times(const struct measure *measure, struct buf *to)
{
    char labels[LABELS_MAX];
    metrics_write_type(to, "valise_s3_request_seconds", "histogram",
                       "Time from the head of an S3 request to the end of its reply");
    for (size_t i = 0; i < measure->slot_count; i++) {
        if (!is_used(&measure->slots[i]))
            continue;
        snprintf(labels, sizeof(labels), "op=\"%s\"", slot_name(measure, i));
        metrics_write_histogram(to, "valise_s3_request_seconds", labels, &measure->slots[i].time);
    }
}

void measure_write(const struct measure *measure, struct buf *to)
{
    write_requests(measure, to);
    write_errors(measure, to);
    write_times(measure, to);
    metrics_write_type(to, "valise_s3_bytes_in_total", "counter", "Bytes received by S3 requests");
    metrics_write(to, "valise_s3_bytes_in_total", "", metrics_get(&measure->bytes_in));
    metrics_write_type(to, "valise_s3_bytes_out_total", "counter", "Bytes sent to S3 requests");
    metrics_write(to, "valise_s3_bytes_out_total", "", metrics_get(&measure->bytes_out));
}
