/* s3.h - the S3 API over a store: an http_service.
 *
 * A request goes: authenticate (storage/auth/sign.h) → route (route.c: one row
 * an operation) → may they (owner only, for now) → the operation (op/, a file
 * each) → reply. Bodies stream through chunked.h and the digests into body.h.
 *
 * Owns      S3's words: operations, errors, XML, headers.
 * Not here  which service a request is for (appliance/api.c), sockets (base/http).
 * Threads   any.
 * Source    Amazon S3 API Reference 2006-03-01. */
#ifndef STORAGE_S3_S3_H
#define STORAGE_S3_S3_H

#include "base/http/http.h"
#include "base/metrics.h"
#include "storage/auth/auth.h"
#include "storage/obj/store.h"

struct s3; /* opaque: internal.h */

struct s3_options {
    struct bytes region; /* that scopes must name; empty = any */
    struct bytes domain; /* virtual-host style: BUCKET.domain; empty = path style only */
    uint64_t object_max; /* bytes of one object, at most S3_OBJECT_BYTES_MAX */
    const struct clock *clock;
};

/* options' bytes are borrowed until s3_free. errors  ERR_NO_MEMORY */
MUST_USE enum err_code s3_new(struct store *store, struct auth *auth,
                              const struct s3_options *options, struct s3 **ret_s3,
                              struct err *err);
void s3_free(struct s3 *s3);

/* Its callbacks, for the front or for whoever dispatches before it. */
const struct http_service *s3_service(const struct s3 *s3);

/* Refuse a request as S3 does (XML error) for one that no service took:
 * 501 NotImplemented naming `service`. Called at head(). */
enum http_next s3_refuse_service(struct http_request *request, const char *service);

/* Prometheus text: requests by operation and error code, latency by operation, bytes in and out. */
void s3_metrics(const struct s3 *s3, struct buf *to);

#endif
