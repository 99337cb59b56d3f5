/* each.c - see each.h. */
#include "storage/obj/each.h"

enum err_code each_between(struct kv *kv, const struct key *from, const struct key *until,
                           each_fn fn, void *ctx, struct err *err)
{
    struct kv_iter *iter;
    enum err_code rc =
        kv->calls->iter_open(kv, NULL, KV_META, key_bytes(from), key_bytes(until), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    bool enough = false;
    while (rc == ERR_OK && !enough && kv->calls->iter_at(iter, &key, &value)) {
        rc = fn(ctx, key, value, &enough, err);
        kv->calls->iter_next(iter);
    }
    if (rc == ERR_OK && !enough)
        rc = kv->calls->iter_check(iter, err);
    kv->calls->iter_close(iter);
    return rc;
}

enum err_code each_of_tag(struct kv *kv, enum kv_tag tag, each_fn fn, void *ctx, struct err *err)
{
    const struct bytes nothing = BYTES_LIT("");
    struct key from = key_named(tag, nothing), until = key_named(tag + 1, nothing);
    return each_between(kv, &from, &until, fn, ctx, err);
}

enum err_code each_of_number(struct kv *kv, enum kv_tag tag, uint64_t number, each_fn fn, void *ctx,
                             struct err *err)
{
    struct key from = key_number(tag, number), until = key_number(tag, number + 1);
    return each_between(kv, &from, &until, fn, ctx, err);
}
