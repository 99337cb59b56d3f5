/* metrics.h - the page /-/metrics: walks the modules' numbers and writes them
 * as Prometheus text.
 *
 * Threads   any. Source    Prometheus text exposition format 0.0.4. */
#ifndef APPLIANCE_METRICS_H
#define APPLIANCE_METRICS_H

#include <stdatomic.h>

#include "appliance/audit_repeat.h"
#include "appliance/box.h"
#include "appliance/health.h"
#include "base/http/http.h"
#include "storage/s3/s3.h"

struct metrics_sources {
    const struct box *box; /* all borrowed */
    const struct s3 *s3;
    const struct health *health;
    const struct space *space;
    const struct audit_repeat *repeat;
    const struct http_front *_Atomic front; /* NULL until it is started */
};

/* Append every metric; a failure is remembered by `to`. */
void metrics_page(struct metrics_sources *sources, struct buf *to);

#endif
