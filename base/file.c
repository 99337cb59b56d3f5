/* file.c - files done right: short writes, EINTR, atomic replacement, folders synced.
 *
 * Threads   any.
 * Source    POSIX.1-2017; the effects of fsync on folders are Linux's. */
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define CHUNK ((size_t)16 << 10) /* bytes read at once from a file of unknown length */

struct path {
    char text[PATH_MAX];
};

static enum err_code copy_path(struct path *to, struct bytes from, const char *suffix,
                               struct err *err)
{
    int len = snprintf(to->text, sizeof(to->text), "%" BYTES_FMT "%s", BYTES_ARG(from), suffix);

    if (len < 0 || (size_t)len >= sizeof(to->text))
        return err_fail(err, ERR_INVALID, "path longer than %d bytes", PATH_MAX - 1);
    return ERR_OK;
}

/* The folder that `path` stands in; "." where it names none. */
static enum err_code copy_parent(struct path *to, const char *path, struct err *err)
{
    struct bytes whole = bytes_of_str(path);

    while (whole.len > 1 && whole.data[whole.len - 1] == '/')
        whole.len--;
    while (whole.len > 0 && whole.data[whole.len - 1] != '/')
        whole.len--;
    while (whole.len > 1 && whole.data[whole.len - 1] == '/')
        whole.len--;
    return copy_path(to, whole.len ? whole : BYTES_LIT("."), "", err);
}

enum err_code file_write_at(int fd, struct bytes data, uint64_t offset, struct err *err)
{
    while (data.len > 0) {
        ssize_t n = pwrite(fd, data.data, data.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_fail_sys(err, n < 0 ? errno : EIO, "writing a file");
        data = bytes_from(data, (size_t)n);
        offset += (uint64_t)n;
    }
    return ERR_OK;
}

enum err_code file_read_at(int fd, void *ret_data, size_t len, uint64_t offset, struct err *err)
{
    uint8_t *to = ret_data;

    while (len > 0) {
        ssize_t n = pread(fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_fail_sys(err, errno, "reading a file");
        if (n == 0)
            return err_fail(err, ERR_CORRUPT, "the file ends %zu bytes early", len);
        to += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return ERR_OK;
}

static enum err_code open_file(const char *path, int flags, int *ret_fd, struct err *err)
{
    int fd;

    do {
        fd = open(path, flags | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0) {
        *ret_fd = fd;
        return ERR_OK;
    }
    if (errno == ENOENT)
        return err_fail(err, ERR_NOT_FOUND, "no file '%s'", path);
    return err_fail_sys(err, errno, "opening '%s'", path);
}

/* Append what a descriptor still has to give to `to`, up to one byte past `max`. */
static enum err_code read_rest(int fd, const char *path, struct buf *to, size_t max,
                               struct err *err)
{
    while (to->len <= max) {
        size_t wanted = max - to->len < CHUNK ? max - to->len + 1 : CHUNK;
        uint8_t *chunk = buf_extend(to, wanted);
        ssize_t n;

        if (!chunk)
            return err_fail(err, ERR_NO_MEMORY, "reading '%s'", path);
        do {
            n = read(fd, chunk, wanted);
        } while (n < 0 && errno == EINTR);
        if (n < 0)
            return err_fail_sys(err, errno, "reading '%s'", path);
        to->len -= wanted - (size_t)n;
        if (n == 0)
            return ERR_OK;
    }
    return err_fail(err, ERR_LIMIT, "'%s' is longer than %zu bytes", path, max);
}

enum err_code file_read(const char *path, size_t max, struct arena *arena,
                        struct bytes *ret_content, struct err *err)
{
    AUTO(buf) struct buf content;
    enum err_code code;
    int fd;

    assert(max < SIZE_MAX);
    buf_init(&content, max + 1);
    code = open_file(path, O_RDONLY, &fd, err);
    if (code)
        return code;
    code = read_rest(fd, path, &content, max, err);
    close(fd);
    if (code)
        return code;
    struct bytes copy = arena_copy(arena, buf_bytes(&content));
    if (!copy.data)
        return err_fail(err, ERR_NO_MEMORY, "reading '%s'", path);
    *ret_content = copy;
    return ERR_OK;
}

static enum err_code sync_fd(int fd, const char *path, struct err *err)
{
    return fsync(fd) == 0 ? ERR_OK : err_fail_sys(err, errno, "syncing '%s'", path);
}

static enum err_code write_durably(int fd, const char *path, mode_t mode, struct bytes content,
                                   struct err *err)
{
    enum err_code code;

    if (fchmod(fd, mode) != 0)
        return err_fail_sys(err, errno, "setting the mode of '%s'", path);
    code = file_write_at(fd, content, 0, err);
    return code ? code : sync_fd(fd, path, err);
}

static enum err_code write_temporary(char *path, mode_t mode, struct bytes content, struct err *err)
{
    int fd = mkostemp(path, O_CLOEXEC);
    enum err_code code;

    if (fd < 0)
        return err_fail_sys(err, errno, "making '%s'", path);
    code = write_durably(fd, path, mode, content, err);
    close(fd); /* nothing to learn from it after fsync */
    if (code)
        unlink(path);
    return code;
}

static enum err_code sync_parent(const char *path, struct err *err)
{
    struct path parent;
    enum err_code code = copy_parent(&parent, path, err);

    return code ? code : file_sync_dir(parent.text, err);
}

enum err_code file_replace(const char *path, mode_t mode, struct bytes content, struct err *err)
{
    struct path temporary;
    enum err_code code = copy_path(&temporary, bytes_of_str(path), ".tmp-XXXXXX", err);

    if (!code)
        code = write_temporary(temporary.text, mode, content, err);
    if (code)
        return code;
    if (rename(temporary.text, path) != 0) {
        code = err_fail_sys(err, errno, "replacing '%s'", path);
        unlink(temporary.text);
        return code;
    }
    return sync_parent(path, err);
}

static bool is_dir(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum err_code file_make_dir(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) != 0) {
        int reason = errno;
        if (reason != EEXIST)
            return err_fail_sys(err, reason, "making the folder '%s'", path);
        if (!is_dir(path))
            return err_fail(err, ERR_EXISTS, "'%s' is no folder", path);
    }
    return sync_parent(path, err); /* also where it was there: its maker may have died before */
}

enum err_code file_sync_dir(const char *path, struct err *err)
{
    enum err_code code;
    int fd;

    code = open_file(path, O_RDONLY | O_DIRECTORY, &fd, err);
    if (code)
        return code;
    code = sync_fd(fd, path, err);
    close(fd);
    return code;
}

char *file_join(struct arena *arena, const char *dir, const char *name)
{
    size_t len = strlen(dir);
    const char *slash = len > 0 && dir[len - 1] == '/' ? "" : "/";

    return (char *)arena_printf(arena, "%s%s%s", dir, slash, name).data;
}

enum err_code file_lock(const char *path, int *ret_fd, struct err *err)
{
    enum err_code code;
    int fd;

    code = open_file(path, O_RDWR | O_CREAT, &fd, err);
    if (code)
        return code;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return ERR_OK;
    }
    if (errno == EWOULDBLOCK)
        code = err_fail(err, ERR_BUSY, "another process holds '%s'", path);
    else
        code = err_fail_sys(err, errno, "locking '%s'", path);
    close(fd);
    return code;
}
