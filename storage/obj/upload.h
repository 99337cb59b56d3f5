/* upload.h - multipart uploads. A part is a body with a row; Complete only
 * writes metadata: the bytes stay where they came in, and they change owner in
 * the one commit that makes the object visible.
 *
 * Threads   any.
 * Source    Amazon S3 API Reference: CreateMultipartUpload … AbortMultipartUpload. */
#ifndef STORAGE_OBJ_UPLOAD_H
#define STORAGE_OBJ_UPLOAD_H

#include "storage/obj/object.h"

#define UPLOAD_ID_TEXT 17 /* 16 hex digits and a NUL */

/* ret_id  text of the upload id. effect  durable */
MUST_USE enum err_code upload_create(struct store *store, struct bucket *bucket, struct bytes key,
                                     const struct record_upload *upload, struct arena *arena,
                                     char ret_id[UPLOAD_ID_TEXT], struct err *err);

/* errors  ERR_NOT_FOUND with STORE_NO_UPLOAD (also for ids of another key or bucket) */
MUST_USE enum err_code upload_find(struct store *store, struct bucket *bucket, struct bytes key,
                                   struct bytes id, struct arena *arena,
                                   struct record_upload *ret_upload, struct err *err);

/* Store a part; one of the same number is replaced.
 *
 * part    number 1..S3_PARTS_MAX, etag, checksum; length and body are set here
 * body    taken
 * effect  durable */
MUST_USE enum err_code upload_put_part(struct store *store, struct bucket *bucket, struct bytes key,
                                       struct bytes id, struct record_part *part,
                                       struct body_writer *body, struct arena *arena,
                                       struct err *err);

struct upload_copy_part {
    struct bucket *source_bucket;
    struct bytes source_key;
    struct object_version source_version;
    struct object_condition source_condition;
    bool has_range;
    uint64_t first, last; /* bytes, inclusive */
};

/* A part from (a range of) an object: shares the source's blocks where a range
 * lies within one body, else copies the bytes. ETag and checksum are computed
 * by reading the range.
 *
 * errors  ERR_INVALID with STORE_BAD_RANGE; those of object_get and upload_put_part */
MUST_USE enum err_code upload_copy_part(struct store *store, struct bucket *bucket,
                                        struct bytes key, struct bytes id, uint32_t number,
                                        const struct upload_copy_part *request, struct arena *arena,
                                        struct record_object *ret_source,
                                        struct record_part *ret_part, struct err *err);

/* One part that Complete names. */
struct upload_part_named {
    uint32_t number;
    uint8_t etag[RECORD_ETAG_LEN];
    struct record_checksum checksum; /* present = must be the stored one */
};

/* Make the object of the named parts.
 *
 * expected    of the whole object, as the client gave it; not present = not checked
 * length_max  bytes that the object may have; 0 = S3_OBJECT_BYTES_MAX
 * condition   on the key's current version
 * errors      ERR_INVALID with STORE_BAD_PART, STORE_PART_ORDER, STORE_PART_TOO_SMALL,
 *             STORE_BAD_CHECKSUM, STORE_BAD_LENGTH; ERR_LIMIT (over length_max);
 *             ERR_NOT_FOUND; what the condition says; those of commit()
 * effect      durable, atomic; parts not named are freed. Asked again for the same parts
 *             while the key is what it made, it answers the same and changes nothing. */
struct upload_complete {
    struct upload_part_named *parts;
    size_t part_count;
    struct record_checksum expected;
    uint64_t expected_length; /* UINT64_MAX = not given */
    uint64_t length_max;
    struct object_condition condition;
};
MUST_USE enum err_code upload_complete(struct store *store, struct bucket *bucket, struct bytes key,
                                       struct bytes id, const struct upload_complete *request,
                                       struct arena *arena, struct record_object *ret_object,
                                       struct err *err);

/* effect  durable; the parts' space is freed behind it */
MUST_USE enum err_code upload_abort(struct store *store, struct bucket *bucket, struct bytes key,
                                    struct bytes id, struct arena *arena, struct err *err);

/* Parts with a number above `after`, at most max. */
MUST_USE enum err_code upload_parts(struct store *store, struct bucket *bucket, struct bytes key,
                                    struct bytes id, uint32_t after, size_t max,
                                    struct arena *arena, struct record_part **ret_parts,
                                    size_t *ret_count, bool *ret_more, struct err *err);

/* The uploads of a bucket, by key, then by start. Folds like list.h. */
struct upload_item {
    bool is_prefix;
    struct bytes key;
    char id[UPLOAD_ID_TEXT];
    struct record_upload upload;
};
struct upload_list_options {
    struct bytes prefix, delimiter;
    struct bytes after_key;
    struct bytes after_id; /* with after_key: behind this upload of it; empty: behind all of them */
    size_t max;
};
MUST_USE enum err_code upload_list(struct store *store, struct bucket *bucket,
                                   const struct upload_list_options *options, struct arena *arena,
                                   struct upload_item **ret_items, size_t *ret_count,
                                   bool *ret_more, struct err *err);

/* A mark: every upload begun before this call has a smaller id, every one begun later a greater. */
uint64_t upload_next_id(struct store *store);

/* Abort uploads with an id below `before`, at most `max` of them. One whose row is rotten stays.
 *
 * ret_count  how many were aborted, whatever is returned
 * errors     ERR_CORRUPT (rotten ones were met, the others were looked at all the same),
 *            those of commit() */
MUST_USE enum err_code upload_expire(struct store *store, uint64_t before, size_t max,
                                     size_t *ret_count, struct err *err);

#endif
