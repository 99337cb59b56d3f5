/* rocks_internal.h - what rocks.c and rocks_read.c share: the open store.
 *
 * Owns      nothing: rocks.c does.
 * Threads   the handles are fixed while somebody is inside the gate. */
#ifndef STORAGE_KV_ROCKS_INTERNAL_H
#define STORAGE_KV_ROCKS_INTERNAL_H

#include "base/arena.h"
#include "storage/kv/gate.h"
#include "storage/kv/rocks_config.h"
#include "storage/kv/row_cache.h"

struct rocks {
    struct kv kv;
    struct gate gate;
    struct arena arena; /* the names */
    char *dir, *verify_dir, *lock_path;
    int lock_fd; /* our own: RocksDB takes its lock after the logs are checked */
    struct kv_rocks_options options;
    struct rocks_config config;
    struct row_cache *rows; /* of the moment: a read as of a snapshot goes past it */
    rocksdb_t *db;          /* NULL after a reopen that failed */
    bool hold_compactions;  /* from the next reopening on; the writer's */
    rocksdb_column_family_handle_t *families[KV_FAMILIES];
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *synced, *unsynced;
    _Atomic(rocksdb_writebatch_t *) spare; /* kept for the next write */
};

/* Go in; with ERR_OK the caller holds the gate. */
MUST_USE enum err_code rocks_enter(struct rocks *rocks, struct err *err);

/* The calls of struct kv_calls that read, see kv.h. */
enum err_code rocks_get(struct kv *kv, const struct kv_snapshot *snapshot, enum kv_family family,
                        struct bytes key, struct kv_value *ret_value, struct err *err);
void rocks_value_free(struct kv *kv, struct kv_value *value);
enum err_code rocks_iter_open(struct kv *kv, const struct kv_snapshot *snapshot,
                              enum kv_family family, struct bytes from, struct bytes until,
                              struct kv_iter **ret_iter, struct err *err);
bool rocks_iter_at(struct kv_iter *iter, struct bytes *ret_key, struct bytes *ret_value);
void rocks_iter_next(struct kv_iter *iter);
void rocks_iter_prev(struct kv_iter *iter);
void rocks_iter_seek(struct kv_iter *iter, struct bytes key);
void rocks_iter_seek_last(struct kv_iter *iter);
enum err_code rocks_iter_check(struct kv_iter *iter, struct err *err);
void rocks_iter_close(struct kv_iter *iter);
struct kv_snapshot *rocks_snapshot_open(struct kv *kv);
void rocks_snapshot_close(struct kv *kv, struct kv_snapshot *snapshot);

#endif
