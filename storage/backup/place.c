/* place.c - see place.h. */
#include "storage/backup/place.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/backup/frame.h"

#define MARKER     "valise-backup"
#define MARKER_MAX KIB(4)
#define BODY_LEN   23 /* of "bodies/" and 16 hex digits */

/* What may lie in a folder that becomes a backup. */
static bool is_harmless(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0 ||
           strcmp(name, "lock") == 0 || strncmp(name, MARKER ".tmp-", 18) == 0;
}

static enum err_code path_in(const struct place *place, const char *name, char ret_path[PATH_MAX],
                             struct err *err)
{
    int len = snprintf(ret_path, PATH_MAX, "%s/%s", place->dir, name);
    if (len < 0 || len >= PATH_MAX)
        return err_fail(err, ERR_INVALID, "the path of the backup is too long");
    return ERR_OK;
}

static enum err_code take_marker(struct place *place, FILE *file, struct arena *arena,
                                 struct err *err)
{
    ProtobufCMessage *message;
    enum err_code rc = frame_read(file, &valise__backup__marker__descriptor, arena, &message, err);
    if (rc == ERR_OK && !message)
        rc = err_fail(err, ERR_CORRUPT, "the file is empty");
    if (rc != ERR_OK)
        return err_add(err, "the backup's '%s/" MARKER "'", place->dir);
    const Valise__Backup__Marker *marker = (const Valise__Backup__Marker *)message;
    if (marker->format > PLACE_FORMAT)
        rc = err_fail(err, ERR_UNSUPPORTED,
                      "this backup has format %u, made by a newer version: '%s'", marker->format,
                      place->dir);
    else if (marker->box_id.len != PLACE_BOX_ID_LEN)
        rc = err_fail(err, ERR_CORRUPT, "the backup's '%s/" MARKER "' is damaged", place->dir);
    else
        memcpy(place->box_id, marker->box_id.data, PLACE_BOX_ID_LEN);
    return rc;
}

static enum err_code fail_to_open(const struct place *place, const char *path, int fd,
                                  struct err *err)
{
    int failed = errno;
    if (fd >= 0)
        close(fd);
    if (failed == ENOENT)
        return err_fail(err, ERR_NOT_FOUND, "no '%s/%s'", place->dir, path);
    return err_fail_sys(err, failed, "opening '%s/%s'", place->dir, path);
}

enum err_code place_open_file(const struct place *place, const char *path, FILE **ret_file,
                              struct err *err)
{
    int fd = openat(place->fd, path, O_RDONLY | O_CLOEXEC);
    *ret_file = fd < 0 ? NULL : fdopen(fd, "r");
    return *ret_file ? ERR_OK : fail_to_open(place, path, fd, err);
}

