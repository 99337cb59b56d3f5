/* object.c - object.h: version ids, put, tags. Deleting is in object_delete.c,
 * reading in object_read.c, copying in object_copy.c, the rows of a key in object_edit.h. */
#include "storage/obj/object.h"

#include "storage/obj/object_edit.h"

bool object_version_parse(struct bytes text, struct object_version *ret_version)
{
    *ret_version = (struct object_version){.kind = VERSION_LATEST};
    if (text.len == 0)
        return true;
    if (bytes_equal_str(text, "null")) {
        ret_version->kind = VERSION_NULL;
        return true;
    }
    uint8_t raw[KEY_VERSION_SUFFIX];
    if (!codec_unhex(text, raw, sizeof(raw)))
        return false;
    *ret_version =
        (struct object_version){VERSION_ID, ~codec_get_u64be(raw), codec_get_u32be(raw + 8)};
    return true;
}

void object_version_text(const struct record_object *object, char ret_text[OBJECT_VERSION_TEXT])
{
    if (object->null_version) {
        memcpy(ret_text, "null", 5);
        return;
    }
    uint8_t raw[KEY_VERSION_SUFFIX];
    codec_put_u64be(raw, ~object->seq);
    codec_put_u32be(raw + 8, object->origin.site);
    codec_hex(bytes_of(raw, sizeof(raw)), ret_text);
}

/* The body is on stable storage and in the batch; the key is locked. */
static enum err_code put_locked(struct edit *edit, struct object_put *put, struct err *err)
{
    enum err_code rc = edit_check(edit, &put->condition, err);
    if (rc == ERR_OK)
        rc = edit_retire(edit, err);
    if (rc != ERR_OK)
        return rc;
    edit_put_current(edit, &put->object, put->operation);
    return edit_commit(edit, err);
}

static enum err_code put_entered(struct store *store, struct bucket *bucket, struct object_put *put,
                                 struct arena *arena, struct err *err)
{
    struct commit_batch body_rows;
    commit_batch_init(&body_rows, arena);
    put->object.length = body_writer_length(put->body);
    put->object.parts = 0;
    enum err_code rc = body_writer_finish(put->body, &body_rows, &put->object.body, err);
    struct edit edit;
    if (rc == ERR_OK)
        rc = edit_begin(&edit, store, bucket, put->key, arena, err);
    if (rc != ERR_OK)
        return rc;
    edit.batch = body_rows;
    rc = put_locked(&edit, put, err);
    body_writer_committed(put->body, rc);
    edit_end(&edit);
    put->object.seq = edit.batch.ret_seq;
    put->object.stamp = edit.batch.ret_stamp;
    return rc;
}

enum err_code object_put(struct store *store, struct bucket *bucket, struct object_put *put,
                         struct arena *arena, struct record_object *ret_object, struct err *err)
{
    AUTO(body_writer) UNUSED struct body_writer *body = put->body;
    enum err_code rc = edit_check_key(put->key, err);
    if (rc == ERR_OK)
        rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    rc = put_entered(store, bucket, put, arena, err);
    bucket_leave(bucket);
    if (rc == ERR_OK)
        *ret_object = put->object;
    return rc;
}

static enum err_code set_tags_locked(struct edit *edit, const struct object_version *version,
                                     const struct record_pairs *tags,
                                     struct record_object *ret_object, struct err *err)
{
    struct edit_version older;
    enum err_code rc = edit_find(edit, version, ret_object, &older, err);
    if (rc != ERR_OK)
        return rc;
    ret_object->tags = *tags;
    struct key current = key_object(TAG_CURRENT, edit->bucket->id, edit->key);
    struct bytes row_key = older.found ? older.row_key : key_bytes(&current);
    commit_put_borrowed(&edit->batch, KV_META, row_key,
                        record_encode_object(ret_object, edit->arena));
    edit_log(edit, CHANGE_OBJECT_TAGS, ret_object, ret_object->owner);
    return edit_commit(edit, err);
}

enum err_code object_set_tags(struct store *store, struct bucket *bucket, struct bytes key,
                              struct object_version version, const struct record_pairs *tags,
                              struct arena *arena, struct record_object *ret_object,
                              struct err *err)
{
    struct edit edit;
    enum err_code rc = edit_enter(&edit, store, bucket, key, arena, err);
    if (rc != ERR_OK)
        return rc;
    rc = set_tags_locked(&edit, &version, tags, ret_object, err);
    edit_leave(&edit);
    return rc;
}
