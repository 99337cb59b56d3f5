/* import.c - see import.h. Written through the page cache, synced file by file at
 * the end; what no body fills stays a hole. */
#include "storage/obj/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/obj/internal.h"

#define CRC_LEN       4
#define ROW_ARENA_MAX MIB(8)

struct import {
    struct kv *kv;
    struct kv_iter *iter; /* on the next body's row */
    char dir[PATH_MAX];   /* DIR/bodies */
    int fd;               /* of the segment last written; -1 */
    uint32_t fd_segment;
    struct arena arena; /* the body's */
    struct record_extents extents;
    uint64_t at;  /* bytes of the body so far */
    uint32_t crc; /* of its block so far */
};

void import_free(struct import *import)
{
    if (!import)
        return;
    if (import->iter)
        import->kv->calls->iter_close(import->iter);
    if (import->fd >= 0)
        close(import->fd);
    arena_done(&import->arena);
    free(import);
}

enum err_code import_open(struct kv *kv, const char *dir, struct import **ret_import,
                          struct err *err)
{
    AUTO(import) struct import *import = calloc(1, sizeof(*import));
    if (!import)
        return err_fail(err, ERR_NO_MEMORY, "import");
    import->kv = kv;
    import->fd = -1;
    arena_init(&import->arena, ROW_ARENA_MAX);
    int len = snprintf(import->dir, sizeof(import->dir), "%s/bodies", dir);
    if (len < 0 || (size_t)len >= sizeof(import->dir))
        return err_fail(err, ERR_INVALID, "the path of the data folder is too long");
    const uint8_t first = TAG_BODY, behind = TAG_BODY + 1;
    enum err_code rc = file_make_dir(import->dir, 0700, err);
    if (rc == ERR_OK)
        rc = kv->calls->iter_open(kv, NULL, KV_META, bytes_of(&first, 1), bytes_of(&behind, 1),
                                  &import->iter, err);
    if (rc == ERR_OK)
        *ret_import = TAKE(import);
    return rc;
}

/* As long as its last extent with its padding: it is read in whole pages. */
static enum err_code make_long_enough(const struct import *import, uint64_t until, struct err *err)
{
    struct stat st;
    uint64_t size = (until + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
    if (fstat(import->fd, &st) != 0 ||
        ((uint64_t)st.st_size < size && ftruncate(import->fd, (off_t)size) != 0))
        return err_fail_sys(err, errno, "segment %08x", import->fd_segment);
    return ERR_OK;
}

static enum err_code use_extent(struct import *import, const struct record_extent *extent,
                                struct err *err)
{
    if (import->fd < 0 || import->fd_segment != extent->segment) {
        if (import->fd >= 0)
            close(import->fd);
        char path[PATH_MAX + 16];
        snprintf(path, sizeof(path), "%s/%08x.seg", import->dir, extent->segment);
        import->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (import->fd < 0)
            return err_fail_sys(err, errno, "segment %08x", extent->segment);
        import->fd_segment = extent->segment;
    }
    return make_long_enough(import, extent->offset + extent->stored, err);
}

/* The whole body has its place even if none of its bytes come: what is damaged
 * reads as such, and is not taken for a lost segment. */
static enum err_code make_room(struct import *import, struct err *err)
{
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < import->extents.extent_count; i++)
        rc = use_extent(import, &import->extents.extents[i], err);
    return rc;
}

enum err_code import_next(struct import *import, struct export_body *ret_body, bool *ret_found,
                          struct err *err)
{
    const struct kv_calls *calls = import->kv->calls;
    struct bytes key, value;
    *ret_body = (struct export_body){0};
    *ret_found = calls->iter_at(import->iter, &key, &value);
    if (!*ret_found)
        return calls->iter_check(import->iter, err);
    if (key.len != 9)
        return err_fail(err, ERR_CORRUPT, "key of a body");
    ret_body->id = codec_get_u64be(key.data + 1);
    arena_reset(&import->arena);
    import->at = import->crc = 0;
    import->extents = (struct record_extents){0};
    enum err_code rc = record_decode_extents(value, &import->arena, &import->extents, err);
    calls->iter_next(import->iter);
    ret_body->length = import->extents.length;
    return rc == ERR_OK ? make_room(import, err) : rc;
}

