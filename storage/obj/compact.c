/* compact.c - see compact.h; how one body moves is in compact_move.c.
 *
 *     something was freed ─> wait_ms ─> sparse segments?
 *        └─> a walk over TAG_BODY: which bodies have extents there?
 *              └─> each moves what it has there (compact_move.c)
 *        the sweeper frees the old places; the last one of a segment unlinks it
 *
 * A reader that came before the move may read the old place for hours. It holds
 * its body, not the old place, which has become a body of its own: so `moved`
 * keeps, until those readers are gone, which one to ask for. It is not on disk:
 * after a restart there is no reader. */
#include "storage/obj/compact.h"

#include <stdlib.h>

#include "base/log.h"
#include "storage/obj/compact_internal.h"
#include "storage/obj/each.h"

#define LATER_MS  5000  /* until a look when bodies are held, or too many old places read */
#define FAILED_MS 60000 /* until a failed look is tried again */
#define ARENA_MAX MIB(8)

/* ---- old places ---- */

bool compact_remember(struct compact *compact, uint64_t old, uint64_t body)
{
    pthread_mutex_lock(&compact->lock);
    bool room = compact->moved_count < COMPACT_MOVED_MAX;
    if (room)
        compact->moved[compact->moved_count++] = (struct compact_moved){old, body, UINT64_MAX};
    pthread_mutex_unlock(&compact->lock);
    return room;
}

/* The lock is held. */
static struct compact_moved *find(struct compact *compact, uint64_t old)
{
    for (size_t i = 0; i < compact->moved_count; i++)
        if (compact->moved[i].old == old)
            return &compact->moved[i];
    return NULL;
}

void compact_set_mark(struct compact *compact, uint64_t old, uint64_t mark)
{
    pthread_mutex_lock(&compact->lock);
    struct compact_moved *moved = find(compact, old);
    if (moved)
        moved->mark = mark;
    pthread_mutex_unlock(&compact->lock);
}

void compact_forget(struct compact *compact, uint64_t old)
{
    pthread_mutex_lock(&compact->lock);
    struct compact_moved *moved = find(compact, old);
    if (moved)
        *moved = compact->moved[--compact->moved_count];
    pthread_mutex_unlock(&compact->lock);
}

bool compact_is_read(struct store *store, uint64_t body)
{
    struct compact *compact = store->compact;
    if (!compact)
        return false;
    pthread_mutex_lock(&compact->lock);
    const struct compact_moved *found = find(compact, body);
    const struct compact_moved moved = found ? *found : (struct compact_moved){0};
    pthread_mutex_unlock(&compact->lock);
    if (!found)
        return false;
    if (pin_held_since(&store->pins, moved.body, moved.mark))
        return true;
    compact_forget(compact, body);
    return false;
}

/* ---- pace ---- */

bool compact_pace(struct compact *compact, uint64_t bytes)
{
    uint32_t ms = pace_wait_ms(&compact->pace, bytes, clock_mono_ms(compact->store->clock));
    return ms ? worker_wait(&compact->worker, ms) : !worker_stopping(&compact->worker);
}

/* ---- a look ---- */

bool compact_is_victim(const struct compact *compact, uint32_t segment)
{
    for (size_t i = 0; i < compact->victim_count; i++)
        if (compact->victims[i] == segment)
            return true;
    return false;
}

struct walk {
    struct compact *compact;
    struct arena arena; /* of one row */
    uint64_t last;      /* body looked at */
};

/* A row that is rotten is for a scrub to tell. */
static enum err_code note_body(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                               struct err *err)
{
    struct walk *walk = ctx;
    struct compact *compact = walk->compact;
    struct record_extents extents;
    arena_reset(&walk->arena);
    enum err_code rc = record_decode_extents(value, &walk->arena, &extents, err);
    if (rc == ERR_CORRUPT || key.len != 9)
        return ERR_OK;
    if (rc != ERR_OK)
        return rc;
    walk->last = codec_get_u64be(key.data + 1);
    bool there = false;
    for (size_t i = 0; i < extents.extent_count && !there; i++)
        there = compact_is_victim(compact, extents.extents[i].segment);
    if (there)
        compact->bodies[compact->body_count++] = walk->last;
    *ret_enough = compact->body_count == COMPACT_BODIES_MAX || worker_stopping(&compact->worker);
    return ERR_OK;
}

