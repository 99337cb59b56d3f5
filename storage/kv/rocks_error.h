/* rocks_error.h - RocksDB's errors, which are text, as ours.
 *
 * Not here  RocksDB itself: see rocks.c.
 * Threads   any.
 * Source    RocksDB 7.8 and 9.10, util/status.cc, env/io_posix.cc. */
#ifndef STORAGE_KV_ROCKS_ERROR_H
#define STORAGE_KV_ROCKS_ERROR_H

#include <stdbool.h>

#include "base/err.h"

/* Fill `err` from RocksDB's message.
 *
 * message  as RocksDB gave it; borrowed
 * doing    what was tried: "read", "open"; first word of our message
 * returns  ERR_BUSY (locked), ERR_CORRUPT (the file is named), ERR_NO_SPACE
 *          (nothing was written, now or later), else ERR_IO */
enum err_code rocks_error(struct err *err, const char *message, const char *doing);

/* The same of a message that is taken: freed. */
enum err_code rocks_error_take(struct err *err, char *message, const char *doing);

/* Whether the message names a table file. */
bool rocks_error_names_table(const char *message);

#endif
