/* object_edit.c - see object_edit.h. */
#include "storage/obj/object_edit.h"

/* Value of a TAG_NULL row: format, seq and stamp as the committer writes them, site. */
#define NULL_POINTER_LEN (RECORD_HEAD_LEN + 4)

enum err_code edit_check_key(struct bytes key, struct err *err)
{
    if (key.len == 0 || key.len > S3_KEY_MAX)
        return err_fail(err, ERR_INVALID, "S3_KEY_MAX: a key has 1 to %d bytes, this one %zu",
                        S3_KEY_MAX, key.len);
    if (bytes_find(key, 0) >= 0 || !bytes_is_utf8(key))
        return err_fail(err, ERR_INVALID, "a key is UTF-8 without NUL");
    return ERR_OK;
}

/* A row's value in the arena, so that it can be written under another key. */
static enum err_code copy_row(struct edit *edit, struct kv_value *value, struct bytes *ret_row,
                              struct record_object *ret_object, struct err *err)
{
    *ret_row = arena_copy(edit->arena, value->bytes);
    kv_value_free(edit->store->kv, value);
    if (!ret_row->data)
        return err_fail(err, ERR_NO_MEMORY, "record");
    return record_decode_object(*ret_row, edit->arena, ret_object, err);
}

enum err_code edit_begin_locked(struct edit *edit, struct store *store, struct bucket *bucket,
                                struct bytes key, struct arena *arena, struct err *err)
{
    *edit = (struct edit){.store = store, .bucket = bucket, .key = key, .arena = arena};
    edit->versioning = atomic_load(&bucket->versioning);
    commit_batch_init(&edit->batch, arena);
    struct key row = key_object(TAG_CURRENT, bucket->id, key);
    struct kv_value value;
    enum err_code rc =
        kv_find(store->kv, KV_META, key_bytes(&row), &edit->has_current, &value, err);
    if (rc == ERR_OK && edit->has_current)
        rc = copy_row(edit, &value, &edit->current_row, &edit->current, err);
    return rc;
}

enum err_code edit_begin(struct edit *edit, struct store *store, struct bucket *bucket,
                         struct bytes key, struct arena *arena, struct err *err)
{
    struct lock_held held;
    struct lock_key wanted = {bucket->id, key};
    lock_keys(&store->locks, &wanted, 1, &held);
    enum err_code rc = edit_begin_locked(edit, store, bucket, key, arena, err);
    edit->held = held;
    if (rc != ERR_OK)
        edit_end(edit);
    return rc;
}

void edit_end(struct edit *edit)
{
    lock_release(&edit->store->locks, &edit->held);
}

enum err_code edit_enter(struct edit *edit, struct store *store, struct bucket *bucket,
                         struct bytes key, struct arena *arena, struct err *err)
{
    enum err_code rc = edit_check_key(key, err);
    if (rc == ERR_OK)
        rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    rc = edit_begin(edit, store, bucket, key, arena, err);
    if (rc != ERR_OK)
        bucket_leave(bucket);
    return rc;
}

void edit_leave(struct edit *edit)
{
    edit_end(edit);
    bucket_leave(edit->bucket);
}

enum err_code edit_check(const struct edit *edit, const struct object_condition *condition,
                         struct err *err)
{
    if (!condition->check)
        return ERR_OK;
    return condition->check(condition->ctx, edit->has_current ? &edit->current : NULL, err);
}

enum err_code edit_commit(struct edit *edit, struct err *err)
{
    enum err_code rc = commit(edit->store->committer, &edit->batch, err);
    if (rc == ERR_OK && edit->freed)
        sweep_wake(edit->store);
    return rc;
}

void edit_release(struct edit *edit, const struct record_object *object)
{
    if (!object->delete_marker && body_release(&object->body, &edit->batch))
        edit->freed = true;
}

