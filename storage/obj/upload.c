/* upload.c - upload.h: create, find, put a part, abort, list parts. Complete is
 * in upload_complete.c, UploadPartCopy in upload_copy.c, lists in upload_list.c. */
#include "storage/obj/upload_internal.h"

#include "storage/obj/part_list.h"

bool upload_id_parse(struct bytes text, uint64_t *ret_id)
{
    uint8_t raw[8];
    if (!codec_unhex(text, raw, sizeof(raw)))
        return false;
    *ret_id = codec_get_u64be(raw);
    return true;
}

void upload_id_text(uint64_t id, char ret_text[UPLOAD_ID_TEXT])
{
    uint8_t raw[8];
    codec_put_u64be(raw, id);
    codec_hex(bytes_of(raw, sizeof(raw)), ret_text);
}

static enum err_code no_upload(struct err *err)
{
    return err_fail_reason(err, ERR_NOT_FOUND, STORE_NO_UPLOAD, "no such upload");
}

enum err_code upload_row(struct store *store, uint32_t bucket, struct bytes key, struct bytes id,
                         struct arena *arena, uint64_t *ret_id, struct record_upload *ret_upload,
                         struct err *err)
{
    if (!upload_id_parse(id, ret_id))
        return no_upload(err);
    struct key row = key_upload(bucket, key, *ret_id);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(store->kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc != ERR_OK)
        return rc;
    if (!found)
        return no_upload(err);
    rc = record_decode_upload(value.bytes, arena, ret_upload, err);
    kv_value_free(store->kv, &value);
    return rc;
}

static enum err_code create_entered(struct store *store, const struct bucket *bucket,
                                    struct bytes key, const struct record_upload *upload,
                                    struct arena *arena, uint64_t id, struct err *err)
{
    struct record_upload record = *upload;
    record.initiated_unix_ms = clock_unix_ms(store->clock);
    struct commit_batch batch;
    commit_batch_init(&batch, arena);
    struct key row = key_upload(bucket->id, key, id);
    commit_put_borrowed(&batch, KV_META, key_bytes(&row), record_encode_upload(&record, arena));
    return commit(store->committer, &batch, err);
}

enum err_code upload_create(struct store *store, struct bucket *bucket, struct bytes key,
                            const struct record_upload *upload, struct arena *arena,
                            char ret_id[UPLOAD_ID_TEXT], struct err *err)
{
    enum err_code rc = edit_check_key(key, err);
    if (rc == ERR_OK)
        rc = store_health(store, err);
    if (rc == ERR_OK)
        rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    uint64_t id = store_new_id(store);
    rc = create_entered(store, bucket, key, upload, arena, id, err);
    bucket_leave(bucket);
    upload_id_text(id, ret_id);
    return rc;
}

enum err_code upload_find(struct store *store, struct bucket *bucket, struct bytes key,
                          struct bytes id, struct arena *arena, struct record_upload *ret_upload,
                          struct err *err)
{
    enum err_code rc = edit_check_key(key, err);
    if (rc == ERR_OK)
        rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    uint64_t number;
    rc = upload_row(store, bucket->id, key, id, arena, &number, ret_upload, err);
    bucket_leave(bucket);
    return rc;
}

/* A part of the same number goes. */
static enum err_code replace_part(struct edit *edit, struct bytes row_key, struct err *err)
{
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(edit->store->kv, KV_META, row_key, &found, &value, err);
    if (rc != ERR_OK || !found)
        return rc;
    struct record_part old;
    rc = record_decode_part(value.bytes, edit->arena, &old, err);
    kv_value_free(edit->store->kv, &value);
    if (rc == ERR_OK && body_release(&old.body, &edit->batch))
        edit->freed = true;
    return rc;
}

static enum err_code commit_part_locked(struct edit *edit, struct bytes id,
                                        const struct record_part *part, struct err *err)
{
    uint64_t number;
    struct record_upload upload;
    enum err_code rc = upload_row(edit->store, edit->bucket->id, edit->key, id, edit->arena,
                                  &number, &upload, err);
    if (rc != ERR_OK)
        return rc;
    struct key row = key_part(number, part->number);
    rc = replace_part(edit, key_bytes(&row), err);
    if (rc != ERR_OK)
        return rc;
    commit_put_borrowed(&edit->batch, KV_META, key_bytes(&row),
                        record_encode_part(part, edit->arena));
    return edit_commit(edit, err);
}

