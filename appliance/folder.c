/* folder.c - see folder.h. */
#include "appliance/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tree.h"

/* Names that may lie in DIR before it is a box: a file system's own, and a
 * lock that was taken by somebody who found nothing to do. */
static const char *const harmless[] = {".", "..", "lost+found", "lock"};

/* What a box is known by, and what erasing a half-made one removes. */
static const char *const parts[] = {"kv", "bodies", "box.key", "reserve", "first-run.json"};

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static enum err_code path_of(const char *dir, const char *name, char ret_path[PATH_MAX],
                             struct err *err)
{
    int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    if (len < 0 || len >= PATH_MAX)
        return err_fail(err, ERR_INVALID, "the path of the data folder is too long");
    return ERR_OK;
}

static enum folder_state state_of(DIR *stream)
{
    bool making = false, restoring = false, box = false, foreign = false;
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, "making") == 0)
            making = true;
        else if (strcmp(entry->d_name, "restoring") == 0)
            restoring = true;
        else if (is_among(entry->d_name, parts, ARRAY_LEN(parts)))
            box = true;
        else if (!is_among(entry->d_name, harmless, ARRAY_LEN(harmless)))
            foreign = true;
    }
    if (restoring)
        return FOLDER_HALF_RESTORED;
    if (making)
        return FOLDER_HALF_MADE;
    if (box)
        return FOLDER_BOX;
    return foreign ? FOLDER_FOREIGN : FOLDER_EMPTY;
}

enum err_code folder_look(const char *dir, enum folder_state *ret_state, struct err *err)
{
    DIR *stream = opendir(dir);
    if (!stream && errno == ENOENT) {
        *ret_state = FOLDER_EMPTY;
        return ERR_OK;
    }
    if (!stream && errno == ENOTDIR)
        return err_fail(err, ERR_INVALID, "not a folder: '%s'", dir);
    if (!stream)
        return err_fail_sys(err, errno, "opening the folder '%s'", dir);
    *ret_state = state_of(stream);
    closedir(stream);
    return ERR_OK;
}

enum err_code folder_lock(const char *dir, int *ret_fd, struct err *err)
{
    char path[PATH_MAX];
    enum err_code code = path_of(dir, "lock", path, err);
    if (code == ERR_OK)
        code = file_lock(path, ret_fd, err);
    if (code == ERR_BUSY)
        return err_fail(err, ERR_BUSY, "another valise process has this box, stop it first: '%s'",
                        dir);
    return code;
}

static enum err_code erase(const char *dir, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char path[PATH_MAX];
        enum err_code code = path_of(dir, parts[i], path, err);
        if (code != ERR_OK)
            return code;
        code = tree_remove(path, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code refuse(const char *dir, enum folder_state state, struct err *err)
{
    if (state == FOLDER_BOX)
        return err_fail(err, ERR_EXISTS, "there is a box already: '%s'", dir);
    if (state == FOLDER_HALF_RESTORED)
        return err_fail(err, ERR_EXISTS,
                        "a restore was broken off here, run 'valise restore' again: '%s'", dir);
    return err_fail(err, ERR_EXISTS, "this folder is neither empty nor a box, choose another: '%s'",
                    dir);
}

/* What is being made: a new box, or one from a backup. */
struct making {
    const char *marker;
    enum folder_state unfinished; /* what an earlier one left */
};
static const struct making new_box = {"making", FOLDER_HALF_MADE};
static const struct making restored_box = {"restoring", FOLDER_HALF_RESTORED};

static bool is_free(enum folder_state state, const struct making *making)
{
    return state == FOLDER_EMPTY || state == FOLDER_HALF_MADE || state == making->unfinished;
}

static enum err_code set_marker(const char *dir, const struct making *making, struct err *err)
{
    char path[PATH_MAX];
    enum err_code code = path_of(dir, making->marker, path, err);
    if (code != ERR_OK)
        return code;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_fail_sys(err, errno, "making '%s'", path);
    close(fd);
    return file_sync_dir(dir, err);
}

static enum err_code take_marker(const char *dir, const struct making *making, struct err *err)
{
    char path[PATH_MAX];
    enum err_code code = path_of(dir, making->marker, path, err);
    if (code != ERR_OK)
        return code;
    if (unlink(path) != 0 && errno != ENOENT)
        return err_fail_sys(err, errno, "removing '%s'", path);
    return file_sync_dir(dir, err);
}

/* Under the lock: what was free a moment ago may have become a box. The new marker
 * is there before an old one goes. */
static enum err_code begin_locked(const char *dir, const struct making *making, struct err *err)
{
    enum folder_state state;
    enum err_code code = folder_look(dir, &state, err);
    if (code != ERR_OK)
        return code;
    if (!is_free(state, making))
        return refuse(dir, state, err);
    if (state != FOLDER_EMPTY)
        code = erase(dir, err);
    if (code == ERR_OK)
        code = set_marker(dir, making, err);
    if (code == ERR_OK && making != &new_box) /* or who makes a new box erases what is restored */
        code = take_marker(dir, &new_box, err);
    return code;
}

static enum err_code begin(const char *dir, const struct making *making, int *ret_lock_fd,
                           struct err *err)
{
    enum folder_state state;
    enum err_code code = folder_look(dir, &state, err);
    if (code != ERR_OK)
        return code;
    if (!is_free(state, making))
        return refuse(dir, state, err);
    code = file_make_dir(dir, 0700, err);
    if (code != ERR_OK)
        return code;
    int fd;
    code = folder_lock(dir, &fd, err);
    if (code != ERR_OK)
        return code;
    code = begin_locked(dir, making, err);
    if (code != ERR_OK)
        close(fd);
    else
        *ret_lock_fd = fd;
    return code;
}

enum err_code folder_begin(const char *dir, int *ret_lock_fd, struct err *err)
{
    return begin(dir, &new_box, ret_lock_fd, err);
}

enum err_code folder_finish(const char *dir, struct err *err)
{
    return take_marker(dir, &new_box, err);
}

enum err_code folder_begin_restore(const char *dir, int *ret_lock_fd, struct err *err)
{
    return begin(dir, &restored_box, ret_lock_fd, err);
}

enum err_code folder_finish_restore(const char *dir, struct err *err)
{
    return take_marker(dir, &restored_box, err);
}
