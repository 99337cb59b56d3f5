/* housekeeping.c - see housekeeping.h. */
#include "appliance/housekeeping.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "appliance/audit_box.h"
#include "appliance/upload_age.h"
#include "base/log.h"
#include "storage/obj/scrub.h"
#include "storage/obj/upload.h"

#define LAST_SEEN_MS     (10 * 60 * 1000)
#define KEYS_USED_MS     (60 * 1000)
#define SESSIONS_MS      (60 * 60 * 1000)
#define UPLOADS_MS       (10 * 60 * 1000)
#define SCRUB_MS         (60 * 60 * 1000)
#define AUDIT_MS         (60 * 1000)
#define AUDIT_START_MS   2000 /* while the start is not in it yet */
#define UPLOADS_BATCH_MS 1000 /* when there were more than one batch */
#define UPLOADS_BATCH    100
#define DAY_MS           (24ULL * 60 * 60 * 1000)

/* Do the task; returns milliseconds until it is due again. */
typedef uint32_t (*task_fn)(struct housekeeping *housekeeping, struct err *err);

enum task_id {
    TASK_SPACE,
    TASK_LAST_SEEN,
    TASK_KEYS_USED,
    TASK_SESSIONS,
    TASK_UPLOADS,
    TASK_SCRUB,
    TASK_AUDIT,
    TASKS
};

struct housekeeping {
    struct housekeeping_options options;
    uint64_t due_ms[TASKS];           /* thread's own */
    enum err_code last_result[TASKS]; /* thread's own: a lasting failure is logged once */
    bool was_full;                    /* thread's own */
    struct upload_age upload_age;     /* thread's own */
    bool start_noted;                 /* thread's own: in the audit log */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under lock */
};

static void note_full(struct housekeeping *housekeeping)
{
    bool full = space_now(housekeeping->options.space).full;
    store_set_full(housekeeping->options.box->store, full);
    if (full) /* what it holds is what may have to be freed */
        backup_give_up(housekeeping->options.box->backup,
                       "given up: the box's disk is full; free space, then run it again to go on");
    if (full != housekeeping->was_full)
        log_message(full ? LOG_WARN : LOG_INFO, "space", "%s",
                    full ? "the disk is past its high-water mark: writes are refused"
                         : "the disk has room again: writes are accepted");
    housekeeping->was_full = full;
}

static uint32_t keep_space(struct housekeeping *housekeeping, struct err *err)
{
    (void)!space_keep(housekeeping->options.space, err);
    note_full(housekeeping);
    return space_interval_ms(housekeeping->options.space);
}

/* A commit that fails for want of space would end all writes until a restart:
 * what can wait waits for room. */
static bool has_room(const struct housekeeping *housekeeping)
{
    return !space_now(housekeeping->options.space).full;
}

static uint32_t keep_last_seen(struct housekeeping *housekeeping, struct err *err)
{
    if (has_room(housekeeping))
        (void)!last_seen_keep(housekeeping->options.last_seen, err);
    return LAST_SEEN_MS;
}

static uint32_t keep_keys_used(struct housekeeping *housekeeping, struct err *err)
{
    if (has_room(housekeeping))
        (void)!auth_flush_last_used(housekeeping->options.box->auth, err);
    return KEYS_USED_MS;
}

static uint32_t sweep_sessions(struct housekeeping *housekeeping, struct err *err)
{
    (void)!auth_session_sweep(housekeeping->options.box->auth, err);
    return SESSIONS_MS;
}

static uint32_t expire_uploads(struct housekeeping *housekeeping, struct err *err)
{
    struct store *store = housekeeping->options.box->store;
    uint64_t limit_ms = housekeeping->options.uploads_expire_days * DAY_MS, before = 0;
    if (limit_ms == 0 || !has_room(housekeeping))
        return UPLOADS_MS;
    size_t count = 0;
    enum err_code code =
        upload_age_count(&housekeeping->upload_age, upload_next_id(store), limit_ms, &before, err);
    if (code == ERR_OK && before)
        (void)!upload_expire(store, before, UPLOADS_BATCH, &count, err);
    return count == UPLOADS_BATCH ? UPLOADS_BATCH_MS : UPLOADS_MS;
}

/* One that was interrupted goes on; else one begins when the last, or the box, is old. */
static bool scrub_is_due(const struct housekeeping *housekeeping, const struct scrub_status *last)
{
    if (last->running)
        return false;
    if (last->phase < SCRUB_DONE)
        return !last->failed;
    const struct record_system *system = store_system(housekeeping->options.box->store);
    uint64_t since = last->finished_unix_ms ? last->finished_unix_ms : system->created_unix_ms;
    return clock_unix_ms(clock_system()) > since + housekeeping->options.scrub_days * DAY_MS;
}

static uint32_t scrub_when_due(struct housekeeping *housekeeping, struct err *err)
{
    const struct housekeeping_options *options = &housekeeping->options;
    struct scrub_status last;
    if (options->scrub_days == 0 || !has_room(housekeeping) ||
        scrub_get_status(options->box->store, &last, err) != ERR_OK)
        return SCRUB_MS;
    if (scrub_is_due(housekeeping, &last))
        (void)!scrub_start(options->box->store, options->scrub_rate, err);
    return SCRUB_MS;
}

