/* manifest.h - the manifest, RocksDB's list of its files, read before RocksDB opens it.
 *
 * A record of it that is damaged in its length looks to RocksDB like one that a
 * power cut tore: it forgets all tables that are named behind it, deletes their
 * files and opens as if nothing were. A CURRENT that is gone makes it begin an
 * empty store. Both are refused here.
 *
 * Threads   any; while no store has the folder open.
 * Source    RocksDB 7.8 and 9.10, db/version_set.cc, file/filename.cc. */
#ifndef STORAGE_KV_MANIFEST_H
#define STORAGE_KV_MANIFEST_H

#include "base/attr.h"
#include "base/err.h"
#include "storage/kv/log_file.h"

/* Check CURRENT and the manifest that it names, and cut a torn end off that one.
 * A folder where no store was made yet is fine.
 *
 * errors  ERR_CORRUPT (names the file), ERR_IO, ERR_NO_MEMORY; nothing was changed then
 * effect  the cut is durable */
MUST_USE enum err_code manifest_check(const char *dir, struct err *err);

/* Call `each` for the records of the manifest that CURRENT names, as log_file_each does.
 *
 * errors  those of log_file_each; ERR_CORRUPT, ERR_NOT_FOUND (CURRENT) */
MUST_USE enum err_code manifest_each(const char *dir, log_file_fn each, void *ctx, struct err *err);

#endif
