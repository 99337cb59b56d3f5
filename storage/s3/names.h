/* names.h - names of objects as clients write them: in paths, in copy sources.
 *
 * A key is opaque bytes (UTF-8 without NUL), never a file's path: "..", "//"
 * and "." are keys like others. The rules for buckets' names are the store's
 * (storage/obj/bucket.h).
 *
 * Threads   pure.
 * Source    Amazon S3 user guide, "Naming objects", "Virtual hosting". */
#ifndef STORAGE_S3_NAMES_H
#define STORAGE_S3_NAMES_H

#include "base/arena.h"
#include "storage/s3/error.h"

/* A key that may stand for an object.
 *
 * errors  S3_KEY_TOO_LONG (above S3_KEY_MAX bytes), S3_INVALID_ARGUMENT (empty, NUL, not UTF-8) */
MUST_USE enum err_code names_check_key(struct bytes key, struct err *err);

/* Percent-decode; '+' stays or becomes a space.
 *
 * ret_name  arena memory
 * errors    S3_INVALID_URI (broken encoding), ERR_NO_MEMORY */
MUST_USE enum err_code names_decode(struct bytes raw, bool plus_is_space, struct arena *arena,
                                    struct bytes *ret_name, struct err *err);

/* Where a request goes. */
struct names_place {
    struct bytes bucket; /* empty: none is named */
    struct bytes key;    /* empty: none is named */
};

/* Read bucket and key from a path, or from a host `bucket.domain` and a path.
 *
 * path      raw, begins with '/'
 * host      Host field, with or without port
 * domain    of virtual-host style; empty = path style only
 * arena     for what is decoded
 * errors    S3_INVALID_URI (no '/', broken encoding, NUL, not UTF-8, a key without
 *           bucket), S3_KEY_TOO_LONG, ERR_NO_MEMORY */
MUST_USE enum err_code names_locate(struct bytes path, struct bytes host, struct bytes domain,
                                    struct arena *arena, struct names_place *ret_place,
                                    struct err *err);

/* The source of a copy. */
struct names_source {
    struct bytes bucket, key; /* neither is empty */
    struct bytes version_id;  /* data NULL: none was named */
};

/* Read x-amz-copy-source: [/]bucket/key[?versionId=id], percent-encoded as a
 * whole ('+' is a plus; the slashes may be encoded too).
 *
 * errors  S3_INVALID_ARGUMENT, S3_KEY_TOO_LONG, ERR_NO_MEMORY */
MUST_USE enum err_code names_read_source(struct bytes field, struct arena *arena,
                                         struct names_source *ret_source, struct err *err);

#endif