enum err_code place_open_dir(const struct place *place, const char *folder, DIR **ret_dir,
                             struct err *err)
{
    int fd = openat(place->fd, folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *ret_dir = fd < 0 ? NULL : fdopendir(fd);
    return *ret_dir ? ERR_OK : fail_to_open(place, folder, fd, err);
}

static enum err_code is_empty(const struct place *place, bool *ret_empty, struct err *err)
{
    DIR *folder;
    enum err_code rc = place_open_dir(place, "", &folder, err);
    if (rc != ERR_OK)
        return rc;
    struct dirent *entry;
    *ret_empty = true;
    while (*ret_empty && (entry = readdir(folder)))
        *ret_empty = is_harmless(entry->d_name);
    closedir(folder);
    return ERR_OK;
}

/* errors  ERR_NOT_FOUND (there is none) */
static enum err_code read_marker(struct place *place, struct err *err)
{
    FILE *file;
    enum err_code rc = place_open_file(place, MARKER, &file, err);
    if (rc == ERR_NOT_FOUND)
        return err_fail(err, rc, "no backup here: '%s'", place->dir);
    if (rc != ERR_OK)
        return rc;
    struct arena arena;
    arena_init(&arena, FRAME_ARENA_MAX);
    rc = take_marker(place, file, &arena, err);
    arena_done(&arena);
    fclose(file);
    return rc;
}

static enum err_code write_marker(struct place *place, struct err *err)
{
    Valise__Backup__Marker marker = VALISE__BACKUP__MARKER__INIT;
    char path[PATH_MAX];
    marker.format = PLACE_FORMAT;
    marker.box_id = (ProtobufCBinaryData){PLACE_BOX_ID_LEN, place->box_id};
    AUTO(buf) struct buf text;
    buf_init(&text, MARKER_MAX);
    frame_append(&text, &marker.base);
    if (!buf_ok(&text))
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    enum err_code rc = path_in(place, MARKER, path, err);
    return rc == ERR_OK ? file_replace(path, 0600, buf_bytes(&text), err) : rc;
}

/* Under the lock: it is a backup of this box, or becomes one. */
static enum err_code make_ours(struct place *place, const uint8_t box_id[PLACE_BOX_ID_LEN],
                               struct err *err)
{
    bool empty;
    enum err_code rc = read_marker(place, err);
    if (rc == ERR_OK && memcmp(place->box_id, box_id, PLACE_BOX_ID_LEN) != 0)
        return err_fail(err, ERR_EXISTS, "this is the backup of another box, choose another: '%s'",
                        place->dir);
    if (rc != ERR_NOT_FOUND)
        return rc;
    rc = is_empty(place, &empty, err);
    if (rc == ERR_OK && !empty)
        rc =
            err_fail(err, ERR_EXISTS,
                     "this folder is neither empty nor a backup, choose another: '%s'", place->dir);
    memcpy(place->box_id, box_id, PLACE_BOX_ID_LEN);
    return rc == ERR_OK ? write_marker(place, err) : rc;
}

static enum err_code open_dir(struct place *place, const char *dir, struct err *err)
{
    *place = (struct place){.fd = -1, .lock_fd = -1};
    int len = snprintf(place->dir, sizeof(place->dir), "%s", dir);
    if (len < 0 || (size_t)len >= sizeof(place->dir))
        return err_fail(err, ERR_INVALID, "the path of the backup is too long");
    place->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->fd < 0 && errno == ENOENT)
        return err_fail(err, ERR_NOT_FOUND, "no backup here: '%s'", dir);
    if (place->fd < 0)
        return err_fail_sys(err, errno, "opening the backup '%s'", dir);
    return ERR_OK;
}

static enum err_code lock(struct place *place, struct err *err)
{
    char path[PATH_MAX];
    enum err_code rc = path_in(place, "lock", path, err);
    if (rc == ERR_OK)
        rc = file_lock(path, &place->lock_fd, err);
    if (rc == ERR_BUSY)
        return err_fail(err, ERR_BUSY, "another process writes to this backup, or reads it: '%s'",
                        place->dir);
    return rc;
}

/* The file system may be read-only; one without a lock was never written to. */
enum err_code place_keep(struct place *place, struct err *err)
{
    place->lock_fd = openat(place->fd, "lock", O_RDONLY | O_CLOEXEC);
    if (place->lock_fd < 0)
        return errno == ENOENT ? ERR_OK : err_fail_sys(err, errno, "opening '%s/lock'", place->dir);
    if (flock(place->lock_fd, LOCK_SH | LOCK_NB) == 0)
        return ERR_OK;
    if (errno == EWOULDBLOCK)
        return err_fail(err, ERR_BUSY, "a backup is being written here, try again later: '%s'",
                        place->dir);
    return err_fail_sys(err, errno, "locking '%s'", place->dir);
}

