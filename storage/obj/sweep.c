/* sweep.c - what deletes leave behind: one thread that frees bodies nobody owns,
 * and, once after a start, the space that no record names (recover.c).
 *
 *     TAG_FREE row ──> still owned? ── yes ──> the row goes
 *                          │ no
 *                      held by a reader? ── yes ──> later
 *                          │ no: pin_kill
 *                      owned meanwhile? ─── yes ──> the row goes
 *                          │ no
 *                      body: punch its extents, then delete its row
 *                      manifest, parts: release each part, some at a time
 *
 * The row is deleted last, in the commit that deletes what it was about: what a
 * crash interrupts is done again at the next start. Only after that commit the
 * extents are counted off, for a failed one is repeated. A row that cannot be
 * swept stays, and the others are. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/log.h"
#include "storage/obj/internal.h"

#define GROUP_MAX       64    /* TAG_FREE rows in one commit */
#define PARTS_MAX       500   /* parts released in one commit */
#define IDLE_MS         5000  /* between looks at the change log */
#define HELD_MS         100   /* until a held body is tried again */
#define FAILED_MS       10000 /* until a failed round is tried again */
#define SWEEP_ARENA_MAX MIB(8)

struct sweep {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started, stop, woken; /* lock */
};

/* What a round left to do. */
struct leftover {
    bool held;         /* a reader has a body: try again soon */
    bool more;         /* parts are left, or bodies of parts have become free: go on at once */
    struct err failed; /* the first of what failed; its code ERR_OK: nothing did */
};

/* Rows being worked on until their commit. */
struct group {
    struct store *store;
    struct arena arena;
    struct commit_batch batch;
    struct pin pins[GROUP_MAX];
    size_t pin_count;
    struct record_extents freed[GROUP_MAX]; /* of bodies whose rows are in the batch */
    size_t freed_count;
    struct leftover *left;
};

void sweep_mark(struct commit_batch *batch, enum sweep_kind kind, uint64_t id, uint64_t owner)
{
    struct key row = key_owned(TAG_FREE, id, owner);
    uint8_t value = (uint8_t)kind;
    commit_put(batch, KV_META, key_bytes(&row), bytes_of(&value, 1));
}

bool sweep_stopping(struct store *store)
{
    struct sweep *sweep = store->sweep;
    pthread_mutex_lock(&sweep->lock);
    bool stop = sweep->stop;
    pthread_mutex_unlock(&sweep->lock);
    return stop;
}

static enum err_code prefix_open(struct store *store, enum kv_tag tag, uint64_t id,
                                 struct kv_iter **ret_iter, struct err *err)
{
    struct key from = key_number(tag, id), until = key_number(tag, id + 1);
    return store->kv->calls->iter_open(store->kv, NULL, KV_META, key_bytes(&from),
                                       key_bytes(&until), ret_iter, err);
}

static enum err_code is_owned(struct store *store, uint64_t id, bool *ret_owned, struct err *err)
{
    struct kv_iter *iter;
    enum err_code rc = prefix_open(store, TAG_REFERENCE, id, &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    *ret_owned = store->kv->calls->iter_at(iter, &key, &value);
    rc = store->kv->calls->iter_check(iter, err);
    store->kv->calls->iter_close(iter);
    return rc;
}

static enum err_code punch_extents(struct store *store, const struct record_extents *extents,
                                   struct err *err)
{
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < extents->extent_count; i++) {
        const struct record_extent *extent = &extents->extents[i];
        rc = segment_free(store->segments, extent->segment, extent->offset, extent->stored, err);
    }
    return rc;
}

/* The rows of the freed bodies are gone for good. */
static void forget_extents(const struct group *group)
{
    struct store *store = group->store;
    for (size_t i = 0; i < group->freed_count; i++) {
        const struct record_extents *extents = &group->freed[i];
        for (size_t k = 0; k < extents->extent_count; k++)
            segment_forget(store->segments, extents->extents[k].segment,
                           extents->extents[k].stored);
        metrics_add(&store->stats.bodies_freed, 1);
        metrics_add(&store->stats.bytes_freed, extents->length);
    }
}

static enum err_code free_body(struct group *group, uint64_t id, struct err *err)
{
    struct kv *kv = group->store->kv;
    struct key row = key_number(TAG_BODY, id);
    struct kv_value value;
    bool found;
    enum err_code rc = kv_find(kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc != ERR_OK || !found)
        return rc;
    struct record_extents *extents = &group->freed[group->freed_count];
    rc = record_decode_extents(value.bytes, &group->arena, extents, err);
    kv_value_free(kv, &value);
    if (rc == ERR_OK)
        rc = punch_extents(group->store, extents, err);
    if (rc != ERR_OK)
        return rc;
    group->freed_count++;
    commit_delete(&group->batch, KV_META, key_bytes(&row));
    return ERR_OK;
}

