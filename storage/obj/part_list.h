/* part_list.h - the parts of an upload or of a multipart object, in order.
 *
 * Threads   values. */
#ifndef STORAGE_OBJ_PART_LIST_H
#define STORAGE_OBJ_PART_LIST_H

#include "base/arena.h"
#include "base/attr.h"
#include "storage/kv/kv.h"
#include "storage/obj/record.h"

struct part_list {
    struct arena *arena; /* set these four; what the parts point to is copied there */
    struct record_part *parts;
    size_t max;     /* room in parts */
    uint32_t after; /* only numbers above it */
    size_t count;   /* filled */
    bool more;      /* there are more than max */
};

/* errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code part_list_of_upload(struct kv *kv, uint64_t upload, struct part_list *list,
                                           struct err *err);
MUST_USE enum err_code part_list_of_manifest(struct kv *kv, uint64_t manifest,
                                             struct part_list *list, struct err *err);

#endif
