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

/* Something that a log of who did what may want to keep. Borrowed for the call. */
struct s3_event {
    const char *op;                /* as S3 calls it; "none" where that was not found out */
    const char *result;            /* "ok", or S3's error code */
    struct bytes user, access_key; /* who; after a refusal the key that was tried, if it is ours */
    const char *address;           /* of the peer */
    const char *request_id;
    struct bytes bucket, key; /* empty: none was named */
};

/* Who keeps such a log. Any thread. */
struct s3_audit {
    void *ctx;
    /* A bucket was made, changed or deleted; the answer goes out after this returns.
     * On an error that is answered instead, and the change stays. */
    enum err_code (*changed)(void *ctx, const struct s3_event *event, struct err *err);
    /* A request was refused for who sent it. Strangers cause it: must be cheap. */
    void (*refused)(void *ctx, const struct s3_event *event);
    /* What was asked for is not what was stored. The same. */
    void (*rotten)(void *ctx, const struct s3_event *event);
};

struct s3_options {
    struct bytes region; /* that scopes must name; empty = any */
    struct bytes domain; /* virtual-host style: BUCKET.domain; empty = path style only */
    uint64_t object_max; /* bytes of one object, at most S3_OBJECT_BYTES_MAX */
    const struct clock *clock;
    struct bytes token_key;       /* seals continuation tokens: TOKEN_KEY_LEN (token.h) bytes that
                                     nobody else has, the same after a restart; copied */
    const struct s3_audit *audit; /* borrowed until s3_free; NULL = nobody */
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
