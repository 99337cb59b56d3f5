/* object_delete.c - object.h: delete one version, or make a delete marker; many
 * of them in one commit. Nothing of it needs space, so a full disk does not stop it.
 *
 * Source    Amazon S3 user guide, "Deleting object versions from a versioning-enabled bucket". */
#include <stdlib.h>

#include "storage/obj/object_edit.h"

/* One key's part of a batch. */
struct deletion {
    const struct object_delete *request;
    struct edit edit;
    struct object_deleted deleted;
    bool made_marker; /* it is named once the batch has its number */
    uint32_t number;  /* of the batch's numbers */
};

/* A delete marker becomes the latest version. */
static void put_marker(struct edit *edit, struct bytes user)
{
    struct record_object marker = {
        .delete_marker = true,
        .null_version = edit->versioning != BUCKET_ENABLED,
        .owner = user,
        .modified_unix_ms = clock_unix_ms(edit->store->clock),
        .origin = {.site = edit->store->system.site, .epoch = edit->store->system.epoch},
    };
    struct key row = key_version(edit->bucket->id, edit->key, 0, marker.origin.site);
    struct commit_op *op = commit_put_borrowed(&edit->batch, KV_META, key_bytes(&row),
                                               record_encode_object(&marker, edit->arena));
    if (op) {
        op->inverse_in_key = (uint32_t)(row.len - KEY_VERSION_SUFFIX);
        op->seq_in_value = RECORD_SEQ_AT;
    }
    if (marker.null_version)
        edit_put_null_pointer(edit, &marker);
    edit_log(edit, CHANGE_OBJECT_DELETE_MARKER, &marker, user);
}

static void delete_current_row(struct edit *edit)
{
    struct key row = key_object(TAG_CURRENT, edit->bucket->id, edit->key);
    commit_delete(&edit->batch, KV_META, key_bytes(&row));
}

/* S3's simple delete. */
static enum err_code delete_latest(struct deletion *deletion, struct err *err)
{
    struct edit *edit = &deletion->edit;
    bool versioned = edit->versioning != BUCKET_UNVERSIONED;
    if (!versioned && !edit->has_current)
        return ERR_OK;
    enum err_code rc = edit_retire(edit, err);
    if (rc != ERR_OK)
        return rc;
    if (edit->has_current)
        delete_current_row(edit);
    deletion->made_marker = versioned;
    if (versioned)
        put_marker(edit, deletion->request->user);
    else
        edit_log(edit, CHANGE_OBJECT_DELETE, &edit->current, deletion->request->user);
    return ERR_OK;
}

/* The latest version is going: the newest of the rest is the latest from now on,
 * and moves under TAG_CURRENT where it is no delete marker. */
static enum err_code promote(struct edit *edit, const struct edit_version *gone, struct err *err)
{
    struct edit_version newest;
    enum err_code rc = edit_version_newest(edit, gone, &newest, err);
    if (rc != ERR_OK || !newest.found || newest.object.delete_marker)
        return rc;
    edit_version_remove(edit, &newest);
    struct key row = key_object(TAG_CURRENT, edit->bucket->id, edit->key);
    commit_put_borrowed(&edit->batch, KV_META, key_bytes(&row), newest.row);
    return ERR_OK;
}

/* An older version or a delete marker. With no current version the newest row
 * is the latest: when that one goes, the next may become current. */
static enum err_code remove_older(struct edit *edit, const struct edit_version *version,
                                  struct err *err)
{
    edit_version_remove(edit, version);
    edit_release(edit, &version->object);
    if (edit->has_current)
        return ERR_OK;
    struct edit_version newest;
    enum err_code rc = edit_version_newest(edit, NULL, &newest, err);
    if (rc != ERR_OK || !newest.found || !bytes_equal(newest.row_key, version->row_key))
        return rc;
    return promote(edit, version, err);
}

/* The id that was asked for is told back, whether it was there or not. */
static void name_asked_for(struct deletion *deletion)
{
    const struct object_version *version = &deletion->request->version;
    struct record_object named = {.seq = version->seq,
                                  .null_version = version->kind == VERSION_NULL,
                                  .origin = {.site = version->site}};
    deletion->deleted.has_version = true;
    object_version_text(&named, deletion->deleted.version_id);
}

static enum err_code delete_named(struct deletion *deletion, struct err *err)
{
    struct edit *edit = &deletion->edit;
    struct record_object gone;
    struct edit_version older;
    name_asked_for(deletion);
    enum err_code rc = edit_find(edit, &deletion->request->version, &gone, &older, err);
    if (rc == ERR_NOT_FOUND && err->reason == STORE_DELETE_MARKER)
        rc = ERR_OK;
    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND ? ERR_OK : rc;
    if (older.found) {
        rc = remove_older(edit, &older, err);
    } else {
        edit_release(edit, &gone);
        delete_current_row(edit);
        rc = promote(edit, NULL, err);
    }
    if (rc != ERR_OK)
        return rc;
    edit_log(edit, CHANGE_OBJECT_DELETE, &gone, deletion->request->user);
    deletion->deleted.is_marker = gone.delete_marker;
    return ERR_OK;
}

/* Add one deletion to the edit's batch; the key's lock is held. On an error
 * nothing of it is in the batch. */
static enum err_code prepare(struct deletion *deletion, struct err *err)
{
    struct commit_batch before = deletion->edit.batch;
    deletion->number = before.number;
    enum err_code rc = edit_check(&deletion->edit, &deletion->request->condition, err);
    if (rc == ERR_OK)
        rc = deletion->request->version.kind == VERSION_LATEST ? delete_latest(deletion, err)
                                                               : delete_named(deletion, err);
    if (rc != ERR_OK) {
        deletion->edit.batch = before;
        deletion->edit.freed = false;
    }
    return rc;
}