/* Nothing is written into a folder that is not ours, not even a lock. */
static enum err_code check_first(struct place *place, struct err *err)
{
    bool empty = false;
    enum err_code rc = is_empty(place, &empty, err);
    if (rc != ERR_OK || empty)
        return rc;
    rc = read_marker(place, err);
    if (rc == ERR_NOT_FOUND)
        return err_fail(err, ERR_EXISTS,
                        "this folder is neither empty nor a backup, choose another: '%s'",
                        place->dir);
    return rc;
}

enum err_code place_open(const char *dir, const uint8_t box_id[PLACE_BOX_ID_LEN],
                         struct place *ret_place, struct err *err)
{
    static const char *const folders[] = {"generations", "bodies", "kv"};
    *ret_place = (struct place){.fd = -1, .lock_fd = -1};
    enum err_code rc = file_make_dir(dir, 0700, err);
    if (rc == ERR_OK)
        rc = open_dir(ret_place, dir, err);
    if (rc == ERR_OK)
        rc = check_first(ret_place, err);
    if (rc == ERR_OK)
        rc = lock(ret_place, err);
    if (rc == ERR_OK)
        rc = make_ours(ret_place, box_id, err);
    for (size_t i = 0; rc == ERR_OK && i < ARRAY_LEN(folders); i++)
        rc = place_make_dir(ret_place, folders[i], err);
    return rc;
}

enum err_code place_open_read(const char *dir, struct place *ret_place, struct err *err)
{
    enum err_code rc = open_dir(ret_place, dir, err);
    return rc == ERR_OK ? read_marker(ret_place, err) : rc;
}

void place_close(struct place *place)
{
    if (place->fd >= 0)
        close(place->fd);
    if (place->lock_fd >= 0)
        close(place->lock_fd);
    place->fd = place->lock_fd = -1;
}

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) >= len && strspn(text, "0123456789abcdef") >= len;
}

bool place_name_ok(const char *name)
{
    if (strlen(name) >= PLACE_NAME_MAX)
        return false;
    if (strcmp(name, "box.key") == 0)
        return true;
    if (strncmp(name, "bodies/", 7) == 0)
        return strlen(name) == BODY_LEN && is_hex(name + 7, 16);
    if (strncmp(name, "kv/", 3) != 0 || !isalnum((unsigned char)name[3]))
        return false;
    for (const char *at = name + 3; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '.' && *at != '-' && *at != '_')
            return false;
    return true;
}

void place_path(const char *name, uint32_t made_by, char ret_path[PLACE_PATH_MAX])
{
    if (strncmp(name, "bodies/", 7) == 0)
        snprintf(ret_path, PLACE_PATH_MAX, "bodies/%.2s/%.16s-%08x", name + BODY_LEN - 2, name + 7,
                 made_by);
    else
        snprintf(ret_path, PLACE_PATH_MAX, "%.95s-%08x", name, made_by);
}

bool place_parse(const char *folder, const char *entry, char ret_name[PLACE_NAME_MAX],
                 uint32_t *ret_made_by)
{
    const char *dash = strrchr(entry, '-');
    if (!dash || !is_hex(dash + 1, 8) || dash[9])
        return false;
    const char *top = strncmp(folder, "bodies/", 7) == 0 ? "bodies" : folder;
    int len = snprintf(ret_name, PLACE_NAME_MAX, "%s%s%.*s", top, top[0] ? "/" : "",
                       (int)(dash - entry), entry);
    *ret_made_by = (uint32_t)strtoul(dash + 1, NULL, 16);
    return len > 0 && len < PLACE_NAME_MAX && place_name_ok(ret_name);
}

enum err_code place_make_dir(struct place *place, const char *folder, struct err *err)
{
    if (mkdirat(place->fd, folder, 0700) != 0 && errno != EEXIST)
        return err_fail_sys(err, errno, "making '%s/%s'", place->dir, folder);
    return ERR_OK;
}

enum err_code place_sync(struct place *place, struct err *err)
{
    if (syncfs(place->fd) != 0)
        return err_fail_sys(err, errno, "syncing the backup '%s'", place->dir);
    return ERR_OK;
}
