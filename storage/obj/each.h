/* each.h - a call for every row of a range of KV_META, as of one moment.
 *
 * Threads   any. */
#ifndef STORAGE_OBJ_EACH_H
#define STORAGE_OBJ_EACH_H

#include "base/attr.h"
#include "base/err.h"
#include "storage/kv/kv.h"
#include "storage/obj/keys.h"

/* One row; key and value are valid during the call. It ends the walk by ERR_OK
 * with *ret_enough, or by an error, which is the walk's. */
typedef enum err_code (*each_fn)(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                                 struct err *err);

/* Rows from `from` up to, without, `until`. errors  ERR_IO, ERR_CORRUPT, ERR_NO_MEMORY; fn's */
MUST_USE enum err_code each_between(struct kv *kv, const struct key *from, const struct key *until,
                                    each_fn fn, void *ctx, struct err *err);

/* All rows of a tag. errors  those of each_between */
MUST_USE enum err_code each_of_tag(struct kv *kv, enum kv_tag tag, each_fn fn, void *ctx,
                                   struct err *err);

/* The rows of a tag that belong to one body, upload or manifest. errors  those of each_between */
MUST_USE enum err_code each_of_number(struct kv *kv, enum kv_tag tag, uint64_t number, each_fn fn,
                                      void *ctx, struct err *err);

#endif
