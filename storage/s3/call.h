/* call.h - struct call: one S3 request in hand, from its head to its reply.
 *
 * Owns      the bucket handle, the body's writer or reader and the documents
 *           of one request; call_close() lets all of it go. The rest is in the
 *           request's arena.
 * Not here  replies (answer.h), bodies coming in (intake.h), which operation (route.h).
 * Threads   the request's. */
#ifndef STORAGE_S3_CALL_H
#define STORAGE_S3_CALL_H

#include "base/buf.h"
#include "base/http/http.h"
#include "storage/auth/sign.h"
#include "storage/obj/object.h"
#include "storage/s3/error.h"
#include "storage/s3/intake.h"
#include "storage/s3/internal.h"
#include "storage/s3/route.h"

#define CALL_ACCOUNT_ID  "000000000000" /* until the box is enrolled */
#define CALL_DETAILS_MAX 4
#define CALL_REPLY_MAX   MIB(8) /* bytes of a reply's document: a page of long, escaped keys */

struct call {
    struct s3 *s3;
    struct http_request *http;
    struct arena *arena;   /* the request's: for everything that lives until the reply is out */
    struct http_head head; /* as sent; a presigned request's x-amz-* parameters are fields too */
    struct record_pairs query; /* decoded */
    struct sign_result who;
    const struct route *route;
    struct bytes bucket_name;   /* empty: the request names none */
    struct bytes key;           /* empty: the request names none */
    struct bucket *bucket;      /* held; NULL where the row does not need it */
    struct intake intake;       /* what is known of the body */
    struct buf document;        /* the whole body of a ROUTE_DOCUMENT */
    struct body_reader *reader; /* held while the reply streams */
    struct buf out;             /* the reply's document */
    void *state;                /* of the operation, from begin() to run() */
    struct record_pair
        details[CALL_DETAILS_MAX]; /* elements an error reply has besides the usual */
    size_t detail_count;
};

/* Start; the call is in the request's arena.
 *
 * returns  NULL when memory is out */
struct call *call_open(struct s3 *s3, struct http_request *http);
void call_close(struct call *call);

/* Read where the request goes: bucket, key (path style, or by virtual host),
 * and its query.
 *
 * errors  those of names_locate(); S3_INVALID_URI, S3_INVALID_ARGUMENT (a parameter with a broken
 * encoding, with a NUL) */
MUST_USE enum err_code call_locate(struct call *call, struct err *err);

/* Make fields of the x-amz-* parameters of a presigned request, which are signed with it;
 * after call_locate().
 *
 * errors  S3_INVALID_ARGUMENT (control bytes in a value), ERR_NO_MEMORY */
MUST_USE enum err_code call_adopt_parameters(struct call *call, struct err *err);

/* No control bytes other than tab: may stand in a header field. */
bool call_is_field_text(struct bytes value);

enum route_scope call_scope(const struct call *call);

/* A query parameter; data is NULL where it is not there. */
struct bytes call_param(const struct call *call, const char *name);

/* A header field (lower-case name); data is NULL where it is not there. */
struct bytes call_field(const struct call *call, const char *name);

/* A query parameter that is a number 0..max; `fallback` where it is not there.
 *
 * errors  S3_INVALID_ARGUMENT, with ArgumentName and ArgumentValue */
MUST_USE enum err_code call_number(struct call *call, const char *name, uint64_t fallback,
                                   uint64_t max, uint64_t *ret_value, struct err *err);

/* The version that ?versionId= names; latest where it is not there.
 *
 * errors  S3_INVALID_ARGUMENT */
MUST_USE enum err_code call_version(struct call *call, struct object_version *ret_version,
                                    struct err *err);

/* Tell more in an error reply: an element `name` (static) with `value` (borrowed until then). */
void call_detail(struct call *call, const char *name, struct bytes value);

/* Fail with S3_INVALID_ARGUMENT about an argument of that name and value. */
enum err_code call_bad_argument(struct call *call, const char *name, struct bytes value,
                                const char *why, struct err *err);

/* Whether a field such as x-amz-expected-bucket-owner, where it is there, names
 * the account's number or the owner's id. */
bool call_is_expected_owner(const struct call *call, const char *field, struct bytes owner);

/* The canonical id of who asks. */
struct bytes call_user_id(const struct call *call);

#endif
