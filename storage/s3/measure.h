/* measure.h - what this service counts: requests by operation and class of
 * status, errors by code, time by operation, bytes in and out.
 *
 * Threads   any; atomic. */
#ifndef STORAGE_S3_MEASURE_H
#define STORAGE_S3_MEASURE_H

#include "base/buf.h"
#include "base/http/http.h"
#include "storage/s3/route.h"

struct measure; /* opaque: measure.c */

/* ret_measure  yours: measure_free. errors  ERR_NO_MEMORY */
MUST_USE enum err_code measure_new(struct measure **ret_measure, struct err *err);
void measure_free(struct measure *measure);

/* A request is over; `route` NULL where it was refused before it had one. */
void measure_request(struct measure *measure, const struct route *route,
                     const struct http_request *request);
void measure_error(struct measure *measure, enum s3_error error);

/* Prometheus text; operations and errors that never were are left out. */
void measure_write(const struct measure *measure, struct buf *to);

#endif
