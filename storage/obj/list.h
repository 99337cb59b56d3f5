/* list.h - listings: keys in UTF-8 byte order, with prefixes folded, page by page.
 *
 * The cost is that of the page, not of the bucket: a folded prefix is one seek.
 *
 * Threads   a list belongs to one thread. */
#ifndef STORAGE_OBJ_LIST_H
#define STORAGE_OBJ_LIST_H

#include "storage/obj/bucket.h"

struct list; /* opaque: list.c */

struct list_options {
    struct bytes prefix;    /* only keys that begin with it */
    struct bytes delimiter; /* fold what follows the prefix up to it; empty = do not */
    struct bytes after;     /* start behind this key, or behind every key that begins
                               with it where it is a folded prefix; empty = at the start */
    bool versions;          /* every version and delete marker, newest first within a key */
    bool has_after_version; /* versions: start behind this version of `after` */
    uint64_t after_seq;     /* of that version */
};

struct list_item {
    bool is_prefix;              /* key is a folded prefix; no record */
    bool is_latest;              /* versions */
    struct bytes key;            /* valid until list_next, or copied by the caller */
    struct record_object object; /* valid likewise */
};

/* Start a listing over a moment's snapshot.
 *
 * options   borrowed until list_close
 * ret_list  yours: list_close
 * errors    ERR_NO_MEMORY, ERR_IO */
MUST_USE enum err_code list_open(struct store *store, struct bucket *bucket,
                                 const struct list_options *options, struct list **ret_list,
                                 struct err *err);

/* The next item.
 *
 * ret_at_end  set when there is none
 * errors      ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code list_next(struct list *list, struct list_item *ret_item, bool *ret_at_end,
                                 struct err *err);
void list_close(struct list *list);
AUTO_DEFINE(list, struct list, list_close)

#endif
