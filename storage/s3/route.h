/* route.h - which operation a request means: one table, a row an operation.
 *
 * A request is told apart by method, by whether it names nothing, a bucket or
 * an object, by its sub-resource (a query key such as "tagging") and by one
 * header (x-amz-copy-source). Rows that S3 has and this server has not stand in
 * the table too, so that they answer what they are and never fall through to a
 * plain GET or PUT.
 *
 * Owns      the table. To add an operation: a file in op/, a line in op/op.h, a row here.
 * Not here  who asks, and what the operations do.
 * Threads   pure.
 * Source    Amazon S3 API Reference 2006-03-01, "Actions". */
#ifndef STORAGE_S3_ROUTE_H
#define STORAGE_S3_ROUTE_H

#include "base/http/head.h"
#include "storage/obj/record.h"
#include "storage/s3/error.h"

struct call; /* call.h */

enum route_method {
    ROUTE_GET,
    ROUTE_HEAD,
    ROUTE_PUT,
    ROUTE_POST,
    ROUTE_DELETE,
    ROUTE_OPTIONS,
    ROUTE_METHODS
};

enum route_scope { ROUTE_SERVICE, ROUTE_BUCKET, ROUTE_OBJECT };

enum route_body {
    ROUTE_NO_BODY,  /* what comes is read and dropped */
    ROUTE_DOCUMENT, /* at most S3_XML_MAX bytes, whole before run() */
    ROUTE_STREAM    /* into a body_writer, checked, before run() */
};

/* Flags. */
#define ROUTE_NEW_BUCKET 1u /* the bucket need not exist */
#define ROUTE_PUBLIC     2u /* anybody may ask */
#define ROUTE_OF_OBJECT  4u /* x-amz-checksum-… is about the object, not about the document */
#define ROUTE_AUDITED    8u /* changes a bucket: who did it is told to s3_options.audit */

typedef enum err_code (*route_fn)(struct call *call, struct err *err);

struct route {
    const char *name; /* as S3 calls it: log, metrics */
    enum route_method method;
    enum route_scope scope;
    const char *query;  /* sub-resource, NULL = none */
    const char *header; /* lower case; must be there; NULL = none */
    enum route_body body;
    unsigned flags;
    enum s3_error absent; /* of a setting that cannot be set: what GET answers */
    route_fn begin;       /* at the head: checks that need no body; NULL = none */
    route_fn run;         /* when the body is there: does it and replies */
};

/* The row for a request.
 *
 * query   decoded parameters
 * errors  S3_METHOD_NOT_ALLOWED, S3_INVALID_ARGUMENT (two sub-resources),
 *         S3_NOT_IMPLEMENTED (a sub-resource unknown here, naming it) */
MUST_USE enum err_code route_find(const struct http_head *head, enum route_scope scope,
                                  const struct record_pairs *query, const struct route **ret_route,
                                  struct err *err);

/* The rows, for metrics and for tests that walk them. A row's index is its place. */
size_t route_count(void);
const struct route *route_at(size_t index);
size_t route_index(const struct route *route);

/* The method's name ("GET"). */
const char *route_method_name(enum route_method method);

#endif
