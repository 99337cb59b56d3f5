/* source.h - what a copy copies: x-amz-copy-source and the conditions on it.
 *
 * Owns      the handle of the source's bucket, until source_close.
 * Threads   the request's.
 * Source    Amazon S3 API Reference, CopyObject, UploadPartCopy; s3.md 16. */
#ifndef STORAGE_S3_SOURCE_H
#define STORAGE_S3_SOURCE_H

#include "storage/s3/call.h"
#include "storage/s3/condition.h"

struct source {
    struct bucket *bucket;
    struct bytes key;
    struct object_version version;
    struct condition condition; /* x-amz-copy-source-if-… */
};

/* Read and find the source; who asks must own its bucket.
 *
 * errors  S3_INVALID_ARGUMENT, S3_NO_SUCH_BUCKET, S3_ACCESS_DENIED, ERR_NO_MEMORY */
MUST_USE enum err_code source_open(struct call *call, struct source *ret_source, struct err *err);
void source_close(struct source *source);

UNUSED static inline void source_auto(struct source *source)
{
    source_close(source);
}

/* The conditions as the store asks for them; borrows `source`. */
struct object_condition source_condition(const struct source *source);

/* After the copy failed. Tells which key was not there.
 *
 * returns  err->code, never ERR_OK */
enum err_code source_failed(struct call *call, const struct source *source, struct err *err);

/* x-amz-copy-source-version-id, where the source's bucket is or was versioned. */
void source_answer_version(struct call *call, const struct source *source,
                           const struct record_object *object);

#endif
