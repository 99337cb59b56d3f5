/* canonical.h - the canonical request of signature version 4: the one spelling
 * that client and server both hash.
 *
 * Owns      nothing: results are memory of the arena it is given.
 * Not here  credentials, dates, keys (sigv4.h).
 * Threads   pure functions.
 * Source    AWS General Reference, "Create a canonical request"; Amazon S3 API
 *           Reference, "Signature Calculations for the Authorization Header". */
#ifndef STORAGE_AUTH_CANONICAL_H
#define STORAGE_AUTH_CANONICAL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/http/head.h"

/* A query parameter. Names and values are decoded and encoded again ('+' is a
 * space, as the rest of the program reads it). What is no valid encoding is
 * encoded as it stands. */
struct canonical_param {
    struct bytes name, value; /* encoded */
    struct bytes raw_value;   /* as it came */
    bool has_equals;          /* "a=" and not "a" */
};

struct canonical_query {
    struct canonical_param *params; /* sorted by name, then value */
    size_t count;
};

/* errors  ERR_NO_MEMORY */
MUST_USE enum err_code canonical_query_read(struct bytes query, struct arena *arena,
                                            struct canonical_query *ret_query, struct err *err);

/* The parameter of that name, which must be of unreserved characters; NULL
 * without one. *ret_count (NULL allowed) is how many there are. */
const struct canonical_param *canonical_query_find(const struct canonical_query *query,
                                                   const char *name, size_t *ret_count);

/* A value decoded, "%xx" alone or '+' too; data is NULL when memory is out. */
struct bytes canonical_decode(struct arena *arena, struct bytes raw, bool plus_is_space);

/* How a service spells the path. */
struct canonical_rule {
    bool decode;    /* S3: percent-decode, then encode once. Others encode what came once more */
    bool normalize; /* others: without "." and "..", one '/' for many. S3: as it came */
};
extern const struct canonical_rule canonical_rule_s3;
extern const struct canonical_rule canonical_rule_other;

/* data is NULL when memory is out. */
struct bytes canonical_path(struct arena *arena, struct bytes path, struct canonical_rule rule);

/* SignedHeaders "a;b;c": sorted, no name twice, none empty, with host. */
bool canonical_is_header_list(struct bytes signed_headers);

/* The next name of such a list; false at its end. */
bool canonical_header_next(struct bytes *rest, struct bytes *ret_name);

struct canonical_parts {
    struct bytes method;
    struct bytes path; /* raw */
    struct canonical_rule rule;
    const struct canonical_query *query;
    const char *left_out;        /* name of a parameter that is not signed; NULL = none */
    struct bytes signed_headers; /* passed canonical_is_header_list */
    struct bytes payload;        /* the last line */
};

/* Build the text. Headers of one name are joined by ','; runs of spaces in
 * values become one; a name in the list that did not arrive has an empty value.
 *
 * ret_text  arena memory
 * errors    ERR_NO_MEMORY */
MUST_USE enum err_code canonical_request(const struct canonical_parts *parts,
                                         const struct http_head *head, struct arena *arena,
                                         struct bytes *ret_text, struct err *err);

#endif