static enum err_code note_start(struct housekeeping *housekeeping, struct err *err)
{
    if (housekeeping->start_noted)
        return ERR_OK;
    enum err_code code =
        audit_box_start(housekeeping->options.box, housekeeping->options.settings, err);
    housekeeping->start_noted = code == ERR_OK;
    return code;
}

static uint32_t keep_audit(struct housekeeping *housekeeping, struct err *err)
{
    const struct housekeeping_options *options = &housekeeping->options;
    if (!has_room(housekeeping))
        return housekeeping->start_noted ? AUDIT_MS : AUDIT_START_MS;
    enum err_code code = note_start(housekeeping, err);
    if (code == ERR_OK)
        code = audit_box_note_ends(options->box, err);
    if (code == ERR_OK)
        code = audit_repeat_flush(options->repeat, false, err);
    if (code == ERR_OK)
        (void)!audit_trim(options->box->audit, options->audit_entries_max, err);
    return AUDIT_MS;
}

static const struct {
    const char *name;
    task_fn run;
} tasks[TASKS] = {
    [TASK_SPACE] = {"looking at the disk", keep_space},
    [TASK_LAST_SEEN] = {"noting the time", keep_last_seen},
    [TASK_KEYS_USED] = {"noting which keys were used", keep_keys_used},
    [TASK_SESSIONS] = {"deleting sessions that ended", sweep_sessions},
    [TASK_UPLOADS] = {"ending abandoned uploads", expire_uploads},
    [TASK_SCRUB] = {"beginning a scrub", scrub_when_due},
    [TASK_AUDIT] = {"keeping the audit log", keep_audit},
};

static void run_task(struct housekeeping *housekeeping, enum task_id id)
{
    struct err err = {0};
    uint32_t pause_ms = tasks[id].run(housekeeping, &err);
    if (err.code != ERR_OK && err.code != housekeeping->last_result[id])
        log_error("housekeeping", tasks[id].name, &err);
    housekeeping->last_result[id] = err.code;
    housekeeping->due_ms[id] = clock_mono_ms(clock_system()) + pause_ms;
}

/* returns  when the next task is due */
static uint64_t run_due(struct housekeeping *housekeeping)
{
    uint64_t next_ms = UINT64_MAX;
    for (enum task_id id = 0; id < TASKS; id++) {
        if (housekeeping->due_ms[id] <= clock_mono_ms(clock_system()))
            run_task(housekeeping, id);
        if (housekeeping->due_ms[id] < next_ms)
            next_ms = housekeeping->due_ms[id];
    }
    return next_ms;
}

/* returns  false when it is time to stop */
static bool wait_until(struct housekeeping *housekeeping, uint64_t mono_ms)
{
    const struct timespec deadline = {
        .tv_sec = (time_t)(mono_ms / 1000),
        .tv_nsec = (long)(mono_ms % 1000) * 1000000,
    };
    pthread_mutex_lock(&housekeeping->lock);
    int timed_out = 0;
    while (!housekeeping->stop && !timed_out)
        timed_out = pthread_cond_clockwait(&housekeeping->wake, &housekeeping->lock,
                                           CLOCK_MONOTONIC, &deadline);
    bool stop = housekeeping->stop;
    pthread_mutex_unlock(&housekeeping->lock);
    return !stop;
}

static void *run(void *arg)
{
    struct housekeeping *housekeeping = arg;
    while (wait_until(housekeeping, run_due(housekeeping)))
        ;
    run_task(housekeeping, TASK_LAST_SEEN);
    run_task(housekeeping, TASK_KEYS_USED);
    run_task(housekeeping, TASK_UPLOADS);
    return NULL;
}

enum err_code housekeeping_start(const struct housekeeping_options *options,
                                 struct housekeeping **ret_housekeeping, struct err *err)
{
    struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));
    if (!housekeeping)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    housekeeping->options = *options;
    housekeeping->start_noted = options->start_noted;
    pthread_mutex_init(&housekeeping->lock, NULL);
    pthread_cond_init(&housekeeping->wake, NULL);
    enum err_code code = upload_age_load(&housekeeping->upload_age, options->box->kv,
                                         options->box->committer, clock_system(), err);
    int failed =
        code == ERR_OK ? pthread_create(&housekeeping->thread, NULL, run, housekeeping) : 0;
    if (failed)
        code = err_fail_sys(err, failed, "starting the housekeeping thread");
    if (code == ERR_OK)
        *ret_housekeeping = housekeeping;
    else
        free(housekeeping);
    return code;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
    if (!housekeeping)
        return;
    pthread_mutex_lock(&housekeeping->lock);
    housekeeping->stop = true;
    pthread_cond_signal(&housekeeping->wake);
    pthread_mutex_unlock(&housekeeping->lock);
    pthread_join(housekeeping->thread, NULL);
    pthread_cond_destroy(&housekeeping->wake);
    pthread_mutex_destroy(&housekeeping->lock);
    free(housekeeping);
}
