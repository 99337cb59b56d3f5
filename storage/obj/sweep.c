/* sweep.c - what deletes leave behind: one thread that frees bodies nobody owns,
 * and, once after a start, the space that no record names (recover.c).
 *
 *     TAG_FREE row ──> still owned? ── yes ──> the row goes
 *                          │ no
 *                      held by a reader? ── yes ──> later
 *                          │ no: pin_kill
 *                      owned meanwhile? ─── yes ──> the row goes
 *                          │ no
 *                      body: delete its row, then punch its extents
 *                      manifest, parts: release each part, some at a time
 *
 * The row is deleted in the commit that deletes what it was about. Only after that
 * commit the extents are punched and counted off: a failed one is repeated, and until
 * then who goes by the rows of bodies (a backup) finds their bytes. But where it fails
 * for want of space they are punched all the same. What a crash keeps from being punched
 * no record names: the next start frees it. A row that cannot be swept stays, and the
 * others are. */
#include "base/log.h"
#include "storage/obj/compact.h"
#include "storage/obj/each.h"
#include "storage/obj/internal.h"

#define GROUP_MAX       64    /* TAG_FREE rows in one commit */
#define PARTS_MAX       500   /* parts released in one commit */
#define IDLE_MS         5000  /* between looks at the change log */
#define HELD_MS         100   /* until a held body is tried again */
#define FAILED_MS       10000 /* until a failed round is tried again */
#define SWEEP_ARENA_MAX MIB(8)

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

static void note(struct leftover *left, enum err_code rc, const struct err *err)
{
    if (rc != ERR_OK && left->failed.code == ERR_OK)
        left->failed = *err;
}

/* Nothing names them any more. What cannot be punched is for the next start to free. */
static void punch_all(const struct group *group)
{
    for (size_t i = 0; i < group->freed_count; i++) {
        const struct record_extents *extents = &group->freed[i];
        for (size_t k = 0; k < extents->extent_count; k++) {
            const struct record_extent *extent = &extents->extents[k];
            struct err err;
            note(group->left,
                 segment_free(group->store->segments, extent->segment, extent->offset,
                              extent->stored, &err),
                 &err);
        }
    }
}

/* The rows of the freed bodies are gone for good. */
static void forget_all(const struct group *group)
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
    if (group->freed_count)
        compact_wake(store);
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
    if (rc != ERR_OK)
        return rc;
    group->freed_count++;
    commit_delete(&group->batch, KV_META, key_bytes(&row));
    return ERR_OK;
}

struct parts_walk {
    struct group *group;
    size_t count;
};

static enum err_code free_part(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                               struct err *err)
{
    struct parts_walk *walk = ctx;
    struct record_part part;
    enum err_code rc = record_decode_part(value, &walk->group->arena, &part, err);
    if (rc != ERR_OK)
        return rc;
    commit_delete(&walk->group->batch, KV_META, key);
    walk->group->left->more |= body_release(&part.body, &walk->group->batch);
    *ret_enough = ++walk->count == PARTS_MAX;
    return ERR_OK;
}

/* Release some parts. ret_done  none are left */
static enum err_code free_parts(struct group *group, enum kv_tag tag, uint64_t id, bool *ret_done,
                                struct err *err)
{
    struct parts_walk walk = {.group = group};
    enum err_code rc = each_of_number(group->store->kv, tag, id, free_part, &walk, err);
    *ret_done = walk.count < PARTS_MAX;
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
    enum err_code rc = body_is_owned(group->store, id, &owned, err);
    *ret_claim = owned ? OWNED : HELD;
    if (rc != ERR_OK || owned || compact_is_read(group->store, id) || !pin_kill(pins, pin, id))
        return rc;
    rc = body_is_owned(group->store, id, &owned, err);
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
    if (rc == ERR_OK && !commit_batch_is_empty(&group.batch))
        rc = commit(store->committer, &group.batch, err);
    if (rc == ERR_OK || rc == ERR_NO_SPACE) /* a full disk needs the bytes to get on */
        punch_all(&group);
    if (rc == ERR_OK)
        forget_all(&group);
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
    while (rc == ERR_OK && !worker_stopping(&store->sweeper) &&
           calls->iter_at(iter, &key, &value) && hold_free_begin(&store->hold)) {
        rc = sweep_group(store, iter, left, err);
        hold_free_end(&store->hold);
    }
    if (rc == ERR_OK)
        rc = calls->iter_check(iter, err);
    calls->iter_close(iter);
    return rc;
}

/* Everything once; what fails does not keep the rest from being done. */
static void sweep_round(struct store *store, bool *recovered, struct leftover *left)
{
    struct err err;
    if (!*recovered) {
        enum err_code rc = recover_space(store, &err);
        *recovered = rc == ERR_OK;
        note(left, rc, &err);
        compact_wake(store);
    }
    note(left, sweep_rows(store, left, &err), &err);
    note(left, change_trim(store, &err), &err);
}

static void *sweep_thread(void *ctx)
{
    struct store *store = ctx;
    bool recovered = false;
    uint32_t pause = 0;
    while (worker_rest(&store->sweeper, pause)) {
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
    worker_wake(&store->sweeper);
}

enum err_code sweep_start(struct store *store, struct err *err)
{
    return worker_start(&store->sweeper, sweep_thread, store, "sweeper", err);
}
