/* list.c - see list.h.
 *
 * A listing walks TAG_CURRENT; one of versions walks TAG_VERSION beside it and
 * takes, key by key, the current version first. A lane is one of the two walks. */
#include "storage/obj/list.h"

#include <stdlib.h>

#include "storage/obj/fold.h"
#include "storage/obj/internal.h"

#define ITEM_ARENA_MAX MIB(1) /* one record */

struct lane {
    enum kv_tag tag;
    size_t tail_len; /* bytes of the row's key behind `key 00` */
    struct kv_iter *iter;
    bool at;
    struct bytes key, row; /* object key and value it stands on */
    struct bytes row_key;
};

enum { CURRENT, OLDER, LANES };

struct list {
    struct store *store;
    struct bucket *bucket;
    struct list_options options;
    size_t lane_count;
    struct lane lanes[LANES];
    struct lane *taken; /* the lane whose row was handed out: moves at the next call */
    struct kv_snapshot *snapshot;
    struct arena arena;
    bool has_seen; /* versions: something of `seen` was listed, so no more of it is latest */
    struct key seen;
    struct key folded; /* the prefix handed out, as the start of a key */
};

static const struct kv_calls *calls_of(const struct list *list)
{
    return list->store->kv->calls;
}

/* Look where the lane's iterator stands. */
static enum err_code lane_look(const struct list *list, struct lane *lane, struct err *err)
{
    lane->at = calls_of(list)->iter_at(lane->iter, &lane->row_key, &lane->row);
    if (!lane->at)
        return calls_of(list)->iter_check(lane->iter, err);
    lane->key = key_object_of(lane->row_key, lane->tail_len);
    return lane->key.data ? ERR_OK : err_fail(err, ERR_CORRUPT, "a key of tag '%c'", lane->tag);
}

static enum err_code lane_seek(const struct list *list, struct lane *lane, struct bytes row_key,
                               struct err *err)
{
    calls_of(list)->iter_seek(lane->iter, row_key);
    return lane_look(list, lane, err);
}

static enum err_code lane_next(const struct list *list, struct lane *lane, struct err *err)
{
    calls_of(list)->iter_next(lane->iter);
    return lane_look(list, lane, err);
}

/* Behind every row whose object key begins with `prefix`. */
static enum err_code lane_skip_prefix(const struct list *list, struct lane *lane,
                                      struct bytes prefix, struct err *err)
{
    struct key start = key_object_prefix(lane->tag, list->bucket->id, prefix);
    uint8_t room[KEYS_MAX];
    return lane_seek(list, lane, kv_prefix_end(key_bytes(&start), room), err);
}

/* Behind every row of one object key. */
static enum err_code lane_skip_key(const struct list *list, struct lane *lane, struct bytes key,
                                   struct err *err)
{
    struct key start = key_object(lane->tag, list->bucket->id, key);
    uint8_t room[KEYS_MAX];
    return lane_seek(list, lane, kv_prefix_end(key_bytes(&start), room), err);
}

static enum err_code lane_open(struct list *list, struct lane *lane, enum kv_tag tag,
                               size_t tail_len, struct err *err)
{
    lane->tag = tag;
    lane->tail_len = tail_len;
    struct key from = key_object_prefix(tag, list->bucket->id, list->options.prefix);
    uint8_t room[KEYS_MAX];
    struct kv *kv = list->store->kv;
    enum err_code rc =
        kv->calls->iter_open(kv, list->snapshot, KV_META, key_bytes(&from),
                             kv_prefix_end(key_bytes(&from), room), &lane->iter, err);
    return rc == ERR_OK ? lane_look(list, lane, err) : rc;
}

/* Behind one version of a key. Where all that were listed are deleted meanwhile,
 * an older one may have become current, and is the latest. */
static enum err_code lane_skip_version(struct list *list, struct lane *lane, struct bytes key,
                                       uint64_t seq, struct err *err)
{
    struct key first = key_object(lane->tag, list->bucket->id, key);
    enum err_code rc = lane_seek(list, lane, key_bytes(&first), err);
    if (rc != ERR_OK || !lane->at || !bytes_equal(lane->key, key) ||
        lane->row.len < RECORD_HEAD_LEN || codec_get_u64be(lane->row.data + RECORD_SEQ_AT) < seq)
        return rc;
    list->has_seen = true;
    list->seen = key_object_prefix(TAG_CURRENT, list->bucket->id, key);
    if (lane->tag == TAG_CURRENT)
        return lane_next(list, lane, err);
    struct key next = key_version(list->bucket->id, key, seq - 1, 0);
    return lane_seek(list, lane, key_bytes(&next), err);
}

