/* bucket_table.h - all buckets in memory, for bucket.c.
 *
 * Threads   bucket_table_reserve, _insert and _remove: under store.bucket_changes;
 *           they take store.buckets_lock themselves. */
#ifndef STORAGE_OBJ_BUCKET_TABLE_H
#define STORAGE_OBJ_BUCKET_TABLE_H

#include "storage/obj/internal.h"

#define BUCKET_IDS_ROW "bucket_ids" /* TAG_SYSTEM row: the last id given */

/* A handle with one reference; NULL when memory is out. */
struct bucket *bucket_table_new(struct store *store, struct bytes name,
                                const struct record_bucket *record);

/* Room for one more bucket, of that name.
 *
 * errors  ERR_EXISTS with STORE_BUCKET_EXISTS, ERR_NO_MEMORY */
MUST_USE enum err_code bucket_table_reserve(struct store *store, struct bytes name,
                                            struct err *err);

/* Takes the reference; room was reserved. */
void bucket_table_insert(struct store *store, struct bucket *bucket);

/* Gives the reference back to the caller. */
void bucket_table_remove(struct store *store, const struct bucket *bucket);

/* The bucket of that id, with a reference for the caller; NULL without one. Any thread. */
struct bucket *bucket_table_by_id(struct store *store, uint32_t id);

#endif
