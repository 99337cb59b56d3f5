/* file.h - files done right: short writes, EINTR, atomic replacement, folders synced.
 *
 * Threads   any. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

/* Write all of `data` at `offset`. errors  ERR_NO_SPACE, ERR_IO */
MUST_USE enum err_code file_write_at(int fd, struct bytes data, uint64_t offset, struct err *err);

/* Read exactly `len` bytes from `offset`.
 *
 * errors  ERR_IO; ERR_CORRUPT (the file ends before) */
MUST_USE enum err_code file_read_at(int fd, void *ret_data, size_t len, uint64_t offset,
                                    struct err *err);

/* Read a whole file of at most `max` bytes; NUL behind it.
 *
 * errors  ERR_NOT_FOUND, ERR_LIMIT (longer than max), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code file_read(const char *path, size_t max, struct arena *arena,
                                 struct bytes *ret_content, struct err *err);

/* Replace a file's content atomically: a temporary beside it, fsync, rename,
 * fsync of the folder.
 *
 * mode    permission bits of the new file
 * errors  ERR_NO_SPACE, ERR_IO, ERR_INVALID (path too long)
 * effect  after ERR_OK the new content survives a power cut; on an error the old one is there,
 *         but for an error in syncing the folder: then the new one is, perhaps not durably */
MUST_USE enum err_code file_replace(const char *path, mode_t mode, struct bytes content,
                                    struct err *err);

/* Make a folder where there is none (parents must exist) and sync its parent.
 *
 * errors  ERR_IO; ERR_EXISTS (something that is no folder is there) */
MUST_USE enum err_code file_make_dir(const char *path, mode_t mode, struct err *err);

/* fsync a folder, so that names in it are durable. */
MUST_USE enum err_code file_sync_dir(const char *path, struct err *err);

/* "dir/name" in the arena; NULL when memory is out. */
char *file_join(struct arena *arena, const char *dir, const char *name);

/* Take the exclusive lock that keeps a second process away, without waiting. Makes the
 * file where there is none.
 *
 * ret_fd  yours; closing it releases the lock
 * errors  ERR_BUSY (another process holds it), ERR_IO, ERR_NOT_FOUND */
MUST_USE enum err_code file_lock(const char *path, int *ret_fd, struct err *err);

#endif
