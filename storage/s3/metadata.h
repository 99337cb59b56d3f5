/* metadata.h - x-amz-meta- fields: in from a head, out into a reply.
 *
 * Threads   pure.
 * Source    Amazon S3 user guide, "User-defined object metadata"; RFC 2047. */
#ifndef STORAGE_S3_METADATA_H
#define STORAGE_S3_METADATA_H

#include "base/http/head.h"
#include "storage/obj/record.h"
#include "storage/s3/error.h"

#define METADATA_PREFIX "x-amz-meta-"

/* Collect the metadata of a head. A name that comes twice has its values
 * joined with ",".
 *
 * ret_metadata  names without prefix, in lower case, in the order they came; arena memory
 * errors        S3_METADATA_TOO_LARGE (names and values above S3_METADATA_MAX in all),
 *               S3_INVALID_ARGUMENT (an empty name, a value that is not UTF-8), ERR_NO_MEMORY */
MUST_USE enum err_code metadata_read(const struct http_head *head, struct arena *arena,
                                     struct record_pairs *ret_metadata, struct err *err);

/* A value as it may stand in a reply's field: as it is where it is ASCII, else
 * as one encoded word, =?UTF-8?B?…?=, as S3 does.
 *
 * returns  `value` itself, or arena memory; data is NULL when memory is out */
struct bytes metadata_reply_value(struct bytes value, struct arena *arena);

#endif