/* Release some parts. ret_done  none are left */
static enum err_code free_parts(struct group *group, enum kv_tag tag, uint64_t id, bool *ret_done,
                                struct err *err)
{
    const struct kv_calls *calls = group->store->kv->calls;
    struct kv_iter *iter;
    enum err_code rc = prefix_open(group->store, tag, id, &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    size_t count = 0;
    for (; rc == ERR_OK && count < PARTS_MAX && calls->iter_at(iter, &key, &value);
         calls->iter_next(iter), count++) {
        struct record_part part;
        rc = record_decode_part(value, &group->arena, &part, err);
        if (rc != ERR_OK)
            break;
        commit_delete(&group->batch, KV_META, key);
        group->left->more |= body_release(&part.body, &group->batch);
    }
    if (rc == ERR_OK)
        rc = calls->iter_check(iter, err);
    *ret_done = count < PARTS_MAX;
    calls->iter_close(iter);
    return rc;
}

/* Nobody owns it and no reader holds it. ret_done  its TAG_FREE row may go */
static enum err_code free_dead(struct group *group, enum sweep_kind kind, uint64_t id,
                               bool *ret_done, struct err *err)
{
    *ret_done = true;
    switch (kind) {
    case SWEEP_BODY:
        return free_body(group, id, err);
    case SWEEP_MANIFEST:
        return free_parts(group, TAG_MANIFEST, id, ret_done, err);
    case SWEEP_PARTS:
        return free_parts(group, TAG_PART, id, ret_done, err);
    }
    return err_fail(err, ERR_CORRUPT, "row of kind %d to sweep", kind);
}

enum claim { CLAIMED, OWNED, HELD };

/* Claim a body that nobody owns. It is looked at again once it is claimed: a
 * reader that held it may have given it an owner (upload_copy.c). */
static enum err_code claim(struct group *group, uint64_t id, enum claim *ret_claim, struct err *err)
{
    struct pins *pins = &group->store->pins;
    struct pin *pin = &group->pins[group->pin_count];
    bool owned = false;
    enum err_code rc = is_owned(group->store, id, &owned, err);
    *ret_claim = owned ? OWNED : HELD;
    if (rc != ERR_OK || owned || !pin_kill(pins, pin, id))
        return rc;
    rc = is_owned(group->store, id, &owned, err);
    *ret_claim = owned ? OWNED : CLAIMED;
    if (rc == ERR_OK && !owned)
        group->pin_count++;
    else
        pin_drop(pins, pin);
    return rc;
}

static enum err_code sweep_row(struct group *group, struct bytes key, struct bytes value,
                               struct err *err)
{
    if (key.len != 17 || value.len != 1)
        return err_fail(err, ERR_CORRUPT, "row to sweep is cut");
    uint64_t id = codec_get_u64be(key.data + 1);
    bool done = true;
    enum claim claimed;
    enum err_code rc = claim(group, id, &claimed, err);
    if (rc == ERR_OK && claimed == CLAIMED)
        rc = free_dead(group, (enum sweep_kind)value.data[0], id, &done, err);
    if (rc != ERR_OK)
        return rc;
    group->left->held |= claimed == HELD;
    group->left->more |= !done;
    if (claimed != HELD && done)
        commit_delete(&group->batch, KV_META, key);
    return ERR_OK;
}

static void note(struct leftover *left, enum err_code rc, const struct err *err)
{
    if (rc != ERR_OK && left->failed.code == ERR_OK)
        left->failed = *err;
}

/* A row about something rotten stays: nothing of it is in the batch. */
static enum err_code sweep_or_skip(struct group *group, struct bytes key, struct bytes value,
                                   struct err *err)
{
    const struct commit_batch batch = group->batch;
    const size_t freed_count = group->freed_count;
    enum err_code rc = sweep_row(group, key, value, err);
    if (rc != ERR_CORRUPT && rc != ERR_IO)
        return rc;
    note(group->left, rc, err);
    group->batch = batch;
    group->freed_count = freed_count;
    return ERR_OK;
}

/* Some rows from where the iterator stands, and their commit. */
static enum err_code sweep_group(struct store *store, struct kv_iter *iter, struct leftover *left,
                                 struct err *err)
{
    struct group group = {.store = store, .left = left};
    arena_init(&group.arena, SWEEP_ARENA_MAX);
    commit_batch_init(&group.batch, &group.arena);
    const struct kv_calls *calls = store->kv->calls;
    enum err_code rc = ERR_OK;
    struct bytes key, value;
    for (size_t i = 0; rc == ERR_OK && i < GROUP_MAX && group.batch.count < PARTS_MAX &&
                       group.arena.used < SWEEP_ARENA_MAX / 2 && calls->iter_at(iter, &key, &value);
         i++, calls->iter_next(iter))
        rc = sweep_or_skip(&group, key, value, err);
    if (rc == ERR_OK && group.batch.count)
        rc = commit(store->committer, &group.batch, err);
    if (rc == ERR_OK)
        forget_extents(&group);
    for (size_t i = 0; i < group.pin_count; i++)
        pin_drop(&store->pins, &group.pins[i]);
    arena_done(&group.arena);
    return rc;
}

static enum err_code sweep_rows(struct store *store, struct leftover *left, struct err *err)
{
    const struct kv_calls *calls = store->kv->calls;
    const uint8_t first = TAG_FREE, behind = TAG_FREE + 1;
    struct kv_iter *iter;
    enum err_code rc = calls->iter_open(store->kv, NULL, KV_META, bytes_of(&first, 1),
                                        bytes_of(&behind, 1), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    while (rc == ERR_OK && !sweep_stopping(store) && calls->iter_at(iter, &key, &value))
        rc = sweep_group(store, iter, left, err);
    if (rc == ERR_OK)
        rc = calls->iter_check(iter, err);
    calls->iter_close(iter);
    return rc;
}

/* Wait to be woken. returns  false: stop */
static bool take_rest(struct sweep *sweep, uint64_t ms)
{
    struct timespec until = deadline_after((uint32_t)ms);
    pthread_mutex_lock(&sweep->lock);
    int rc = 0;
    while (!sweep->stop && !sweep->woken && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&sweep->wake, &sweep->lock, &until);
    sweep->woken = false;
    bool go_on = !sweep->stop;
    pthread_mutex_unlock(&sweep->lock);
    return go_on;
}

/* Everything once; what fails does not keep the rest from being done. */
static void sweep_round(struct store *store, bool *recovered, struct leftover *left)
{
    struct err err;
    if (!*recovered) {
        enum err_code rc = recover_space(store, &err);
        *recovered = rc == ERR_OK;
        note(left, rc, &err);
    }
    note(left, sweep_rows(store, left, &err), &err);
    note(left, change_trim(store, &err), &err);
}

static void *sweep_thread(void *ctx)
{
    struct store *store = ctx;
    bool recovered = false;
    uint64_t pause = 0;
    while (take_rest(store->sweep, pause)) {
        struct leftover left = {0};
        sweep_round(store, &recovered, &left);
        pause = left.more ? 0 : left.held ? HELD_MS : IDLE_MS;
        if (left.failed.code != ERR_OK) {
            metrics_add(&store->stats.sweep_errors, 1);
            log_error("obj", "sweeping failed, tried again later", &left.failed);
            pause = FAILED_MS;
        }
    }
    return NULL;
}

void sweep_wake(struct store *store)
{
    pthread_mutex_lock(&store->sweep->lock);
    store->sweep->woken = true;
    pthread_cond_signal(&store->sweep->wake);
    pthread_mutex_unlock(&store->sweep->lock);
}

enum err_code sweep_start(struct store *store, struct err *err)
{
    struct sweep *sweep = store->sweep = calloc(1, sizeof(*sweep));
    if (!sweep)
        return err_fail(err, ERR_NO_MEMORY, "sweeper");
    pthread_mutex_init(&sweep->lock, NULL);
    deadline_cond_init(&sweep->wake);
    int failed = pthread_create(&sweep->thread, NULL, sweep_thread, store);
    sweep->started = failed == 0;
    return failed ? err_fail_sys(err, failed, "thread of the sweeper") : ERR_OK;
}

void sweep_stop(struct store *store)
{
    struct sweep *sweep = store->sweep;
    if (!sweep)
        return;
    pthread_mutex_lock(&sweep->lock);
    sweep->stop = true;
    pthread_cond_signal(&sweep->wake);
    pthread_mutex_unlock(&sweep->lock);
    if (sweep->started)
        pthread_join(sweep->thread, NULL);
    pthread_cond_destroy(&sweep->wake);
    pthread_mutex_destroy(&sweep->lock);
    free(sweep);
    store->sweep = NULL;
}
