/* copy.c - see copy.h. */
#include "storage/backup/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

#define BUFFER_BYTES MIB(1)

enum err_code copier_init(struct copier *copier, struct place *place, struct err *err)
{
    *copier = (struct copier){.place = place, .buffer = malloc(BUFFER_BYTES)};
    return copier->buffer ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "out of memory for a copy");
}

void copier_done(struct copier *copier)
{
    free(copier->buffer);
    copier->buffer = NULL;
}

static enum err_code step(const struct copier *copier, size_t len, struct err *err)
{
    return copier->step ? copier->step(copier->ctx, len, err) : ERR_OK;
}

/* The file in DEST, and what its bytes come to. */
struct stream {
    int fd;
    struct hash_set *sha256;
};

/* From the source to the file. */
static enum err_code pour(struct copier *copier, const struct copy_source *source, uint64_t length,
                          const struct stream *to, bool *ret_bad, struct err *err)
{
    size_t len;
    for (uint64_t at = 0; at < length; at += len) {
        uint64_t left = length - at;
        enum err_code rc =
            source->read(source->ctx, at, copier->buffer,
                         left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES, &len, err);
        *ret_bad = rc == ERR_CORRUPT || (rc == ERR_IO && err->sys == EIO);
        if (rc != ERR_OK)
            return rc;
        struct bytes piece = bytes_of(copier->buffer, len);
        hash_set_update(to->sha256, piece);
        rc = file_write_at(to->fd, piece, at, err);
        if (rc != ERR_OK)
            return err_add(err, "the backup '%s'", copier->place->dir);
        rc = step(copier, len, err);
        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum err_code copy_to(struct copier *copier, const struct copy_source *source,
                             struct catalog_file *file, const char *path, bool *ret_bad,
                             struct err *err)
{
    AUTO(hash_set) struct hash_set *sha256 = NULL;
    enum err_code rc = hash_set_new(HASH_BIT(HASH_SHA256), &sha256, err);
    if (rc != ERR_OK)
        return rc;
    int fd = openat(copier->place->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    if (fd < 0)
        return err_fail_sys(err, errno, "making '%s/%s'", copier->place->dir, path);
    rc = pour(copier, source, file->length, &(struct stream){fd, sha256}, ret_bad, err);
    close(fd); /* what it could tell, place_sync tells */
    if (rc != ERR_OK)
        return rc;
    struct hash_value value = hash_set_finish(sha256, HASH_SHA256);
    memcpy(file->sha256, value.data, CATALOG_SHA_LEN);
    return ERR_OK;
}

enum err_code copy_in(struct copier *copier, const struct copy_source *source,
                      struct catalog_file *file, bool *ret_bad, struct err *err)
{
    char path[PLACE_PATH_MAX];
    place_path(file->name, file->made_by, path);
    *ret_bad = false;
    enum err_code rc = copy_to(copier, source, file, path, ret_bad, err);
    if (rc != ERR_OK)
        unlinkat(copier->place->fd, path, 0); /* one that stays is swept by the next run */
    return *ret_bad ? ERR_OK : rc;
}

enum err_code copy_read_fd(void *ctx, uint64_t offset, uint8_t *to, size_t room, size_t *ret_len,
                           struct err *err)
{
    *ret_len = room;
    return file_read_at(*(const int *)ctx, to, room, offset, err);
}

enum err_code copy_tail(struct copier *copier, int fd, uint64_t length,
                        uint8_t ret_sha256[CATALOG_SHA_LEN], struct err *err)
{
    size_t len = length < COPY_TAIL_BYTES ? (size_t)length : COPY_TAIL_BYTES;
    enum err_code rc = file_read_at(fd, copier->buffer, len, length - len, err);
    if (rc != ERR_OK)
        return rc;
    struct hash_value value = hash_once(HASH_SHA256, bytes_of(copier->buffer, len));
    memcpy(ret_sha256, value.data, CATALOG_SHA_LEN);
    return ERR_OK;
}

/* Read all of it, hand it over, digest it. */
static enum err_code drain(struct copier *copier, uint64_t length, const struct stream *from,
                           enum err_code (*take)(void *ctx, struct bytes piece, struct err *err),
                           void *ctx, struct err *err)
{
    enum err_code rc = ERR_OK;
    for (uint64_t at = 0; rc == ERR_OK && at < length; at += BUFFER_BYTES) {
        size_t len = length - at < BUFFER_BYTES ? (size_t)(length - at) : BUFFER_BYTES;
        rc = file_read_at(from->fd, copier->buffer, len, at, err);
        if (rc != ERR_OK)
            break;
        struct bytes piece = bytes_of(copier->buffer, len);
        hash_set_update(from->sha256, piece);
        rc = take(ctx, piece, err);
        if (rc == ERR_OK)
            rc = step(copier, len, err);
    }
    /* They are read once: what others read shall stay in memory. */
    (void)posix_fadvise(from->fd, 0, (off_t)length, POSIX_FADV_DONTNEED);
    return rc;
}

static enum err_code drain_file(struct copier *copier, const struct catalog_file *file, int fd,
                                enum err_code (*take)(void *ctx, struct bytes piece,
                                                      struct err *err),
                                void *ctx, struct err *err)
{
    struct stat st;
    AUTO(hash_set) struct hash_set *sha256 = NULL;
    enum err_code rc = hash_set_new(HASH_BIT(HASH_SHA256), &sha256, err);
    if (rc != ERR_OK)
        return rc;
    if (fstat(fd, &st) != 0)
        return err_fail_sys(err, errno, "looking at it");
    if ((uint64_t)st.st_size != file->length)
        return err_fail(err, ERR_CORRUPT, "%llu bytes long, %llu were written",
                        (unsigned long long)st.st_size, (unsigned long long)file->length);
    rc = drain(copier, file->length, &(struct stream){fd, sha256}, take, ctx, err);
    if (rc != ERR_OK)
        return rc;
    struct hash_value value = hash_set_finish(sha256, HASH_SHA256);
    if (memcmp(value.data, file->sha256, CATALOG_SHA_LEN) != 0)
        return err_fail(err, ERR_CORRUPT, "not what was written");
    return ERR_OK;
}

enum err_code copy_out(struct copier *copier, const struct catalog_file *file,
                       enum err_code (*take)(void *ctx, struct bytes piece, struct err *err),
                       void *ctx, struct err *err)
{
    char path[PLACE_PATH_MAX];
    place_path(file->name, file->made_by, path);
    int fd = openat(copier->place->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return err_fail(err, ERR_CORRUPT, "damaged backup: '%s/%s' is missing", copier->place->dir,
                        path);
    if (fd < 0)
        return err_fail_sys(err, errno, "opening '%s/%s'", copier->place->dir, path);
    enum err_code rc = drain_file(copier, file, fd, take, ctx, err);
    close(fd);
    if (rc == ERR_CORRUPT)
        return err_add(err, "damaged backup: '%s/%s'", copier->place->dir, path);
    return rc;
}

bool copy_is_there(const struct place *place, const struct catalog_file *file)
{
    char path[PLACE_PATH_MAX];
    struct stat st;
    place_path(file->name, file->made_by, path);
    return fstatat(place->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == file->length;
}
