/* sign.h - authenticate(): who sent this request, by every form of signature
 * that S3 clients use. One door, before routing; what is not understood is denied.
 *
 * Owns      SigV4 in header and query, SigV2 in header and query, the
 *           signatures of aws-chunked pieces and trailers.
 * Not here  what a user may do; the framing of aws-chunked (storage/s3/chunked.h).
 * Threads   any.
 * Source    AWS Signature Version 4 (S3: no path normalization, path encoded once);
 *           Amazon S3 Developer Guide, REST authentication (version 2). */
#ifndef STORAGE_AUTH_SIGN_H
#define STORAGE_AUTH_SIGN_H

#include "base/hash.h"
#include "base/http/head.h"
#include "storage/auth/auth.h"

enum sign_mode {
    SIGN_DENIED = 0, /* the default: nothing was proved */
    SIGN_ANONYMOUS,  /* no credential at all was sent */
    SIGN_V4_HEADER,
    SIGN_V4_QUERY,
    SIGN_V2_HEADER,
    SIGN_V2_QUERY
};

/* How x-amz-content-sha256 says that the body is covered. */
enum sign_payload {
    SIGN_PAYLOAD_NONE, /* header absent: legal for version 2, presigned and anonymous requests */
    SIGN_PAYLOAD_HASH, /* hex SHA-256 of the body, in payload_sha256 */
    SIGN_PAYLOAD_UNSIGNED,        /* UNSIGNED-PAYLOAD */
    SIGN_PAYLOAD_SIGNED_CHUNKS,   /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    SIGN_PAYLOAD_SIGNED_TRAILER,  /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
    SIGN_PAYLOAD_UNSIGNED_TRAILER /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};

/* Details of a refusal (struct err.reason): one for each answer S3 gives. */
enum sign_reason {
    SIGN_ACCESS_DENIED = 1, /* AccessDenied 403 */
    SIGN_MALFORMED_HEADER,  /* AuthorizationHeaderMalformed 400 */
    SIGN_MALFORMED_QUERY,   /* AuthorizationQueryParametersError 400 */
    SIGN_WRONG_REGION,      /* AuthorizationHeaderMalformed 400 with <Region> */
    SIGN_MISMATCH,      /* SignatureDoesNotMatch 403; an unknown or disabled key looks the same */
    SIGN_SKEWED,        /* RequestTimeTooSkewed 403 with ServerTime */
    SIGN_EXPIRED,       /* AccessDenied 403 "Request has expired" */
    SIGN_BAD_TOKEN,     /* InvalidToken 400 */
    SIGN_EXPIRED_TOKEN, /* ExpiredToken 400 */
    SIGN_BAD_PAYLOAD_HEADER, /* InvalidRequest 400: x-amz-content-sha256 */
    SIGN_TWO_CREDENTIALS,    /* InvalidArgument 400: header and query */
    SIGN_UNSUPPORTED,        /* NotImplemented 501: SigV4A */
    SIGN_UNSIGNED_HEADER     /* AccessDenied 403: an x-amz-* header was not signed */
};

struct sign_result {
    enum sign_mode mode;
    enum sign_payload payload;
    uint8_t payload_sha256[32]; /* SIGN_PAYLOAD_HASH */
    struct auth_key key;        /* empty for SIGN_ANONYMOUS */
    struct auth_key tried;      /* the key that was named, if it is one of ours: proves nothing */
    bool is_session;
    char service[16]; /* "s3" also for version 2 and anonymous */
    char region[32];  /* empty for version 2 and anonymous */

    /* The chain of chunk signatures (streaming modes, version 4). */
    uint8_t signing_key[HASH_HMAC_LEN];
    char amz_date[17];  /* 20261124T101619Z */
    char scope[80];     /* 20261124/us-east-1/s3/aws4_request */
    char signature[65]; /* hex: the seed, then the last chunk's */
};

/* The service a request is for, before it is authenticated: from the
 * credential scope in header or query, "s3" where there is none.
 *
 * ret_service  NUL-terminated, cut to the room */
void sign_service_of(const struct http_head *head, char ret_service[16]);

/* What signatures are judged by. */
struct sign_rules {
    const struct clock *clock;
    struct bytes
        service; /* that the scope must name; version 2 and anonymous are "s3"; empty = any */
    struct bytes region; /* that scopes must name; empty = any */
    struct bytes
        domain; /* BUCKET.domain in Host names a bucket, which version 2 signs; empty = none */
};

/* Prove who sent this request.
 *
 * arena   the request's; for scratch
 * ret     set on success; on an error its mode is SIGN_DENIED, region as the client sent it, and
 *         tried set where a signature was compared
 * errors  ERR_DENIED or ERR_INVALID with a sign_reason; ERR_UNSUPPORTED;
 *         ERR_NO_MEMORY, ERR_IO, ERR_CORRUPT from the store of keys
 * note    where a service other than "s3" gets no x-amz-content-sha256, the body
 *         is taken to be empty (payload says so)
 * source  AWS Signature Version 4; every x-amz-* header must be signed */
MUST_USE enum err_code sign_authenticate(struct auth *auth, const struct sign_rules *rules,
                                         const struct http_head *head, struct arena *arena,
                                         struct sign_result *ret, struct err *err);

/* Check one aws-chunked piece's signature and move the chain on.
 *
 * sha256     of the piece's bytes
 * signature  64 hex digits as the client sent them
 * errors     ERR_DENIED with SIGN_MISMATCH */
MUST_USE enum err_code sign_check_chunk(struct sign_result *chain, const uint8_t sha256[32],
                                        struct bytes signature, struct err *err);

/* The same for the trailer: `sha256` is of the canonical trailer lines
 * ("name:value\n", names in lower case). */
MUST_USE enum err_code sign_check_trailer(struct sign_result *chain, const uint8_t sha256[32],
                                          struct bytes signature, struct err *err);

#endif
