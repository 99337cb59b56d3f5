/* rocks_read.c - reading out of RocksDB: a row by its key, ranges, snapshots.
 *
 * Threads   any; an iterator belongs to one thread. Every value out of RocksDB,
 *           iterator and snapshot holds the gate until it is given back; a value
 *           of row_cache.h holds its row alone.
 * Source    RocksDB 7.8 and 9.10, include/rocksdb/c.h. */
#include <stdlib.h>

#include "storage/kv/rocks_error.h"
#include "storage/kv/rocks_internal.h"

struct kv_snapshot {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *read;
};

struct kv_iter {
    struct rocks *rocks;
    rocksdb_iterator_t *iter;
    rocksdb_readoptions_t *read;
    uint8_t bounds[]; /* from, until: RocksDB borrows them */
};

enum err_code rocks_enter(struct rocks *rocks, struct err *err)
{
    gate_enter(&rocks->gate);
    if (rocks->db)
        return ERR_OK;
    gate_leave(&rocks->gate);
    return err_fail(err, ERR_IO, "the store could not be opened again");
}

static enum err_code get_from_store(struct rocks *rocks, const struct kv_snapshot *snapshot,
                                    enum kv_family family, struct bytes key,
                                    struct kv_value *ret_value, struct err *err)
{
    enum err_code code = rocks_enter(rocks, err);
    if (code)
        return code;
    char *message = NULL;
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned_cf(rocks->db, snapshot ? snapshot->read : rocks->read,
                              rocks->families[family], (const char *)key.data, key.len, &message);
    if (slice) {
        struct kv_value value = {.owner = slice, .is_pinned = true};
        value.bytes.data = (const uint8_t *)rocksdb_pinnableslice_value(slice, &value.bytes.len);
        *ret_value = value;
        return ERR_OK; /* the value holds the gate */
    }
    code = message ? rocks_error_take(err, message, "read")
                   : err_fail(err, ERR_NOT_FOUND, "no such row");
    gate_leave(&rocks->gate);
    return code;
}

enum err_code rocks_get(struct kv *kv, const struct kv_snapshot *snapshot, enum kv_family family,
                        struct bytes key, struct kv_value *ret_value, struct err *err)
{
    struct rocks *rocks = (struct rocks *)kv;
    struct row_miss miss;
    if (snapshot)
        return get_from_store(rocks, snapshot, family, key, ret_value, err);
    if (row_cache_find(rocks->rows, family, key, ret_value, &miss))
        return ERR_OK;
    enum err_code code = get_from_store(rocks, NULL, family, key, ret_value, err);
    if (!code) /* inside the gate: no reopening comes between */
        row_cache_add(rocks->rows, family, key, ret_value->bytes, &miss);
    return code;
}

void rocks_value_free(struct kv *kv, struct kv_value *value)
{
    if (value->owner && value->is_pinned) {
        rocksdb_pinnableslice_destroy(value->owner);
        gate_leave(&((struct rocks *)kv)->gate);
    } else if (value->owner) {
        row_release(value->owner);
    }
    *value = (struct kv_value){0};
}

/* Where `bound` was copied to, for RocksDB to borrow. */
static const char *keep_bound(uint8_t *to, struct bytes bound)
{
    if (bound.len)
        memcpy(to, bound.data, bound.len);
    return (const char *)to;
}

static struct kv_iter *iter_new(struct rocks *rocks, const struct kv_snapshot *snapshot,
                                enum kv_family family, struct bytes from, struct bytes until)
{
    struct kv_iter *iter = malloc(sizeof *iter + from.len + until.len);
    if (!iter)
        return NULL;
    iter->rocks = rocks;
    iter->read = rocks_config_read_options();
    rocksdb_readoptions_set_iterate_lower_bound(iter->read, keep_bound(iter->bounds, from),
                                                from.len);
    if (until.data)
        rocksdb_readoptions_set_iterate_upper_bound(
            iter->read, keep_bound(iter->bounds + from.len, until), until.len);
    if (snapshot)
        rocksdb_readoptions_set_snapshot(iter->read, snapshot->snapshot);
    iter->iter = rocksdb_create_iterator_cf(rocks->db, iter->read, rocks->families[family]);
    rocksdb_iter_seek_to_first(iter->iter);
    return iter;
}

enum err_code rocks_iter_open(struct kv *kv, const struct kv_snapshot *snapshot,
                              enum kv_family family, struct bytes from, struct bytes until,
                              struct kv_iter **ret_iter, struct err *err)
{
    struct rocks *rocks = (struct rocks *)kv;
    enum err_code code = rocks_enter(rocks, err);
    if (code)
        return code;
    struct kv_iter *iter = iter_new(rocks, snapshot, family, from, until);
    if (!iter) {
        gate_leave(&rocks->gate);
        return err_fail(err, ERR_NO_MEMORY, "no memory for an iterator");
    }
    *ret_iter = iter; /* holds the gate */
    return ERR_OK;
}

bool rocks_iter_at(struct kv_iter *iter, struct bytes *ret_key, struct bytes *ret_value)
{
    if (!rocksdb_iter_valid(iter->iter))
        return false;
    if (ret_key)
        ret_key->data = (const uint8_t *)rocksdb_iter_key(iter->iter, &ret_key->len);
    if (ret_value)
        ret_value->data = (const uint8_t *)rocksdb_iter_value(iter->iter, &ret_value->len);
    return true;
}

void rocks_iter_next(struct kv_iter *iter)
{
    if (rocksdb_iter_valid(iter->iter))
        rocksdb_iter_next(iter->iter);
}

void rocks_iter_prev(struct kv_iter *iter)
{
    if (rocksdb_iter_valid(iter->iter))
        rocksdb_iter_prev(iter->iter);
}

void rocks_iter_seek(struct kv_iter *iter, struct bytes key)
{
    rocksdb_iter_seek(iter->iter, (const char *)key.data, key.len);
}

void rocks_iter_seek_last(struct kv_iter *iter)
{
    rocksdb_iter_seek_to_last(iter->iter);
}

enum err_code rocks_iter_check(struct kv_iter *iter, struct err *err)
{
    char *message = NULL;
    rocksdb_iter_get_error(iter->iter, &message);
    return message ? rocks_error_take(err, message, "read") : ERR_OK;
}

void rocks_iter_close(struct kv_iter *iter)
{
    if (!iter)
        return;
    struct rocks *rocks = iter->rocks;
    rocksdb_iter_destroy(iter->iter);
    rocksdb_readoptions_destroy(iter->read);
    free(iter);
    gate_leave(&rocks->gate);
}

struct kv_snapshot *rocks_snapshot_open(struct kv *kv)
{
    struct rocks *rocks = (struct rocks *)kv;
    if (rocks_enter(rocks, NULL))
        return NULL;
    struct kv_snapshot *snapshot = malloc(sizeof *snapshot);
    if (!snapshot) {
        gate_leave(&rocks->gate);
        return NULL;
    }
    snapshot->snapshot = rocksdb_create_snapshot(rocks->db);
    snapshot->read = rocks_config_read_options();
    rocksdb_readoptions_set_snapshot(snapshot->read, snapshot->snapshot);
    return snapshot; /* holds the gate */
}

void rocks_snapshot_close(struct kv *kv, struct kv_snapshot *snapshot)
{
    struct rocks *rocks = (struct rocks *)kv;
    if (!snapshot)
        return;
    rocksdb_readoptions_destroy(snapshot->read);
    rocksdb_release_snapshot(rocks->db, snapshot->snapshot);
    free(snapshot);
    gate_leave(&rocks->gate);
}
