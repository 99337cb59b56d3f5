/* store.c - see store.h. */
#include "storage/obj/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/seal.h"
#include "storage/obj/compact.h"
#include "storage/obj/internal.h"
#include "storage/obj/write_behind.h"

#define STORE_FORMAT    1
#define STORE_ARENA_MAX MIB(1)

/* Ids of bodies, uploads and references: the number of this start, then a
 * counter. So none is ever given twice, and giving one costs no write. */
#define ID_COUNTER_BITS 40
#define STARTS_MAX      (1u << (64 - ID_COUNTER_BITS))

static const struct bytes identity_row = {(const uint8_t *)"identity", 8};
static const struct bytes starts_row = {(const uint8_t *)"starts", 6};

/* The number above all that segments had. Files do not tell it: the highest may be
 * lost, and who frees what rows still name there must not meet another's bytes. */
static const struct bytes segments_row = {(const uint8_t *)"segments", 8};

enum err_code store_identity(struct kv *kv, struct record_system *ret_system, bool *ret_fresh,
                             struct err *err)
{
    struct key row = key_named(TAG_SYSTEM, identity_row);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc != ERR_OK)
        return rc;
    *ret_fresh = !found;
    if (!found)
        return ERR_OK;
    struct arena arena;
    arena_init(&arena, STORE_ARENA_MAX);
    rc = record_decode_system(value.bytes, &arena, ret_system, err);
    kv_value_free(kv, &value);
    arena_done(&arena);
    if (rc == ERR_OK && ret_system->format > STORE_FORMAT)
        rc = err_fail(err, ERR_UNSUPPORTED,
                      "the data has format %u, made by a newer version; this one reads up to %u",
                      ret_system->format, STORE_FORMAT);
    return rc;
}

enum err_code store_last_seq(struct kv *kv, uint64_t *ret_seq, uint64_t *ret_stamp, struct err *err)
{
    *ret_seq = *ret_stamp = 0;
    struct kv_iter *iter;
    enum err_code rc = kv->calls->iter_open(kv, NULL, KV_CHANGES, (struct bytes){0},
                                            (struct bytes){0}, &iter, err);
    if (rc != ERR_OK)
        return rc;
    kv->calls->iter_seek_last(iter);
    struct bytes key, value;
    bool found = kv->calls->iter_at(iter, &key, &value);
    rc = kv->calls->iter_check(iter, err);
    if (rc == ERR_OK && found && (key.len != 8 || value.len < RECORD_HEAD_LEN))
        rc = err_fail(err, ERR_CORRUPT, "the last row of the change log is cut");
    if (rc == ERR_OK && found) {
        *ret_seq = codec_get_u64be(key.data);
        *ret_stamp = codec_get_u64be(value.data + RECORD_SEQ_AT + 8);
    }
    kv->calls->iter_close(iter);
    return rc;
}

uint64_t store_new_id(struct store *store)
{
    return atomic_fetch_add_explicit(&store->next_id, 1, memory_order_relaxed);
}

enum err_code store_health(struct store *store, struct err *err)
{
    enum err_code rc = committer_health(store->committer, err);
    if (rc != ERR_OK)
        return rc;
    if (atomic_load_explicit(&store->full, memory_order_relaxed))
        return err_fail(err, ERR_NO_SPACE, "the disk is full: delete data or add space");
    return ERR_OK;
}

bool store_is_damaged(struct store *store)
{
    return metrics_get(&store->stats.rot_found) > 0 ||
           metrics_get(&committer_stats(store->committer)->damaged) > 0;
}

void store_set_full(struct store *store, bool full)
{
    atomic_store_explicit(&store->full, full, memory_order_relaxed);
}

const struct record_system *store_system(const struct store *store)
{
    return &store->system;
}

const struct store_stats *store_stats(const struct store *store)
{
    return &store->stats;
}

void store_get_space(struct store *store, struct store_space *ret_space)
{
    struct segments_stats segments;
    segments_get_stats(store->segments, &segments);
    pthread_rwlock_rdlock(&store->buckets_lock);
    uint64_t buckets = store->bucket_count;
    pthread_rwlock_unlock(&store->buckets_lock);
    *ret_space = (struct store_space){segments.files, segments.file_bytes, segments.live_bytes,
                                      segments.syncs, buckets};
}

