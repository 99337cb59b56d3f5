/* auth_rows.c - rows of users, keys and sessions in the ordered store.
 *
 *     'U' user name   -> 01 User
 *     'K' access key  -> 01 AccessKey
 *     'S' access key  -> 01 Session
 *
 * Threads   pure functions. */
#include "storage/auth/auth_rows.h"

#include "storage/kv/proto_arena.h"

struct auth_rows_key auth_rows_key(enum kv_tag tag, struct bytes name)
{
    struct auth_rows_key key = {.len = 1};
    struct bytes fits = bytes_first(name, sizeof(key.data) - 1);
    key.data[0] = (uint8_t)tag;
    if (fits.len > 0)
        memcpy(key.data + 1, fits.data, fits.len);
    key.len += fits.len;
    return key;
}

void auth_rows_put(struct commit_batch *batch, const struct auth_rows_key *key,
                   const ProtobufCMessage *message)
{
    size_t len;
    uint8_t *row = proto_arena_pack(message, 1, batch->arena, &len);
    if (!row) {
        batch->failed = ERR_NO_MEMORY;
        return;
    }
    row[0] = AUTH_ROWS_FORMAT;
    commit_put_borrowed(batch, KV_META, auth_rows_key_bytes(key), bytes_of(row, len));
}

/* ret  a message of that type; arena memory */
static enum err_code unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
                            struct bytes row, void **ret, struct err *err)
{
    ProtobufCMessage *message = NULL;
    if (row.len == 0 || row.data[0] != AUTH_ROWS_FORMAT)
        return err_fail(err, ERR_CORRUPT, "a row '%s' has a format that is not known",
                        type->short_name);
    enum err_code code = proto_arena_unpack(type, bytes_from(row, 1), arena, &message, err);
    *ret = message;
    return code;
}

enum err_code auth_rows_find(struct kv *kv, struct arena *arena,
                             const ProtobufCMessageDescriptor *type,
                             const struct auth_rows_key *key, void **ret, struct err *err)
{
    struct kv_value value = {0};
    bool found = false;
    *ret = NULL;
    enum err_code code = kv_find(kv, KV_META, auth_rows_key_bytes(key), &found, &value, err);
    if (code == ERR_OK && found)
        code = unpack(arena, type, value.bytes, ret, err);
    kv_value_free(kv, &value);
    return code;
}

static enum err_code each_entry(struct kv *kv, struct kv_iter *iter,
                                const struct auth_rows_walk *walk, struct arena *arena,
                                struct err *err)
{
    struct bytes key, row;
    for (; kv->calls->iter_at(iter, &key, &row); kv->calls->iter_next(iter)) {
        void *message = NULL;
        enum err_code code = unpack(arena, walk->type, row, &message, err);
        if (code == ERR_OK)
            code = walk->each(walk->ctx, bytes_from(key, 1), message, err);
        if (code != ERR_OK)
            return code;
        arena_reset(arena);
    }
    return kv->calls->iter_check(iter, err);
}

enum err_code auth_rows_each(struct kv *kv, const struct auth_rows_walk *walk, struct err *err)
{
    const uint8_t from = (uint8_t)walk->tag, until = (uint8_t)(walk->tag + 1);
    struct kv_iter *iter = NULL;
    struct arena arena;
    enum err_code code = kv->calls->iter_open(kv, NULL, KV_META, bytes_of(&from, 1),
                                              bytes_of(&until, 1), &iter, err);
    if (code != ERR_OK)
        return code;
    arena_init(&arena, AUTH_ROWS_MAX);
    code = each_entry(kv, iter, walk, &arena, err);
    arena_done(&arena);
    kv->calls->iter_close(iter);
    return code;
}
