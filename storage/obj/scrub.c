/* scrub.c - scrub.h: a scrub's life, pace and place. What it reads is in scrub_look.c.
 *
 *     SCRUB_STORE ─> SCRUB_SMALL ─> SCRUB_LARGE ─> SCRUB_NAMES ─> SCRUB_DONE */
#include "storage/obj/scrub.h"

#include <errno.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/log.h"
#include "storage/obj/scrub_internal.h"

#define SAVE_EVERY_MS 5000 /* the place is written down so often */

static const struct bytes scrub_row = {(const uint8_t *)"scrub", 5};

void scrub_note(struct scrub *scrub, const char *text)
{
    log_message(LOG_ERROR, "scrub", "%s", text);
    pthread_mutex_lock(&scrub->lock);
    if (scrub->finding_count < SCRUB_FINDINGS_MAX) {
        char *copy = strdup(text);
        if (copy)
            scrub->findings[scrub->finding_count++] = copy;
    }
    pthread_mutex_unlock(&scrub->lock);
}

void scrub_count_body(struct scrub *scrub)
{
    pthread_mutex_lock(&scrub->lock);
    scrub->place.bodies++;
    pthread_mutex_unlock(&scrub->lock);
}

void scrub_count_rot(struct scrub *scrub)
{
    pthread_mutex_lock(&scrub->lock);
    scrub->place.rot++;
    pthread_mutex_unlock(&scrub->lock);
}

bool scrub_stopping(struct scrub *scrub)
{
    pthread_mutex_lock(&scrub->lock);
    bool stop = scrub->stop;
    pthread_mutex_unlock(&scrub->lock);
    return stop;
}

/* Wait, but not longer than until it is stopped. */
static void wait_ms(struct scrub *scrub, uint32_t ms)
{
    struct timespec until = deadline_after(ms);
    pthread_mutex_lock(&scrub->lock);
    int rc = 0;
    while (!scrub->stop && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&scrub->wake, &scrub->lock, &until);
    pthread_mutex_unlock(&scrub->lock);
}

void scrub_throttle(struct scrub *scrub, uint64_t bytes)
{
    uint32_t ms = pace_wait_ms(&scrub->pace, bytes, clock_mono_ms(scrub->store->clock));
    if (ms)
        wait_ms(scrub, ms);
}

void scrub_pace(struct scrub *scrub, uint64_t bytes)
{
    pthread_mutex_lock(&scrub->lock);
    scrub->place.bytes += bytes;
    pthread_mutex_unlock(&scrub->lock);
    scrub_throttle(scrub, bytes);
}

static enum err_code save(struct scrub *scrub, struct err *err)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    struct key row = key_named(TAG_SYSTEM, scrub_row);
    commit_put(&batch, KV_META, key_bytes(&row), record_encode_scrub(&scrub->place, &arena));
    enum err_code rc = commit(scrub->store->committer, &batch, err);
    arena_done(&arena);
    scrub->saved_ms = clock_mono_ms(scrub->store->clock);
    return rc;
}

enum err_code scrub_step_to(struct scrub *scrub, struct bytes key, struct err *err)
{
    if (key.len > sizeof(scrub->position))
        key.len = sizeof(scrub->position);
    memcpy(scrub->position, key.data, key.len);
    pthread_mutex_lock(&scrub->lock);
    scrub->place.position = bytes_of(scrub->position, key.len);
    pthread_mutex_unlock(&scrub->lock);
    if (clock_mono_ms(scrub->store->clock) - scrub->saved_ms < SAVE_EVERY_MS)
        return ERR_OK;
    return save(scrub, err);
}

static void next_phase(struct scrub *scrub)
{
    pthread_mutex_lock(&scrub->lock);
    scrub->place.phase++;
    scrub->place.position = (struct bytes){0};
    if (scrub->place.phase == SCRUB_DONE)
        scrub->place.finished_unix_ms = clock_unix_ms(scrub->store->clock);
    pthread_mutex_unlock(&scrub->lock);
}

