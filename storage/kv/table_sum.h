/* table_sum.h - every byte of a store's tables, against the checksums that its manifest has.
 *
 * RocksDB checks a block of a table when it reads it, and of filters, properties
 * and padding reads little. The checksum of the whole file, which it puts down
 * when it makes a table, tells of any bit; but it offers no call to compare it.
 *
 * Threads   any; while nobody writes in the folder.
 * Source    RocksDB 7.8 and 9.10, db/version_edit.cc, util/file_checksum_helper.h. */
#ifndef STORAGE_KV_TABLE_SUM_H
#define STORAGE_KV_TABLE_SUM_H

#include "base/attr.h"
#include "base/err.h"

/* Read every table in `dir` from the disk, past the kernel's cache where the file
 * system can, and compare. A table made before checksums were put down is not looked at.
 *
 * errors  ERR_CORRUPT (names the file), ERR_IO, ERR_NO_MEMORY, ERR_LIMIT */
MUST_USE enum err_code table_sum_check(const char *dir, struct err *err);

#endif