/* After the commit: a marker is named by its number. */
static void name_marker(struct deletion *deletion, const struct commit_batch *batch)
{
    const struct edit *edit = &deletion->edit;
    if (!deletion->made_marker)
        return;
    struct record_object marker = {.seq = batch->ret_seq + deletion->number,
                                   .null_version = edit->versioning != BUCKET_ENABLED,
                                   .origin = {.site = edit->store->system.site}};
    deletion->deleted.is_marker = deletion->deleted.has_version = true;
    object_version_text(&marker, deletion->deleted.version_id);
}

enum err_code object_delete(struct store *store, struct bucket *bucket,
                            const struct object_delete *request, struct arena *arena,
                            struct object_deleted *ret_deleted, struct err *err)
{
    struct deletion deletion = {.request = request};
    struct edit *edit = &deletion.edit;
    enum err_code rc = edit_enter(edit, store, bucket, request->key, arena, err);
    if (rc != ERR_OK)
        return rc;
    rc = prepare(&deletion, err);
    if (rc == ERR_OK && !commit_batch_is_empty(&edit->batch))
        rc = edit_commit(edit, err);
    if (rc == ERR_OK)
        name_marker(&deletion, &edit->batch);
    edit_leave(edit);
    *ret_deleted = deletion.deleted;
    return rc;
}

/* Many at once: the keys of a group are all different, locked together, and
 * deleted in one commit. */
struct group {
    struct store *store;
    struct bucket *bucket;
    struct arena *arena;
    const struct object_delete *requests;
    struct object_delete_result *results;
    struct deletion *deletions;
    size_t count;
    bool freed;
};

static int compare_keys(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    return bytes_compare(*x, *y);
}

/* Whether the keys of `count` requests are all different. `keys` is room for them. */
static bool all_different(const struct object_delete *requests, size_t count, struct bytes *keys)
{
    for (size_t i = 0; i < count; i++)
        keys[i] = requests[i].key;
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++)
        if (bytes_equal(keys[i - 1], keys[i]))
            return false;
    return true;
}

static enum err_code prepare_one(struct group *group, size_t at, struct commit_batch *batch,
                                 struct err *err)
{
    struct deletion *deletion = &group->deletions[at];
    *deletion = (struct deletion){.request = &group->requests[at]};
    enum err_code rc = edit_check_key(deletion->request->key, err);
    if (rc == ERR_OK)
        rc = edit_begin_locked(&deletion->edit, group->store, group->bucket, deletion->request->key,
                               group->arena, err);
    if (rc != ERR_OK)
        return rc;
    deletion->edit.batch = *batch;
    rc = prepare(deletion, err);
    if (rc != ERR_OK)
        return rc;
    if (deletion->edit.batch.count > batch->count)
        deletion->edit.batch.number++;
    *batch = deletion->edit.batch;
    group->freed |= deletion->edit.freed;
    return ERR_OK;
}

/* The group's keys are locked. */
static void delete_group(struct group *group)
{
    struct commit_batch batch;
    struct err err = {0};
    commit_batch_init(&batch, group->arena);
    for (size_t i = 0; i < group->count; i++)
        if (prepare_one(group, i, &batch, &err) != ERR_OK)
            group->results[i].err = err;
    enum err_code rc =
        commit_batch_is_empty(&batch) ? ERR_OK : commit(group->store->committer, &batch, &err);
    for (size_t i = 0; i < group->count; i++) {
        struct object_delete_result *result = &group->results[i];
        if (result->err.code != ERR_OK)
            continue;
        if (rc != ERR_OK)
            result->err = err;
        else
            name_marker(&group->deletions[i], &batch);
        result->deleted = group->deletions[i].deleted;
    }
    if (rc == ERR_OK && group->freed)
        sweep_wake(group->store);
}

static enum err_code run_group(struct group *group, struct err *err)
{
    struct lock_many held;
    struct lock_key *keys = arena_alloc(group->arena, group->count * sizeof(*keys));
    group->deletions = arena_alloc(group->arena, group->count * sizeof(*group->deletions));
    if (!keys || !group->deletions)
        return err_fail(err, ERR_NO_MEMORY, "deletions");
    for (size_t i = 0; i < group->count; i++) {
        group->results[i] = (struct object_delete_result){0};
        keys[i] = (struct lock_key){group->bucket->id, group->requests[i].key};
    }
    lock_many(&group->store->locks, keys, group->count, &held);
    delete_group(group);
    lock_many_release(&group->store->locks, &held);
    return ERR_OK;
}

/* All in one group; where a key is there twice, each by itself. */
static enum err_code run_groups(struct group group, size_t count, struct err *err)
{
    struct bytes *keys = arena_alloc(group.arena, count * sizeof(*keys));
    if (!keys)
        return err_fail(err, ERR_NO_MEMORY, "deletions");
    group.count = all_different(group.requests, count, keys) ? count : 1;
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < count; i += group.count) {
        rc = run_group(&group, err);
        group.requests += group.count;
        group.results += group.count;
    }
    return rc;
}

enum err_code object_delete_many(struct store *store, struct bucket *bucket,
                                 const struct object_delete *requests, size_t count,
                                 struct arena *arena, struct object_delete_result *ret_results,
                                 struct err *err)
{
    if (count == 0)
        return ERR_OK;
    enum err_code rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    struct group group = {.store = store,
                          .bucket = bucket,
                          .arena = arena,
                          .requests = requests,
                          .results = ret_results};
    rc = run_groups(group, count, err);
    bucket_leave(bucket);
    return rc;
}
