/* bucket.c - bucket.h: create, delete, settings. Names are judged in
 * bucket_name.c, found in bucket_table.c.
 *
 * A create or delete commits first and changes the table after, under
 * bucket_changes, so that nobody waits for a sync to look a bucket up. */
#include "storage/obj/bucket.h"

#include "storage/obj/bucket_table.h"

#define BUCKETS_MAX      100000
#define BUCKET_ARENA_MAX MIB(1)

static const struct bytes bucket_ids_row = {(const uint8_t *)BUCKET_IDS_ROW,
                                            sizeof(BUCKET_IDS_ROW) - 1};

struct bucket_info bucket_info(const struct bucket *bucket)
{
    return (struct bucket_info){
        .name = bucket->name,
        .owner = bucket->owner,
        .region = bucket->region,
        .id = bucket->id,
        .created_unix_ms = bucket->created_unix_ms,
        .versioning = atomic_load(&bucket->versioning),
    };
}

static enum err_code dead(const struct bucket *bucket, struct err *err)
{
    return err_fail_reason(err, ERR_NOT_FOUND, STORE_NO_BUCKET, "bucket '%" BYTES_FMT "' is gone",
                           BYTES_ARG(bucket->name));
}

enum err_code bucket_enter(struct bucket *bucket, struct err *err)
{
    pthread_rwlock_rdlock(&bucket->lock);
    if (!bucket->dead)
        return ERR_OK;
    pthread_rwlock_unlock(&bucket->lock);
    return dead(bucket, err);
}

void bucket_leave(struct bucket *bucket)
{
    pthread_rwlock_unlock(&bucket->lock);
}

enum err_code bucket_enter_two(struct bucket_pair *pair, struct bucket *a, struct bucket *b,
                               struct err *err)
{
    *pair = (struct bucket_pair){a->id < b->id ? a : b, a->id < b->id ? b : a};
    if (a == b)
        pair->second = NULL;
    enum err_code rc = bucket_enter(pair->first, err);
    if (rc != ERR_OK || !pair->second)
        return rc;
    rc = bucket_enter(pair->second, err);
    if (rc != ERR_OK)
        bucket_leave(pair->first);
    return rc;
}

void bucket_leave_two(struct bucket_pair *pair)
{
    if (pair->second)
        bucket_leave(pair->second);
    bucket_leave(pair->first);
}

static void put_row(struct commit_batch *batch, struct bytes name,
                    const struct record_bucket *record)
{
    struct key row = key_named(TAG_BUCKET, name);
    commit_put_borrowed(batch, KV_META, key_bytes(&row),
                        record_encode_bucket(record, batch->arena));
}

