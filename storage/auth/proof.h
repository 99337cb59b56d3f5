/* proof.h - what all forms of signature have in common: one request that is
 * being authenticated, the body's header, time, the key, the session's token.
 *
 * Not here  how a signature is computed (sigv4.c, sigv2.c).
 * Threads   a proof belongs to one thread. */
#ifndef STORAGE_AUTH_PROOF_H
#define STORAGE_AUTH_PROOF_H

#include "storage/auth/canonical.h"
#include "storage/auth/key_cache.h"
#include "storage/auth/sign.h"

struct proof {
    struct auth *auth;
    const struct sign_rules *rules;
    uint64_t now_unix_ms;
    const struct http_head *head;
    struct canonical_query query;
    struct arena *arena;
    struct sign_result *ret; /* filled step by step; its mode comes last */
    struct err *err;
};

/* A failure that S3 answers with 403, in one line. */
#define proof_deny(proof, reason, ...)                                                             \
    err_fail_reason((proof)->err, ERR_DENIED, (reason), __VA_ARGS__)

/* Read x-amz-content-sha256 into ret->payload, and refuse what the mode does
 * not allow: pieces and trailers are for version 4 headers alone.
 *
 * ret_text  as sent; data is NULL where it is absent
 * errors    ERR_INVALID, ERR_DENIED, ERR_UNSUPPORTED, ERR_NO_MEMORY */
MUST_USE enum err_code proof_payload(struct proof *proof, enum sign_mode mode,
                                     struct bytes *ret_text);

/* The client's clock may be S3_SKEW_MS away. errors  ERR_DENIED, SIGN_SKEWED */
MUST_USE enum err_code proof_skew(struct proof *proof, uint64_t client_unix_ms);

/* The one parameter of that name, decoded.
 *
 * ret_value  data is NULL where there is none
 * errors     ERR_INVALID, SIGN_MALFORMED_QUERY (given twice); ERR_NO_MEMORY */
MUST_USE enum err_code proof_param(struct proof *proof, const char *name, struct bytes *ret_value);

/* Which key a signature claims. */
struct proof_claim {
    struct bytes id; /* in the key cache */
    struct bytes access_key;
    struct bytes date, region,
        service; /* of the signing key; empty = sign with the secret itself */
};

struct proof_key {
    struct key_cache_entry entry; /* the caller's to wipe */
    bool is_known;
    bool is_cached;
    uint64_t generation; /* of the cache, before the key was read */
};

/* Find the key, or make one up: compute the signature either way.
 *
 * errors  those of auth_secret_find */
MUST_USE enum err_code proof_key_find(struct proof *proof, const struct proof_claim *claim,
                                      struct proof_key *ret_key);

/* The verdict, once the signature was compared. A wrong signature takes as long
 * as an unknown key.
 *
 * effect  on success the result says who it is, and the key is remembered
 * errors  ERR_DENIED, SIGN_MISMATCH (wrong, unknown, disabled: all the same);
 *         ERR_INVALID, SIGN_BAD_TOKEN or SIGN_EXPIRED_TOKEN; ERR_NO_MEMORY */
MUST_USE enum err_code proof_judge(struct proof *proof, const struct proof_claim *claim,
                                   const struct proof_key *key, bool is_equal);

#endif
