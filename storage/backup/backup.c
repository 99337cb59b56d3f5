/* backup.c - see backup.h: its life, pace, status and last result. */
#include "storage/backup/backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/limits.h"
#include "base/log.h"
#include "storage/backup/backup.pb-c.h"
#include "storage/backup/backup_internal.h"
#include "storage/kv/proto_arena.h"
#include "storage/kv/tags.h"

#define ROW_FORMAT    1
#define ROW_ARENA_MAX KIB(64)

static const char last_key[] = {TAG_SYSTEM, 'b', 'a', 'c', 'k', 'u', 'p'};

enum err_code backup_check(struct backup *backup, struct err *err)
{
    pthread_mutex_lock(&backup->lock);
    const char *why = backup->stop ? backup->why : NULL;
    pthread_mutex_unlock(&backup->lock);
    return why ? err_fail(err, ERR_CLOSED, "%s", why) : ERR_OK;
}

/* Wait, but not longer than until it is stopped. */
static void wait_ms(struct backup *backup, uint32_t ms)
{
    struct timespec until = deadline_after(ms);
    pthread_mutex_lock(&backup->lock);
    int rc = 0;
    while (!backup->stop && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&backup->wake, &backup->lock, &until);
    pthread_mutex_unlock(&backup->lock);
}

enum err_code backup_pace(struct backup *backup, size_t len, struct err *err)
{
    uint32_t ms = pace_wait_ms(&backup->pace, len, clock_mono_ms(backup->options.clock));
    if (ms)
        wait_ms(backup, ms);
    pthread_mutex_lock(&backup->lock);
    backup->status.bytes += len;
    backup->status.copied_bytes += len;
    pthread_mutex_unlock(&backup->lock);
    return backup_check(backup, err);
}

void backup_set_phase(struct backup *backup, enum backup_phase phase)
{
    pthread_mutex_lock(&backup->lock);
    backup->status.phase = phase;
    pthread_mutex_unlock(&backup->lock);
}

/* Bytes that were copied are counted as they go. */
void backup_count(struct backup *backup, uint64_t bytes, bool copied)
{
    pthread_mutex_lock(&backup->lock);
    backup->status.files++;
    backup->status.copied_files += copied;
    backup->status.bytes += copied ? 0 : bytes;
    pthread_mutex_unlock(&backup->lock);
}

void backup_note(struct backup *backup, const char *text)
{
    if (backup->request.log)
        log_message(LOG_ERROR, "backup", "%s", text);
    pthread_mutex_lock(&backup->lock);
    struct backup_status *status = &backup->status;
    status->damaged++;
    if (status->finding_count < BACKUP_FINDINGS_MAX)
        snprintf(status->findings[status->finding_count++], sizeof(status->findings[0]), "%s",
                 text);
    pthread_mutex_unlock(&backup->lock);
}

/* The last result. */

static enum err_code take_last(struct bytes row, struct arena *arena, struct backup_last *to,
                               struct err *err)
{
    ProtobufCMessage *message = NULL;
    if (row.len < 1 || row.data[0] != ROW_FORMAT)
        return err_fail(err, ERR_CORRUPT, "row 'backup' is damaged");
    enum err_code rc = proto_arena_unpack(&valise__backup__last__descriptor, bytes_from(row, 1),
                                          arena, &message, err);
    if (rc != ERR_OK)
        return rc;
    const Valise__Backup__Last *last = (const Valise__Backup__Last *)message;
    *to = (struct backup_last){last->finished_unix_ms, last->succeeded_unix_ms, last->generation,
                               last->damaged, ""};
    snprintf(to->problem, sizeof(to->problem), "%s", last->problem);
    return ERR_OK;
}

enum err_code backup_get_last(struct backup *backup, struct backup_last *ret_last, struct err *err)
{
    struct kv *kv = backup->options.kv;
    struct kv_value value;
    bool found;
    *ret_last = (struct backup_last){0};
    enum err_code rc =
        kv_find(kv, KV_META, bytes_of(last_key, sizeof(last_key)), &found, &value, err);
    if (rc != ERR_OK || !found)
        return rc;
    struct arena arena;
    arena_init(&arena, ROW_ARENA_MAX);
    rc = take_last(value.bytes, &arena, ret_last, err);
    arena_done(&arena);
    kv_value_free(kv, &value);
    return rc;
}

