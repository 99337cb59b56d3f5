/* keys.h - the keys of the object store's rows, built in a fixed array.
 *
 * Owns      the layout drawn in storage/kv/tags.h, nothing else.
 * Threads   values. */
#ifndef STORAGE_OBJ_KEYS_H
#define STORAGE_OBJ_KEYS_H

#include "base/codec.h"
#include "base/limits.h"
#include "storage/kv/tags.h"

/* The longest: tag, bucket u32, key, 00, ~seq u64, site u32. */
#define KEYS_MAX (1 + 4 + S3_KEY_MAX + 1 + 8 + 4)

struct key {
    uint8_t data[KEYS_MAX];
    size_t len;
};

static inline struct bytes key_bytes(const struct key *key)
{
    return bytes_of(key->data, key->len);
}

/* TAG_SYSTEM, TAG_BUCKET, TAG_CURSOR: a name. */
struct key key_named(enum kv_tag tag, struct bytes name);

/* TAG_CURRENT, TAG_NULL: bucket, object key, 00. A TAG_VERSION or TAG_UPLOAD
 * key begins so too. */
struct key key_object(enum kv_tag tag, uint32_t bucket, struct bytes object_key);

/* TAG_CURRENT … without the 00: where the keys that begin with `prefix` start. */
struct key key_object_prefix(enum kv_tag tag, uint32_t bucket, struct bytes prefix);

#define KEY_VERSION_SUFFIX 12 /* bytes behind `key 00`: ~seq, site */
struct key key_version(uint32_t bucket, struct bytes object_key, uint64_t seq, uint32_t site);
struct key key_upload(uint32_t bucket, struct bytes object_key, uint64_t upload);

/* TAG_BODY; and where the rows of one number begin: TAG_PART, TAG_MANIFEST,
 * TAG_REFERENCE, TAG_FREE. */
struct key key_number(enum kv_tag tag, uint64_t number);

struct key key_part(uint64_t upload, uint32_t number);
struct key key_manifest(uint64_t manifest, uint64_t end_offset, uint32_t number);
/* TAG_REFERENCE, TAG_FREE: a body (or manifest, or upload) and one who owned it. */
struct key key_owned(enum kv_tag tag, uint64_t body, uint64_t owner);

/* KV_BODIES has no tag: the number alone. KV_CHANGES likewise. */
struct key key_bare(uint64_t number);

/* Take the object key out of a row's key of one of the four kinds above.
 *
 * tail_len  bytes behind the 00: 0, KEY_VERSION_SUFFIX, 8
 * returns   data NULL where the row's key is not of that form */
struct bytes key_object_of(struct bytes row_key, size_t tail_len);

/* seq and site out of a TAG_VERSION key. */
void key_version_of(struct bytes row_key, uint64_t *ret_seq, uint32_t *ret_site);

#endif