/* As much as lies in one extent. ret_len  bytes written */
static enum err_code write_some(struct import *import, struct bytes piece, size_t *ret_len,
                                struct err *err)
{
    uint64_t skip = import->at;
    size_t i = 0;
    while (i < import->extents.extent_count && skip >= import->extents.extents[i].stored)
        skip -= import->extents.extents[i++].stored;
    if (i == import->extents.extent_count)
        return err_fail(err, ERR_CORRUPT, "more bytes than there were");
    const struct record_extent *extent = &import->extents.extents[i];
    enum err_code rc = use_extent(import, extent, err);
    uint64_t room = extent->stored - skip;
    *ret_len = piece.len < room ? piece.len : (size_t)room;
    if (rc == ERR_OK)
        rc = file_write_at(import->fd, bytes_first(piece, *ret_len), extent->offset + skip, err);
    return rc;
}

/* The block that ends at import->at is what was stored. */
static enum err_code check_block(struct import *import, struct err *err)
{
    const struct record_extents *extents = &import->extents;
    uint64_t block = (import->at - 1) / extents->block_bytes;
    if (extents->block_crcs.len < (block + 1) * CRC_LEN ||
        codec_get_u32be(extents->block_crcs.data + block * CRC_LEN) != import->crc)
        return err_fail(err, ERR_CORRUPT, "checksum mismatch at byte %llu",
                        (unsigned long long)(block * extents->block_bytes));
    import->crc = 0;
    return ERR_OK;
}

/* Count bytes in, block by block. */
static enum err_code check_some(struct import *import, struct bytes piece, struct err *err)
{
    const struct record_extents *extents = &import->extents;
    enum err_code rc = ERR_OK;
    while (rc == ERR_OK && piece.len) {
        uint64_t left = extents->block_bytes - import->at % extents->block_bytes;
        struct bytes now = bytes_first(piece, left < piece.len ? (size_t)left : piece.len);
        import->crc = hash_crc32c(import->crc, now);
        import->at += now.len;
        piece = bytes_from(piece, now.len);
        if (now.len == left || import->at == extents->length)
            rc = check_block(import, err);
    }
    return rc;
}

enum err_code import_write(struct import *import, struct bytes piece, struct err *err)
{
    enum err_code rc = ERR_OK;
    if (piece.len > import->extents.length - import->at)
        return err_fail(err, ERR_CORRUPT, "more bytes than there were");
    while (rc == ERR_OK && piece.len) {
        size_t len = 0;
        rc = write_some(import, piece, &len, err);
        if (rc == ERR_OK)
            rc = check_some(import, bytes_first(piece, len), err);
        piece = bytes_from(piece, len);
    }
    return rc;
}

enum err_code import_end(struct import *import, struct err *err)
{
    if (import->at == import->extents.length)
        return ERR_OK;
    return err_fail(err, ERR_CORRUPT, "%llu bytes are missing",
                    (unsigned long long)(import->extents.length - import->at));
}

static enum err_code sync_file(int dir_fd, const char *name, struct err *err)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int failed = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return failed ? err_fail_sys(err, failed, "segment '%s'", name) : ERR_OK;
}

enum err_code import_finish(struct import *import, struct err *err)
{
    DIR *folder = opendir(import->dir);
    if (!folder)
        return err_fail_sys(err, errno, "folder '%s'", import->dir);
    enum err_code rc = ERR_OK;
    struct dirent *entry;
    while (rc == ERR_OK && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            rc = sync_file(dirfd(folder), entry->d_name, err);
    closedir(folder);
    return rc == ERR_OK ? file_sync_dir(import->dir, err) : rc;
}
