/* backup_run.c - the course of a backup, from the first look at DEST to its manifest.
 *
 *     look      which generations there are, what broken runs left
 *     hold      copy of the ordered store in DIR/backup.tmp (hard links)
 *     bodies    under the hold, in order of ids ─┐ backup_take.c, in batches:
 *     files     box.key, the copy's files       ─┘ copy, sync DEST, note in the catalog
 *     check     read the ordered store's files, block by block
 *     end       manifest; then old generations go
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/tree.h"
#include "storage/backup/backup_internal.h"
#include "storage/backup/prune.h"
#include "storage/obj/export.h"

#define ARENA_MAX MIB(16)

/* Look. */

static enum err_code add_known(struct backup_run *run, uint32_t number, struct err *err)
{
    if (run->known_count == BACKUP_KNOWN_MAX)
        return ERR_OK;
    struct catalog_cursor *cursor = &run->known[run->known_count];
    enum err_code rc = catalog_cursor_open(&run->place, number, cursor, err);
    if (rc == ERR_OK) {
        run->known_count++;
        return ERR_OK;
    }
    catalog_cursor_close(cursor);
    return rc == ERR_CORRUPT ? ERR_OK : rc; /* then it is copied anew */
}

/* This box goes on with what it, or the box it was restored from, began. */
static enum err_code check_newest(struct backup_run *run, uint32_t number, struct err *err)
{
    struct generation newest;
    enum err_code rc = generation_read(&run->place, number, &newest, err);
    if (rc != ERR_OK || newest.epoch == run->system->epoch ||
        (run->system->parent_epoch && newest.epoch == run->system->parent_epoch))
        return rc;
    return err_fail(err, ERR_EXISTS,
                    "another box, restored from this one or before it, makes this backup, choose "
                    "another: '%s'",
                    run->place.dir);
}

/* Newest first, so that the few that are looked at are the best. */
static enum err_code look(struct backup_run *run, struct err *err)
{
    struct generation_list list;
    enum err_code rc = generation_list(&run->place, &run->arena, &list, err);
    if (rc == ERR_OK)
        rc = prune_leftovers(&run->place, &list, err);
    uint32_t newest = 0, highest = 0;
    if (rc == ERR_OK && list.complete_count) {
        newest = highest = list.complete[list.complete_count - 1];
        rc = check_newest(run, newest, err);
        if (rc == ERR_OK)
            rc = add_known(run, newest, err);
    }
    if (rc == ERR_OK && list.broken_count && list.broken[list.broken_count - 1] > highest)
        highest = list.broken[list.broken_count - 1];
    for (size_t i = list.broken_count; rc == ERR_OK && i-- > 0 && list.broken[i] > newest;)
        rc = add_known(run, list.broken[i], err);
    run->generation.number = highest + 1;
    run->generation.epoch = run->system->epoch;
    return rc;
}

/* The whole. */

static enum err_code begin_hold(struct backup_run *run, struct err *err)
{
    struct backup *backup = run->backup;
    int len = snprintf(run->tmp, sizeof(run->tmp), "%s/" BACKUP_TMP, backup->options.dir);
    if (len < 0 || (size_t)len >= sizeof(run->tmp))
        return err_fail(err, ERR_INVALID, "the path of the data folder is too long");
    snprintf(run->kv_dir, sizeof(run->kv_dir), "%s/kv", run->tmp);
    enum err_code rc = tree_remove(run->tmp, err);
    if (rc == ERR_OK)
        rc = file_make_dir(run->tmp, 0700, err);
    if (rc == ERR_OK)
        rc = export_begin(backup->options.store, run->kv_dir, &run->before, err);
    if (rc == ERR_NO_SPACE)
        return err_fail(err, ERR_LIMIT, "the box's own disk has no room to copy its logs: '%s'",
                        run->tmp);
    run->generation.created_unix_ms = clock_unix_ms(backup->options.clock);
    return rc;
}

static enum err_code copy_under_hold(struct backup_run *run, struct err *err)
{
    enum err_code rc = begin_hold(run, err);
    if (rc != ERR_OK)
        return rc;
    backup_set_phase(run->backup, BACKUP_BODIES);
    rc = backup_take_bodies(run, err);
    export_end(run->backup->options.store);
    return rc;
}