enum err_code upload_commit_part(struct store *store, struct bucket *bucket, struct bytes key,
                                 struct bytes id, const struct record_part *part,
                                 const struct commit_batch *body_rows, struct err *err)
{
    struct edit edit;
    enum err_code rc = edit_begin(&edit, store, bucket, key, body_rows->arena, err);
    if (rc != ERR_OK)
        return rc;
    edit.batch = *body_rows;
    rc = commit_part_locked(&edit, id, part, err);
    edit_end(&edit);
    return rc;
}

static enum err_code put_part_entered(struct store *store, struct bucket *bucket, struct bytes key,
                                      struct bytes id, struct record_part *part,
                                      struct body_writer *body, struct arena *arena,
                                      struct err *err)
{
    struct commit_batch rows;
    commit_batch_init(&rows, arena);
    part->length = body_writer_length(body);
    part->modified_unix_ms = clock_unix_ms(store->clock);
    part->body_offset = 0;
    enum err_code rc = body_writer_finish(body, &rows, &part->body, err);
    if (rc != ERR_OK)
        return rc;
    rc = upload_commit_part(store, bucket, key, id, part, &rows, err);
    body_writer_committed(body, rc);
    return rc;
}

enum err_code upload_put_part(struct store *store, struct bucket *bucket, struct bytes key,
                              struct bytes id, struct record_part *part, struct body_writer *body,
                              struct arena *arena, struct err *err)
{
    AUTO(body_writer) struct body_writer *owned = body;
    enum err_code rc = edit_check_key(key, err);
    if (rc == ERR_OK)
        rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    rc = put_part_entered(store, bucket, key, id, part, owned, arena, err);
    bucket_leave(bucket);
    return rc;
}

static enum err_code abort_locked(struct edit *edit, struct bytes id, struct err *err)
{
    uint64_t number;
    struct record_upload upload;
    enum err_code rc = upload_row(edit->store, edit->bucket->id, edit->key, id, edit->arena,
                                  &number, &upload, err);
    if (rc != ERR_OK)
        return rc;
    struct key row = key_upload(edit->bucket->id, edit->key, number);
    commit_delete(&edit->batch, KV_META, key_bytes(&row));
    sweep_mark(&edit->batch, SWEEP_PARTS, number, 0);
    edit->freed = true;
    return edit_commit(edit, err);
}

enum err_code upload_abort(struct store *store, struct bucket *bucket, struct bytes key,
                           struct bytes id, struct arena *arena, struct err *err)
{
    struct edit edit;
    enum err_code rc = edit_enter(&edit, store, bucket, key, arena, err);
    if (rc != ERR_OK)
        return rc;
    rc = abort_locked(&edit, id, err);
    edit_leave(&edit);
    return rc;
}

enum err_code upload_parts(struct store *store, struct bucket *bucket, struct bytes key,
                           struct bytes id, uint32_t after, size_t max, struct arena *arena,
                           struct record_part **ret_parts, size_t *ret_count, bool *ret_more,
                           struct err *err)
{
    *ret_count = 0;
    *ret_more = false;
    struct record_upload upload;
    enum err_code rc = upload_find(store, bucket, key, id, arena, &upload, err);
    if (rc != ERR_OK)
        return rc;
    uint64_t number = 0;
    (void)upload_id_parse(id, &number); /* upload_find parsed it */
    struct part_list list = {.arena = arena, .max = max, .after = after};
    *ret_parts = list.parts = arena_alloc(arena, (max ? max : 1) * sizeof(*list.parts));
    if (!list.parts)
        return err_fail(err, ERR_NO_MEMORY, "list of parts");
    rc = part_list_of_upload(store->kv, number, &list, err);
    *ret_count = list.count;
    *ret_more = list.more;
    return rc;
}