/* Bodies behind `*after` with extents in the victims, some of them. */
static enum err_code find_bodies(struct compact *compact, uint64_t *after, struct err *err)
{
    struct walk walk = {.compact = compact, .last = *after};
    struct key from = key_number(TAG_BODY, *after + 1);
    struct key until = key_named(TAG_BODY + 1, BYTES_LIT(""));
    compact->body_count = 0;
    arena_init(&walk.arena, ARENA_MAX);
    enum err_code rc = each_between(compact->store->kv, &from, &until, note_body, &walk, err);
    arena_done(&walk.arena);
    *after = walk.last;
    return rc;
}

static enum err_code empty_victims(struct compact *compact, struct err *err)
{
    uint64_t after = 0;
    enum err_code rc;
    do {
        rc = find_bodies(compact, &after, err);
        for (size_t i = 0; rc == ERR_OK && i < compact->body_count; i++)
            rc = compact_move(compact, compact->bodies[i], err);
    } while (rc == ERR_OK && compact->body_count == COMPACT_BODIES_MAX);
    return rc;
}

/* Some sparse segments. */
static enum err_code look(struct compact *compact, struct err *err)
{
    struct store *store = compact->store;
    const uint64_t before = metrics_get(&store->stats.bytes_moved);
    compact->victim_count = segments_sparse(store->segments, compact->options.below_percent,
                                            compact->victims, COMPACT_VICTIMS_MAX);
    if (compact->victim_count == 0)
        return ERR_OK;
    enum err_code rc = empty_victims(compact, err);
    for (size_t i = 0; rc == ERR_OK && i < compact->victim_count; i++)
        segment_tried(store->segments, compact->victims[i]);
    const uint64_t moved = metrics_get(&store->stats.bytes_moved) - before;
    if (moved)
        log_message(LOG_INFO, "compact", "moved %llu bytes out of %zu sparse segments",
                    (unsigned long long)moved, compact->victim_count);
    return rc;
}

/* Look until nothing is sparse.
 *
 * returns  how long to rest, if nothing is freed meanwhile */
static uint32_t look_all(struct compact *compact, enum err_code *last)
{
    struct err err;
    enum err_code rc;
    pace_init(&compact->pace, compact->options.bytes_per_second,
              clock_mono_ms(compact->store->clock));
    do
        rc = look(compact, &err);
    while (rc == ERR_OK && compact->victim_count == COMPACT_VICTIMS_MAX &&
           !worker_stopping(&compact->worker));
    if (rc == ERR_OK || worker_stopping(&compact->worker) || rc == ERR_BUSY)
        return rc == ERR_BUSY ? LATER_MS : WORKER_FOREVER;
    metrics_add(&compact->store->stats.compact_errors, 1);
    if (rc != *last)
        log_error("compact", "failed, tried again later", &err);
    *last = rc;
    return FAILED_MS;
}

static void *compact_thread(void *ctx)
{
    struct compact *compact = ctx;
    uint32_t pause = WORKER_FOREVER;
    enum err_code last = ERR_OK; /* a lasting failure is logged once */
    while (worker_rest(&compact->worker, pause) &&
           worker_wait(&compact->worker, compact->options.wait_ms))
        pause = look_all(compact, &last);
    return NULL;
}

/* ---- life ---- */

enum err_code compact_start(struct store *store, const struct store_compaction *options,
                            struct err *err)
{
    struct compact *compact = calloc(1, sizeof(*compact));
    if (!compact)
        return err_fail(err, ERR_NO_MEMORY, "compaction");
    compact->store = store;
    compact->options = *options;
    pthread_mutex_init(&compact->lock, NULL);
    worker_init(&compact->worker);
    store->compact = compact; /* freed by store_close in any case */
    return worker_start(&compact->worker, compact_thread, compact, "compaction", err);
}

void compact_stop(struct store *store)
{
    if (store->compact)
        worker_stop(&store->compact->worker);
}

void compact_free(struct store *store)
{
    struct compact *compact = TAKE(store->compact);
    if (!compact)
        return;
    worker_done(&compact->worker);
    pthread_mutex_destroy(&compact->lock);
    free(compact);
}

void compact_wake(struct store *store)
{
    if (store->compact)
        worker_wake(&store->compact->worker);
}