static enum err_code commit_create(struct store *store, struct bytes name,
                                   const struct record_bucket *record, struct err *err)
{
    struct arena arena;
    arena_init(&arena, BUCKET_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    put_row(&batch, name, record);
    struct key ids = key_named(TAG_SYSTEM, bucket_ids_row);
    commit_put(&batch, KV_META, key_bytes(&ids), record_encode_cursor(record->id, &arena));
    struct record_change change = {.operation = CHANGE_BUCKET_CREATE,
                                   .bucket = name,
                                   .bucket_id = record->id,
                                   .user = record->owner};
    store_log_change(store, &batch, &change);
    enum err_code rc = commit(store->committer, &batch, err);
    arena_done(&arena);
    return rc;
}

/* bucket_changes is held. */
static enum err_code create_locked(struct store *store, struct bytes name,
                                   const struct record_bucket *record, struct err *err)
{
    enum err_code rc = bucket_table_reserve(store, name, err);
    if (rc != ERR_OK)
        return rc;
    if (store->bucket_count >= BUCKETS_MAX)
        return err_fail(err, ERR_LIMIT, "BUCKETS_MAX: %d buckets", BUCKETS_MAX);
    struct bucket *bucket = bucket_table_new(store, name, record);
    if (!bucket)
        return err_fail(err, ERR_NO_MEMORY, "bucket");
    rc = commit_create(store, name, record, err);
    if (rc != ERR_OK) {
        bucket_release(bucket);
        return rc;
    }
    store->next_bucket_id++;
    bucket_table_insert(store, bucket);
    return ERR_OK;
}

enum err_code bucket_create(struct store *store, struct bytes name, struct bytes owner,
                            struct bytes region, struct err *err)
{
    if (!bucket_name_ok(name))
        return err_fail(err, ERR_INVALID, "'%" BYTES_FMT "' is no bucket name", BYTES_ARG(name));
    enum err_code rc = store_health(store, err);
    if (rc != ERR_OK)
        return rc;
    pthread_mutex_lock(&store->bucket_changes);
    struct record_bucket record = {
        .id = store->next_bucket_id,
        .owner = owner,
        .region = region,
        .created_unix_ms = clock_unix_ms(store->clock),
    };
    rc = create_locked(store, name, &record, err);
    pthread_mutex_unlock(&store->bucket_changes);
    return rc;
}

static enum err_code any_row(struct kv *kv, struct bytes prefix, bool *ret_any, struct err *err)
{
    uint8_t room[KEYS_MAX];
    struct kv_iter *iter;
    enum err_code rc =
        kv->calls->iter_open(kv, NULL, KV_META, prefix, kv_prefix_end(prefix, room), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    *ret_any = kv->calls->iter_at(iter, &key, &value);
    rc = kv->calls->iter_check(iter, err);
    kv->calls->iter_close(iter);
    return rc;
}

static enum err_code check_empty(struct store *store, const struct bucket *bucket, struct err *err)
{
    static const enum kv_tag tags[] = {TAG_CURRENT, TAG_VERSION, TAG_UPLOAD};
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        struct key prefix = key_object_prefix(tags[i], bucket->id, (struct bytes){0});
        bool any;
        enum err_code rc = any_row(store->kv, key_bytes(&prefix), &any, err);
        if (rc != ERR_OK)
            return rc;
        if (any)
            return err_fail_reason(err, ERR_EXISTS, STORE_BUCKET_NOT_EMPTY,
                                   "bucket '%" BYTES_FMT "' is not empty", BYTES_ARG(bucket->name));
    }
    return ERR_OK;
}

static enum err_code commit_delete_bucket(struct store *store, const struct bucket *bucket,
                                          struct bytes user, struct err *err)
{
    struct arena arena;
    arena_init(&arena, BUCKET_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    struct key row = key_named(TAG_BUCKET, bucket->name);
    commit_delete(&batch, KV_META, key_bytes(&row));
    struct record_change change = {.operation = CHANGE_BUCKET_DELETE,
                                   .bucket = bucket->name,
                                   .bucket_id = bucket->id,
                                   .user = user};
    store_log_change(store, &batch, &change);
    enum err_code rc = commit(store->committer, &batch, err);
    arena_done(&arena);
    return rc;
}

/* The bucket's lock is held, exclusive. */
static enum err_code delete_locked(struct store *store, struct bucket *bucket, struct bytes user,
                                   struct err *err)
{
    if (bucket->dead)
        return dead(bucket, err);
    enum err_code rc = check_empty(store, bucket, err);
    if (rc == ERR_OK)
        rc = commit_delete_bucket(store, bucket, user, err);
    if (rc != ERR_OK)
        return rc;
    bucket->dead = true;
    bucket_table_remove(store, bucket);
    return ERR_OK;
}

enum err_code bucket_delete(struct store *store, struct bucket *bucket, struct bytes user,
                            struct err *err)
{
    pthread_mutex_lock(&store->bucket_changes);
    pthread_rwlock_wrlock(&bucket->lock);
    enum err_code rc = delete_locked(store, bucket, user, err);
    pthread_rwlock_unlock(&bucket->lock);
    pthread_mutex_unlock(&store->bucket_changes);
    if (rc == ERR_OK)
        bucket_release(bucket); /* the table's reference */
    return rc;
}

static enum err_code read_row(struct store *store, const struct bucket *bucket, struct arena *arena,
                              struct record_bucket *ret_record, struct err *err)
{
    struct key row = key_named(TAG_BUCKET, bucket->name);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(store->kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc == ERR_OK && !found)
        rc = err_fail(err, ERR_CORRUPT, "the row of bucket '%" BYTES_FMT "' is missing",
                      BYTES_ARG(bucket->name));
    if (rc != ERR_OK)
        return rc;
    rc = record_decode_bucket(value.bytes, arena, ret_record, err);
    kv_value_free(store->kv, &value);
    return rc;
}

/* Change the bucket's row: `tags` where it is given, and the versioning. The
 * bucket's lock is held, exclusive. */
static enum err_code change_row(struct store *store, struct bucket *bucket,
                                enum bucket_versioning versioning, const struct record_pairs *tags,
                                struct bytes user, struct err *err)
{
    if (bucket->dead)
        return dead(bucket, err);
    if (versioning == BUCKET_UNVERSIONED && bucket->versioning != BUCKET_UNVERSIONED)
        return err_fail(err, ERR_INVALID, "versioning can be suspended, not removed");
    struct arena arena;
    arena_init(&arena, BUCKET_ARENA_MAX);
    struct record_bucket record;
    enum err_code rc = read_row(store, bucket, &arena, &record, err);
    if (rc == ERR_OK) {
        record.versioning = versioning;
        if (tags)
            record.tags = *tags;
        struct commit_batch batch;
        commit_batch_init(&batch, &arena);
        put_row(&batch, bucket->name, &record);
        struct record_change change = {.operation = CHANGE_BUCKET_SETTINGS,
                                       .bucket = bucket->name,
                                       .bucket_id = bucket->id,
                                       .user = user};
        store_log_change(store, &batch, &change);
        rc = commit(store->committer, &batch, err);
    }
    if (rc == ERR_OK)
        atomic_store(&bucket->versioning, versioning);
    arena_done(&arena);
    return rc;
}

enum err_code bucket_set_versioning(struct store *store, struct bucket *bucket,
                                    enum bucket_versioning versioning, struct bytes user,
                                    struct err *err)
{
    pthread_rwlock_wrlock(&bucket->lock);
    enum err_code rc = change_row(store, bucket, versioning, NULL, user, err);
    pthread_rwlock_unlock(&bucket->lock);
    return rc;
}

enum err_code bucket_set_tags(struct store *store, struct bucket *bucket,
                              const struct record_pairs *tags, struct bytes user, struct err *err)
{
    pthread_rwlock_wrlock(&bucket->lock);
    enum err_code rc = change_row(store, bucket, bucket->versioning, tags, user, err);
    pthread_rwlock_unlock(&bucket->lock);
    return rc;
}

enum err_code bucket_get_tags(struct bucket *bucket, struct arena *arena,
                              struct record_pairs *ret_tags, struct err *err)
{
    enum err_code rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    struct record_bucket record;
    rc = read_row(bucket->store, bucket, arena, &record, err);
    bucket_leave(bucket);
    if (rc == ERR_OK)
        *ret_tags = record.tags;
    return rc;
}
