/* kv.h - the ordered store, as a table of calls: RocksDB in rocks.c, a fake in
 * the tests.
 *
 * Keys order as memcmp. A value that was read stays valid until it is released.
 * Writers do not come here: they go through commit.h, which alone calls write().
 *
 * Threads   every call from any thread; an iterator belongs to one thread. */
#ifndef STORAGE_KV_KV_H
#define STORAGE_KV_KV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum kv_family {
    KV_META,    /* records: short values, listed in order */
    KV_BODIES,  /* small bodies, by body id */
    KV_CHANGES, /* the change log, by sequence number */
    KV_FAMILIES
};

enum kv_op_kind {
    KV_PUT,
    KV_DELETE,
    KV_DELETE_RANGE /* from `key` up to, without, `value` (a key) */
};

/* One operation of a batch. `key` and `value` are borrowed and mutable: the
 * committer writes the batch's sequence number into them where seq_at says. */
struct kv_op {
    enum kv_op_kind kind;
    enum kv_family family;
    struct bytes key;
    struct bytes value;
};

struct kv_value {
    struct bytes bytes;
    void *owner;    /* private to the store; NULL = nothing to release */
    bool is_pinned; /* private to the store */
};

struct kv_iter;
struct kv_snapshot;

struct kv {
    const struct kv_calls *calls;
};

struct kv_calls {
    /* errors  ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. snapshot NULL = now */
    enum err_code (*get)(struct kv *kv, const struct kv_snapshot *snapshot, enum kv_family family,
                         struct bytes key, struct kv_value *ret_value, struct err *err);
    void (*value_free)(struct kv *kv, struct kv_value *value);

    /* An iterator over [from, until); until.data NULL = to the end of the
     * family. It stands on the first entry. Rows newer than it are not seen. */
    enum err_code (*iter_open)(struct kv *kv, const struct kv_snapshot *snapshot,
                               enum kv_family family, struct bytes from, struct bytes until,
                               struct kv_iter **ret_iter, struct err *err);
    /* Whether it stands on an entry; its key and value are valid until it moves.
     * At the end look at iter_check: an end may be a failed read. */
    bool (*iter_at)(struct kv_iter *iter, struct bytes *ret_key, struct bytes *ret_value);
    void (*iter_next)(struct kv_iter *iter);
    void (*iter_prev)(struct kv_iter *iter);
    void (*iter_seek)(struct kv_iter *iter, struct bytes key); /* first entry >= key */
    void (*iter_seek_last)(struct kv_iter *iter);              /* last entry of the range */
    enum err_code (*iter_check)(struct kv_iter *iter, struct err *err);
    void (*iter_close)(struct kv_iter *iter);

    struct kv_snapshot *(*snapshot_open)(struct kv *kv); /* NULL when memory is out */
    void (*snapshot_close)(struct kv *kv, struct kv_snapshot *snapshot);

    /* Apply all or nothing. sync: on stable storage when it returns.
     * errors  ERR_NO_SPACE, ERR_CORRUPT (a damaged file, named, stopped all writes):
     *         nothing is stored, now or after a restart; ERR_IO: that is unknown.
     *         After an error every write fails, until reopen(). */
    enum err_code (*write)(struct kv *kv, const struct kv_op *ops, size_t count, bool sync,
                           struct err *err);

    /* After a full disk or a damaged file: close and open again, so that it takes
     * writes once more; after a damaged file it does not merge files from then on.
     * Call it from the one thread that writes.
     * effect  reads wait for it; nothing that was written is lost
     * errors  ERR_NO_SPACE (still too full), ERR_BUSY (somebody holds a value, an
     *         iterator or a snapshot; try again), else it is closed until one succeeds */
    enum err_code (*reopen)(struct kv *kv, struct err *err);

    /* A consistent copy (hard links where possible) in a new folder. */
    enum err_code (*checkpoint)(struct kv *kv, const char *dir, struct err *err);
    /* Read and check every block of every file. errors  ERR_CORRUPT (names the file), ERR_IO */
    enum err_code (*verify)(struct kv *kv, struct err *err);
    /* A number the store counts, by name ("sst_bytes", "memtable_bytes", "cache_bytes",
     * "compaction_bytes" still to do, "background_errors", "write_stopped"); 0 if unknown. */
    uint64_t (*property)(struct kv *kv, const char *name);
    void (*close)(struct kv *kv);
};

/* Short forms. */
MUST_USE enum err_code kv_get(struct kv *kv, enum kv_family family, struct bytes key,
                              struct kv_value *ret_value, struct err *err);
void kv_value_free(struct kv *kv, struct kv_value *value);

/* kv_get with the row's absence as an answer, not an error.
 *
 * ret_found  whether the row is there; ret_value is empty without it */
MUST_USE enum err_code kv_find(struct kv *kv, enum kv_family family, struct bytes key,
                               bool *ret_found, struct kv_value *ret_value, struct err *err);

/* The same as of a snapshot; NULL = now. */
MUST_USE enum err_code kv_find_in(struct kv *kv, const struct kv_snapshot *snapshot,
                                  enum kv_family family, struct bytes key, bool *ret_found,
                                  struct kv_value *ret_value, struct err *err);

/* The smallest key above every key that begins with `prefix`.
 *
 * room     at least prefix.len bytes
 * returns  empty (data NULL) where there is none: prefix is empty or all 0xff */
struct bytes kv_prefix_end(struct bytes prefix, uint8_t *room);

struct kv_rocks_options {
    uint64_t cache_bytes;    /* of what was read: half for blocks, half for rows */
    uint64_t memtable_bytes; /* all memtables together */
};

/* Open, or make, the RocksDB store in `dir`.
 *
 * ret_kv  yours: calls->close
 * errors  ERR_BUSY (locked by another process), ERR_CORRUPT, ERR_NO_SPACE, ERR_IO */
MUST_USE enum err_code kv_rocks_open(const char *dir, const struct kv_rocks_options *options,
                                     struct kv **ret_kv, struct err *err);

#endif