void edit_log(struct edit *edit, enum change_operation operation,
              const struct record_object *object, struct bytes user)
{
    struct record_change change = {
        .operation = operation,
        .bucket = edit->bucket->name,
        .bucket_id = edit->bucket->id,
        .key = edit->key,
        .version_seq = object->seq,
        .version_site = object->origin.site,
        .null_version = object->null_version,
        .length = object->length,
        .parts = object->parts,
        .checksum = object->checksum,
        .lineage_trace = object->lineage_trace,
        .lineage_depth = object->lineage_depth,
        .user = user,
    };
    memcpy(change.etag, object->etag, sizeof(change.etag));
    store_log_change(edit->store, &edit->batch, &change);
}

void edit_put_null_pointer(struct edit *edit, const struct record_object *object)
{
    uint8_t value[NULL_POINTER_LEN] = {RECORD_FORMAT};
    codec_put_u64be(value + RECORD_SEQ_AT, object->seq);
    codec_put_u64be(value + RECORD_SEQ_AT + 8, object->stamp);
    codec_put_u32be(value + RECORD_HEAD_LEN, object->origin.site);
    struct key row = key_object(TAG_NULL, edit->bucket->id, edit->key);
    struct commit_op *op =
        commit_put(&edit->batch, KV_META, key_bytes(&row), bytes_of(value, sizeof(value)));
    if (op && object->seq == 0)
        op->seq_in_value = RECORD_SEQ_AT;
}

void edit_version_remove(struct edit *edit, const struct edit_version *version)
{
    commit_delete(&edit->batch, KV_META, version->row_key);
    if (!version->object.null_version)
        return;
    struct key row = key_object(TAG_NULL, edit->bucket->id, edit->key);
    commit_delete(&edit->batch, KV_META, key_bytes(&row));
}

enum err_code edit_version_find(struct edit *edit, uint64_t seq, uint32_t site,
                                struct edit_version *ret_version, struct err *err)
{
    struct key row = key_version(edit->bucket->id, edit->key, seq, site);
    struct kv_value value;
    *ret_version = (struct edit_version){0};
    enum err_code rc =
        kv_find(edit->store->kv, KV_META, key_bytes(&row), &ret_version->found, &value, err);
    if (rc != ERR_OK || !ret_version->found)
        return rc;
    ret_version->row_key = arena_copy(edit->arena, key_bytes(&row));
    if (!ret_version->row_key.data) {
        kv_value_free(edit->store->kv, &value);
        return err_fail(err, ERR_NO_MEMORY, "key of a version");
    }
    return copy_row(edit, &value, &ret_version->row, &ret_version->object, err);
}

enum err_code edit_null_pointer(struct bytes row, uint64_t *ret_seq, uint32_t *ret_site,
                                struct err *err)
{
    if (row.len != NULL_POINTER_LEN || row.data[0] != RECORD_FORMAT)
        return err_fail(err, ERR_CORRUPT, "pointer to a null version is cut");
    *ret_seq = codec_get_u64be(row.data + RECORD_SEQ_AT);
    *ret_site = codec_get_u32be(row.data + RECORD_HEAD_LEN);
    return ERR_OK;
}

enum err_code edit_version_null(struct edit *edit, struct edit_version *ret_version,
                                struct err *err)
{
    *ret_version = (struct edit_version){0};
    struct key row = key_object(TAG_NULL, edit->bucket->id, edit->key);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(edit->store->kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc != ERR_OK || !found)
        return rc;
    uint64_t seq;
    uint32_t site;
    rc = edit_null_pointer(value.bytes, &seq, &site, err);
    kv_value_free(edit->store->kv, &value);
    return rc == ERR_OK ? edit_version_find(edit, seq, site, ret_version, err) : rc;
}

bool object_is_version(const struct record_object *object, const struct object_version *version)
{
    if (version->kind == VERSION_NULL || object->null_version)
        return version->kind == VERSION_NULL && object->null_version;
    return object->seq == version->seq && object->origin.site == version->site;
}