static enum err_code put_last(struct backup *backup, const Valise__Backup__Last *message,
                              struct err *err)
{
    struct arena arena;
    arena_init(&arena, ROW_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    size_t len = 0;
    uint8_t *row = proto_arena_pack(&message->base, 1, &arena, &len);
    if (row)
        row[0] = ROW_FORMAT;
    commit_put(&batch, KV_META, bytes_of(last_key, sizeof(last_key)), bytes_of(row, len));
    enum err_code rc = commit(backup->options.committer, &batch, err);
    arena_done(&arena);
    return rc;
}

/* On a full disk nothing is written that can be done without. */
static void save_last(struct backup *backup)
{
    struct backup_last before;
    struct err err;
    Valise__Backup__Last last = VALISE__BACKUP__LAST__INIT;
    if (backup_get_last(backup, &before, &err) == ERR_OK)
        last.succeeded_unix_ms = before.succeeded_unix_ms;
    pthread_mutex_lock(&backup->lock);
    const struct backup_status *status = &backup->status;
    char problem[sizeof(status->problem)];
    memcpy(problem, status->problem, sizeof(problem));
    last.finished_unix_ms = status->finished_unix_ms;
    last.generation = status->complete ? status->generation : 0;
    last.damaged = status->damaged;
    pthread_mutex_unlock(&backup->lock);
    last.problem = bytes_is_utf8(bytes_of_str(problem)) ? problem : (char *)"failed";
    if (last.generation && last.damaged == 0 && !problem[0])
        last.succeeded_unix_ms = last.finished_unix_ms;
    if (store_health(backup->options.store, &err) == ERR_OK &&
        put_last(backup, &last, &err) != ERR_OK)
        log_error("backup", "noting the result", &err);
}

/* Its life. */

static void *run(void *ctx)
{
    struct backup *backup = ctx;
    struct err err = {0};
    enum err_code rc = backup_run(backup, &err);
    pthread_mutex_lock(&backup->lock);
    struct backup_status *status = &backup->status;
    status->finished_unix_ms = clock_unix_ms(backup->options.clock);
    if (rc != ERR_OK)
        snprintf(status->problem, sizeof(status->problem), "%s", err.msg);
    pthread_mutex_unlock(&backup->lock);
    if (backup->request.log && rc != ERR_OK && rc != ERR_CLOSED)
        log_error("backup", "failed", &err);
    else if (backup->request.log)
        log_message(LOG_INFO, "backup", "%s", rc == ERR_OK ? "done" : err.msg);
    save_last(backup);
    pthread_mutex_lock(&backup->lock);
    status->running = false;
    pthread_mutex_unlock(&backup->lock);
    return NULL;
}

enum err_code backup_new(const struct backup_options *options, struct backup **ret_backup,
                         struct err *err)
{
    struct backup *backup = calloc(1, sizeof(*backup));
    if (!backup)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    backup->options = *options;
    pthread_mutex_init(&backup->run_lock, NULL);
    pthread_mutex_init(&backup->lock, NULL);
    deadline_cond_init(&backup->wake);
    *ret_backup = backup;
    return ERR_OK;
}

void backup_free(struct backup *backup)
{
    if (!backup)
        return;
    backup_stop(backup, "the box was stopped; run the backup again to go on where it was");
    pthread_cond_destroy(&backup->wake);
    pthread_mutex_destroy(&backup->lock);
    pthread_mutex_destroy(&backup->run_lock);
    free(backup);
}

void backup_give_up(struct backup *backup, const char *why)
{
    pthread_mutex_lock(&backup->lock);
    if (backup->status.running && !backup->stop) {
        backup->stop = true;
        backup->why = why;
        pthread_cond_signal(&backup->wake);
    }
    pthread_mutex_unlock(&backup->lock);
}

void backup_stop(struct backup *backup, const char *why)
{
    pthread_mutex_lock(&backup->run_lock);
    backup_give_up(backup, why);
    if (backup->joinable)
        pthread_join(backup->thread, NULL);
    backup->joinable = false;
    pthread_mutex_unlock(&backup->run_lock);
}

/* Whether the path of `inner`, which may not be there yet, leads into `outer`. */
static bool is_inside(const char *inner, const char *outer)
{
    char *outer_path = realpath(outer, NULL), *inner_path = realpath(inner, NULL);
    char parent[PATH_MAX];
    snprintf(parent, sizeof(parent), "%s", inner);
    while (outer_path && !inner_path && strrchr(parent, '/') > parent) {
        *strrchr(parent, '/') = '\0';
        inner_path = realpath(parent, NULL);
    }
    size_t len = outer_path ? strlen(outer_path) : 0;
    bool inside = outer_path && inner_path && strncmp(inner_path, outer_path, len) == 0 &&
                  (inner_path[len] == '/' || inner_path[len] == '\0' || len == 1);
    free(outer_path);
    free(inner_path);
    return inside;
}

static enum err_code check_request(struct backup *backup, const struct backup_request *request,
                                   struct err *err)
{
    if (request->dest[0] != '/' || strlen(request->dest) >= sizeof(backup->dest))
        return err_fail(err, ERR_INVALID, "the backup's folder wants a full path");
    if (request->keep == 0)
        return err_fail(err, ERR_INVALID, "a backup keeps one generation at least");
    if (is_inside(request->dest, backup->options.dir))
        return err_fail(err, ERR_INVALID,
                        "a backup in the box's own folder is lost with it, choose another: '%s'",
                        request->dest);
    enum err_code rc = store_health(backup->options.store, err);
    if (rc == ERR_NO_SPACE)
        return err_fail(err, rc,
                        "the box's disk is full: no backup can be made until there is room");
    return ERR_OK;
}

bool backup_is_running(struct backup *backup)
{
    pthread_mutex_lock(&backup->lock);
    bool running = backup->status.running;
    pthread_mutex_unlock(&backup->lock);
    return running;
}

static void begin(struct backup *backup, const struct backup_request *request)
{
    snprintf(backup->dest, sizeof(backup->dest), "%s", request->dest);
    backup->request = *request;
    backup->request.dest = backup->dest;
    pace_init(&backup->pace, request->bytes_per_second, clock_mono_ms(backup->options.clock));
    pthread_mutex_lock(&backup->lock);
    backup->stop = false;
    backup->status = (struct backup_status){
        .running = true, .started_unix_ms = clock_unix_ms(backup->options.clock)};
    snprintf(backup->status.dest, sizeof(backup->status.dest), "%s", request->dest);
    pthread_mutex_unlock(&backup->lock);
}

static enum err_code start_locked(struct backup *backup, const struct backup_request *request,
                                  struct err *err)
{
    if (backup_is_running(backup))
        return err_fail(err, ERR_BUSY, "a backup is running");
    if (backup->joinable)
        pthread_join(backup->thread, NULL);
    backup->joinable = false;
    begin(backup, request);
    int failed = pthread_create(&backup->thread, NULL, run, backup);
    backup->joinable = failed == 0;
    if (!failed)
        return ERR_OK;
    pthread_mutex_lock(&backup->lock);
    backup->status.running = false;
    pthread_mutex_unlock(&backup->lock);
    return err_fail_sys(err, failed, "thread of the backup");
}

enum err_code backup_start(struct backup *backup, const struct backup_request *request,
                           struct err *err)
{
    enum err_code rc = check_request(backup, request, err);
    if (rc != ERR_OK)
        return rc;
    pthread_mutex_lock(&backup->run_lock);
    rc = start_locked(backup, request, err);
    pthread_mutex_unlock(&backup->run_lock);
    return rc;
}

void backup_get_status(struct backup *backup, struct backup_status *ret_status)
{
    pthread_mutex_lock(&backup->lock);
    *ret_status = backup->status;
    pthread_mutex_unlock(&backup->lock);
}
