/* fake_kv.h - an ordered store in memory, for tests of what stands on kv.h.
 *
 * Behaves as kv.h says, with snapshots and iterators that do not see later
 * writes, and fails on demand: the switches stand in struct fake_kv. What a
 * test still holds (values, iterators, snapshots) is counted and asserted to
 * be nothing when the fake is freed.
 *
 *     struct fake_kv *fake = fake_kv_new();
 *     use(&fake->kv);
 *     fake_kv_free(fake);
 *
 * Inside    a table per family: a sorted array of counted rows, copied before a
 *           write where a snapshot or iterator still looks at it.
 * Threads   any; switches that count may be set at any time, the others while nobody
 *           else calls. */
#ifndef TESTS_UNIT_STORAGE_KV_FAKE_KV_H
#define TESTS_UNIT_STORAGE_KV_FAKE_KV_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "storage/kv/kv.h"

struct fake_row {
    size_t refs;
    size_t key_len, value_len; /* bytes */
    uint8_t data[];            /* key, value */
};

struct fake_table {
    size_t refs;
    size_t count, room;
    struct fake_row **rows;
};

struct fake_kv {
    struct kv kv;
    pthread_mutex_t lock;
    struct fake_table *tables[KV_FAMILIES];
    size_t held; /* values, iterators and snapshots not given back */

    /* Switches. N counts from 1 = the next call; 0 = never. */
    atomic_uint fail_write;        /* the N-th write fails and changes nothing */
    enum err_code fail_write_code; /* with this; default ERR_IO */
    bool fail_writes_after;        /* and so does every later one */
    atomic_uint fail_read;         /* the N-th get or iter_open fails */
    atomic_uint fail_iter;         /* the N-th entry an iterator stands on cannot be read */
    enum err_code fail_read_code;  /* with this; default ERR_IO */
    atomic_uint fail_snapshot;     /* memory is out for the N-th snapshot */
    bool keep;                     /* calls->close does nothing: a test opens it again */
    /* Called in every write, before it applies and with no lock held; a code
     * other than ERR_OK fails it. NULL = none. */
    enum err_code (*on_write)(void *ctx, const struct kv_op *ops, size_t count, bool sync);
    void *on_write_ctx;

    enum err_code reopen_code; /* what reopen answers; default ERR_OK */

    /* What was done so far. */
    size_t writes, syncs, reads, reopens;
};

struct kv_snapshot {
    struct fake_table *tables[KV_FAMILIES];
};

struct kv_iter {
    struct fake_kv *fake;
    struct fake_table *table;
    size_t first, end; /* of the range, as indices of the table */
    size_t at;         /* first..end-1 = on an entry; else off the range */
    enum err_code failed;
};

/* Not malloc: a test that makes allocations fail means the product's own. */
static inline void *fake_alloc(size_t size)
{
    void *memory = aligned_alloc(16, (size / 16 + 1) * 16);
    if (!memory)
        abort();
    return memset(memory, 0, size);
}

static inline struct bytes fake_key(const struct fake_row *row)
{
    return bytes_of(row->data, row->key_len);
}

static inline struct bytes fake_value(const struct fake_row *row)
{
    return bytes_of(row->data + row->key_len, row->value_len);
}

static inline void fake_copy(uint8_t *to, struct bytes from)
{
    if (from.len)
        memcpy(to, from.data, from.len);
}

static inline void fake_row_unref(struct fake_row *row)
{
    if (--row->refs == 0)
        free(row);
}

static inline struct fake_table *fake_table_ref(struct fake_table *table)
{
    table->refs++;
    return table;
}

static inline void fake_table_unref(struct fake_table *table)
{
    if (--table->refs)
        return;
    for (size_t i = 0; i < table->count; i++)
        fake_row_unref(table->rows[i]);
    free(table->rows);
    free(table);
}

static inline struct fake_table *fake_table_new(size_t room)
{
    struct fake_table *table = fake_alloc(sizeof *table);
    table->refs = 1;
    table->room = room;
    table->rows = fake_alloc(room * sizeof *table->rows);
    return table;
}