static void *scrub_thread(void *ctx)
{
    struct scrub *scrub = ctx;
    struct err err;
    enum err_code rc = ERR_OK;
    scrub->saved_ms = clock_mono_ms(scrub->store->clock);
    while (rc == ERR_OK && scrub->place.phase < SCRUB_DONE && !scrub_stopping(scrub)) {
        rc = scrub_phases[scrub->place.phase](scrub, &err);
        if (rc == ERR_OK && !scrub_stopping(scrub))
            next_phase(scrub);
        if (rc == ERR_OK)
            rc = save(scrub, &err);
    }
    if (rc != ERR_OK)
        log_error("scrub", "cannot go on", &err);
    pthread_mutex_lock(&scrub->lock);
    scrub->running = false;
    scrub->failed = rc != ERR_OK;
    pthread_mutex_unlock(&scrub->lock);
    return NULL;
}

static void scrub_free(struct scrub *scrub)
{
    if (!scrub)
        return;
    for (size_t i = 0; i < scrub->finding_count; i++)
        free(scrub->findings[i]);
    pthread_cond_destroy(&scrub->wake);
    pthread_mutex_destroy(&scrub->lock);
    free(scrub);
}

static void interrupt(struct scrub *scrub)
{
    if (!scrub || scrub->joined)
        return;
    pthread_mutex_lock(&scrub->lock);
    scrub->stop = true;
    pthread_cond_signal(&scrub->wake);
    pthread_mutex_unlock(&scrub->lock);
    pthread_join(scrub->thread, NULL);
    scrub->joined = true;
}

/* The place where the last one stands; phase SCRUB_DONE without one. */
static enum err_code load_place(struct store *store, struct arena *arena,
                                struct record_scrub *ret_place, struct err *err)
{
    struct key row = key_named(TAG_SYSTEM, scrub_row);
    struct kv_value value;
    bool found;
    *ret_place = (struct record_scrub){.phase = SCRUB_DONE};
    enum err_code rc = kv_find(store->kv, KV_META, key_bytes(&row), &found, &value, err);
    if (rc != ERR_OK || !found)
        return rc;
    rc = record_decode_scrub(value.bytes, arena, ret_place, err);
    kv_value_free(store->kv, &value);
    return rc;
}

static enum err_code take_place(struct scrub *scrub, struct err *err)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    enum err_code rc = load_place(scrub->store, &arena, &scrub->place, err);
    struct bytes at = scrub->place.position;
    if (rc == ERR_OK && scrub->place.phase >= SCRUB_DONE) {
        scrub->place = (struct record_scrub){.phase = SCRUB_STORE,
                                             .started_unix_ms = clock_unix_ms(scrub->store->clock)};
    } else if (rc == ERR_OK && at.len <= sizeof(scrub->position)) {
        if (at.len)
            memcpy(scrub->position, at.data, at.len);
        scrub->place.position = bytes_of(scrub->position, at.len);
    }
    arena_done(&arena);
    return rc;
}

static enum err_code start_locked(struct store *store, uint64_t bytes_per_second, struct err *err)
{
    if (store->scrub) {
        pthread_mutex_lock(&store->scrub->lock);
        bool running = store->scrub->running;
        pthread_mutex_unlock(&store->scrub->lock);
        if (running)
            return err_fail(err, ERR_BUSY, "a scrub is running");
        interrupt(store->scrub);
        scrub_free(TAKE(store->scrub));
    }
    struct scrub *scrub = calloc(1, sizeof(*scrub));
    if (!scrub)
        return err_fail(err, ERR_NO_MEMORY, "scrub");
    scrub->store = store;
    pace_init(&scrub->pace, bytes_per_second, clock_mono_ms(store->clock));
    scrub->running = true;
    pthread_mutex_init(&scrub->lock, NULL);
    deadline_cond_init(&scrub->wake);
    enum err_code rc = take_place(scrub, err);
    if (rc == ERR_OK) {
        int failed = pthread_create(&scrub->thread, NULL, scrub_thread, scrub);
        if (failed)
            rc = err_fail_sys(err, failed, "thread of the scrub");
    }
    if (rc != ERR_OK) {
        scrub_free(scrub);
        return rc;
    }
    store->scrub = scrub;
    return ERR_OK;
}

