/* object_read.c - object.h: head, get, the parts of a multipart object. No locks:
 * a version is found, then its body is held; where the body is gone meanwhile
 * the version is looked up again (pin.h). */
#include "storage/obj/object_edit.h"
#include "storage/obj/part_list.h"

#define LOOKUPS_MAX 64 /* how often a key may be overwritten between lookup and hold */

struct lookup {
    struct store *store;
    struct bucket *bucket;
    struct bytes key;
    struct object_version version;
    struct arena *arena;
};

static enum err_code read_row(const struct lookup *lookup, const struct kv_snapshot *snapshot,
                              struct bytes row_key, bool *ret_found,
                              struct record_object *ret_object, struct err *err)
{
    struct kv *kv = lookup->store->kv;
    struct kv_value value;
    enum err_code rc = kv_find_in(kv, snapshot, KV_META, row_key, ret_found, &value, err);
    if (rc != ERR_OK || !*ret_found)
        return rc;
    rc = record_decode_object(value.bytes, lookup->arena, ret_object, err);
    kv_value_free(kv, &value);
    return rc;
}

static enum err_code no_key(struct err *err)
{
    return err_fail_reason(err, ERR_NOT_FOUND, STORE_NO_KEY, "no such object");
}

static enum err_code no_version(struct err *err)
{
    return err_fail_reason(err, ERR_NOT_FOUND, STORE_NO_VERSION, "no such version");
}

static enum err_code is_marker(struct err *err)
{
    return err_fail_reason(err, ERR_NOT_FOUND, STORE_DELETE_MARKER, "a delete marker");
}

/* Without a current row the newest older one, if any, is a delete marker. */
static enum err_code find_marker(const struct lookup *lookup, struct record_object *ret_object,
                                 struct err *err)
{
    struct edit edit = {.store = lookup->store,
                        .bucket = lookup->bucket,
                        .key = lookup->key,
                        .arena = lookup->arena};
    struct edit_version newest;
    enum err_code rc = edit_version_newest(&edit, NULL, &newest, err);
    if (rc != ERR_OK)
        return rc;
    if (!newest.found || !newest.object.delete_marker)
        return no_key(err);
    *ret_object = newest.object;
    return is_marker(err);
}

static enum err_code find_latest(const struct lookup *lookup, struct record_object *ret_object,
                                 struct err *err)
{
    struct key row = key_object(TAG_CURRENT, lookup->bucket->id, lookup->key);
    bool found;
    enum err_code rc = read_row(lookup, NULL, key_bytes(&row), &found, ret_object, err);
    if (rc != ERR_OK || found)
        return rc;
    if (atomic_load(&lookup->bucket->versioning) == BUCKET_UNVERSIONED)
        return no_key(err);
    return find_marker(lookup, ret_object, err);
}

/* Where the null version lies among the older ones. */
static enum err_code null_row(const struct lookup *lookup, const struct kv_snapshot *snapshot,
                              bool *ret_found, struct key *ret_row, struct err *err)
{
    struct kv *kv = lookup->store->kv;
    struct key pointer = key_object(TAG_NULL, lookup->bucket->id, lookup->key);
    struct kv_value value;
    enum err_code rc =
        kv_find_in(kv, snapshot, KV_META, key_bytes(&pointer), ret_found, &value, err);
    if (rc != ERR_OK || !*ret_found)
        return rc;
    uint64_t seq;
    uint32_t site;
    rc = edit_null_pointer(value.bytes, &seq, &site, err);
    kv_value_free(kv, &value);
    if (rc == ERR_OK)
        *ret_row = key_version(lookup->bucket->id, lookup->key, seq, site);
    return rc;
}

/* A named version, current or older: both rows as of one moment. */
static enum err_code find_named(const struct lookup *lookup, const struct kv_snapshot *snapshot,
                                struct record_object *ret_object, struct err *err)
{
    const struct object_version *version = &lookup->version;
    struct key row = key_object(TAG_CURRENT, lookup->bucket->id, lookup->key);
    bool found;
    enum err_code rc = read_row(lookup, snapshot, key_bytes(&row), &found, ret_object, err);
    if (rc != ERR_OK || (found && object_is_version(ret_object, version)))
        return rc;
    if (version->kind == VERSION_NULL)
        rc = null_row(lookup, snapshot, &found, &row, err);
    else
        row = key_version(lookup->bucket->id, lookup->key, version->seq, version->site);
    if (rc == ERR_OK && (version->kind != VERSION_NULL || found))
        rc = read_row(lookup, snapshot, key_bytes(&row), &found, ret_object, err);
    if (rc != ERR_OK)
        return rc;
    if (!found || !object_is_version(ret_object, version))
        return no_version(err);
    return ret_object->delete_marker ? is_marker(err) : ERR_OK;
}

