/* wal.h - tells what a power cut did to the write-ahead log from what rot did.
 *
 * A group is written and synced before the next one is written, so a power cut
 * can hurt the last record alone, and only by leaving sectors unwritten: the
 * file ends early, or has zeros where data should be. RocksDB refuses the
 * zeros, and forgets without a word what stands behind a damaged length near
 * the end. So the logs are read before RocksDB sees them.
 *
 * Threads   any; while no store has the folder open.
 * Source    RocksDB, db/log_format.h: blocks of 32 KiB hold fragments of CRC32C
 *           u32, length u16 (little-endian), type u8, payload. */
#ifndef STORAGE_KV_WAL_H
#define STORAGE_KV_WAL_H

#include "base/attr.h"
#include "base/err.h"

/* Check every log in `dir`, and cut a torn last record off the newest.
 *
 * errors   ERR_CORRUPT (a damage that is no power cut's work; names the file and
 *          the place), ERR_IO, ERR_NO_MEMORY; nothing was changed then
 * effect   the cut is durable */
MUST_USE enum err_code wal_check(const char *dir, struct err *err);

#endif
