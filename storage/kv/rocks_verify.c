/* rocks_verify.c - see rocks_verify.h.
 *
 * A checkpoint stands still while it is read. Its manifest must be whole, each
 * of its tables what the manifest has put down, and RocksDB must be able to read
 * every row. */
#include "storage/kv/rocks_verify.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "storage/kv/manifest.h"
#include "storage/kv/rocks_config.h"
#include "storage/kv/rocks_error.h"
#include "storage/kv/table_sum.h"

#define READ_AHEAD_BYTES MIB(2)

static enum err_code read_family(rocksdb_t *db, rocksdb_column_family_handle_t *family,
                                 rocksdb_readoptions_t *read, struct err *err)
{
    char *message = NULL;
    rocksdb_iterator_t *iter = rocksdb_create_iterator_cf(db, read, family);
    rocksdb_iter_seek_to_first(iter);
    while (rocksdb_iter_valid(iter))
        rocksdb_iter_next(iter);
    rocksdb_iter_get_error(iter, &message);
    rocksdb_iter_destroy(iter);
    return message ? rocks_error_take(err, message, "verify") : ERR_OK;
}

/* Open the checkpoint without a cache, so that every block comes from its file, and read it. */
static enum err_code read_checkpoint(const struct rocks_config *config, const char *dir,
                                     struct err *err)
{
    char *message = NULL;
    rocksdb_column_family_handle_t *handles[KV_FAMILIES];
    rocksdb_t *db = rocksdb_open_for_read_only_column_families(
        config->family[0], dir, KV_FAMILIES, rocks_config_names,
        (const rocksdb_options_t *const *)config->family, handles, 0, &message);
    if (message)
        return rocks_error_take(err, message, "verify");
    rocksdb_readoptions_t *read = rocks_config_read_options();
    rocksdb_readoptions_set_readahead_size(read, READ_AHEAD_BYTES);
    enum err_code code = ERR_OK;
    for (int i = 0; i < KV_FAMILIES && !code; i++)
        code = read_family(db, handles[i], read, err);
    rocksdb_readoptions_destroy(read);
    rocks_config_close(db, handles);
    return code;
}

/* Remove a checkpoint, whole or in part: files, and no folder among them. One that
 * is not there is fine; what cannot be removed stays, and the next one fails on it. */
static enum err_code remove_folder(const char *dir, struct err *err)
{
    DIR *entries = opendir(dir);
    if (!entries && errno == ENOENT)
        return ERR_OK;
    if (!entries)
        return err_fail_sys(err, errno, "open '%s'", dir);
    for (struct dirent *entry; (entry = readdir(entries));)
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    (void)rmdir(dir);
    return ERR_OK;
}

/* Read it past the kernel's cache, or through it where the file system knows no other way. */
static enum err_code read_from_disk(const struct rocks_config *config, const char *dir,
                                    struct err *err)
{
    rocksdb_options_set_use_direct_reads(config->family[0], 1);
    enum err_code code = read_checkpoint(config, dir, err);
    if (code != ERR_IO)
        return code;
    rocksdb_options_set_use_direct_reads(config->family[0], 0);
    return read_checkpoint(config, dir, err);
}

static enum err_code check_copy(const struct rocks_config *config, const char *dir, struct err *err)
{
    enum err_code code = manifest_check(dir, err);
    if (!code)
        code = table_sum_check(dir, err);
    if (!code)
        code = read_from_disk(config, dir, err);
    return code;
}

enum err_code rocks_verify_clean(const char *dir, struct err *err)
{
    char unfinished[PATH_MAX]; /* as RocksDB calls it until it is whole */
    if (snprintf(unfinished, sizeof unfinished, "%s.tmp", dir) >= (int)sizeof unfinished)
        return err_fail(err, ERR_INVALID, "the path of the store is too long");
    enum err_code code = remove_folder(dir, err);
    return code ? code : remove_folder(unfinished, err);
}

enum err_code rocks_verify_copy(struct kv *kv, const struct kv_rocks_options *options,
                                const char *dir, struct err *err)
{
    struct kv_rocks_options uncached = *options;
    struct rocks_config config;
    uncached.cache_bytes = 0;
    rocks_config_init(&config, &uncached);
    enum err_code code = rocks_verify_clean(dir, err);
    if (!code)
        code = kv->calls->checkpoint(kv, dir, err);
    if (!code)
        code = check_copy(&config, dir, err);
    enum err_code cleaned = rocks_verify_clean(dir, code ? NULL : err);
    rocks_config_done(&config);
    return code ? code : cleaned;
}
