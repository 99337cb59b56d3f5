/* answer.h - replies: documents, errors, and the fields that several operations send.
 *
 * Threads   the request's.
 * Source    Amazon S3 API Reference 2006-03-01, "Common response headers", "Error responses". */
#ifndef STORAGE_S3_ANSWER_H
#define STORAGE_S3_ANSWER_H

#include "storage/s3/call.h"
#include "storage/s3/xml_write.h"

/* Reply without a body. */
void answer_empty(struct call *call, int status);

/* Reply 200 with the XML in call->out.
 *
 * errors  ERR_NO_MEMORY, ERR_LIMIT: what could not be written */
MUST_USE enum err_code answer_document(struct call *call, struct err *err);

/* Reply with an error: its status and its XML. HEAD and 304 get no body. */
void answer_error(struct call *call, const struct err *err);

/* The same where there is no call: before one could be made. */
void answer_plain_error(struct http_request *http, const struct err *err);

/* Log what failed on our side and where: rot, a disk that does not answer. */
void answer_log_failure(const struct call *call, const struct err *err);

/* A field with an HTTP date. */
void answer_date(struct call *call, const char *name, uint64_t unix_ms);

/* x-amz-version-id, where the bucket is or was versioned. */
void answer_version(struct call *call, const struct record_object *object);

/* ETag. */
void answer_etag(struct call *call, const struct record_object *object);

/* x-amz-checksum-… and x-amz-checksum-type, where the record has one. */
void answer_checksum(struct call *call, const struct record_object *object);

/* x-amz-checksum-… alone, of a part. */
void answer_part_checksum(struct call *call, const struct record_checksum *checksum);

#endif