enum err_code edit_find(struct edit *edit, const struct object_version *version,
                        struct record_object *ret_object, struct edit_version *ret_older,
                        struct err *err)
{
    bool latest = version->kind == VERSION_LATEST;
    *ret_older = (struct edit_version){0};
    if (edit->has_current && (latest || object_is_version(&edit->current, version))) {
        *ret_object = edit->current;
        return ERR_OK;
    }
    enum err_code rc;
    if (latest)
        rc = edit_version_newest(edit, NULL, ret_older, err);
    else if (version->kind == VERSION_NULL)
        rc = edit_version_null(edit, ret_older, err);
    else
        rc = edit_version_find(edit, version->seq, version->site, ret_older, err);
    if (rc != ERR_OK)
        return rc;
    if (!ret_older->found || (!latest && !object_is_version(&ret_older->object, version)))
        return err_fail_reason(err, ERR_NOT_FOUND, latest ? STORE_NO_KEY : STORE_NO_VERSION,
                               "no such object or version");
    *ret_object = ret_older->object;
    if (ret_object->delete_marker)
        return err_fail_reason(err, ERR_NOT_FOUND, STORE_DELETE_MARKER, "a delete marker");
    return ERR_OK;
}

enum err_code edit_version_newest(struct edit *edit, const struct edit_version *after,
                                  struct edit_version *ret_version, struct err *err)
{
    *ret_version = (struct edit_version){0};
    struct kv *kv = edit->store->kv;
    struct key prefix = key_object(TAG_VERSION, edit->bucket->id, edit->key);
    uint8_t room[KEYS_MAX];
    struct kv_iter *iter;
    enum err_code rc =
        kv->calls->iter_open(kv, NULL, KV_META, after ? after->row_key : key_bytes(&prefix),
                             kv_prefix_end(key_bytes(&prefix), room), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    bool at = kv->calls->iter_at(iter, &key, &value);
    if (at && after && bytes_equal(key, after->row_key)) {
        kv->calls->iter_next(iter);
        at = kv->calls->iter_at(iter, &key, &value);
    }
    rc = kv->calls->iter_check(iter, err);
    if (rc == ERR_OK && at) {
        ret_version->found = true;
        ret_version->row_key = arena_copy(edit->arena, key);
        ret_version->row = arena_copy(edit->arena, value);
        rc = ret_version->row_key.data && ret_version->row.data
                 ? record_decode_object(ret_version->row, edit->arena, &ret_version->object, err)
                 : err_fail(err, ERR_NO_MEMORY, "version");
    }
    kv->calls->iter_close(iter);
    return rc;
}

static void move_current_to_versions(struct edit *edit)
{
    struct key row =
        key_version(edit->bucket->id, edit->key, edit->current.seq, edit->current.origin.site);
    commit_put_borrowed(&edit->batch, KV_META, key_bytes(&row), edit->current_row);
    if (edit->current.null_version)
        edit_put_null_pointer(edit, &edit->current);
}

/* The null version among the older ones goes, since a new null version comes. */
static enum err_code drop_null_version(struct edit *edit, struct err *err)
{
    struct edit_version version;
    enum err_code rc = edit_version_null(edit, &version, err);
    if (rc != ERR_OK || !version.found)
        return rc;
    edit_version_remove(edit, &version);
    edit_release(edit, &version.object);
    return ERR_OK;
}

enum err_code edit_retire(struct edit *edit, struct err *err)
{
    bool new_is_null = edit->versioning != BUCKET_ENABLED;
    if (edit->has_current) {
        if (new_is_null && edit->current.null_version)
            edit_release(edit, &edit->current);
        else
            move_current_to_versions(edit);
    }
    if (edit->versioning != BUCKET_SUSPENDED || (edit->has_current && edit->current.null_version))
        return ERR_OK;
    return drop_null_version(edit, err);
}

void edit_put_current(struct edit *edit, struct record_object *object,
                      enum change_operation operation)
{
    object->seq = object->stamp = 0;
    object->delete_marker = false;
    object->null_version = edit->versioning != BUCKET_ENABLED;
    object->modified_unix_ms = clock_unix_ms(edit->store->clock);
    object->origin = (struct record_origin){.site = edit->store->system.site,
                                            .epoch = edit->store->system.epoch};
    struct key row = key_object(TAG_CURRENT, edit->bucket->id, edit->key);
    struct commit_op *op = commit_put_borrowed(&edit->batch, KV_META, key_bytes(&row),
                                               record_encode_object(object, edit->arena));
    if (op)
        op->seq_in_value = RECORD_SEQ_AT;
    edit_log(edit, operation, object, object->owner);
}
