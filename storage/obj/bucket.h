/* bucket.h - buckets: named, owned, counted handles.
 *
 * A handle stays valid until it is released, even when the bucket is deleted
 * meanwhile: operations on it then answer ERR_NOT_FOUND, STORE_NO_BUCKET.
 *
 * Threads   any. All buckets are kept in memory. */
#ifndef STORAGE_OBJ_BUCKET_H
#define STORAGE_OBJ_BUCKET_H

#include "storage/obj/store.h"

struct bucket; /* opaque: internal.h */

enum bucket_versioning { BUCKET_UNVERSIONED, BUCKET_ENABLED, BUCKET_SUSPENDED };

/* A moment's view of a bucket; the bytes are valid while the handle is held. */
struct bucket_info {
    struct bytes name, owner, region;
    uint32_t id;
    uint64_t created_unix_ms;
    enum bucket_versioning versioning;
};

/* Whether S3 allows the name: 3..63 of a-z 0-9 . -, begins and ends with letter or
 * digit, no "..", no ".-" or "-.", not like an IPv4 address, no reserved prefix (xn--,
 * sthree-, amzn-s3-demo-) or suffix (-s3alias, --ol-s3, .mrap, --x-s3). */
bool bucket_name_ok(struct bytes name);

/* Make a bucket.
 *
 * owner   canonical user id
 * region  as the client asked, may be empty
 * errors  ERR_EXISTS with STORE_BUCKET_EXISTS (whoever owns it), ERR_LIMIT, those of commit()
 * effect  durable */
MUST_USE enum err_code bucket_create(struct store *store, struct bytes name, struct bytes owner,
                                     struct bytes region, struct err *err);

/* ret_bucket  yours: bucket_release. errors  ERR_NOT_FOUND with STORE_NO_BUCKET */
MUST_USE enum err_code bucket_acquire(struct store *store, struct bytes name,
                                      struct bucket **ret_bucket, struct err *err);
void bucket_release(struct bucket *bucket);
AUTO_DEFINE(bucket, struct bucket, bucket_release)

struct bucket_info bucket_info(const struct bucket *bucket);

/* Delete an empty bucket: no object, version, delete marker or upload in it.
 *
 * errors  ERR_EXISTS with STORE_BUCKET_NOT_EMPTY, ERR_NOT_FOUND, those of commit()
 * effect  durable; waits for writes to the bucket that are under way */
MUST_USE enum err_code bucket_delete(struct store *store, struct bucket *bucket, struct bytes user,
                                     struct err *err);

/* errors  ERR_INVALID (back to unversioned), those of commit(). effect  durable */
MUST_USE enum err_code bucket_set_versioning(struct store *store, struct bucket *bucket,
                                             enum bucket_versioning versioning, struct bytes user,
                                             struct err *err);

/* Bucket tags; an empty set removes them. */
MUST_USE enum err_code bucket_set_tags(struct store *store, struct bucket *bucket,
                                       const struct record_pairs *tags, struct bytes user,
                                       struct err *err);
MUST_USE enum err_code bucket_get_tags(struct bucket *bucket, struct arena *arena,
                                       struct record_pairs *ret_tags, struct err *err);

/* The buckets of an owner in order of name, after `after` (empty = from the first).
 *
 * max       how many at most
 * ret_list  arena memory; ret_more tells that there are others behind */
struct bucket_entry {
    struct bytes name;
    uint64_t created_unix_ms;
    struct bytes region;
};
MUST_USE enum err_code bucket_list(struct store *store, struct bytes owner, struct bytes prefix,
                                   struct bytes after, size_t max, struct arena *arena,
                                   struct bucket_entry **ret_list, size_t *ret_count,
                                   bool *ret_more, struct err *err);

#endif