static inline int fake_compare(struct bytes a, struct bytes b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The index of the first row whose key is >= `key`. */
static inline size_t fake_find(const struct fake_table *table, struct bytes key)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fake_compare(fake_key(table->rows[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline bool fake_is_at(const struct fake_table *table, size_t at, struct bytes key)
{
    return at < table->count && bytes_equal(fake_key(table->rows[at]), key);
}

/* The family's table, ours alone and with room for one more row. */
static inline struct fake_table *fake_table_to_write(struct fake_kv *fake, enum kv_family family)
{
    struct fake_table *old = fake->tables[family];
    if (old->refs == 1 && old->count < old->room)
        return old;
    struct fake_table *copy = fake_table_new(old->count * 2 + 16);
    copy->count = old->count;
    for (size_t i = 0; i < old->count; i++) {
        copy->rows[i] = old->rows[i];
        copy->rows[i]->refs++;
    }
    fake_table_unref(old);
    return fake->tables[family] = copy;
}

static inline void fake_remove(struct fake_table *table, size_t from, size_t until)
{
    for (size_t i = from; i < until; i++)
        fake_row_unref(table->rows[i]);
    memmove(table->rows + from, table->rows + until, (table->count - until) * sizeof *table->rows);
    table->count -= until - from;
}

static inline void fake_put(struct fake_table *table, struct bytes key, struct bytes value)
{
    struct fake_row *row = fake_alloc(sizeof *row + key.len + value.len);
    row->refs = 1;
    row->key_len = key.len;
    row->value_len = value.len;
    fake_copy(row->data, key);
    fake_copy(row->data + key.len, value);
    size_t at = fake_find(table, key);
    if (fake_is_at(table, at, key)) {
        fake_row_unref(table->rows[at]);
    } else {
        memmove(table->rows + at + 1, table->rows + at, (table->count - at) * sizeof *table->rows);
        table->count++;
    }
    table->rows[at] = row;
}

static inline void fake_apply(struct fake_kv *fake, const struct kv_op *op)
{
    struct fake_table *table = fake_table_to_write(fake, op->family);
    size_t at = fake_find(table, op->key);
    if (op->kind == KV_PUT)
        fake_put(table, op->key, op->value);
    else if (op->kind == KV_DELETE_RANGE && fake_compare(op->key, op->value) < 0)
        fake_remove(table, at, fake_find(table, op->value));
    else if (op->kind == KV_DELETE && fake_is_at(table, at, op->key))
        fake_remove(table, at, at + 1);
}

/* Count a switch down; true where this is the call that fails. */
static inline bool fake_fails(atomic_uint *countdown)
{
    unsigned left = atomic_load(countdown);
    while (left && !atomic_compare_exchange_weak(countdown, &left, left - 1))
        ;
    return left == 1;
}

static inline enum err_code fake_write(struct kv *kv, const struct kv_op *ops, size_t count,
                                       bool sync, struct err *err)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    enum err_code hook = ERR_OK;
    if (fake->on_write)
        hook = fake->on_write(fake->on_write_ctx, ops, count, sync);
    pthread_mutex_lock(&fake->lock);
    bool fails = fake_fails(&fake->fail_write);
    if (fails && fake->fail_writes_after)
        fake->fail_write = 1;
    fake->writes++;
    fake->syncs += sync;
    for (size_t i = 0; i < count && !fails && !hook; i++)
        fake_apply(fake, &ops[i]);
    pthread_mutex_unlock(&fake->lock);
    if (fails)
        return err_fail(err, fake->fail_write_code, "the fake fails this write");
    return hook ? err_fail(err, hook, "the fake's hook fails this write") : ERR_OK;
}

static inline enum err_code fake_get(struct kv *kv, const struct kv_snapshot *snapshot,
                                     enum kv_family family, struct bytes key,
                                     struct kv_value *ret_value, struct err *err)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    struct fake_row *row = NULL;
    pthread_mutex_lock(&fake->lock);
    struct fake_table *table = snapshot ? snapshot->tables[family] : fake->tables[family];
    size_t at = fake_find(table, key);
    bool fails = fake_fails(&fake->fail_read);
    fake->reads++;
    if (!fails && fake_is_at(table, at, key)) {
        row = table->rows[at];
        row->refs++;
        fake->held++;
    }
    pthread_mutex_unlock(&fake->lock);
    if (fails)
        return err_fail(err, fake->fail_read_code, "the fake fails this read");
    if (!row)
        return err_fail(err, ERR_NOT_FOUND, "no such row");
    *ret_value = (struct kv_value){.bytes = fake_value(row), .owner = row};
    return ERR_OK;
}

static inline void fake_value_free(struct kv *kv, struct kv_value *value)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    if (!value->owner)
        return;
    pthread_mutex_lock(&fake->lock);
    fake_row_unref(value->owner);
    fake->held--;
    pthread_mutex_unlock(&fake->lock);
    *value = (struct kv_value){0};
}

static inline enum err_code fake_iter_open(struct kv *kv, const struct kv_snapshot *snapshot,
                                           enum kv_family family, struct bytes from,
                                           struct bytes until, struct kv_iter **ret_iter,
                                           struct err *err)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    pthread_mutex_lock(&fake->lock);
    fake->reads++;
    if (fake_fails(&fake->fail_read)) {
        pthread_mutex_unlock(&fake->lock);
        return err_fail(err, fake->fail_read_code, "the fake fails this iterator");
    }
    struct kv_iter *iter = fake_alloc(sizeof *iter);
    iter->fake = fake;
    iter->table = fake_table_ref(snapshot ? snapshot->tables[family] : fake->tables[family]);
    iter->first = fake_find(iter->table, from);
    iter->end = until.data ? fake_find(iter->table, until) : iter->table->count;
    iter->at = iter->first;
    fake->held++;
    pthread_mutex_unlock(&fake->lock);
    *ret_iter = iter;
    return ERR_OK;
}

