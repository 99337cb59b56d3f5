/* api.h - one port, all services: sends a request to the service that its
 * signature names, and answers the box's own paths below /-/ itself.
 *
 *     /-/health   GET, HEAD: 200 {"status":"ok"}, or 503 with reasons
 *     /-/metrics  GET, HEAD: Prometheus text, for whom api.metrics allows
 *
 * Not here  signatures (storage/auth), S3 (storage/s3), sockets (base/http).
 * Threads   the services' callbacks: any. */
#ifndef APPLIANCE_API_H
#define APPLIANCE_API_H

#include "appliance/health.h"
#include "appliance/metrics.h"
#include "base/http/http.h"

enum api_metrics_for { API_METRICS_LOOPBACK, API_METRICS_ANYONE, API_METRICS_NOBODY };

struct api {
    const struct http_service *s3; /* all borrowed */
    const struct health *health;
    struct metrics_sources *metrics;
    enum api_metrics_for metrics_for;
};

/* Read the setting api.metrics, which its row has checked. */
enum api_metrics_for api_metrics_parse(const char *choice);

/* The service to hand to the front. `api` is borrowed for its life. */
struct http_service api_service(struct api *api);

#endif
