/* object.h - objects and their versions: put, get, delete, copy, tags.
 *
 * The latest version of a key lies under TAG_CURRENT, older ones and delete
 * markers under TAG_VERSION, so that a get is one lookup and nothing is stored
 * twice (drawn in object.c). One key changes under its lock, from the read that
 * conditions look at to the commit: it is never partial.
 *
 * Threads   any.
 * Source    Amazon S3 API Reference 2006-03-01; user guide, "How S3 Versioning works". */
#ifndef STORAGE_OBJ_OBJECT_H
#define STORAGE_OBJ_OBJECT_H

#include "storage/obj/body.h"
#include "storage/obj/bucket.h"

/* The version a request names. */
struct object_version {
    enum { VERSION_LATEST, VERSION_NULL, VERSION_ID } kind;
    uint64_t seq;
    uint32_t site;
};

#define OBJECT_VERSION_TEXT 25 /* 24 hex digits and a NUL; or "null" */

/* Read a version id: empty = latest, "null", or what object_version_text wrote.
 *
 * returns  false where it is none of them */
bool object_version_parse(struct bytes text, struct object_version *ret_version);
void object_version_text(const struct record_object *object, char ret_text[OBJECT_VERSION_TEXT]);

/* Called under the key's lock with the version that the condition is about
 * (NULL: there is none, or a delete marker): ERR_OK lets the change happen. */
struct object_condition {
    enum err_code (*check)(void *ctx, const struct record_object *current, struct err *err);
    void *ctx; /* check NULL: no condition */
};

struct object_put {
    struct bytes key;
    struct record_object
        object; /* headers, metadata, tags, etag, checksum, owner; the rest is set here */
    struct body_writer *body; /* taken: freed by object_put whatever happens */
    struct object_condition condition;
    enum change_operation operation; /* CHANGE_OBJECT_PUT or _COPY */
};

/* Store an object: the new latest version, or in place of the old one.
 *
 * put         key 1..S3_KEY_MAX bytes of UTF-8 without NUL
 * arena       scratch, and the result's memory
 * ret_object  what was stored, with seq (its version id)
 * errors      ERR_INVALID (key), ERR_NOT_FOUND (bucket), what the condition
 *             says, those of commit() and body_writer_write()
 * effect      all or nothing: body, record and change; durable after ERR_OK */
MUST_USE enum err_code object_put(struct store *store, struct bucket *bucket,
                                  struct object_put *put, struct arena *arena,
                                  struct record_object *ret_object, struct err *err);

/* Find a version's record.
 *
 * ret_object  arena memory. With STORE_DELETE_MARKER it is the marker.
 * errors      ERR_NOT_FOUND with STORE_NO_KEY, STORE_NO_VERSION, STORE_DELETE_MARKER
 *             (latest is a marker) or STORE_NO_BUCKET; ERR_CORRUPT, ERR_IO */
MUST_USE enum err_code object_head(struct store *store, struct bucket *bucket, struct bytes key,
                                   struct object_version version, struct arena *arena,
                                   struct record_object *ret_object, struct err *err);

/* The same, and its body held for reading: deletes do not disturb it.
 *
 * ret_reader  yours: body_reader_free */
MUST_USE enum err_code object_get(struct store *store, struct bucket *bucket, struct bytes key,
                                  struct object_version version, struct arena *arena,
                                  struct record_object *ret_object, struct body_reader **ret_reader,
                                  struct err *err);

/* The parts of a multipart object, in order.
 *
 * from      part number to begin after; max: how many at most
 * ret_parts arena memory */
MUST_USE enum err_code object_parts(struct store *store, const struct record_object *object,
                                    uint32_t from, size_t max, struct arena *arena,
                                    struct record_part **ret_parts, size_t *ret_count,
                                    struct err *err);

/* Where part `number` of an object lies. Part 1 of an object that is not multipart is all of it.
 *
 * errors  ERR_NOT_FOUND with STORE_BAD_PART */
MUST_USE enum err_code object_part_find(struct store *store, const struct record_object *object,
                                        uint32_t number, struct arena *arena, uint64_t *ret_offset,
                                        struct record_part *ret_part, struct err *err);

struct object_delete {
    struct bytes key;
    struct object_version version; /* VERSION_LATEST: S3's simple delete */
    struct object_condition condition;
    struct bytes user;
};

struct object_deleted {
    bool is_marker;   /* a delete marker was made, or was what was deleted */
    bool has_version; /* version_id is to be told */
    char version_id[OBJECT_VERSION_TEXT];
};

/* Delete a version, or make a delete marker, as the bucket's versioning has it.
 * What is not there is deleted with success.
 *
 * errors  what the condition says, ERR_NOT_FOUND (bucket), those of commit()
 * effect  durable */
MUST_USE enum err_code object_delete(struct store *store, struct bucket *bucket,
                                     const struct object_delete *request, struct arena *arena,
                                     struct object_deleted *ret_deleted, struct err *err);

struct object_delete_result {
    struct err err; /* code ERR_OK: it is deleted */
    struct object_deleted deleted;
};

/* Delete many, in as few commits as there are repeated keys plus one: each for
 * itself, as object_delete() would.
 *
 * ret_results  room for `count`
 * errors       none for a key that fails; ERR_NOT_FOUND (bucket), ERR_NO_MEMORY */
MUST_USE enum err_code object_delete_many(struct store *store, struct bucket *bucket,
                                          const struct object_delete *requests, size_t count,
                                          struct arena *arena,
                                          struct object_delete_result *ret_results,
                                          struct err *err);

struct object_copy {
    struct bucket *source_bucket;
    struct bytes source_key;
    struct object_version source_version;
    struct object_condition source_condition;
    struct bytes key; /* the destination's */
    struct object_condition condition;
    /* Called under both locks with the source and the record to be, already
     * filled as a copy: may change headers, metadata, tags, owner, checksum. */
    enum err_code (*change)(void *ctx, const struct record_object *source,
                            struct record_object *copy, struct err *err);
    void *ctx;
};

/* Copy an object inside the store: the body is shared, not rewritten.
 *
 * ret_source, ret_object  the version that was copied, and what was stored
 * errors                  those of object_get and object_put
 * effect                  durable; atomic against deletes of the source */
MUST_USE enum err_code object_copy(struct store *store, struct bucket *bucket,
                                   const struct object_copy *request, struct arena *arena,
                                   struct record_object *ret_source,
                                   struct record_object *ret_object, struct err *err);

/* Replace the tags of a version. effect  durable */
MUST_USE enum err_code object_set_tags(struct store *store, struct bucket *bucket, struct bytes key,
                                       struct object_version version,
                                       const struct record_pairs *tags, struct arena *arena,
                                       struct record_object *ret_object, struct err *err);

#endif
