/* bucket_table.c - all buckets in memory, ordered by name; bucket.h: acquire,
 * release, list. */
#include "storage/obj/bucket_table.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKET_ARENA_MAX MIB(1)

static const struct bytes bucket_ids_row = {(const uint8_t *)BUCKET_IDS_ROW,
                                            sizeof(BUCKET_IDS_ROW) - 1};

/* Copy behind the struct; advances *at. */
static struct bytes keep(uint8_t **at, struct bytes b)
{
    struct bytes kept = bytes_of(*at, b.len);
    if (b.len)
        memcpy(*at, b.data, b.len);
    *at += b.len;
    return kept;
}

struct bucket *bucket_table_new(struct store *store, struct bytes name,
                                const struct record_bucket *record)
{
    struct bucket *bucket =
        calloc(1, sizeof(*bucket) + name.len + record->owner.len + record->region.len);
    if (!bucket)
        return NULL;
    uint8_t *at = (uint8_t *)(bucket + 1);
    bucket->store = store;
    bucket->id = record->id;
    bucket->created_unix_ms = record->created_unix_ms;
    bucket->name = keep(&at, name);
    bucket->owner = keep(&at, record->owner);
    bucket->region = keep(&at, record->region);
    atomic_init(&bucket->references, 1);
    atomic_init(&bucket->versioning, record->versioning);
    /* Writers first, or a bucket that is always busy could never be changed;
     * so no thread may enter one bucket twice (object_copy.c). */
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&bucket->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    return bucket;
}

void bucket_release(struct bucket *bucket)
{
    if (!bucket || atomic_fetch_sub(&bucket->references, 1) != 1)
        return;
    pthread_rwlock_destroy(&bucket->lock);
    free(bucket);
}

/* Where the name is, or would stand. The table's lock is held. */
static size_t position(const struct store *store, struct bytes name, bool *ret_found)
{
    size_t low = 0, high = store->bucket_count;
    *ret_found = false;
    while (low < high && !*ret_found) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(store->buckets[middle]->name, name);
        if (order == 0)
            *ret_found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

static bool reserve_slot(struct store *store)
{
    if (store->bucket_count < store->bucket_room)
        return true;
    size_t room = store->bucket_room ? store->bucket_room * 2 : 16;
    struct bucket **buckets = realloc(store->buckets, room * sizeof(struct bucket *));
    if (!buckets)
        return false;
    store->buckets = buckets;
    store->bucket_room = room;
    return true;
}

enum err_code bucket_table_reserve(struct store *store, struct bytes name, struct err *err)
{
    bool found;
    pthread_rwlock_wrlock(&store->buckets_lock);
    (void)position(store, name, &found);
    bool room = found || reserve_slot(store);
    pthread_rwlock_unlock(&store->buckets_lock);
    if (found)
        return err_fail_reason(err, ERR_EXISTS, STORE_BUCKET_EXISTS,
                               "bucket '%" BYTES_FMT "' exists", BYTES_ARG(name));
    return room ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "table of buckets");
}

void bucket_table_insert(struct store *store, struct bucket *bucket)
{
    bool found;
    pthread_rwlock_wrlock(&store->buckets_lock);
    size_t at = position(store, bucket->name, &found);
    assert(!found && store->bucket_count < store->bucket_room);
    memmove(store->buckets + at + 1, store->buckets + at,
            (store->bucket_count - at) * sizeof(struct bucket *));
    store->buckets[at] = bucket;
    store->bucket_count++;
    pthread_rwlock_unlock(&store->buckets_lock);
}

void bucket_table_remove(struct store *store, const struct bucket *bucket)
{
    bool found;
    pthread_rwlock_wrlock(&store->buckets_lock);
    size_t at = position(store, bucket->name, &found);
    assert(found);
    store->bucket_count--;
    memmove(store->buckets + at, store->buckets + at + 1,
            (store->bucket_count - at) * sizeof(struct bucket *));
    pthread_rwlock_unlock(&store->buckets_lock);
}

static enum err_code load_one(struct store *store, struct bytes key, struct bytes value,
                              struct arena *arena, struct err *err)
{
    struct record_bucket record;
    arena_reset(arena);
    enum err_code rc = record_decode_bucket(value, arena, &record, err);
    if (rc != ERR_OK)
        return err_add(err, "bucket '%" BYTES_FMT "'", BYTES_ARG(bytes_from(key, 1)));
    rc = bucket_table_reserve(store, bytes_from(key, 1), err);
    if (rc != ERR_OK)
        return rc;
    struct bucket *bucket = bucket_table_new(store, bytes_from(key, 1), &record);
    if (!bucket)
        return err_fail(err, ERR_NO_MEMORY, "table of buckets");
    bucket_table_insert(store, bucket);
    return ERR_OK;
}