void store_log_change(struct store *store, struct commit_batch *batch, struct record_change *change)
{
    change->time_unix_ms = clock_unix_ms(store->clock);
    change->origin =
        (struct record_origin){.site = store->system.site, .epoch = store->system.epoch};
    struct key row = key_bare(0);
    struct commit_op *op = commit_put_borrowed(batch, KV_CHANGES, key_bytes(&row),
                                               record_encode_change(change, batch->arena));
    if (op) {
        op->seq_in_key = 0;
        op->seq_in_value = RECORD_SEQ_AT;
    }
}

/* Rows of the first start: who this box is. */
static void add_identity(struct store *store, struct commit_batch *batch)
{
    struct record_system *system = &store->system;
    *system = (struct record_system){.format = STORE_FORMAT,
                                     .created_unix_ms = clock_unix_ms(store->clock)};
    seal_random(system->box_id, sizeof(system->box_id));
    seal_random(&system->epoch, sizeof(system->epoch));
    struct key row = key_named(TAG_SYSTEM, identity_row);
    commit_put(batch, KV_META, key_bytes(&row), record_encode_system(system, batch->arena));
}

/* 0 where there is none. */
static enum err_code read_number(struct kv *kv, struct bytes name, uint64_t *ret_number,
                                 struct err *err)
{
    struct key row = key_named(TAG_SYSTEM, name);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(kv, KV_META, key_bytes(&row), &found, &value, err);
    *ret_number = 0;
    if (rc != ERR_OK || !found)
        return rc;
    rc = record_decode_cursor(value.bytes, ret_number, err);
    kv_value_free(kv, &value);
    return rc;
}

static enum err_code read_starts(struct kv *kv, uint64_t *ret_starts, struct err *err)
{
    enum err_code rc = read_number(kv, starts_row, ret_starts, err);
    if (rc == ERR_OK && *ret_starts >= STARTS_MAX - 1)
        rc = err_fail(err, ERR_LIMIT, "the box was started %u times", STARTS_MAX);
    return rc;
}

static enum err_code put_identity(struct kv *kv, const struct record_system *system,
                                  struct err *err)
{
    struct arena arena;
    arena_init(&arena, STORE_ARENA_MAX);
    struct key row = key_named(TAG_SYSTEM, identity_row);
    const struct kv_op op = {KV_PUT, KV_META, key_bytes(&row),
                             record_encode_system(system, &arena)};
    enum err_code rc = op.value.data ? kv->calls->write(kv, &op, 1, true, err)
                                     : err_fail(err, ERR_NO_MEMORY, "identity");
    arena_done(&arena);
    return rc;
}

enum err_code store_new_epoch(struct kv *kv, struct err *err)
{
    struct record_system system;
    uint64_t starts = 0;
    bool fresh;
    enum err_code rc = store_identity(kv, &system, &fresh, err);
    if (rc == ERR_OK && fresh)
        rc = err_fail(err, ERR_CORRUPT, "the store has no identity");
    if (rc == ERR_OK)
        rc = read_starts(kv, &starts, err);
    if (rc != ERR_OK)
        return rc;
    system.parent_epoch = system.epoch;
    system.parent_ids = (starts + 1) << ID_COUNTER_BITS;
    seal_random(&system.epoch, sizeof(system.epoch));
    return put_identity(kv, &system, err);
}

