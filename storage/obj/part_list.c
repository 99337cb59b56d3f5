/* part_list.c - see part_list.h. */
#include "storage/obj/part_list.h"

#include "storage/obj/each.h"

static enum err_code add(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                         struct err *err)
{
    (void)key;
    struct part_list *list = ctx;
    *ret_enough = list->more = list->count == list->max;
    if (list->more)
        return ERR_OK;
    struct record_part *part = &list->parts[list->count];
    enum err_code rc = record_decode_part(value, list->arena, part, err);
    if (rc == ERR_OK && part->number > list->after)
        list->count++;
    return rc;
}

enum err_code part_list_of_upload(struct kv *kv, uint64_t upload, struct part_list *list,
                                  struct err *err)
{
    if (list->after >= S3_PARTS_MAX)
        return ERR_OK;
    struct key from = key_part(upload, list->after + 1), until = key_number(TAG_PART, upload + 1);
    return each_between(kv, &from, &until, add, list, err);
}

enum err_code part_list_of_manifest(struct kv *kv, uint64_t manifest, struct part_list *list,
                                    struct err *err)
{
    return each_of_number(kv, TAG_MANIFEST, manifest, add, list, err);
}
