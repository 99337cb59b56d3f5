/* rocks.c - struct kv over RocksDB's C API.
 *
 * Owns      the files in its folder; `verify/` in it while verify() runs.
 * Threads   any: RocksDB locks for itself. Every call holds the gate, as does what
 *           a reader was handed (rocks_read.c), so that reopen() finds a moment
 *           when nobody is inside.
 * Source    RocksDB 7.8 and 9.10, include/rocksdb/c.h, options.h.
 *
 * RocksDB's own recovery from a full disk leaves its log unusable (its issue
 * 11643), so reopen() closes it and opens it again. */
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/kv/manifest.h"
#include "storage/kv/rocks_error.h"
#include "storage/kv/rocks_internal.h"
#include "storage/kv/rocks_verify.h"
#include "storage/kv/wal.h"

#define SPARE_BATCH_MAX    MIB(1)  /* a batch that grew larger is not kept */
#define REOPEN_WAIT_MS     200     /* how long newcomers are kept out for it */
#define REOPEN_SPARE_BYTES MIB(16) /* free beside the memtables' before it is tried */
#define VERIFY_DIR         "verify"
#define LOCK_FILE          "owner.lock"
#define CACHE_BYTES        "cache_bytes"

/* ---- writing ---- */

static void batch_add(rocksdb_writebatch_t *batch, rocksdb_column_family_handle_t *family,
                      const struct kv_op *op)
{
    const char *key = (const char *)op->key.data, *value = (const char *)op->value.data;
    if (op->kind == KV_PUT)
        rocksdb_writebatch_put_cf(batch, family, key, op->key.len, value, op->value.len);
    else if (op->kind == KV_DELETE)
        rocksdb_writebatch_delete_cf(batch, family, key, op->key.len);
    else if (bytes_compare(op->key, op->value) <
             0) /* RocksDB refuses a batch with a reversed one */
        rocksdb_writebatch_delete_range_cf(batch, family, key, op->key.len, value, op->value.len);
}

static rocksdb_writebatch_t *batch_take(struct rocks *rocks)
{
    rocksdb_writebatch_t *batch = atomic_exchange(&rocks->spare, NULL);
    return batch ? batch : rocksdb_writebatch_create();
}

/* Keep its memory for the next write, or free it. */
static void batch_give(struct rocks *rocks, rocksdb_writebatch_t *batch)
{
    size_t len;
    rocksdb_writebatch_data(batch, &len);
    rocksdb_writebatch_clear(batch);
    if (len <= SPARE_BATCH_MAX)
        batch = atomic_exchange(&rocks->spare, batch);
    if (batch)
        rocksdb_writebatch_destroy(batch);
}

/* Where a table's damage stopped a compaction, RocksDB refuses every write before
 * it begins; the table's keys are read as ever, up to the damage. Reopened
 * without compactions the store takes writes. message is taken. */
static enum err_code write_failed(struct rocks *rocks, char *message, struct err *err)
{
    struct err why = {0};
    bool is_refusal = rocks_error_names_table(message);
    if (rocks_error_take(&why, message, "write") == ERR_CORRUPT) {
        rocks->hold_compactions |= is_refusal;
        why.code = is_refusal ? ERR_CORRUPT : ERR_IO;
    }
    if (err)
        *err = why;
    return why.code;
}

static enum err_code rocks_write(struct kv *kv, const struct kv_op *ops, size_t count, bool sync,
                                 struct err *err)
{
    struct rocks *rocks = (struct rocks *)kv;
    enum err_code code = rocks_enter(rocks, err);
    if (code)
        return code;
    char *message = NULL;
    rocksdb_writebatch_t *batch = batch_take(rocks);
    for (size_t i = 0; i < count; i++)
        batch_add(batch, rocks->families[ops[i].family], &ops[i]);
    row_cache_begin(rocks->rows, ops, count);
    rocksdb_write(rocks->db, sync ? rocks->synced : rocks->unsynced, batch, &message);
    row_cache_end(rocks->rows, ops, count);
    batch_give(rocks, batch);
    gate_leave(&rocks->gate);
    return message ? write_failed(rocks, message, err) : ERR_OK;
}

