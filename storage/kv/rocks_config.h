/* rocks_config.h - how RocksDB is opened: its options, and why; the only file that includes it.
 *
 * Threads   any; a configuration belongs to one thread at a time.
 * Source    RocksDB 7.8 and 9.10, include/rocksdb/c.h, options.h. */
#ifndef STORAGE_KV_ROCKS_CONFIG_H
#define STORAGE_KV_ROCKS_CONFIG_H

#include <rocksdb/c.h>

#include "storage/kv/kv.h"

extern const char *const rocks_config_names[KV_FAMILIES]; /* RocksDB wants one "default" */

/* Options of one way to open, for all families. */
struct rocks_config {
    rocksdb_options_t *family[KV_FAMILIES]; /* the first is the database's, too */
    rocksdb_cache_t *cache;                 /* NULL: blocks are not kept */
};

/* Make the options of a store. cache_bytes 0: blocks are read from the files each time. */
void rocks_config_init(struct rocks_config *config, const struct kv_rocks_options *options);

/* Free them; not while a database is open with them. */
void rocks_config_done(struct rocks_config *config);

/* Options to read with, every checksum compared; yours: rocksdb_readoptions_destroy. */
rocksdb_readoptions_t *rocks_config_read_options(void);

/* Close a database and the handles of its families. */
void rocks_config_close(rocksdb_t *db, rocksdb_column_family_handle_t **handles);

#endif
