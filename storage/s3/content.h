/* content.h - what an object carries besides its bytes: content headers, user
 * metadata and tags, from request fields to a record and back.
 *
 * Threads   pure.
 * Source    Amazon S3 API Reference, PutObject, GetObject; user guide, "Working with object
 * metadata". */
#ifndef STORAGE_S3_CONTENT_H
#define STORAGE_S3_CONTENT_H

#include "storage/s3/call.h"

/* Fill headers, metadata, tags and owner of a record from the request's fields.
 *
 * ret_object  its bytes are borrowed from the request
 * errors      S3_METADATA_TOO_LARGE, S3_INVALID_TAG, S3_BAD_REQUEST (tags), ERR_NO_MEMORY */
MUST_USE enum err_code content_read(struct call *call, struct record_object *ret_object,
                                    struct err *err);

/* The same, only content headers and metadata (a copy that replaces them). */
MUST_USE enum err_code content_read_headers(struct call *call, struct record_object *ret_object,
                                            struct err *err);

/* Look over the response-* parameters, which replace fields of a reply.
 *
 * errors  S3_INVALID_REQUEST (the request is not signed), S3_INVALID_ARGUMENT (control bytes) */
MUST_USE enum err_code content_check_overrides(struct call *call, struct err *err);

/* Give the reply an object's content headers (binary/octet-stream where there
 * is no type), as response-* parameters have them, and its metadata. */
void content_send(struct call *call, const struct record_object *object);

#endif