static enum err_code find(const struct lookup *lookup, struct record_object *ret_object,
                          struct err *err)
{
    if (lookup->version.kind == VERSION_LATEST)
        return find_latest(lookup, ret_object, err);
    struct kv *kv = lookup->store->kv;
    struct kv_snapshot *snapshot = kv->calls->snapshot_open(kv);
    if (!snapshot)
        return err_fail(err, ERR_NO_MEMORY, "snapshot");
    enum err_code rc = find_named(lookup, snapshot, ret_object, err);
    kv->calls->snapshot_close(kv, snapshot);
    return rc;
}

static enum err_code get_entered(const struct lookup *lookup, struct record_object *ret_object,
                                 struct body_reader **ret_reader, struct err *err)
{
    bool gone = true;
    enum err_code rc = ERR_OK;
    for (int i = 0; rc == ERR_OK && gone && i < LOOKUPS_MAX; i++) {
        rc = find(lookup, ret_object, err);
        if (rc == ERR_OK)
            rc = body_reader_open(lookup->store, &ret_object->body, ret_object->length, &gone,
                                  ret_reader, err);
    }
    if (rc == ERR_OK && gone)
        rc = err_fail(err, ERR_CORRUPT, "body %016llx of a record is missing",
                      (unsigned long long)ret_object->body.id);
    return rc;
}

/* ret_reader  NULL: the record alone */
static enum err_code look_up(const struct lookup *lookup, struct record_object *ret_object,
                             struct body_reader **ret_reader, struct err *err)
{
    enum err_code rc = edit_check_key(lookup->key, err);
    if (rc == ERR_OK)
        rc = bucket_enter(lookup->bucket, err);
    if (rc != ERR_OK)
        return rc;
    rc = ret_reader ? get_entered(lookup, ret_object, ret_reader, err)
                    : find(lookup, ret_object, err);
    bucket_leave(lookup->bucket);
    return rc;
}

enum err_code object_head(struct store *store, struct bucket *bucket, struct bytes key,
                          struct object_version version, struct arena *arena,
                          struct record_object *ret_object, struct err *err)
{
    return look_up(&(struct lookup){store, bucket, key, version, arena}, ret_object, NULL, err);
}

enum err_code object_get(struct store *store, struct bucket *bucket, struct bytes key,
                         struct object_version version, struct arena *arena,
                         struct record_object *ret_object, struct body_reader **ret_reader,
                         struct err *err)
{
    return look_up(&(struct lookup){store, bucket, key, version, arena}, ret_object, ret_reader,
                   err);
}

enum err_code object_parts(struct store *store, const struct record_object *object, uint32_t from,
                           size_t max, struct arena *arena, struct record_part **ret_parts,
                           size_t *ret_count, struct err *err)
{
    struct part_list list = {.arena = arena, .max = max, .after = from};
    *ret_count = 0;
    *ret_parts = list.parts = arena_alloc(arena, (max ? max : 1) * sizeof(*list.parts));
    if (!list.parts)
        return err_fail(err, ERR_NO_MEMORY, "list of parts");
    if (object->body.kind != BODY_MANIFEST)
        return ERR_OK;
    enum err_code rc = part_list_of_manifest(store->kv, object->body.id, &list, err);
    *ret_count = list.count;
    return rc;
}

static enum err_code no_part(uint32_t number, struct err *err)
{
    return err_fail_reason(err, ERR_NOT_FOUND, STORE_BAD_PART, "no part %u", number);
}

enum err_code object_part_find(struct store *store, const struct record_object *object,
                               uint32_t number, struct arena *arena, uint64_t *ret_offset,
                               struct record_part *ret_part, struct err *err)
{
    *ret_offset = 0;
    if (object->body.kind != BODY_MANIFEST) {
        *ret_part = (struct record_part){
            .number = 1, .length = object->length, .checksum = object->checksum};
        return number == 1 ? ERR_OK : no_part(number, err);
    }
    struct record_part *parts;
    size_t count;
    enum err_code rc = object_parts(store, object, 0, S3_PARTS_MAX, arena, &parts, &count, err);
    for (size_t i = 0; rc == ERR_OK && i < count; i++) {
        if (parts[i].number == number) {
            *ret_part = parts[i];
            return ERR_OK;
        }
        *ret_offset += parts[i].length;
    }
    return rc == ERR_OK ? no_part(number, err) : rc;
}
