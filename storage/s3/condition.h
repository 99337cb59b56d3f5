/* condition.h - If-Match and its kin: what they say about an object.
 *
 * Tags win over dates; dates count in seconds; a date that cannot be read is
 * not there. Tags may come without quotes. If-Match compares strongly (W/"x"
 * matches nothing), If-None-Match weakly.
 *
 * Not here  when to look (under the key's lock: struct object_condition in storage/obj/object.h).
 * Threads   pure.
 * Source    RFC 9110 section 13; Amazon S3 user guide, "Conditional requests". */
#ifndef STORAGE_S3_CONDITION_H
#define STORAGE_S3_CONDITION_H

#include "base/http/head.h"
#include "storage/obj/record.h"
#include "storage/s3/error.h"

/* Field values as sent; data NULL = not there. */
struct condition {
    struct bytes match, none_match;
    struct bytes modified_since, unmodified_since;
};

enum condition_verdict {
    CONDITION_PASS,
    CONDITION_NOT_MODIFIED, /* 304 */
    CONDITION_FAILED,       /* 412 */
    CONDITION_NO_KEY        /* 404: a write wants an object that is not there */
};

/* If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since. */
struct condition condition_of(const struct http_head *head);

/* x-amz-copy-source-if-match and its kin. */
struct condition condition_of_copy_source(const struct http_head *head);

/* No condition was sent. */
bool condition_is_empty(const struct condition *condition);

/* GET and HEAD of an object that is there. */
enum condition_verdict condition_read(const struct condition *condition,
                                      const struct record_object *object);

/* The source of a copy: as condition_read, but what would be 304 is 412. */
enum condition_verdict condition_copy(const struct condition *condition,
                                      const struct record_object *source);

/* Put, complete, delete: tags only.
 *
 * current  NULL: there is none, or its latest version is a delete marker */
enum condition_verdict condition_write(const struct condition *condition,
                                       const struct record_object *current);

/* Whether a Range counts, given If-Range (data NULL = not there): a strong tag
 * that matches, or the very date of the last change. */
bool condition_range(struct bytes if_range, const struct record_object *object);

/* Turn a verdict into ERR_OK or a failure.
 *
 * errors  S3_NOT_MODIFIED, S3_PRECONDITION_FAILED, S3_NO_SUCH_KEY */
MUST_USE enum err_code condition_error(enum condition_verdict verdict, struct err *err);

#endif
