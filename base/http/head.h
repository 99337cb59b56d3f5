/* head.h - the head of a request, as the client sent it, and the strict rules
 * that it must keep.
 *
 * Owns      nothing: every byte is borrowed from the request, until its done().
 * Not here  libmicrohttpd (mhd.c), who the client is (storage/auth).
 * Threads   values.
 * Source    RFC 9110, RFC 9112. */
#ifndef BASE_HTTP_HEAD_H
#define BASE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"

struct http_field {
    struct bytes name;  /* lower case */
    struct bytes value; /* without spaces at both ends */
};

struct http_head {
    struct bytes method; /* "GET" */
    struct bytes target; /* raw, as it stood in the request line */
    struct bytes path;   /* raw: the target up to '?' */
    struct bytes query;  /* raw: the target after '?'; empty without one */
    struct http_field *fields;
    size_t field_count;
    bool http_1_0;
};

/* Cut `target` into path and query. An absolute target (http://host/path) is
 * accepted where its host is the Host field's (which must stand in `head`
 * already); the path is what follows. "*" is accepted for OPTIONS.
 *
 * returns  0, or the status to refuse with (400, 414) */
int http_head_set_target(struct http_head *head, struct bytes target);

/* Look the head over by the rules of RFC 9112 that request smuggling breaks:
 * one Host field; Content-Length all digits, below 2^63, the same when
 * repeated, not with Transfer-Encoding; Transfer-Encoding "chunked" alone and not on HTTP/1.0;
 * names of token characters; values without control bytes other than tab; at
 * most HTTP_FIELDS_MAX fields and HTTP_HEAD_MAX bytes; a method that the front
 * knows (no TRACE, no CONNECT).
 *
 * ret_why  static text for the reply, set on refusal
 * returns  0, or the status to refuse with (400, 413, 414, 431, 501) */
int http_head_check(const struct http_head *head, const char **ret_why);

/* The first field of that name (lower case); data is NULL without one. */
struct bytes http_head_find(const struct http_head *head, const char *name);

/* How many fields have that name (lower case). */
size_t http_head_count(const struct http_head *head, const char *name);

/* A body follows, by Content-Length or Transfer-Encoding; valid after http_head_check. */
bool http_head_has_body(const struct http_head *head);

/* Walk the query: the next parameter, still percent-encoded. Start with
 * *at = 0. "a" and "a=" both give an empty value; empty pieces are passed over.
 *
 * returns  false at the end */
bool http_query_next(struct bytes query, size_t *at, struct bytes *ret_name,
                     struct bytes *ret_value);

/* The first parameter of that decoded name, decoded ('+' is a space).
 *
 * returns  false without one, or where the encoding is broken or memory is out */
bool http_query_find(struct bytes query, const char *name, struct arena *arena,
                     struct bytes *ret_value);

#endif