static inline bool fake_iter_at(struct kv_iter *iter, struct bytes *ret_key,
                                struct bytes *ret_value)
{
    if (iter->failed || iter->at < iter->first || iter->at >= iter->end)
        return false;
    pthread_mutex_lock(&iter->fake->lock);
    if (fake_fails(&iter->fake->fail_iter))
        iter->failed = iter->fake->fail_read_code;
    pthread_mutex_unlock(&iter->fake->lock);
    if (iter->failed)
        return false;
    if (ret_key)
        *ret_key = fake_key(iter->table->rows[iter->at]);
    if (ret_value)
        *ret_value = fake_value(iter->table->rows[iter->at]);
    return true;
}

static inline void fake_iter_next(struct kv_iter *iter)
{
    if (iter->at < iter->end)
        iter->at++;
}

static inline void fake_iter_prev(struct kv_iter *iter)
{
    if (iter->at < iter->end)
        iter->at = iter->at > iter->first ? iter->at - 1 : SIZE_MAX;
}

static inline void fake_iter_seek(struct kv_iter *iter, struct bytes key)
{
    size_t at = fake_find(iter->table, key);
    iter->at = at < iter->first ? iter->first : at;
}

static inline void fake_iter_seek_last(struct kv_iter *iter)
{
    iter->at = iter->end > iter->first ? iter->end - 1 : SIZE_MAX;
}

static inline enum err_code fake_iter_check(struct kv_iter *iter, struct err *err)
{
    return iter->failed ? err_fail(err, iter->failed, "the fake fails this entry") : ERR_OK;
}

static inline void fake_iter_close(struct kv_iter *iter)
{
    if (!iter)
        return;
    pthread_mutex_lock(&iter->fake->lock);
    fake_table_unref(iter->table);
    iter->fake->held--;
    pthread_mutex_unlock(&iter->fake->lock);
    free(iter);
}

