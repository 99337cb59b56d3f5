/* upload_complete.c - upload.h: Complete. Rows move, bytes do not:
 *
 *     TAG_UPLOAD  ──────────────> deleted
 *     TAG_PART    named ────────> TAG_MANIFEST, keyed by where the part ends
 *                 not named ────> deleted, its body released
 *     TAG_CURRENT ──────────────> the object, body = the manifest of the upload's id */
#include <stdlib.h>

#include "storage/obj/part_list.h"
#include "storage/obj/upload_internal.h"

/* An upload's parts in memory, while the key is locked. */
struct assembly {
    struct edit *edit;
    uint64_t id;
    struct record_upload upload;
    struct record_part *stored; /* by number */
    size_t stored_count;
    const struct record_part **chosen; /* as named, rising */
    size_t chosen_count;
    uint64_t length; /* bytes of the object */
};

static enum err_code load_parts(struct assembly *assembly, struct err *err)
{
    struct arena *arena = assembly->edit->arena;
    struct part_list list = {.arena = arena, .max = S3_PARTS_MAX};
    list.parts = arena_alloc_raw(arena, S3_PARTS_MAX * sizeof(*list.parts));
    if (!list.parts)
        return err_fail(err, ERR_NO_MEMORY, "parts of an upload");
    enum err_code rc = part_list_of_upload(assembly->edit->store->kv, assembly->id, &list, err);
    assembly->stored = list.parts;
    assembly->stored_count = list.count;
    return rc;
}

static int compare_number(const void *number, const void *part)
{
    uint32_t a = *(const uint32_t *)number, b = ((const struct record_part *)part)->number;
    return a < b ? -1 : a > b;
}

static bool matches(const struct upload_part_named *named, const struct record_part *part)
{
    if (memcmp(named->etag, part->etag, RECORD_ETAG_LEN) != 0)
        return false;
    if (!named->checksum.present)
        return true;
    return part->checksum.present && part->checksum.kind == named->checksum.kind &&
           bytes_equal(bytes_of(part->checksum.value.data, part->checksum.value.len),
                       bytes_of(named->checksum.value.data, named->checksum.value.len));
}

static enum err_code choose_one(struct assembly *assembly, const struct upload_part_named *named,
                                bool is_last, struct err *err)
{
    const struct record_part *before =
        assembly->chosen_count ? assembly->chosen[assembly->chosen_count - 1] : NULL;
    if (before && named->number <= before->number)
        return err_fail_reason(err, ERR_INVALID, STORE_PART_ORDER, "part %u follows part %u",
                               named->number, before->number);
    const struct record_part *part =
        bsearch(&named->number, assembly->stored, assembly->stored_count, sizeof(*assembly->stored),
                compare_number);
    if (!part || !matches(named, part))
        return err_fail_reason(err, ERR_INVALID, STORE_BAD_PART,
                               "part %u is not there, or not with this ETag and checksum",
                               named->number);
    if (!is_last && part->length < S3_PART_BYTES_MIN)
        return err_fail_reason(err, ERR_INVALID, STORE_PART_TOO_SMALL,
                               "S3_PART_BYTES_MIN: part %u has %llu bytes", part->number,
                               (unsigned long long)part->length);
    assembly->chosen[assembly->chosen_count++] = part;
    assembly->length += part->length;
    return ERR_OK;
}

static enum err_code choose(struct assembly *assembly, const struct upload_complete *request,
                            struct err *err)
{
    if (request->part_count == 0 || request->part_count > S3_PARTS_MAX)
        return err_fail_reason(err, ERR_INVALID, STORE_BAD_PART, "S3_PARTS_MAX: %zu parts named",
                               request->part_count);
    assembly->chosen =
        arena_alloc(assembly->edit->arena, request->part_count * sizeof(struct record_part *));
    if (!assembly->chosen)
        return err_fail(err, ERR_NO_MEMORY, "parts of an upload");
    for (size_t i = 0; i < request->part_count; i++) {
        enum err_code rc =
            choose_one(assembly, &request->parts[i], i + 1 == request->part_count, err);
        if (rc != ERR_OK)
            return rc;
    }
    if (assembly->length > (request->length_max ? request->length_max : S3_OBJECT_BYTES_MAX))
        return err_fail(err, ERR_LIMIT, "the object has %llu bytes",
                        (unsigned long long)assembly->length);
    return ERR_OK;
}

/* What the client says of the whole is what was stored. */
static enum err_code check_expected(const struct assembly *assembly,
                                    const struct upload_complete *request,
                                    const struct record_checksum *checksum, struct err *err)
{
    const struct record_checksum *expected = &request->expected;
    if (request->expected_length != UINT64_MAX && request->expected_length != assembly->length)
        return err_fail_reason(err, ERR_INVALID, STORE_BAD_LENGTH, "the object has %llu bytes",
                               (unsigned long long)assembly->length);
    if (!expected->present)
        return ERR_OK;
    if (checksum->present && checksum->kind == expected->kind &&
        bytes_equal(bytes_of(checksum->value.data, checksum->value.len),
                    bytes_of(expected->value.data, expected->value.len)))
        return ERR_OK;
    return err_fail_reason(err, ERR_INVALID, STORE_BAD_CHECKSUM,
                           "the object's checksum is another");
}

