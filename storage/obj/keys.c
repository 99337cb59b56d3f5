/* keys.c - see keys.h. */
#include "storage/obj/keys.h"

#include <assert.h>

static void add(struct key *key, struct bytes b)
{
    assert(key->len + b.len <= sizeof(key->data));
    if (b.len)
        memcpy(key->data + key->len, b.data, b.len);
    key->len += b.len;
}

static void add_u8(struct key *key, uint8_t v)
{
    add(key, bytes_of(&v, 1));
}

static void add_u16(struct key *key, uint16_t v)
{
    uint8_t raw[2];
    codec_put_u16be(raw, v);
    add(key, bytes_of(raw, sizeof(raw)));
}

static void add_u32(struct key *key, uint32_t v)
{
    uint8_t raw[4];
    codec_put_u32be(raw, v);
    add(key, bytes_of(raw, sizeof(raw)));
}

static void add_u64(struct key *key, uint64_t v)
{
    uint8_t raw[8];
    codec_put_u64be(raw, v);
    add(key, bytes_of(raw, sizeof(raw)));
}

static struct key begin(enum kv_tag tag)
{
    struct key key;
    key.data[0] = (uint8_t)tag;
    key.len = 1;
    return key;
}

struct key key_named(enum kv_tag tag, struct bytes name)
{
    struct key key = begin(tag);
    add(&key, name);
    return key;
}

struct key key_object_prefix(enum kv_tag tag, uint32_t bucket, struct bytes prefix)
{
    struct key key = begin(tag);
    add_u32(&key, bucket);
    add(&key, prefix);
    return key;
}

struct key key_object(enum kv_tag tag, uint32_t bucket, struct bytes object_key)
{
    struct key key = key_object_prefix(tag, bucket, object_key);
    add_u8(&key, 0);
    return key;
}

struct key key_version(uint32_t bucket, struct bytes object_key, uint64_t seq, uint32_t site)
{
    struct key key = key_object(TAG_VERSION, bucket, object_key);
    add_u64(&key, ~seq);
    add_u32(&key, site);
    return key;
}

struct key key_upload(uint32_t bucket, struct bytes object_key, uint64_t upload)
{
    struct key key = key_object(TAG_UPLOAD, bucket, object_key);
    add_u64(&key, upload);
    return key;
}

struct key key_number(enum kv_tag tag, uint64_t number)
{
    struct key key = begin(tag);
    add_u64(&key, number);
    return key;
}

struct key key_part(uint64_t upload, uint32_t number)
{
    struct key key = key_number(TAG_PART, upload);
    add_u16(&key, (uint16_t)number);
    return key;
}

struct key key_manifest(uint64_t manifest, uint64_t end_offset, uint32_t number)
{
    struct key key = key_number(TAG_MANIFEST, manifest);
    add_u64(&key, end_offset);
    add_u16(&key, (uint16_t)number);
    return key;
}

struct key key_owned(enum kv_tag tag, uint64_t body, uint64_t owner)
{
    struct key key = key_number(tag, body);
    add_u64(&key, owner);
    return key;
}

struct key key_bare(uint64_t number)
{
    struct key key = {.len = 0};
    add_u64(&key, number);
    return key;
}

struct bytes key_object_of(struct bytes row_key, size_t tail_len)
{
    const size_t head = 1 + 4;
    if (row_key.len < head + 1 + tail_len || row_key.data[row_key.len - tail_len - 1] != 0)
        return (struct bytes){0};
    return bytes_of(row_key.data + head, row_key.len - head - 1 - tail_len);
}

void key_version_of(struct bytes row_key, uint64_t *ret_seq, uint32_t *ret_site)
{
    assert(row_key.len >= KEY_VERSION_SUFFIX);
    const uint8_t *tail = row_key.data + row_key.len - KEY_VERSION_SUFFIX;
    *ret_seq = ~codec_get_u64be(tail);
    *ret_site = codec_get_u32be(tail + 8);
}