/* Count this start, durably, before any id of it is given out. */
static enum err_code begin_ids(struct store *store, bool fresh, struct err *err)
{
    uint64_t starts;
    enum err_code rc = read_starts(store->kv, &starts, err);
    if (rc != ERR_OK)
        return rc;
    starts++;
    struct arena arena;
    arena_init(&arena, STORE_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    if (fresh)
        add_identity(store, &batch);
    struct key row = key_named(TAG_SYSTEM, starts_row);
    commit_put(&batch, KV_META, key_bytes(&row), record_encode_cursor(starts, &arena));
    rc = commit(store->committer, &batch, err);
    arena_done(&arena);
    atomic_init(&store->next_id, starts << ID_COUNTER_BITS | 1);
    return rc;
}

static enum err_code open_segments(struct store *store, const struct store_options *options,
                                   struct err *err)
{
    struct arena arena;
    arena_init(&arena, STORE_ARENA_MAX);
    char *dir = file_join(&arena, options->dir, "bodies");
    enum err_code rc = dir ? segments_open(dir, options->segment_bytes, &store->segments, err)
                           : err_fail(err, ERR_NO_MEMORY, "path of bodies");
    arena_done(&arena);
    uint64_t noted = 0;
    if (rc == ERR_OK)
        rc = read_number(store->kv, segments_row, &noted, err);
    if (rc == ERR_OK && noted > UINT32_MAX)
        rc = err_fail(err, ERR_CORRUPT, "the number of segments is damaged");
    if (rc != ERR_OK)
        return rc;
    store->noted = (uint32_t)noted;
    segments_begin_at(store->segments, store->noted);
    return ERR_OK;
}

static enum err_code write_noted(struct store *store, uint32_t number, struct err *err)
{
    struct arena arena;
    arena_init(&arena, STORE_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    struct key row = key_named(TAG_SYSTEM, segments_row);
    commit_put(&batch, KV_META, key_bytes(&row), record_encode_cursor(number, &arena));
    enum err_code rc = commit(store->committer, &batch, err);
    arena_done(&arena);
    if (rc == ERR_OK)
        store->noted = number;
    return rc;
}

/* Once for each segment. */
enum err_code store_note_segment(struct store *store, uint32_t segment, struct err *err)
{
    enum err_code rc = ERR_OK;
    if (segment < store->noted)
        return ERR_OK;
    pthread_mutex_lock(&store->noting);
    if (segment >= store->noted)
        rc = write_noted(store, segment + 1, err);
    pthread_mutex_unlock(&store->noting);
    return rc;
}

static enum err_code open_parts(struct store *store, const struct store_options *options,
                                struct err *err)
{
    bool fresh;
    enum err_code rc = store_identity(store->kv, &store->system, &fresh, err);
    if (rc == ERR_OK)
        rc = begin_ids(store, fresh, err);
    if (rc == ERR_OK)
        rc = open_segments(store, options, err);
    if (rc == ERR_OK)
        rc = body_buffers_new(&store->buffers, err);
    if (rc == ERR_OK)
        rc = write_behind_new(store->segments, &store->write_behind, err);
    if (rc == ERR_OK)
        rc = buckets_load(store, err);
    if (rc == ERR_OK && options->compact.below_percent)
        rc = compact_start(store, &options->compact, err);
    if (rc == ERR_OK)
        rc = sweep_start(store, err);
    return rc;
}

enum err_code store_open(struct kv *kv, struct committer *committer,
                         const struct store_options *options, struct store **ret_store,
                         struct err *err)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return err_fail(err, ERR_NO_MEMORY, "store");
    store->kv = kv;
    store->committer = committer;
    store->clock = options->clock;
    store->changes_max = options->changes_max;
    pins_init(&store->pins);
    hold_init(&store->hold);
    locks_init(&store->locks);
    worker_init(&store->sweeper);
    pthread_mutex_init(&store->noting, NULL);
    pthread_mutex_init(&store->bucket_changes, NULL);
    pthread_mutex_init(&store->scrub_lock, NULL);
    pthread_mutex_init(&store->readers_lock, NULL);
    pthread_rwlock_init(&store->buckets_lock, NULL);
    enum err_code rc = open_parts(store, options, err);
    if (rc != ERR_OK) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return ERR_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    scrub_close(store);
    compact_stop(store);
    worker_stop(&store->sweeper);
    compact_free(store);
    buckets_free(store);
    write_behind_free(store->write_behind);
    body_buffers_free(store->buffers);
    segments_close(store->segments);
    pthread_rwlock_destroy(&store->buckets_lock);
    pthread_mutex_destroy(&store->readers_lock);
    pthread_mutex_destroy(&store->scrub_lock);
    pthread_mutex_destroy(&store->bucket_changes);
    pthread_mutex_destroy(&store->noting);
    worker_done(&store->sweeper);
    locks_done(&store->locks);
    hold_done(&store->hold);
    pins_done(&store->pins);
    free(store);
}