enum err_code scrub_start(struct store *store, uint64_t bytes_per_second, struct err *err)
{
    pthread_mutex_lock(&store->scrub_lock);
    enum err_code rc = start_locked(store, bytes_per_second, err);
    pthread_mutex_unlock(&store->scrub_lock);
    return rc;
}

void scrub_stop(struct store *store)
{
    pthread_mutex_lock(&store->scrub_lock);
    interrupt(store->scrub);
    pthread_mutex_unlock(&store->scrub_lock);
}

void scrub_close(struct store *store)
{
    scrub_stop(store);
    scrub_free(TAKE(store->scrub));
}

static void fill_status(const struct record_scrub *place, struct scrub_status *status)
{
    status->phase = (enum scrub_phase)place->phase;
    status->started_unix_ms = place->started_unix_ms;
    status->finished_unix_ms = place->finished_unix_ms;
    status->bodies = place->bodies;
    status->bytes = place->bytes;
    status->rot = place->rot;
}

static enum err_code status_locked(struct store *store, struct scrub_status *ret_status,
                                   struct err *err)
{
    struct scrub *scrub = store->scrub;
    if (scrub) {
        pthread_mutex_lock(&scrub->lock);
        fill_status(&scrub->place, ret_status);
        ret_status->running = scrub->running;
        ret_status->failed = scrub->failed;
        pthread_mutex_unlock(&scrub->lock);
        return ERR_OK;
    }
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct record_scrub place;
    enum err_code rc = load_place(store, &arena, &place, err);
    if (rc == ERR_OK)
        fill_status(&place, ret_status);
    arena_done(&arena);
    return rc;
}

enum err_code scrub_get_status(struct store *store, struct scrub_status *ret_status,
                               struct err *err)
{
    *ret_status = (struct scrub_status){0};
    struct segments_stats segments;
    segments_get_stats(store->segments, &segments);
    ret_status->bytes_total = segments.live_bytes;
    pthread_mutex_lock(&store->scrub_lock);
    enum err_code rc = status_locked(store, ret_status, err);
    pthread_mutex_unlock(&store->scrub_lock);
    return rc;
}

static enum err_code copy_findings(struct scrub *scrub, struct arena *arena,
                                   struct scrub_finding **ret_findings, size_t *ret_count,
                                   struct err *err)
{
    *ret_findings = arena_alloc(arena, (scrub->finding_count + 1) * sizeof(**ret_findings));
    if (!*ret_findings)
        return err_fail(err, ERR_NO_MEMORY, "findings");
    for (size_t i = 0; i < scrub->finding_count; i++) {
        (*ret_findings)[i].what = arena_copy(arena, bytes_of_str(scrub->findings[i]));
        if (!(*ret_findings)[i].what.data)
            return err_fail(err, ERR_NO_MEMORY, "findings");
    }
    *ret_count = scrub->finding_count;
    return ERR_OK;
}

enum err_code scrub_get_findings(struct store *store, struct arena *arena,
                                 struct scrub_finding **ret_findings, size_t *ret_count,
                                 struct err *err)
{
    *ret_findings = NULL;
    *ret_count = 0;
    enum err_code rc = ERR_OK;
    pthread_mutex_lock(&store->scrub_lock);
    if (store->scrub) {
        pthread_mutex_lock(&store->scrub->lock);
        rc = copy_findings(store->scrub, arena, ret_findings, ret_count, err);
        pthread_mutex_unlock(&store->scrub->lock);
    }
    pthread_mutex_unlock(&store->scrub_lock);
    return rc;
}
