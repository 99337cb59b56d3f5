/* rocks_config.c - see rocks_config.h.
 *
 * Chosen, and why:
 *  - Recovery tolerates a record that the end of the log cuts off, which is what
 *    a power cut leaves, and refuses every other damage; RocksDB's default would
 *    silently forget what was acknowledged after a flipped bit.
 *  - Block and WAL checksums are checked at every read.
 *  - One cache for blocks, indexes and filters: the memory has one bound. The other
 *    half of what the options allow is rows' (row_cache.h).
 *  - Bodies are not compressed: most are already, and reads stay at memory speed. */
#include "storage/kv/rocks_config.h"

#include <assert.h>

#include "base/limits.h"

#define INFO_LOG_SILENT 5    /* HEADER_LEVEL */
#define OPEN_FILES_MAX  256  /* table files; more are opened and closed as needed */
#define MEMTABLE_FILTER 0.01 /* of a memtable, for keys that are not in it */

const char *const rocks_config_names[KV_FAMILIES] = {
    [KV_META] = "default", [KV_BODIES] = "bodies", [KV_CHANGES] = "changes"};

static const struct family {
    int compression;
    size_t block_bytes;
    bool has_filter; /* point reads of keys that may be absent */
    int share;       /* of the memtables, in percent */
} families[KV_FAMILIES] = {
    [KV_META] = {rocksdb_lz4_compression, KIB(8), true, 25},
    [KV_BODIES] = {rocksdb_no_compression, KIB(16), true, 50},
    [KV_CHANGES] = {rocksdb_lz4_compression, KIB(16), false, 25},
};

static rocksdb_block_based_table_options_t *table_options_new(const struct family *family,
                                                              rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_size(table, family->block_bytes);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_index_type(
        table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(table, family->has_filter);
    rocksdb_block_based_options_set_metadata_block_size(table, 4096);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
    if (family->has_filter)
        rocksdb_block_based_options_set_filter_policy(table,
                                                      rocksdb_filterpolicy_create_bloom_full(10));
    if (!cache) {
        rocksdb_block_based_options_set_no_block_cache(table, 1);
        return table;
    }
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    return table;
}

/* What concerns the database as a whole. */
static void set_database_options(rocksdb_options_t *to, const struct kv_rocks_options *options)
{
    rocksdb_options_set_create_if_missing(to, 1);
    rocksdb_options_set_create_missing_column_families(to, 1);
    rocksdb_options_set_paranoid_checks(to, 1);
    /* When RocksDB recovers from a failed sync by flushing, a record and its body reach
     * their tables together or not at all. */
    rocksdb_options_set_atomic_flush(to, 1);
    rocksdb_options_set_wal_recovery_mode(to, rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_db_write_buffer_size(to, options->memtable_bytes);
    rocksdb_options_set_max_total_wal_size(to, options->memtable_bytes * 2);
    rocksdb_options_set_max_open_files(to, OPEN_FILES_MAX);
    rocksdb_options_set_max_file_opening_threads(to, 1); /* else 16 start for each family */
    rocksdb_options_set_max_background_jobs(to, 2);
    rocksdb_options_set_bytes_per_sync(to, MIB(1));
    rocksdb_options_set_avoid_unnecessary_blocking_io(to, 1);
    rocksdb_options_set_skip_stats_update_on_db_open(to, 1);
    rocksdb_options_set_stats_dump_period_sec(to, 0);
    rocksdb_options_set_stats_persist_period_sec(to, 0);
    /* RocksDB insists on a log of messages beside the data, and what is written to one
     * on a dead disk ends the process: it stays empty. */
    rocksdb_options_set_info_log_level(to, INFO_LOG_SILENT);
    rocksdb_options_set_keep_log_file_num(to, 1);
    rocksdb_options_set_max_manifest_file_size(to, MIB(16));
}

static void set_family_options(rocksdb_options_t *to, const struct family *family,
                               const struct kv_rocks_options *options, rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = table_options_new(family, cache);
    rocksdb_options_set_block_based_table_factory(to, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_compression(to, family->compression);
    rocksdb_options_set_write_buffer_size(to, options->memtable_bytes / 100 * family->share);
    if (family->has_filter) {
        rocksdb_options_set_memtable_whole_key_filtering(to, 1);
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(to, MEMTABLE_FILTER);
    }
    rocksdb_options_set_level_compaction_dynamic_level_bytes(to, 1);
}

/* Have the manifest remember how long each finished log is, so that one that is
 * gone or short is missed, and each table's checksum. The C API can only say it in text. */
static rocksdb_options_t *with_files_tracked(rocksdb_options_t *options)
{
    char *message = NULL;
    rocksdb_options_t *tracked = rocksdb_options_create();
    rocksdb_get_options_from_string(options,
                                    "track_and_verify_wals_in_manifest=true;"
                                    "file_checksum_gen_factory=FileChecksumGenCrc32cFactory",
                                    tracked, &message);
    assert(!message);
    rocksdb_options_destroy(options);
    return tracked;
}

void rocks_config_init(struct rocks_config *config, const struct kv_rocks_options *options)
{
    config->cache =
        options->cache_bytes ? rocksdb_cache_create_lru(options->cache_bytes / 2) : NULL;
    for (int i = 0; i < KV_FAMILIES; i++) {
        config->family[i] = rocksdb_options_create();
        set_family_options(config->family[i], &families[i], options, config->cache);
    }
    set_database_options(config->family[0], options);
    config->family[0] = with_files_tracked(config->family[0]);
}

void rocks_config_done(struct rocks_config *config)
{
    for (int i = 0; i < KV_FAMILIES; i++)
        rocksdb_options_destroy(config->family[i]);
    if (config->cache)
        rocksdb_cache_destroy(config->cache);
}

rocksdb_readoptions_t *rocks_config_read_options(void)
{
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(read, 1);
    return read;
}

void rocks_config_close(rocksdb_t *db, rocksdb_column_family_handle_t **handles)
{
    for (int i = 0; i < KV_FAMILIES; i++)
        rocksdb_column_family_handle_destroy(handles[i]);
    rocksdb_close(db);
}
