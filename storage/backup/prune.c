/* prune.c - see prune.h.
 *
 * A file goes when no catalog of a complete generation names it. All catalogs are
 * in the same order, so one that goes and those that stay are walked side by side. */
#include "storage/backup/prune.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

#define SHARDS    256
#define ARENA_MAX MIB(1)

/* Leftovers. */

/* A broken run, and the last file that its catalog names: what it copied behind
 * that was not noted. */
struct broken {
    uint32_t number;
    char last[PLACE_NAME_MAX];
};

struct leftovers {
    struct place *place;
    struct broken *broken;
    size_t count;
};

/* A damaged catalog ends where the damage is. */
static enum err_code find_last(struct place *place, uint32_t number, struct broken *to,
                               struct err *err)
{
    struct catalog_cursor cursor;
    *to = (struct broken){.number = number};
    enum err_code rc = catalog_cursor_open(place, number, &cursor, err);
    while (rc == ERR_OK && cursor.on) {
        memcpy(to->last, cursor.at.name, sizeof(to->last));
        rc = catalog_cursor_next(&cursor, err);
    }
    catalog_cursor_close(&cursor);
    return rc == ERR_CORRUPT ? ERR_OK : rc;
}

static bool is_leftover(const struct leftovers *leftovers, const char *folder, const char *entry)
{
    char name[PLACE_NAME_MAX];
    uint32_t made_by;
    if (strstr(entry, ".tmp-"))
        return strcmp(folder, "generations") == 0 || folder[0] == '\0';
    if (!place_parse(folder, entry, name, &made_by))
        return false;
    for (size_t i = 0; i < leftovers->count; i++)
        if (leftovers->broken[i].number == made_by)
            return strcmp(name, leftovers->broken[i].last) > 0;
    return false;
}

static enum err_code sweep_folder(const struct leftovers *leftovers, const char *folder,
                                  struct err *err)
{
    struct place *place = leftovers->place;
    DIR *stream;
    enum err_code rc = place_open_dir(place, folder, &stream, err);
    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND ? ERR_OK : rc;
    struct dirent *entry;
    while (rc == ERR_OK && (entry = readdir(stream)))
        if (is_leftover(leftovers, folder, entry->d_name) &&
            unlinkat(dirfd(stream), entry->d_name, 0) != 0 && errno != ENOENT)
            rc = err_fail_sys(err, errno, "removing '%s/%s/%s'", place->dir, folder, entry->d_name);
    closedir(stream);
    return rc;
}

static enum err_code sweep_all(const struct leftovers *leftovers, struct err *err)
{
    static const char *const folders[] = {"", "generations", "kv"};
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < ARRAY_LEN(folders); i++)
        rc = sweep_folder(leftovers, folders[i], err);
    for (int shard = 0; rc == ERR_OK && shard < SHARDS; shard++) {
        char folder[PLACE_PATH_MAX];
        snprintf(folder, sizeof(folder), "bodies/%02x", (unsigned)shard);
        rc = sweep_folder(leftovers, folder, err);
    }
    return rc;
}

enum err_code prune_leftovers(struct place *place, const struct generation_list *list,
                              struct err *err)
{
    if (list->broken_count == 0)
        return ERR_OK;
    struct leftovers leftovers = {place, calloc(list->broken_count, sizeof(struct broken)), 0};
    if (!leftovers.broken)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < list->broken_count; i++)
        rc = find_last(place, list->broken[i], &leftovers.broken[leftovers.count++], err);
    if (rc == ERR_OK)
        rc = sweep_all(&leftovers, err);
    free(leftovers.broken);
    return rc;
}

/* Old generations. */

/* Which complete ones go: all but the newest `keep` and the newest without damage. */
static enum err_code break_old(struct place *place, const struct generation_list *list,
                               uint32_t keep, struct err *err)
{
    bool whole_is_kept = false;
    enum err_code rc = ERR_OK;
    for (size_t i = list->complete_count; rc == ERR_OK && i-- > 0;) {
        struct generation generation;
        rc = generation_read(place, list->complete[i], &generation, err);
        if (rc != ERR_OK)
            break;
        bool is_kept =
            list->complete_count - i <= keep || (!whole_is_kept && generation.damaged == 0);
        whole_is_kept |= generation.damaged == 0;
        if (!is_kept)
            rc = generation_break(place, list->complete[i], err);
    }
    return rc;
}