/* ---- the whole ---- */

static enum err_code open_all(struct rocks *rocks, struct err *err)
{
    char *message = NULL;
    enum err_code code = manifest_check(rocks->dir, err);
    if (!code)
        code = wal_check(rocks->dir, err);
    if (code)
        return code;
    for (int i = 0; i < KV_FAMILIES; i++)
        rocksdb_options_set_disable_auto_compactions(rocks->config.family[i],
                                                     rocks->hold_compactions);
    rocks->db = rocksdb_open_column_families(
        rocks->config.family[0], rocks->dir, KV_FAMILIES, rocks_config_names,
        (const rocksdb_options_t *const *)rocks->config.family, rocks->families, &message);
    return message ? rocks_error_take(err, message, "open") : ERR_OK;
}

static enum err_code checkpoint_to(rocksdb_t *db, const char *dir, struct err *err)
{
    char *message = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(db, &message);
    if (checkpoint) {
        /* Without a flush, which could fail and stop all writers: the log is copied. */
        rocksdb_checkpoint_create(checkpoint, dir, UINT64_MAX, &message);
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    return message ? rocks_error_take(err, message, "checkpoint") : ERR_OK;
}

static enum err_code rocks_checkpoint(struct kv *kv, const char *dir, struct err *err)
{
    struct rocks *rocks = (struct rocks *)kv;
    enum err_code code = rocks_enter(rocks, err);
    if (code)
        return code;
    code = checkpoint_to(rocks->db, dir, err);
    gate_leave(&rocks->gate);
    return code;
}

static enum err_code rocks_verify(struct kv *kv, struct err *err)
{
    const struct rocks *rocks = (struct rocks *)kv;
    row_cache_clear(rocks->rows); /* what is read from now on is what the disk has */
    return rocks_verify_copy(kv, &rocks->options, rocks->verify_dir, err);
}

static const struct property {
    const char *name;
    const char *rocks_name;
    bool is_shared; /* counted once, not for each family */
} properties[] = {
    {"sst_bytes", "rocksdb.total-sst-files-size", false},
    {"memtable_bytes", "rocksdb.cur-size-all-mem-tables", false},
    {"compaction_bytes", "rocksdb.estimate-pending-compaction-bytes", false},
    {CACHE_BYTES, "rocksdb.block-cache-usage", true},
    {"background_errors", "rocksdb.background-errors", true},
    {"write_stopped", "rocksdb.is-write-stopped", true},
};

static uint64_t sum_of(struct rocks *rocks, const struct property *property)
{
    uint64_t sum = 0;
    for (int i = 0; i < (property->is_shared ? 1 : KV_FAMILIES); i++) {
        uint64_t value = 0;
        rocksdb_property_int_cf(rocks->db, rocks->families[i], property->rocks_name, &value);
        sum += value;
    }
    return sum;
}

static uint64_t rocks_property(struct kv *kv, const char *name)
{
    struct rocks *rocks = (struct rocks *)kv;
    uint64_t value = 0;
    if (rocks_enter(rocks, NULL))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        if (strcmp(name, properties[i].name) == 0)
            value = sum_of(rocks, &properties[i]);
    if (strcmp(name, CACHE_BYTES) == 0)
        value += row_cache_bytes(rocks->rows);
    gate_leave(&rocks->gate);
    return value;
}

static enum err_code check_room(const struct rocks *rocks, struct err *err)
{
    struct statvfs fs;
    if (statvfs(rocks->dir, &fs) != 0)
        return err_fail_sys(err, errno, "statvfs '%s'", rocks->dir);
    uint64_t want = rocks->options.memtable_bytes + REOPEN_SPARE_BYTES;
    if ((uint64_t)fs.f_bavail * fs.f_frsize < want)
        return err_fail(err, ERR_NO_SPACE, "the disk is full: %llu MiB must be free",
                        (unsigned long long)(want / MIB(1)));
    return ERR_OK;
}

static enum err_code rocks_reopen(struct kv *kv, struct err *err)
{
    struct rocks *rocks = (struct rocks *)kv;
    enum err_code code = check_room(rocks, err);
    if (code)
        return code;
    if (!gate_shut(&rocks->gate, REOPEN_WAIT_MS))
        return err_fail(err, ERR_BUSY, "rows are being read");
    if (rocks->db)
        rocks_config_close(rocks->db, rocks->families);
    rocks->db = NULL;
    row_cache_clear(rocks->rows);
    code = open_all(rocks, err);
    gate_open(&rocks->gate);
    return code;
}

static void rocks_close(struct kv *kv)
{
    struct rocks *rocks = (struct rocks *)kv;
    if (!rocks)
        return;
    if (rocks->db)
        rocks_config_close(rocks->db, rocks->families);
    if (rocks->spare)
        rocksdb_writebatch_destroy(rocks->spare);
    rocksdb_readoptions_destroy(rocks->read);
    rocksdb_writeoptions_destroy(rocks->synced);
    rocksdb_writeoptions_destroy(rocks->unsynced);
    rocks_config_done(&rocks->config);
    row_cache_free(rocks->rows);
    gate_done(&rocks->gate);
    if (rocks->lock_fd >= 0)
        close(rocks->lock_fd);
    arena_done(&rocks->arena);
    free(rocks);
}

static const struct kv_calls rocks_calls = {
    .get = rocks_get,
    .value_free = rocks_value_free,
    .iter_open = rocks_iter_open,
    .iter_at = rocks_iter_at,
    .iter_next = rocks_iter_next,
    .iter_prev = rocks_iter_prev,
    .iter_seek = rocks_iter_seek,
    .iter_seek_last = rocks_iter_seek_last,
    .iter_check = rocks_iter_check,
    .iter_close = rocks_iter_close,
    .snapshot_open = rocks_snapshot_open,
    .snapshot_close = rocks_snapshot_close,
    .write = rocks_write,
    .reopen = rocks_reopen,
    .checkpoint = rocks_checkpoint,
    .verify = rocks_verify,
    .property = rocks_property,
    .close = rocks_close,
};

static struct rocks *rocks_new(const char *dir, const struct kv_rocks_options *options)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    if (!rocks)
        return NULL;
    arena_init(&rocks->arena, KIB(16));
    rocks->dir = arena_str(&rocks->arena, bytes_of_str(dir));
    rocks->verify_dir = file_join(&rocks->arena, dir, VERIFY_DIR);
    rocks->lock_path = file_join(&rocks->arena, dir, LOCK_FILE);
    rocks->lock_fd = -1;
    rocks->rows = row_cache_new(options->cache_bytes / 2);
    if (!rocks->dir || !rocks->verify_dir || !rocks->lock_path || !rocks->rows) {
        row_cache_free(rocks->rows);
        arena_done(&rocks->arena);
        free(rocks);
        return NULL;
    }
    rocks->kv.calls = &rocks_calls;
    rocks->options = *options;
    gate_init(&rocks->gate);
    rocks_config_init(&rocks->config, options);
    rocks->read = rocks_config_read_options();
    rocks->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->synced, 1);
    rocks->unsynced = rocksdb_writeoptions_create();
    return rocks;
}

enum err_code kv_rocks_open(const char *dir, const struct kv_rocks_options *options,
                            struct kv **ret_kv, struct err *err)
{
    enum err_code code = file_make_dir(dir, 0700, err);
    if (code)
        return code;
    struct rocks *rocks = rocks_new(dir, options);
    if (!rocks)
        return err_fail(err, ERR_NO_MEMORY, "no memory for the store");
    code = file_lock(rocks->lock_path, &rocks->lock_fd, err);
    if (!code)
        code = rocks_verify_clean(rocks->verify_dir, err);
    if (!code)
        code = open_all(rocks, err);
    if (code)
        rocks_close(&rocks->kv);
    else
        *ret_kv = &rocks->kv;
    return code;
}
