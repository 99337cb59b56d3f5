/* row_cache.h - rows that were read of late, so that a row in demand is found by
 * one hash and not through a skip list or the blocks of several tables.
 *
 * What it holds of a row is always what the store holds: the writer takes the
 * rows it is about to write out before it writes, and whoever read one from the
 * store meanwhile cannot put it in.
 *
 * Owns      its rows, up to the bytes it was given; a reader may hold one longer.
 * Not here  KV_CHANGES, which nobody reads by key; rows over ROW_CACHE_VALUE_MAX.
 * Threads   any; row_cache_begin and row_cache_end by the one that writes. */
#ifndef STORAGE_KV_ROW_CACHE_H
#define STORAGE_KV_ROW_CACHE_H

#include "storage/kv/kv.h"

#define ROW_CACHE_VALUE_MAX (16 << 10) /* bytes */

struct row_cache; /* opaque: row_cache.c */
struct row;

/* What a reader that missed knew when it went to the store. */
struct row_miss {
    uint32_t hash;
    uint32_t writes; /* that had begun there */
    bool is_written; /* one of them had not ended */
};

/* bytes    of rows that it may hold; its table takes up to a sixteenth more
 * returns  yours; NULL when memory is out */
struct row_cache *row_cache_new(uint64_t bytes);
void row_cache_free(struct row_cache *cache); /* NULL is allowed; nobody may hold a row */

/* Find a row.
 *
 * ret_value  set where it is there: owner is the row, to be given to row_release
 * ret_miss   set where it is not: hand it to row_cache_add
 * returns    whether it is there */
bool row_cache_find(struct row_cache *cache, enum kv_family family, struct bytes key,
                    struct kv_value *ret_value, struct row_miss *ret_miss);

/* Keep a copy of what was read, in place of what was not read for longest; without
 * effect where the row was written since the miss, or memory is out. */
void row_cache_add(struct row_cache *cache, enum kv_family family, struct bytes key,
                   struct bytes value, const struct row_miss *miss);

/* Let go of a row that was found. */
void row_release(struct row *row);

/* Take out what these operations write, and keep it out until row_cache_end with the same. */
void row_cache_begin(struct row_cache *cache, const struct kv_op *ops, size_t count);
void row_cache_end(struct row_cache *cache, const struct kv_op *ops, size_t count);

/* Forget all rows. Where the store is opened anew, no reader may be between find and add. */
void row_cache_clear(struct row_cache *cache);

/* Bytes of memory in use by rows. */
uint64_t row_cache_bytes(struct row_cache *cache);

#endif