static inline struct kv_snapshot *fake_snapshot_open(struct kv *kv)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    pthread_mutex_lock(&fake->lock);
    if (fake_fails(&fake->fail_snapshot)) {
        pthread_mutex_unlock(&fake->lock);
        return NULL;
    }
    struct kv_snapshot *snapshot = fake_alloc(sizeof *snapshot);
    for (int i = 0; i < KV_FAMILIES; i++)
        snapshot->tables[i] = fake_table_ref(fake->tables[i]);
    fake->held++;
    pthread_mutex_unlock(&fake->lock);
    return snapshot;
}

static inline void fake_snapshot_close(struct kv *kv, struct kv_snapshot *snapshot)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    if (!snapshot)
        return;
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < KV_FAMILIES; i++)
        fake_table_unref(snapshot->tables[i]);
    fake->held--;
    pthread_mutex_unlock(&fake->lock);
    free(snapshot);
}

static inline enum err_code fake_reopen(struct kv *kv, struct err *err)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    fake->reopens++;
    return fake->reopen_code ? err_fail(err, fake->reopen_code, "the fake stays full") : ERR_OK;
}

static inline enum err_code fake_checkpoint(struct kv *kv, const char *dir, struct err *err)
{
    (void)kv, (void)dir;
    return err_fail(err, ERR_UNSUPPORTED, "the fake has no files");
}

static inline enum err_code fake_verify(struct kv *kv, struct err *err)
{
    (void)kv, (void)err;
    return ERR_OK;
}

static inline uint64_t fake_property(struct kv *kv, const char *name)
{
    (void)kv, (void)name;
    return 0;
}

static inline void fake_kv_free(struct fake_kv *fake)
{
    assert(fake->held == 0);
    for (int i = 0; i < KV_FAMILIES; i++)
        fake_table_unref(fake->tables[i]);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

static inline void fake_close(struct kv *kv)
{
    struct fake_kv *fake = (struct fake_kv *)kv;
    if (fake && !fake->keep)
        fake_kv_free(fake);
}

static inline struct fake_kv *fake_kv_new(void)
{
    static const struct kv_calls calls = {
        .get = fake_get,
        .value_free = fake_value_free,
        .iter_open = fake_iter_open,
        .iter_at = fake_iter_at,
        .iter_next = fake_iter_next,
        .iter_prev = fake_iter_prev,
        .iter_seek = fake_iter_seek,
        .iter_seek_last = fake_iter_seek_last,
        .iter_check = fake_iter_check,
        .iter_close = fake_iter_close,
        .snapshot_open = fake_snapshot_open,
        .snapshot_close = fake_snapshot_close,
        .write = fake_write,
        .reopen = fake_reopen,
        .checkpoint = fake_checkpoint,
        .verify = fake_verify,
        .property = fake_property,
        .close = fake_close,
    };
    struct fake_kv *fake = fake_alloc(sizeof *fake);
    fake->kv.calls = &calls;
    fake->fail_write_code = fake->fail_read_code = ERR_IO;
    for (int i = 0; i < KV_FAMILIES; i++)
        fake->tables[i] = fake_table_new(16);
    pthread_mutex_init(&fake->lock, NULL);
    return fake;
}

/* Rows of a family. */
static inline size_t fake_kv_count(struct fake_kv *fake, enum kv_family family)
{
    pthread_mutex_lock(&fake->lock);
    size_t count = fake->tables[family]->count;
    pthread_mutex_unlock(&fake->lock);
    return count;
}

/* Write one row directly, past the committer. */
static inline void fake_kv_set(struct fake_kv *fake, enum kv_family family, struct bytes key,
                               struct bytes value)
{
    struct kv_op op = {.kind = KV_PUT, .family = family, .key = key, .value = value};
    pthread_mutex_lock(&fake->lock);
    fake_apply(fake, &op);
    pthread_mutex_unlock(&fake->lock);
}

#endif