/* Whether a complete generation names the file. */
static enum err_code is_needed(struct catalog_cursor *kept, size_t count,
                               const struct catalog_file *file, bool *ret_needed, struct err *err)
{
    *ret_needed = false;
    for (size_t i = 0; i < count && !*ret_needed; i++) {
        while (kept[i].on && strcmp(kept[i].at.name, file->name) < 0) {
            enum err_code rc = catalog_cursor_next(&kept[i], err);
            if (rc != ERR_OK)
                return rc;
        }
        *ret_needed = kept[i].on && strcmp(kept[i].at.name, file->name) == 0 &&
                      kept[i].at.made_by == file->made_by;
    }
    return ERR_OK;
}

static enum err_code remove_file(struct place *place, const struct catalog_file *file,
                                 struct err *err)
{
    char path[PLACE_PATH_MAX];
    place_path(file->name, file->made_by, path);
    if (unlinkat(place->fd, path, 0) != 0 && errno != ENOENT)
        return err_fail_sys(err, errno, "removing '%s/%s'", place->dir, path);
    return ERR_OK;
}

/* The rest of a damaged broken catalog is left to lie: what it named is not known. */
static enum err_code remove_files(struct place *place, struct catalog_cursor *gone,
                                  struct catalog_cursor *kept, size_t count, struct err *err)
{
    while (gone->on) {
        bool needed;
        enum err_code rc = is_needed(kept, count, &gone->at, &needed, err);
        if (rc == ERR_OK && !needed)
            rc = remove_file(place, &gone->at, err);
        if (rc != ERR_OK)
            return rc;
        rc = catalog_cursor_next(gone, err);
        if (rc != ERR_OK)
            return rc == ERR_CORRUPT ? ERR_OK : rc;
    }
    return ERR_OK;
}

static enum err_code remove_broken(struct place *place, const struct generation_list *list,
                                   uint32_t number, struct err *err)
{
    struct catalog_cursor gone;
    struct catalog_cursor *kept = calloc(list->complete_count + 1, sizeof(*kept));
    if (!kept)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < list->complete_count; i++)
        rc = catalog_cursor_open(place, list->complete[i], &kept[i], err);
    if (rc == ERR_OK) {
        rc = catalog_cursor_open(place, number, &gone, err);
        if (rc == ERR_OK || rc == ERR_CORRUPT) /* its damage ends it */
            rc = remove_files(place, &gone, kept, list->complete_count, err);
        catalog_cursor_close(&gone);
    }
    for (size_t i = 0; i < list->complete_count; i++)
        catalog_cursor_close(&kept[i]);
    free(kept);
    return rc == ERR_OK ? generation_forget(place, number, err) : rc;
}

/* A catalog that is kept and cut would let files go that it named. */
static enum err_code check_kept(struct place *place, const struct generation_list *list,
                                struct err *err)
{
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < list->complete_count; i++) {
        struct generation generation;
        rc = generation_read(place, list->complete[i], &generation, err);
        if (rc == ERR_OK)
            rc = generation_check_catalog(place, &generation, err);
    }
    return rc;
}

static enum err_code remove_all(struct place *place, const struct generation_list *list,
                                struct err *err)
{
    uint32_t newest = list->complete_count ? list->complete[list->complete_count - 1] : 0;
    if (list->broken_count == 0 || list->broken[0] > newest)
        return ERR_OK;
    enum err_code rc = check_kept(place, list, err);
    for (size_t i = 0; rc == ERR_OK && i < list->broken_count && list->broken[i] < newest; i++)
        rc = remove_broken(place, list, list->broken[i], err);
    return rc;
}

enum err_code prune_old(struct place *place, uint32_t keep, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct generation_list list;
    enum err_code rc = generation_list(place, &arena, &list, err);
    if (rc == ERR_OK)
        rc = break_old(place, &list, keep, err);
    if (rc == ERR_OK)
        rc = generation_list(place, &arena, &list, err);
    if (rc == ERR_OK)
        rc = remove_all(place, &list, err);
    arena_done(&arena);
    return rc;
}