static enum err_code make_object(const struct assembly *assembly,
                                 const struct upload_complete *request,
                                 struct record_object *ret_object, struct err *err)
{
    *ret_object = assembly->upload.object;
    ret_object->length = assembly->length;
    ret_object->parts = (uint32_t)assembly->chosen_count;
    ret_object->body =
        (struct record_body){BODY_MANIFEST, assembly->id, store_new_id(assembly->edit->store)};
    enum err_code rc = upload_etag(assembly->chosen, assembly->chosen_count, ret_object->etag, err);
    if (rc == ERR_OK)
        rc = upload_checksum(&assembly->upload, assembly->chosen, assembly->chosen_count,
                             &ret_object->checksum, err);
    if (rc == ERR_OK)
        rc = check_expected(assembly, request, &ret_object->checksum, err);
    return rc;
}

static void move_rows(struct assembly *assembly, const struct record_object *object)
{
    struct edit *edit = assembly->edit;
    struct commit_batch *batch = &edit->batch;
    struct key upload = key_upload(edit->bucket->id, edit->key, assembly->id);
    commit_delete(batch, KV_META, key_bytes(&upload));
    struct key reference = key_owned(TAG_REFERENCE, assembly->id, object->body.owner);
    commit_put(batch, KV_META, key_bytes(&reference), BYTES_LIT(""));
    size_t next = 0;
    uint64_t end = 0;
    for (size_t i = 0; i < assembly->stored_count; i++) {
        const struct record_part *part = &assembly->stored[i];
        struct key row = key_part(assembly->id, part->number);
        commit_delete(batch, KV_META, key_bytes(&row));
        if (next < assembly->chosen_count && assembly->chosen[next] == part) {
            end += part->length;
            struct key to = key_manifest(assembly->id, end, part->number);
            commit_put_borrowed(batch, KV_META, key_bytes(&to),
                                record_encode_part(part, edit->arena));
            next++;
        } else if (body_release(&part->body, batch)) {
            edit->freed = true;
        }
    }
}

/* The ETag that an object of the named parts has. */
static enum err_code named_etag(const struct upload_complete *request, struct arena *arena,
                                uint8_t ret_etag[RECORD_ETAG_LEN], struct err *err)
{
    struct record_part *parts = arena_alloc(arena, request->part_count * sizeof(*parts));
    const struct record_part **list = arena_alloc(arena, request->part_count * sizeof(*list));
    if (!parts || !list)
        return err_fail(err, ERR_NO_MEMORY, "parts of an upload");
    for (size_t i = 0; i < request->part_count; i++) {
        memcpy(parts[i].etag, request->parts[i].etag, RECORD_ETAG_LEN);
        list[i] = &parts[i];
    }
    return upload_etag(list, request->part_count, ret_etag, err);
}

/* There is no such upload. But a client that did not hear the answer asks again:
 * then the key still is what this upload made of these parts. */
static enum err_code find_done(const struct edit *edit, struct bytes id,
                               const struct upload_complete *request,
                               struct record_object *ret_object, struct err *err)
{
    const struct record_object *current = &edit->current;
    struct err absent = *err;
    uint8_t etag[RECORD_ETAG_LEN];
    uint64_t number;
    if (!edit->has_current || !upload_id_parse(id, &number) ||
        current->body.kind != BODY_MANIFEST || current->body.id != number ||
        current->parts != request->part_count)
        return err->code;
    enum err_code rc = named_etag(request, edit->arena, etag, err);
    if (rc != ERR_OK)
        return rc;
    if (memcmp(etag, current->etag, RECORD_ETAG_LEN) == 0) {
        *ret_object = *current;
        return ERR_OK;
    }
    *err = absent;
    return err->code;
}

static enum err_code complete_locked(struct edit *edit, struct bytes id,
                                     const struct upload_complete *request,
                                     struct record_object *ret_object, struct err *err)
{
    struct assembly assembly = {.edit = edit};
    enum err_code rc = upload_row(edit->store, edit->bucket->id, edit->key, id, edit->arena,
                                  &assembly.id, &assembly.upload, err);
    if (rc == ERR_NOT_FOUND)
        return find_done(edit, id, request, ret_object, err);
    if (rc == ERR_OK)
        rc = load_parts(&assembly, err);
    if (rc == ERR_OK)
        rc = choose(&assembly, request, err);
    if (rc == ERR_OK)
        rc = make_object(&assembly, request, ret_object, err);
    if (rc == ERR_OK)
        rc = edit_check(edit, &request->condition, err);
    if (rc == ERR_OK)
        rc = edit_retire(edit, err);
    if (rc != ERR_OK)
        return rc;
    move_rows(&assembly, ret_object);
    edit_put_current(edit, ret_object, CHANGE_OBJECT_COMPLETE);
    rc = edit_commit(edit, err);
    ret_object->seq = edit->batch.ret_seq;
    ret_object->stamp = edit->batch.ret_stamp;
    return rc;
}

enum err_code upload_complete(struct store *store, struct bucket *bucket, struct bytes key,
                              struct bytes id, const struct upload_complete *request,
                              struct arena *arena, struct record_object *ret_object,
                              struct err *err)
{
    struct edit edit;
    enum err_code rc = edit_enter(&edit, store, bucket, key, arena, err);
    if (rc != ERR_OK)
        return rc;
    rc = complete_locked(&edit, id, request, ret_object, err);
    edit_leave(&edit);
    return rc;
}