/* Small bodies lie in the ordered store's files: those were copied as they are. */
static enum err_code check_store(struct backup_run *run, struct err *err)
{
    backup_set_phase(run->backup, BACKUP_CHECK);
    enum err_code rc = backup_check(run->backup, err);
    if (rc == ERR_OK)
        rc = export_verify(run->backup->options.store, err);
    if (rc != ERR_CORRUPT)
        return rc;
    run->generation.damaged++;
    backup_note(run->backup, err->msg);
    return ERR_OK;
}

static enum err_code complete(struct backup_run *run, struct err *err)
{
    struct backup *backup = run->backup;
    enum err_code rc = backup_flush(run, err);
    backup_set_phase(backup, BACKUP_END);
    if (rc != ERR_OK)
        return rc;
    run->generation.catalog_bytes = run->catalog.length;
    catalog_digest(&run->catalog, run->generation.catalog_sha256);
    rc = generation_write(&run->place, &run->generation, err);
    if (rc != ERR_OK)
        return rc;
    pthread_mutex_lock(&backup->lock);
    backup->status.complete = true;
    pthread_mutex_unlock(&backup->lock);
    rc = prune_old(&run->place, backup->request.keep, err);
    return rc == ERR_OK ? rc : err_add(err, "the backup is complete, but old ones are not removed");
}

static enum err_code make_generation(struct backup_run *run, struct err *err)
{
    struct backup *backup = run->backup;
    pthread_mutex_lock(&backup->lock);
    backup->status.generation = run->generation.number;
    backup->status.bytes_total = export_bytes(backup->options.store);
    pthread_mutex_unlock(&backup->lock);
    enum err_code rc =
        catalog_create(&run->place, run->generation.number, run->system->epoch, &run->catalog, err);
    if (rc == ERR_OK)
        rc = copy_under_hold(run, err);
    backup_set_phase(backup, BACKUP_FILES);
    if (rc == ERR_OK)
        rc = backup_take_files(run, err);
    if (rc == ERR_OK)
        rc = check_store(run, err);
    return rc == ERR_OK ? complete(run, err) : rc;
}

static enum err_code step(void *ctx, size_t len, struct err *err)
{
    return backup_pace(ctx, len, err);
}

static enum err_code run_in(struct backup_run *run, struct err *err)
{
    struct backup *backup = run->backup;
    enum err_code rc = place_open(backup->request.dest, run->system->box_id, &run->place, err);
    if (rc == ERR_OK)
        rc = copier_init(&run->copier, &run->place, err);
    run->copier.step = step;
    run->copier.ctx = backup;
    if (rc == ERR_OK)
        rc = prune_old(&run->place, backup->request.keep, err);
    if (rc == ERR_OK)
        rc = look(run, err);
    return rc == ERR_OK ? make_generation(run, err) : rc;
}

static void release(struct backup_run *run)
{
    struct err err;
    for (size_t i = 0; i < run->known_count; i++)
        catalog_cursor_close(&run->known[i]);
    catalog_close(&run->catalog);
    copier_done(&run->copier);
    place_close(&run->place);
    arena_done(&run->arena);
    if (run->tmp[0] && tree_remove(run->tmp, &err) != ERR_OK)
        log_error("backup", "tidying up", &err);
    free(run);
}

/* DEST is what is full, or cannot be written: the box's own errors name its own files. */
static enum err_code explain(const struct backup *backup, enum err_code rc, struct err *err)
{
    if (rc == ERR_NO_SPACE)
        return err_fail(err, rc, "no space left for the backup in '%s'", backup->request.dest);
    if (rc == ERR_IO && err->sys == EROFS)
        return err_fail(err, rc, "the backup's folder is read-only here: '%s'",
                        backup->request.dest);
    return rc;
}

enum err_code backup_run(struct backup *backup, struct err *err)
{
    struct backup_run *run = calloc(1, sizeof(*run));
    if (!run)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    run->backup = backup;
    run->system = store_system(backup->options.store);
    run->place.fd = run->place.lock_fd = run->catalog.fd = -1;
    arena_init(&run->arena, ARENA_MAX);
    enum err_code rc = run_in(run, err);
    release(run);
    return rc == ERR_OK ? rc : explain(backup, rc, err);
}
