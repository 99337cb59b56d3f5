/* backup_take.c - what a backup copies, and what it knows to be there already.
 *
 * A body is known by its id, which is given once (but for a box that was restored:
 * is_known_body), and by the CRCs in its row; a table file by its end, in which
 * the store that made it puts a random id. The rest is copied each time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "storage/backup/backup_internal.h"
#include "storage/obj/export.h"

#define SHARDS       256
#define BATCH_FILES  1000 /* between two syncs of DEST; below CATALOG_BATCH_MAX */
#define BATCH_BYTES  MIB(64)
#define KV_FILES_MAX 100000

enum err_code backup_flush(struct backup_run *run, struct err *err)
{
    enum err_code rc = run->batch_copied ? place_sync(&run->place, err) : ERR_OK;
    if (rc == ERR_OK)
        rc = catalog_flush(&run->catalog, err);
    run->batch_files = 0;
    run->batch_copied = false;
    run->batch_bytes = 0;
    return rc;
}

static enum err_code note(struct backup_run *run, const struct catalog_file *file, bool copied,
                          struct err *err)
{
    catalog_add(&run->catalog, file);
    run->generation.files++;
    run->generation.bytes += file->length;
    run->generation.copied_bytes += copied ? file->length : 0;
    run->batch_files++;
    run->batch_copied |= copied;
    run->batch_bytes += copied ? file->length : 0;
    backup_count(run->backup, file->length, copied);
    if (run->batch_files < BATCH_FILES && run->batch_bytes < BATCH_BYTES)
        return ERR_OK;
    return backup_flush(run, err);
}

/* What the newest generation or a broken run has of this file, whole: NULL without. */
static const struct catalog_file *find(struct backup_run *run, const struct catalog_file *file,
                                       bool (*may_be)(const struct backup_run *run,
                                                      const struct catalog_cursor *cursor,
                                                      const struct catalog_file *file))
{
    for (size_t i = 0; i < run->known_count; i++) {
        struct catalog_cursor *cursor = &run->known[i];
        if (catalog_cursor_seek(cursor, file->name) && may_be(run, cursor, file) &&
            copy_is_there(&run->place, &cursor->at))
            return &cursor->at;
    }
    return NULL;
}

static bool has_mark(const struct catalog_file *known, const struct catalog_file *file)
{
    return known->has_mark && file->has_mark && known->length == file->length &&
           memcmp(known->mark, file->mark, CATALOG_SHA_LEN) == 0;
}

/* Bodies. */

/* Ids given before a restore are those of the box it was restored from; later ones
 * may be given by that box, too, and mean something else there. Where the row is
 * damaged there is no mark, and what was copied before is all the better. */
static bool is_known_body(const struct backup_run *run, const struct catalog_cursor *cursor,
                          const struct catalog_file *file)
{
    const struct record_system *system = run->system;
    uint64_t id = strtoull(file->name + strlen("bodies/"), NULL, 16);
    bool same_id = cursor->epoch == system->epoch ||
                   (cursor->epoch == system->parent_epoch && id < system->parent_ids);
    return same_id && (file->length == 0 || has_mark(&cursor->at, file));
}

static enum err_code read_body(void *ctx, uint64_t offset, uint8_t *to, size_t room,
                               size_t *ret_len, struct err *err)
{
    return body_reader_read(ctx, offset, to, room, ret_len, err);
}

/* ret_bad  it is damaged in the box: `err` says how, and the function did not fail */
static enum err_code copy_body(struct backup_run *run, const struct export_body *body,
                               struct catalog_file *file, bool *ret_bad, struct err *err)
{
    AUTO(body_reader) struct body_reader *reader = NULL;
    enum err_code rc = export_open(run->backup->options.store, body, &reader, err);
    *ret_bad = rc == ERR_CORRUPT;
    if (rc != ERR_OK)
        return *ret_bad ? ERR_OK : rc;
    const struct copy_source source = {read_body, reader};
    file->made_by = run->generation.number;
    return copy_in(&run->copier, &source, file, ret_bad, err);
}

