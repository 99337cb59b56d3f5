/* rocks_verify.h - every byte of a store's files, read from the disk.
 *
 * Owns      the folder that it is given, while it runs.
 * Threads   any; one at a time for a folder. */
#ifndef STORAGE_KV_ROCKS_VERIFY_H
#define STORAGE_KV_ROCKS_VERIFY_H

#include "storage/kv/kv.h"

/* Make a checkpoint of `kv`, read and check all of it, and remove it.
 *
 * options  those of the store
 * dir      where; what an earlier one left there is removed
 * errors   ERR_CORRUPT (names the file), ERR_NO_SPACE, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code rocks_verify_copy(struct kv *kv, const struct kv_rocks_options *options,
                                         const char *dir, struct err *err);

/* Remove what a rocks_verify_copy that was killed left of `dir`: it would hold the
 * space of tables that are long gone.
 *
 * errors  ERR_IO, ERR_INVALID (the path is too long) */
MUST_USE enum err_code rocks_verify_clean(const char *dir, struct err *err);

#endif
