/* reserve.h - DIR/reserve: disk space held back, so that a box on a full disk
 * can still open its store, read and delete. It is given up piece by piece.
 *
 * Threads   one at a time. */
#ifndef APPLIANCE_RESERVE_H
#define APPLIANCE_RESERVE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Bytes that are held back now; 0 without a file. */
uint64_t reserve_held(const char *dir);

/* Hold `bytes` back, no more and no less.
 *
 * errors  ERR_NO_SPACE, ERR_IO
 * effect  the blocks are allocated; after an error as many are held as before */
MUST_USE enum err_code reserve_take(const char *dir, uint64_t bytes, struct err *err);

/* Give `bytes` of it back, or all where it is less. errors  ERR_IO */
MUST_USE enum err_code reserve_give(const char *dir, uint64_t bytes, struct err *err);

#endif