static enum err_code load_rows(struct store *store, struct err *err)
{
    struct kv *kv = store->kv;
    struct key from = key_named(TAG_BUCKET, (struct bytes){0});
    uint8_t room[1];
    struct bytes until = kv_prefix_end(key_bytes(&from), room);
    struct kv_iter *iter;
    enum err_code rc = kv->calls->iter_open(kv, NULL, KV_META, key_bytes(&from), until, &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct arena arena;
    arena_init(&arena, BUCKET_ARENA_MAX);
    struct bytes key, value;
    for (; rc == ERR_OK && kv->calls->iter_at(iter, &key, &value); kv->calls->iter_next(iter))
        rc = load_one(store, key, value, &arena, err);
    if (rc == ERR_OK)
        rc = kv->calls->iter_check(iter, err);
    arena_done(&arena);
    kv->calls->iter_close(iter);
    return rc;
}

enum err_code buckets_load(struct store *store, struct err *err)
{
    struct key row = key_named(TAG_SYSTEM, bucket_ids_row);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(store->kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc != ERR_OK)
        return rc;
    uint64_t last = 0;
    if (found) {
        rc = record_decode_cursor(value.bytes, &last, err);
        kv_value_free(store->kv, &value);
    }
    store->next_bucket_id = (uint32_t)last + 1;
    return rc == ERR_OK ? load_rows(store, err) : rc;
}

void buckets_free(struct store *store)
{
    for (size_t i = 0; i < store->bucket_count; i++)
        bucket_release(store->buckets[i]);
    free(store->buckets);
    store->buckets = NULL;
    store->bucket_count = store->bucket_room = 0;
}

enum err_code bucket_acquire(struct store *store, struct bytes name, struct bucket **ret_bucket,
                             struct err *err)
{
    bool found;
    pthread_rwlock_rdlock(&store->buckets_lock);
    size_t at = position(store, name, &found);
    if (found) {
        *ret_bucket = store->buckets[at];
        atomic_fetch_add(&(*ret_bucket)->references, 1);
    }
    pthread_rwlock_unlock(&store->buckets_lock);
    return found ? ERR_OK
                 : err_fail_reason(err, ERR_NOT_FOUND, STORE_NO_BUCKET,
                                   "no bucket '%" BYTES_FMT "'", BYTES_ARG(name));
}

struct bucket *bucket_table_by_id(struct store *store, uint32_t id)
{
    struct bucket *hit = NULL;
    pthread_rwlock_rdlock(&store->buckets_lock);
    for (size_t i = 0; i < store->bucket_count && !hit; i++)
        if (store->buckets[i]->id == id)
            hit = store->buckets[i];
    if (hit)
        atomic_fetch_add(&hit->references, 1);
    pthread_rwlock_unlock(&store->buckets_lock);
    return hit;
}

/* The table's lock is held. */
static bool list_entry(const struct bucket *bucket, struct arena *arena,
                       struct bucket_entry *ret_entry)
{
    *ret_entry = (struct bucket_entry){
        .name = arena_copy(arena, bucket->name),
        .created_unix_ms = bucket->created_unix_ms,
        .region = arena_copy(arena, bucket->region),
    };
    return ret_entry->name.data && ret_entry->region.data;
}

static enum err_code list_locked(const struct store *store, struct bytes owner, struct bytes prefix,
                                 struct bytes after, size_t max, struct arena *arena,
                                 struct bucket_entry *list, size_t *ret_count, bool *ret_more,
                                 struct err *err)
{
    bool found;
    size_t at = position(store, after.len ? after : prefix, &found);
    if (after.len && found)
        at++;
    for (; at < store->bucket_count; at++) {
        const struct bucket *bucket = store->buckets[at];
        if (!bytes_equal(bucket->owner, owner) || !bytes_starts_with(bucket->name, prefix))
            continue;
        if (*ret_count == max) {
            *ret_more = true;
            return ERR_OK;
        }
        if (!list_entry(bucket, arena, &list[*ret_count]))
            return err_fail(err, ERR_NO_MEMORY, "list of buckets");
        ++*ret_count;
    }
    return ERR_OK;
}

enum err_code bucket_list(struct store *store, struct bytes owner, struct bytes prefix,
                          struct bytes after, size_t max, struct arena *arena,
                          struct bucket_entry **ret_list, size_t *ret_count, bool *ret_more,
                          struct err *err)
{
    *ret_count = 0;
    *ret_more = false;
    *ret_list = arena_alloc(arena, (max ? max : 1) * sizeof(**ret_list));
    if (!*ret_list)
        return err_fail(err, ERR_NO_MEMORY, "list of buckets");
    pthread_rwlock_rdlock(&store->buckets_lock);
    enum err_code rc =
        list_locked(store, owner, prefix, after, max, arena, *ret_list, ret_count, ret_more, err);
    pthread_rwlock_unlock(&store->buckets_lock);
    return rc;
}
