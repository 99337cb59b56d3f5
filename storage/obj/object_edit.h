/* object_edit.h - one key under its lock, from the read to the commit; shared by
 * the object_*.c and upload_*.c files, nobody else.
 *
 *     edit_begin → look at has_current, current → add to the batch → edit_commit → edit_end
 *
 * The rows of one key, newest first (a bucket that was never versioned has only the first):
 *
 *     TAG_CURRENT   the latest version, where it is no delete marker
 *     TAG_VERSION   ~seq …  everything older, and delete markers
 *     TAG_NULL      which of the TAG_VERSION rows is the null version, if one is
 *
 * Threads   an edit belongs to one thread. */
#ifndef STORAGE_OBJ_OBJECT_EDIT_H
#define STORAGE_OBJ_OBJECT_EDIT_H

#include "storage/obj/internal.h"

struct edit {
    struct store *store;
    struct bucket *bucket;
    struct bytes key;
    struct arena *arena;
    enum bucket_versioning versioning;
    struct commit_batch batch;
    struct lock_held held;
    bool has_current;
    struct record_object current;
    struct bytes current_row; /* its value, in the arena */
    bool freed;               /* the sweeper has work after the commit */
};

/* A row of TAG_VERSION. */
struct edit_version {
    bool found;
    struct record_object object;
    struct bytes row_key, row; /* arena memory */
};

/* Whether `key` can be an object's: 1..S3_KEY_MAX bytes of UTF-8 without NUL.
 * errors  ERR_INVALID */
MUST_USE enum err_code edit_check_key(struct bytes key, struct err *err);

/* Lock the key (the bucket is entered already) and read its current version. */
MUST_USE enum err_code edit_begin(struct edit *edit, struct store *store, struct bucket *bucket,
                                  struct bytes key, struct arena *arena, struct err *err);

/* Check the key, enter the bucket, then edit_begin; edit_leave undoes both. */
MUST_USE enum err_code edit_enter(struct edit *edit, struct store *store, struct bucket *bucket,
                                  struct bytes key, struct arena *arena, struct err *err);
void edit_leave(struct edit *edit);

/* edit_begin where the key's lock is held already (object_copy.c). */
MUST_USE enum err_code edit_begin_locked(struct edit *edit, struct store *store,
                                         struct bucket *bucket, struct bytes key,
                                         struct arena *arena, struct err *err);

/* Run the condition on the current version. */
MUST_USE enum err_code edit_check(const struct edit *edit, const struct object_condition *condition,
                                  struct err *err);

/* Make way for a new latest version, as the bucket's versioning has it: the
 * current one is released or moved under TAG_VERSION; a null version is
 * replaced where the new one will be null too. The TAG_CURRENT row itself is
 * left for the caller to write or delete. */
MUST_USE enum err_code edit_retire(struct edit *edit, struct err *err);

/* Add `object` as the latest version, and its change. Its null_version, origin
 * and modified time are set here. */
void edit_put_current(struct edit *edit, struct record_object *object,
                      enum change_operation operation);

/* Remember the marker or version that will be the null one among TAG_VERSION rows;
 * its seq 0: the batch's own. */
void edit_put_null_pointer(struct edit *edit, const struct record_object *object);

/* Add a change about a version of this key. */
void edit_log(struct edit *edit, enum change_operation operation,
              const struct record_object *object, struct bytes user);

/* Release the body of a version that goes. */
void edit_release(struct edit *edit, const struct record_object *object);

/* Find a TAG_VERSION row: a certain one, the null version's, the newest. */
MUST_USE enum err_code edit_version_find(struct edit *edit, uint64_t seq, uint32_t site,
                                         struct edit_version *ret_version, struct err *err);
MUST_USE enum err_code edit_version_null(struct edit *edit, struct edit_version *ret_version,
                                         struct err *err);
/* after: only versions older than this one; NULL = the newest of all */
MUST_USE enum err_code edit_version_newest(struct edit *edit, const struct edit_version *after,
                                           struct edit_version *ret_version, struct err *err);

/* Find a version under the key's lock. ret_older->found: it is not the current one.
 *
 * errors  ERR_NOT_FOUND with STORE_NO_KEY, STORE_NO_VERSION, STORE_DELETE_MARKER */
MUST_USE enum err_code edit_find(struct edit *edit, const struct object_version *version,
                                 struct record_object *ret_object, struct edit_version *ret_older,
                                 struct err *err);

/* The value of a TAG_NULL row. errors  ERR_CORRUPT */
MUST_USE enum err_code edit_null_pointer(struct bytes row, uint64_t *ret_seq, uint32_t *ret_site,
                                         struct err *err);

/* Whether a record is the version that is named; not for VERSION_LATEST. A null
 * version answers to "null" alone. */
bool object_is_version(const struct record_object *object, const struct object_version *version);

/* Delete a TAG_VERSION row with its null pointer; its body is not touched. */
void edit_version_remove(struct edit *edit, const struct edit_version *version);

/* Commit the batch. errors  those of commit(); ERR_NO_MEMORY of the batch */
MUST_USE enum err_code edit_commit(struct edit *edit, struct err *err);

/* Unlock the key. */
void edit_end(struct edit *edit);

#endif
