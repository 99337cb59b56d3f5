/* export.c - see export.h. */
#include "storage/obj/export.h"

#include "storage/obj/internal.h"

#define ROW_ARENA_MAX MIB(8) /* the row of one body */

/* The number is read after the copy: what got one before is below it. */
enum err_code export_begin(struct store *store, const char *dir, uint64_t *ret_before,
                           struct err *err)
{
    hold_begin(&store->hold);
    enum err_code rc = store->kv->calls->checkpoint(store->kv, dir, err);
    if (rc != ERR_OK) {
        export_end(store);
        return rc;
    }
    *ret_before = atomic_load(&store->next_id);
    return ERR_OK;
}

void export_end(struct store *store)
{
    hold_end(&store->hold);
    sweep_wake(store);
}

static enum err_code sum_up(const struct record_extents *extents, struct hash_value *ret_sums,
                            struct err *err)
{
    AUTO(hash_set) struct hash_set *set = NULL;
    uint8_t head[12];
    enum err_code rc = hash_set_new(HASH_BIT(HASH_SHA256), &set, err);
    if (rc != ERR_OK)
        return rc;
    codec_put_u64be(head, extents->length);
    codec_put_u32be(head + 8, extents->block_bytes);
    hash_set_update(set, bytes_of(head, sizeof(head)));
    hash_set_update(set, extents->block_crcs);
    *ret_sums = hash_set_finish(set, HASH_SHA256);
    return ERR_OK;
}

static enum err_code read_row(struct bytes key, struct bytes value, struct arena *arena,
                              struct export_body *ret_body, struct err *err)
{
    struct record_extents extents;
    arena_reset(arena);
    if (key.len != 9)
        return err_fail(err, ERR_CORRUPT, "key of a body");
    *ret_body = (struct export_body){.id = codec_get_u64be(key.data + 1)};
    enum err_code rc = record_decode_extents(value, arena, &extents, err);
    if (rc == ERR_CORRUPT)
        return ERR_OK; /* length 0 tells */
    if (rc == ERR_OK)
        rc = sum_up(&extents, &ret_body->sums, err);
    if (rc == ERR_OK)
        ret_body->length = extents.length;
    return rc;
}

enum err_code export_list(struct store *store, uint64_t from, uint64_t before,
                          struct export_page *ret_page, struct err *err)
{
    const struct kv_calls *calls = store->kv->calls;
    struct key first = key_number(TAG_BODY, from), behind = key_number(TAG_BODY, before);
    struct kv_iter *iter;
    ret_page->count = 0;
    if (from >= before)
        return ERR_OK;
    enum err_code rc = calls->iter_open(store->kv, NULL, KV_META, key_bytes(&first),
                                        key_bytes(&behind), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct arena arena;
    arena_init(&arena, ROW_ARENA_MAX);
    struct bytes key, value;
    for (; rc == ERR_OK && ret_page->count < EXPORT_PAGE && calls->iter_at(iter, &key, &value);
         calls->iter_next(iter))
        rc = read_row(key, value, &arena, &ret_page->bodies[ret_page->count++], err);
    if (rc == ERR_OK)
        rc = calls->iter_check(iter, err);
    arena_done(&arena);
    calls->iter_close(iter);
    return rc;
}

enum err_code export_open(struct store *store, const struct export_body *body,
                          struct body_reader **ret_reader, struct err *err)
{
    const struct record_body record = {.kind = BODY_EXTENTS, .id = body->id};
    bool gone = false;
    if (body->length == 0)
        return err_fail(err, ERR_CORRUPT, "body %016llx: its row is damaged",
                        (unsigned long long)body->id);
    enum err_code rc = body_reader_open(store, &record, body->length, &gone, ret_reader, err);
    if (rc == ERR_OK && gone)
        return err_fail(err, ERR_CORRUPT, "body %016llx: its row is gone",
                        (unsigned long long)body->id);
    if (rc == ERR_OK)
        body_reader_set_direct(*ret_reader);
    return rc;
}

enum err_code export_verify(struct store *store, struct err *err)
{
    return store->kv->calls->verify(store->kv, err);
}

uint64_t export_bytes(struct store *store)
{
    struct segments_stats segments;
    segments_get_stats(store->segments, &segments);
    return segments.live_bytes + store->kv->calls->property(store->kv, "sst_bytes");
}
