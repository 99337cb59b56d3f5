/* body_share.c - who owns a body: a second owner for a copy, the end of one. */
#include "storage/obj/each.h"
#include "storage/obj/internal.h"

static enum err_code share_small(struct store *store, const struct record_body *body,
                                 struct commit_batch *batch, struct record_body *ret_body,
                                 struct err *err)
{
    struct key from = key_bare(body->id);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(store->kv, KV_BODIES, key_bytes(&from), &found, &value, err);
    if (rc != ERR_OK)
        return rc;
    if (!found)
        return err_fail(err, ERR_CORRUPT, "body %016llx of a record is missing",
                        (unsigned long long)body->id);
    *ret_body = (struct record_body){BODY_INLINE, store_new_id(store), 0};
    struct key to = key_bare(ret_body->id);
    commit_put(batch, KV_BODIES, key_bytes(&to), value.bytes);
    kv_value_free(store->kv, &value);
    return ERR_OK;
}

enum err_code body_share(struct store *store, const struct record_body *body,
                         struct commit_batch *batch, struct record_body *ret_body, struct err *err)
{
    switch (body->kind) {
    case BODY_EMPTY:
        *ret_body = *body;
        return ERR_OK;
    case BODY_INLINE:
        return share_small(store, body, batch, ret_body, err);
    case BODY_EXTENTS:
    case BODY_MANIFEST:
        break;
    case BODY_REMOTE:
        return err_fail(err, ERR_UNSUPPORTED, "the body is not on this box");
    }
    *ret_body = (struct record_body){body->kind, body->id, store_new_id(store)};
    struct key row = key_owned(TAG_REFERENCE, ret_body->id, ret_body->owner);
    commit_put(batch, KV_META, key_bytes(&row), BYTES_LIT(""));
    return ERR_OK;
}

static enum err_code note_owner(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                                struct err *err)
{
    (void)key, (void)value, (void)err;
    *(bool *)ctx = *ret_enough = true;
    return ERR_OK;
}

enum err_code body_is_owned(struct store *store, uint64_t id, bool *ret_owned, struct err *err)
{
    *ret_owned = false;
    return each_of_number(store->kv, TAG_REFERENCE, id, note_owner, ret_owned, err);
}

bool body_release(const struct record_body *body, struct commit_batch *batch)
{
    if (body->kind == BODY_INLINE) {
        struct key row = key_bare(body->id);
        commit_delete(batch, KV_BODIES, key_bytes(&row));
        return false;
    }
    if (body->kind != BODY_EXTENTS && body->kind != BODY_MANIFEST)
        return false;
    struct key row = key_owned(TAG_REFERENCE, body->id, body->owner);
    commit_delete(batch, KV_META, key_bytes(&row));
    sweep_mark(batch, body->kind == BODY_EXTENTS ? SWEEP_BODY : SWEEP_MANIFEST, body->id,
               body->owner);
    return true;
}