/* Go to where the page before ended. */
static enum err_code lane_start(struct list *list, struct lane *lane, struct err *err)
{
    const struct list_options *options = &list->options;
    if (options->after.len == 0 || bytes_compare(options->after, options->prefix) < 0)
        return ERR_OK;
    if (fold_is_prefix(options->after, options->prefix, options->delimiter))
        return lane_skip_prefix(list, lane, options->after, err);
    if (options->has_after_version && options->after_seq > 0)
        return lane_skip_version(list, lane, options->after, options->after_seq, err);
    return lane_skip_key(list, lane, options->after, err);
}

static enum err_code open_lanes(struct list *list, struct err *err)
{
    list->snapshot = list->store->kv->calls->snapshot_open(list->store->kv);
    if (!list->snapshot)
        return err_fail(err, ERR_NO_MEMORY, "snapshot");
    list->lane_count = list->options.versions ? LANES : 1;
    enum err_code rc = lane_open(list, &list->lanes[CURRENT], TAG_CURRENT, 0, err);
    if (rc == ERR_OK && list->options.versions)
        rc = lane_open(list, &list->lanes[OLDER], TAG_VERSION, KEY_VERSION_SUFFIX, err);
    for (size_t i = 0; rc == ERR_OK && i < list->lane_count; i++)
        rc = lane_start(list, &list->lanes[i], err);
    return rc;
}

enum err_code list_open(struct store *store, struct bucket *bucket,
                        const struct list_options *options, struct list **ret_list, struct err *err)
{
    AUTO(list) struct list *list = calloc(1, sizeof(*list));
    if (!list)
        return err_fail(err, ERR_NO_MEMORY, "listing");
    list->store = store;
    list->bucket = bucket;
    list->options = *options;
    arena_init(&list->arena, ITEM_ARENA_MAX);
    if (options->after.len > S3_KEY_MAX)
        list->options.after = bytes_first(options->after, S3_KEY_MAX);
    /* No key begins with a prefix that is longer than keys are: no lane, no item. */
    enum err_code rc = options->prefix.len > S3_KEY_MAX ? ERR_OK : open_lanes(list, err);
    if (rc == ERR_OK)
        *ret_list = TAKE(list);
    return rc;
}

void list_close(struct list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < LANES; i++)
        if (list->lanes[i].iter)
            calls_of(list)->iter_close(list->lanes[i].iter);
    if (list->snapshot)
        calls_of(list)->snapshot_close(list->store->kv, list->snapshot);
    arena_done(&list->arena);
    free(list);
}

/* The lane with the smaller key; of one key the current version comes first. */
static struct lane *first_lane(struct list *list)
{
    struct lane *first = NULL;
    for (size_t i = 0; i < list->lane_count; i++) {
        struct lane *lane = &list->lanes[i];
        if (lane->at && (!first || bytes_compare(lane->key, first->key) < 0))
            first = lane;
    }
    return first;
}

static struct bytes object_key_in(const struct key *start)
{
    return bytes_from(key_bytes(start), 1 + 4);
}

static enum err_code give_prefix(struct list *list, struct bytes folded, struct list_item *ret_item,
                                 struct err *err)
{
    list->folded = key_object_prefix(TAG_CURRENT, list->bucket->id, folded);
    *ret_item = (struct list_item){.is_prefix = true, .key = object_key_in(&list->folded)};
    for (size_t i = 0; i < list->lane_count; i++) {
        enum err_code rc = lane_skip_prefix(list, &list->lanes[i], ret_item->key, err);
        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum err_code give_row(struct list *list, struct lane *lane, struct list_item *ret_item,
                              struct err *err)
{
    *ret_item = (struct list_item){.key = lane->key};
    if (list->options.versions) {
        ret_item->is_latest =
            !list->has_seen || !bytes_equal(object_key_in(&list->seen), lane->key);
        list->has_seen = true;
        list->seen = key_object_prefix(TAG_CURRENT, list->bucket->id, lane->key);
    }
    list->taken = lane;
    return record_decode_object(lane->row, &list->arena, &ret_item->object, err);
}

enum err_code list_next(struct list *list, struct list_item *ret_item, bool *ret_at_end,
                        struct err *err)
{
    arena_reset(&list->arena);
    struct lane *taken = TAKE(list->taken);
    enum err_code rc = taken ? lane_next(list, taken, err) : ERR_OK;
    struct lane *lane = first_lane(list);
    *ret_at_end = !lane;
    if (rc != ERR_OK || !lane)
        return rc;
    struct bytes folded = fold_of(lane->key, list->options.prefix, list->options.delimiter);
    if (folded.len)
        return give_prefix(list, folded, ret_item, err);
    return give_row(list, lane, ret_item, err);
}
