/* listing.h - what the listings of a bucket have in common: parameters, pages,
 * encoding, folded prefixes.
 *
 *     listing_start()   parameters, and the head of the document
 *     listing_fill()    the entries
 *     listing_end()     folded prefixes, and whether there is more
 *
 * Threads   the request's.
 * Source    Amazon S3 API Reference, ListObjects, ListObjectsV2, ListObjectVersions; s3.md 13. */
#ifndef STORAGE_S3_LISTING_H
#define STORAGE_S3_LISTING_H

#include "storage/obj/list.h"
#include "storage/s3/call.h"
#include "storage/s3/xml_write.h"

struct listing {
    struct call *call;
    struct xml_write xml;
    struct list_options options; /* prefix and delimiter are set here, the rest by the operation */
    uint64_t max;                /* entries of the page */
    bool url_encoded;            /* encoding-type=url */
    bool with_owner;

    size_t count;           /* entries of the page: keys and prefixes */
    struct bytes *prefixes; /* folded, in order; arena memory */
    size_t prefix_count;
    bool truncated;
    uint8_t last_key[S3_KEY_MAX]; /* of the last entry: where the next page starts behind */
    size_t last_len;
    bool last_is_prefix;
    struct record_object last; /* versions: its number, not its bytes */
};

/* How an operation writes one entry. */
typedef void (*listing_write_fn)(struct listing *listing, const struct list_item *item);

/* Read prefix, delimiter, max-keys and encoding-type, and begin the document.
 *
 * errors  S3_INVALID_ARGUMENT, ERR_NO_MEMORY */
MUST_USE enum err_code listing_start(struct call *call, const char *root,
                                     struct listing *ret_listing, struct err *err);

/* Write the page's entries. errors  those of list.h */
MUST_USE enum err_code listing_fill(struct listing *listing, listing_write_fn write,
                                    struct err *err);

/* Write CommonPrefixes and IsTruncated. */
void listing_end(struct listing *listing);

/* The last entry's key or prefix. */
struct bytes listing_last(const struct listing *listing);

/* An element with a key or prefix: percent-encoded where the client wants it so. */
void listing_write_name(struct listing *listing, const char *name, struct bytes text);

/* A Contents element. */
void listing_write_object(struct listing *listing, const struct list_item *item);

/* LastModified, ETag, checksum, Size, StorageClass of an object. */
void listing_write_content(struct listing *listing, const struct record_object *object);

#endif