static enum err_code take_body(struct backup_run *run, const struct export_body *body,
                               struct err *err)
{
    struct catalog_file file = {.length = body->length, .has_mark = body->length > 0};
    snprintf(file.name, sizeof(file.name), PLACE_BODY, (unsigned long long)body->id);
    memcpy(file.mark, body->sums.data, CATALOG_SHA_LEN);
    enum err_code rc = backup_check(run->backup, err);
    if (rc != ERR_OK)
        return rc;
    const struct catalog_file *known = find(run, &file, is_known_body);
    if (known)
        rc = note(run, known, false, err);
    if (rc != ERR_OK || (known && body->length > 0))
        return rc;
    bool bad;
    rc = copy_body(run, body, &file, &bad, err); /* bad where its row is: that is told, too */
    if (rc != ERR_OK || !bad)
        return rc == ERR_OK ? note(run, &file, true, err) : rc;
    run->generation.damaged++;
    backup_note(run->backup, err->msg);
    return ERR_OK;
}

static enum err_code make_shards(struct backup_run *run, struct err *err)
{
    enum err_code rc = ERR_OK;
    for (unsigned shard = 0; rc == ERR_OK && shard < SHARDS; shard++) {
        char folder[PLACE_PATH_MAX];
        snprintf(folder, sizeof(folder), "bodies/%02x", shard);
        rc = place_make_dir(&run->place, folder, err);
    }
    return rc;
}

enum err_code backup_take_bodies(struct backup_run *run, struct err *err)
{
    struct export_page page;
    uint64_t from = 0;
    enum err_code rc = make_shards(run, err);
    do {
        if (rc == ERR_OK)
            rc = export_list(run->backup->options.store, from, run->before, &page, err);
        for (size_t i = 0; rc == ERR_OK && i < page.count; i++) {
            from = page.bodies[i].id + 1;
            rc = take_body(run, &page.bodies[i], err);
        }
    } while (rc == ERR_OK && page.count);
    return rc;
}

/* Files. */

static bool is_known_table(const struct backup_run *run UNUSED, const struct catalog_cursor *cursor,
                           const struct catalog_file *file)
{
    return has_mark(&cursor->at, file);
}

static bool is_table(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".sst") == 0;
}

static enum err_code take_open_file(struct backup_run *run, int fd, struct catalog_file *file,
                                    struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_fail_sys(err, errno, "looking at '%s'", file->name);
    file->length = (uint64_t)st.st_size;
    file->made_by = run->generation.number;
    file->has_mark = is_table(file->name) &&
                     copy_tail(&run->copier, fd, file->length, file->mark, err) == ERR_OK;
    const struct catalog_file *known = find(run, file, is_known_table);
    if (known)
        return note(run, known, false, err);
    const struct copy_source source = {copy_read_fd, &fd};
    bool bad;
    enum err_code rc = copy_in(&run->copier, &source, file, &bad, err);
    if (rc == ERR_OK && bad)
        return err_add(err, "the box's '%s' cannot be read", file->name);
    return rc == ERR_OK ? note(run, file, true, err) : rc;
}

/* name  in the backup; path  where it is */
static enum err_code take_file(struct backup_run *run, const char *name, const char *path,
                               struct err *err)
{
    struct catalog_file file = {.length = 0};
    enum err_code rc = backup_check(run->backup, err);
    if (rc != ERR_OK)
        return rc;
    if (!place_name_ok(name))
        return err_fail(err, ERR_CORRUPT, "a file of the ordered store is called '%s'", name);
    snprintf(file.name, sizeof(file.name), "%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail_sys(err, errno, "opening '%s'", path);
    rc = take_open_file(run, fd, &file, err);
    close(fd);
    return rc;
}

static int is_no_dot(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err_code take_entry(struct backup_run *run, const char *entry, struct err *err)
{
    char name[PLACE_NAME_MAX + 256], path[PATH_MAX + 512];
    snprintf(name, sizeof(name), "kv/%s", entry);
    snprintf(path, sizeof(path), "%s/%s", run->kv_dir, entry);
    return take_file(run, name, path, err);
}

enum err_code backup_take_files(struct backup_run *run, struct err *err)
{
    char path[PATH_MAX + 16];
    struct dirent **entries;
    snprintf(path, sizeof(path), "%s/box.key", run->backup->options.dir);
    enum err_code rc = take_file(run, "box.key", path, err);
    if (rc != ERR_OK)
        return rc;
    int count = scandir(run->kv_dir, &entries, is_no_dot, compare_entries);
    if (count < 0)
        return err_fail_sys(err, errno, "reading the folder '%s'", run->kv_dir);
    if (count > KV_FILES_MAX)
        rc = err_fail(err, ERR_LIMIT, "the ordered store has more than %d files", KV_FILES_MAX);
    for (int i = 0; i < count; i++) {
        if (rc == ERR_OK)
            rc = take_entry(run, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}
