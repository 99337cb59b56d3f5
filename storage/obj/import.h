/* import.h - the other way of export.h: large bodies put where the rows of a
 * restored ordered store say they are.
 *
 *     import_open → { import_next → import_write … → import_end }… → import_finish
 *
 * Each block is checked against the CRC in its body's row before it counts.
 *
 * Owns      DIR/bodies meanwhile: no store is open on it.
 * Threads   one. */
#ifndef STORAGE_OBJ_IMPORT_H
#define STORAGE_OBJ_IMPORT_H

#include "storage/kv/kv.h"
#include "storage/obj/export.h"

struct import; /* opaque: import.c */

/* kv   borrowed until import_free
 * dir  of the box: DIR/bodies is made there
 * ret_import  yours: import_free
 * errors      ERR_IO, ERR_NO_MEMORY, ERR_NO_SPACE */
MUST_USE enum err_code import_open(struct kv *kv, const char *dir, struct import **ret_import,
                                   struct err *err);
void import_free(struct import *import);
AUTO_DEFINE(import, struct import, import_free)

/* The next body whose bytes are wanted, in order of ids. Those of a damaged one may
 * be left out: its place reads as zeros, which no check takes for its bytes.
 *
 * ret_found  false: there are no more
 * errors     ERR_CORRUPT (its row is damaged: length 0 is told, nothing can be written),
 *            ERR_IO, ERR_NO_MEMORY, ERR_NO_SPACE */
MUST_USE enum err_code import_next(struct import *import, struct export_body *ret_body,
                                   bool *ret_found, struct err *err);

/* The next bytes of it. errors  ERR_CORRUPT (not what was stored), ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code import_write(struct import *import, struct bytes piece, struct err *err);

/* That was all of it. errors  ERR_CORRUPT (bytes are missing, or its last are not what was stored)
 */
MUST_USE enum err_code import_end(struct import *import, struct err *err);

/* Everything is on stable storage after it. errors  ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code import_finish(struct import *import, struct err *err);

#endif
