/* token.h - continuation tokens of listings: opaque, bound to a bucket, sealed
 * against change, and made of URL-safe characters.
 *
 * Threads   pure. */
#ifndef STORAGE_S3_TOKEN_H
#define STORAGE_S3_TOKEN_H

#include "base/arena.h"
#include "storage/s3/error.h"

#define TOKEN_KEY_LEN 32 /* bytes of the store's secret for tokens */

/* Make a token for the page behind `after`.
 *
 * key        the store's secret, TOKEN_KEY_LEN bytes
 * bucket_id  record_bucket.id; 0 for the list of buckets
 * after      an object's key, a folded prefix or a bucket's name, at most S3_KEY_MAX bytes
 * returns    arena memory; data is NULL when memory is out */
struct bytes token_make(const uint8_t *key, uint32_t bucket_id, struct bytes after,
                        struct arena *arena);

/* Read one back.
 *
 * ret_after  arena memory
 * errors     S3_INVALID_ARGUMENT (not ours, changed, or of another bucket), ERR_NO_MEMORY */
MUST_USE enum err_code token_read(const uint8_t *key, uint32_t bucket_id, struct bytes token,
                                  struct arena *arena, struct bytes *ret_after, struct err *err);

#endif
