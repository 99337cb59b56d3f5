/* restore.c - see restore.h.
 *
 *     box.key, kv/…   copied out
 *     bodies          in the order of both the rows and the catalog, side by side
 *     new epoch       last: the ordered store is what it was until then */
#include "storage/backup/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/backup/copy.h"
#include "storage/obj/import.h"
#include "storage/obj/store.h"

#define ARENA_MAX MIB(1)

struct restore {
    const struct restore_options *options;
    struct restore_result *result;
    struct place place;
    struct copier copier;
};

static enum err_code step(void *ctx, size_t len, struct err *err UNUSED)
{
    struct restore *restore = ctx;
    const struct restore_options *options = restore->options;
    restore->result->bytes += len;
    if (options->progress)
        options->progress(options->ctx, restore->result->bytes, restore->result->generation.bytes);
    return ERR_OK;
}

static void tell(const struct restore *restore, const char *text)
{
    if (restore->options->found)
        restore->options->found(restore->options->ctx, text);
}

/* Choose. */

static enum err_code newest(struct place *place, uint32_t *ret_number, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct generation_list list;
    enum err_code rc = generation_list(place, &arena, &list, err);
    if (rc == ERR_OK && list.complete_count == 0)
        rc = err_fail(err, ERR_NOT_FOUND, "the backup was never completed: '%s'", place->dir);
    if (rc == ERR_OK)
        *ret_number = list.complete[list.complete_count - 1];
    arena_done(&arena);
    return rc;
}

static enum err_code choose(struct restore *restore, struct err *err)
{
    uint32_t number = restore->options->generation;
    enum err_code rc = number ? ERR_OK : newest(&restore->place, &number, err);
    if (rc == ERR_OK)
        rc = generation_read(&restore->place, number, &restore->result->generation, err);
    if (rc == ERR_OK)
        rc = generation_check_catalog(&restore->place, &restore->result->generation, err);
    return rc;
}

static enum err_code begin(struct restore *restore, const struct restore_options *options,
                           struct restore_result *result, struct err *err)
{
    *result = (struct restore_result){0};
    *restore = (struct restore){.options = options, .result = result};
    enum err_code rc = place_open_read(options->source, &restore->place, err);
    if (rc == ERR_OK)
        rc = place_keep(&restore->place, err);
    if (rc == ERR_OK)
        rc = copier_init(&restore->copier, &restore->place, err);
    restore->copier.step = step;
    restore->copier.ctx = restore;
    return rc == ERR_OK ? choose(restore, err) : rc;
}

static void end(struct restore *restore)
{
    copier_done(&restore->copier);
    place_close(&restore->place);
}

enum err_code restore_look(const char *source, uint32_t generation, struct err *err)
{
    const struct restore_options options = {.source = source, .generation = generation};
    struct restore_result result;
    struct restore restore;
    enum err_code rc = begin(&restore, &options, &result, err);
    end(&restore);
    return rc;
}

/* Files. */

struct sink {
    int fd;
    uint64_t at;
};

static enum err_code write_piece(void *ctx, struct bytes piece, struct err *err)
{
    struct sink *sink = ctx;
    enum err_code rc = file_write_at(sink->fd, piece, sink->at, err);
    sink->at += piece.len;
    return rc;
}

static enum err_code restore_file(struct restore *restore, const struct catalog_file *file,
                                  struct err *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", restore->options->dir, file->name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return err_fail(err, ERR_INVALID, "the path of the data folder is too long");
    struct sink sink = {open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), 0};
    if (sink.fd < 0)
        return err_fail_sys(err, errno, "making '%s'", path);
    enum err_code rc = copy_out(&restore->copier, file, write_piece, &sink, err);
    if (rc == ERR_OK && fsync(sink.fd) != 0)
        rc = err_fail_sys(err, errno, "syncing '%s'", path);
    close(sink.fd);
    restore->result->files++;
    return rc;
}

/* All that is no body. */
static enum err_code restore_files(struct restore *restore, struct err *err)
{
    char kv_dir[PATH_MAX];
    int len = snprintf(kv_dir, sizeof(kv_dir), "%s/kv", restore->options->dir);
    if (len < 0 || (size_t)len >= sizeof(kv_dir))
        return err_fail(err, ERR_INVALID, "the path of the data folder is too long");
    struct catalog_cursor cursor = {0};
    enum err_code rc = file_make_dir(kv_dir, 0700, err);
    if (rc == ERR_OK)
        rc = catalog_cursor_open(&restore->place, restore->result->generation.number, &cursor, err);
    while (rc == ERR_OK && cursor.on) {
        if (strncmp(cursor.at.name, "bodies/", 7) != 0)
            rc = restore_file(restore, &cursor.at, err);
        if (rc == ERR_OK)
            rc = catalog_cursor_next(&cursor, err);
    }
    catalog_cursor_close(&cursor);
    return rc == ERR_OK ? file_sync_dir(kv_dir, err) : rc;
}

/* Bodies. */

/* What was damaged in the box is not in the backup: its object says so when it is read. */
static enum err_code note_missing(struct restore *restore, const char *name, struct err *err)
{
    char text[PLACE_NAME_MAX + 64];
    if (restore->result->generation.damaged == 0)
        return err_fail(err, ERR_CORRUPT, "damaged backup: its catalog lacks '%s': '%s'", name,
                        restore->place.dir);
    snprintf(text, sizeof(text), "'%s' was damaged in the box and is not in the backup", name);
    tell(restore, text);
    restore->result->missing++;
    return ERR_OK;
}

