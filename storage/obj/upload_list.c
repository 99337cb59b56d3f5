/* upload_list.c - upload.h: the uploads of a bucket, page by page, and the ones
 * that are too old. */
#include "base/log.h"
#include "storage/obj/bucket_table.h"
#include "storage/obj/each.h"
#include "storage/obj/fold.h"
#include "storage/obj/upload_internal.h"

#define TAIL_LEN         8 /* bytes behind `key 00` in a row's key: the upload's id */
#define EXPIRE_ARENA_MAX MIB(8)

struct page {
    const struct kv_calls *calls;
    struct kv_iter *iter;
    const struct bucket *bucket;
    const struct upload_list_options *options;
    struct arena *arena;
    struct upload_item *items;
    size_t count;
};

static enum err_code keep_key(struct page *page, struct bytes key, struct upload_item *item,
                              struct err *err)
{
    item->key = arena_copy(page->arena, key);
    return item->key.data ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "list of uploads");
}

static void skip_prefix(const struct page *page, struct bytes prefix)
{
    struct key start = key_object_prefix(TAG_UPLOAD, page->bucket->id, prefix);
    uint8_t room[KEYS_MAX];
    page->calls->iter_seek(page->iter, kv_prefix_end(key_bytes(&start), room));
}

static enum err_code add_row(struct page *page, struct bytes row_key, struct bytes row,
                             struct err *err)
{
    struct bytes key = key_object_of(row_key, TAIL_LEN);
    if (!key.data)
        return err_fail(err, ERR_CORRUPT, "key of an upload");
    struct upload_item *item = &page->items[page->count++];
    *item = (struct upload_item){0};
    struct bytes folded = fold_of(key, page->options->prefix, page->options->delimiter);
    enum err_code rc = keep_key(page, folded.len ? folded : key, item, err);
    if (rc != ERR_OK)
        return rc;
    if (folded.len) {
        item->is_prefix = true;
        skip_prefix(page, item->key);
        return ERR_OK;
    }
    upload_id_text(codec_get_u64be(row_key.data + row_key.len - TAIL_LEN), item->id);
    rc = record_decode_upload(row, page->arena, &item->upload, err);
    page->calls->iter_next(page->iter);
    return rc;
}

/* Go to where the page before ended. */
static void start(const struct page *page)
{
    const struct upload_list_options *options = page->options;
    uint64_t id;
    if (options->after_key.len == 0 || bytes_compare(options->after_key, options->prefix) < 0)
        return;
    if (fold_is_prefix(options->after_key, options->prefix, options->delimiter)) {
        skip_prefix(page, options->after_key);
    } else if (options->after_id.len && upload_id_parse(options->after_id, &id) &&
               id < UINT64_MAX) {
        struct key row = key_upload(page->bucket->id, options->after_key, id + 1);
        page->calls->iter_seek(page->iter, key_bytes(&row));
    } else {
        struct key row = key_object(TAG_UPLOAD, page->bucket->id, options->after_key);
        uint8_t room[KEYS_MAX];
        page->calls->iter_seek(page->iter, kv_prefix_end(key_bytes(&row), room));
    }
}

static enum err_code fill(struct page *page, bool *ret_more, struct err *err)
{
    struct bytes key, value;
    enum err_code rc = ERR_OK;
    start(page);
    while (rc == ERR_OK && page->count < page->options->max &&
           page->calls->iter_at(page->iter, &key, &value))
        rc = add_row(page, key, value, err);
    *ret_more = rc == ERR_OK && page->calls->iter_at(page->iter, &key, &value);
    return rc == ERR_OK ? page->calls->iter_check(page->iter, err) : rc;
}

enum err_code upload_list(struct store *store, struct bucket *bucket,
                          const struct upload_list_options *options, struct arena *arena,
                          struct upload_item **ret_items, size_t *ret_count, bool *ret_more,
                          struct err *err)
{
    struct upload_list_options clipped = *options;
    *ret_items = NULL;
    *ret_count = 0;
    *ret_more = false;
    if (options->prefix.len > S3_KEY_MAX)
        return ERR_OK; /* no key begins so */
    clipped.after_key = bytes_first(options->after_key, S3_KEY_MAX);
    struct page page = {
        .calls = store->kv->calls, .bucket = bucket, .options = &clipped, .arena = arena};
    page.items = arena_alloc(arena, (options->max ? options->max : 1) * sizeof(*page.items));
    if (!page.items)
        return err_fail(err, ERR_NO_MEMORY, "list of uploads");
    struct key from = key_object_prefix(TAG_UPLOAD, bucket->id, clipped.prefix);
    uint8_t room[KEYS_MAX];
    enum err_code rc =
        page.calls->iter_open(store->kv, NULL, KV_META, key_bytes(&from),
                              kv_prefix_end(key_bytes(&from), room), &page.iter, err);
    if (rc != ERR_OK)
        return rc;
    rc = fill(&page, ret_more, err);
    page.calls->iter_close(page.iter);
    *ret_items = page.items;
    *ret_count = page.count;
    return rc;
}

static enum err_code expire_one(struct store *store, struct bytes row_key, struct err *err)
{
    struct bytes key = key_object_of(row_key, TAIL_LEN);
    if (!key.data)
        return err_fail(err, ERR_CORRUPT, "key of an upload");
    AUTO(bucket)
    struct bucket *bucket = bucket_table_by_id(store, codec_get_u32be(row_key.data + 1));
    if (!bucket)
        return ERR_OK;
    char id[UPLOAD_ID_TEXT];
    upload_id_text(codec_get_u64be(row_key.data + row_key.len - TAIL_LEN), id);
    struct arena arena;
    arena_init(&arena, EXPIRE_ARENA_MAX);
    enum err_code rc = upload_abort(store, bucket, key, bytes_of_str(id), &arena, err);
    arena_done(&arena);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

struct expiry {
    struct store *store;
    uint64_t before;
    size_t max, count;
    struct err failed; /* the first that cannot be aborted; its code ERR_OK: none */
};

/* One that is rotten stays, and keeps no other from going. */
static enum err_code expire_if_older(void *ctx, struct bytes key, struct bytes value,
                                     bool *ret_enough, struct err *err)
{
    (void)value;
    struct expiry *expiry = ctx;
    if (key.len < TAIL_LEN || codec_get_u64be(key.data + key.len - TAIL_LEN) >= expiry->before)
        return ERR_OK;
    enum err_code rc = expire_one(expiry->store, key, err);
    if (rc == ERR_CORRUPT && expiry->failed.code == ERR_OK)
        expiry->failed = *err;
    expiry->count += rc == ERR_OK;
    *ret_enough = expiry->count == expiry->max;
    return rc == ERR_CORRUPT ? ERR_OK : rc;
}

enum err_code upload_expire(struct store *store, uint64_t before, size_t max, size_t *ret_count,
                            struct err *err)
{
    struct expiry expiry = {.store = store, .before = before, .max = max};
    enum err_code rc = each_of_tag(store->kv, TAG_UPLOAD, expire_if_older, &expiry, err);
    *ret_count = expiry.count;
    if (rc == ERR_OK && expiry.failed.code != ERR_OK) {
        *err = expiry.failed;
        return err->code;
    }
    return rc;
}

uint64_t upload_next_id(struct store *store)
{
    return store_new_id(store);
}
