/* wal.h - the write-ahead logs of a store, read before RocksDB opens them.
 *
 * Threads   any; while no store has the folder open.
 * Source    log_file.h tells why, and what is told apart. */
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