static enum err_code import_piece(void *ctx, struct bytes piece, struct err *err)
{
    return import_write(ctx, piece, err);
}

static enum err_code restore_body(struct restore *restore, struct import *import,
                                  struct catalog_cursor *cursor, const struct export_body *body,
                                  struct err *err)
{
    char name[PLACE_NAME_MAX];
    snprintf(name, sizeof(name), PLACE_BODY, (unsigned long long)body->id);
    if (!catalog_cursor_seek(cursor, name))
        return note_missing(restore, name, err);
    enum err_code rc = copy_out(&restore->copier, &cursor->at, import_piece, import, err);
    if (rc == ERR_OK)
        rc = import_end(import, err);
    restore->result->files++;
    return rc;
}

static enum err_code restore_bodies(struct restore *restore, struct kv *kv, struct err *err)
{
    AUTO(import) struct import *import = NULL;
    struct catalog_cursor cursor = {0};
    bool found = true;
    enum err_code rc = import_open(kv, restore->options->dir, &import, err);
    if (rc == ERR_OK)
        rc = catalog_cursor_open(&restore->place, restore->result->generation.number, &cursor, err);
    while (rc == ERR_OK && found) {
        struct export_body body;
        rc = import_next(import, &body, &found, err);
        if (rc == ERR_CORRUPT && body.id)
            rc = note_missing(restore, err->msg, err);
        else if (rc == ERR_OK && found)
            rc = restore_body(restore, import, &cursor, &body, err);
    }
    catalog_cursor_close(&cursor);
    return rc == ERR_OK ? import_finish(import, err) : rc;
}

static enum err_code check_box(const struct restore *restore, struct kv *kv, struct err *err)
{
    struct record_system system;
    bool fresh;
    enum err_code rc = store_identity(kv, &system, &fresh, err);
    if (rc == ERR_OK && (fresh || system.epoch != restore->result->generation.epoch ||
                         memcmp(system.box_id, restore->place.box_id, PLACE_BOX_ID_LEN) != 0))
        rc = err_fail(err, ERR_CORRUPT, "damaged backup: its rows are of another box: '%s'",
                      restore->place.dir);
    return rc;
}

static enum err_code restore_in_kv(struct restore *restore, struct err *err)
{
    char path[PATH_MAX + 8];
    struct kv *kv;
    snprintf(path, sizeof(path), "%s/kv", restore->options->dir);
    enum err_code rc = kv_rocks_open(path, restore->options->kv, &kv, err);
    if (rc != ERR_OK)
        return rc;
    rc = check_box(restore, kv, err);
    if (rc == ERR_OK)
        rc = restore_bodies(restore, kv, err);
    if (rc == ERR_OK)
        rc = store_new_epoch(kv, err);
    kv->calls->close(kv);
    return rc;
}

/* Better now than after hours. */
static enum err_code check_space(const struct restore *restore, struct err *err)
{
    struct statvfs disk;
    uint64_t wanted = restore->result->generation.bytes;
    if (statvfs(restore->options->dir, &disk) != 0)
        return err_fail_sys(err, errno, "looking at the disk of '%s'", restore->options->dir);
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (available < wanted)
        return err_fail(err, ERR_NO_SPACE, "%llu MiB are needed and %llu MiB free: '%s'",
                        (unsigned long long)wanted >> 20, (unsigned long long)available >> 20,
                        restore->options->dir);
    return ERR_OK;
}

enum err_code restore_run(const struct restore_options *options, struct restore_result *ret_result,
                          struct err *err)
{
    struct restore restore;
    enum err_code rc = begin(&restore, options, ret_result, err);
    if (rc == ERR_OK)
        rc = check_space(&restore, err);
    if (rc == ERR_OK)
        rc = restore_files(&restore, err);
    if (rc == ERR_OK)
        rc = restore_in_kv(&restore, err);
    if (rc == ERR_OK)
        rc = file_sync_dir(options->dir, err);
    end(&restore);
    return rc;
}

/* Verify. */

static enum err_code forget_piece(void *ctx UNUSED, struct bytes piece UNUSED,
                                  struct err *err UNUSED)
{
    return ERR_OK;
}

static enum err_code verify_file(struct restore *restore, const struct catalog_file *file,
                                 struct err *err)
{
    enum err_code rc = copy_out(&restore->copier, file, forget_piece, NULL, err);
    restore->result->files++;
    if (rc != ERR_CORRUPT && !(rc == ERR_IO && err->sys == EIO))
        return rc;
    tell(restore, err->msg);
    restore->result->damaged++;
    return ERR_OK;
}

enum err_code restore_verify(const struct restore_options *options,
                             struct restore_result *ret_result, struct err *err)
{
    struct restore restore;
    struct catalog_cursor cursor = {0};
    enum err_code rc = begin(&restore, options, ret_result, err);
    if (rc == ERR_OK)
        rc = catalog_cursor_open(&restore.place, ret_result->generation.number, &cursor, err);
    while (rc == ERR_OK && cursor.on) {
        rc = verify_file(&restore, &cursor.at, err);
        if (rc == ERR_OK)
            rc = catalog_cursor_next(&cursor, err);
    }
    catalog_cursor_close(&cursor);
    ret_result->missing = ret_result->generation.damaged;
    end(&restore);
    return rc;
}
