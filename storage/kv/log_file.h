/* log_file.h - tells what a power cut did to a log of RocksDB's from what rot did.
 *
 * RocksDB's write-ahead logs and its manifests are written in records, and each
 * record, or group of a few, is synced before the next one is written. So a
 * power cut can hurt the last group alone, and only by leaving sectors
 * unwritten: the file ends early, or has zeros where data should be. Anything
 * else is rot. RocksDB refuses some of the former and forgets, without a word,
 * what stands behind some of the latter, so files are read before it sees them.
 *
 * Not here  which files there are: see wal.h, manifest.h.
 * Threads   any; while nobody writes the file.
 * Source    RocksDB, db/log_format.h: blocks of 32 KiB hold fragments of CRC32C
 *           u32, length u16 (little-endian), type u8, payload. */
#ifndef STORAGE_KV_LOG_FILE_H
#define STORAGE_KV_LOG_FILE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"

#define LOG_FILE_RECORD_MAX MIB(64) /* of one that is handed over */

enum log_file_state { LOG_FILE_CLEAN, LOG_FILE_TORN, LOG_FILE_ROTTEN };

struct log_file_finding {
    enum log_file_state state;
    uint64_t good_end; /* behind the last whole record before the damage, bytes */
};

/* Read the log `name` in `dir`, and tell what happened to it.
 *
 * group_bytes  how far from the file's end records may stand that were synced
 *              together: behind a hole, whole ones there are no proof of rot.
 *              0: each record was synced by itself
 * errors       ERR_IO, ERR_NO_MEMORY, ERR_INVALID (the path is too long) */
MUST_USE enum err_code log_file_judge(const char *dir, const char *name, uint64_t group_bytes,
                                      struct log_file_finding *ret_finding, struct err *err);

/* Cut a torn end off.
 *
 * at      the finding's good_end
 * errors  ERR_IO
 * effect  durable */
MUST_USE enum err_code log_file_cut(const char *dir, const char *name, uint64_t at,
                                    struct err *err);

/* One record, whole and checked; borrowed for the call. */
typedef enum err_code (*log_file_fn)(void *ctx, struct bytes record, struct err *err);

/* Call `each` for the records of a log in their order, up to its end or its damage.
 *
 * errors  those of `each`, which end it; ERR_IO, ERR_NO_MEMORY, ERR_INVALID,
 *         ERR_LIMIT (a record above LOG_FILE_RECORD_MAX) */
MUST_USE enum err_code log_file_each(const char *dir, const char *name, log_file_fn each, void *ctx,
                                     struct err *err);

/* The error of a log that is rotten: ERR_CORRUPT, with the file's name and the place. */
enum err_code log_file_rotten(const char *name, const struct log_file_finding *finding,
                              struct err *err);

#endif
