/* record.h - the records of the object store as C structs, and their encoding.
 *
 * Owns      the row values: [format u8][seq u64][stamp u64][message] for objects
 *           and changes, [format u8][message] for the rest (record.proto).
 * Not here  keys (keys.h), when a row is written.
 * Threads   values; any. Decoded structs borrow from the arena given. */
#ifndef STORAGE_OBJ_RECORD_H
#define STORAGE_OBJ_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

#define RECORD_FORMAT   1
#define RECORD_SEQ_AT   1  /* offset of seq, then stamp, in an object's or change's row */
#define RECORD_HEAD_LEN 17 /* bytes before the message in such a row */
#define RECORD_ETAG_LEN 16

struct record_pair {
    struct bytes name, value;
};

struct record_pairs {
    struct record_pair *items;
    size_t count;
};

struct record_checksum {
    bool present;
    bool composite; /* of the parts' checksums: shown as value-N */
    enum hash_kind kind;
    struct hash_value value;
};

enum record_body_kind {
    BODY_EMPTY,    /* no bytes, no row */
    BODY_INLINE,   /* KV_BODIES */
    BODY_EXTENTS,  /* TAG_BODY, segments */
    BODY_MANIFEST, /* TAG_MANIFEST: parts */
    BODY_REMOTE    /* reserved for console-sync */
};

struct record_body {
    enum record_body_kind kind;
    uint64_t id;    /* of the bytes, or of the manifest */
    uint64_t owner; /* of this reference to them */
};

struct record_origin {
    uint32_t site;
    uint64_t epoch, seq, console_seq_seen;
};

struct record_object {
    uint64_t seq, stamp; /* of the row; 0 until committed */
    bool delete_marker, null_version;
    uint64_t length; /* bytes */
    uint64_t modified_unix_ms;
    uint8_t etag[RECORD_ETAG_LEN];
    uint32_t parts; /* 0: not multipart */
    struct bytes owner;
    struct record_body body;
    struct record_pairs headers, metadata, tags;
    struct record_checksum checksum;
    struct record_origin origin;
    struct bytes lineage_trace;
    uint32_t lineage_depth;
    struct bytes storage_class;
};

struct record_part {
    uint32_t number;
    uint64_t length; /* bytes */
    uint64_t modified_unix_ms;
    uint8_t etag[RECORD_ETAG_LEN];
    struct record_checksum checksum;
    struct record_body body;
    uint64_t body_offset;
};

struct record_upload {
    struct record_object object; /* what Complete makes of it */
    uint64_t initiated_unix_ms;
    bool has_checksum, composite;
    enum hash_kind checksum_kind;
    struct bytes initiator;
};

struct record_bucket {
    uint32_t id;
    struct bytes owner;
    uint64_t created_unix_ms;
    uint32_t versioning; /* enum bucket_versioning */
    struct record_pairs tags;
    struct bytes region;
};

struct record_extent {
    uint32_t segment;
    uint64_t offset; /* bytes */
    uint64_t stored; /* bytes */
};

struct record_extents {
    uint64_t length; /* bytes */
    uint32_t block_bytes;
    struct record_extent *extents;
    size_t extent_count;
    struct bytes block_crcs; /* u32 big-endian each */
};

enum change_operation {
    CHANGE_OBJECT_PUT = 1,
    CHANGE_OBJECT_COPY = 2,
    CHANGE_OBJECT_COMPLETE = 3, /* CompleteMultipartUpload */
    CHANGE_OBJECT_DELETE = 4,   /* the version is gone */
    CHANGE_OBJECT_DELETE_MARKER = 5,
    CHANGE_OBJECT_TAGS = 6,
    CHANGE_BUCKET_CREATE = 16,
    CHANGE_BUCKET_DELETE = 17,
    CHANGE_BUCKET_SETTINGS = 18
};

struct record_change {
    uint64_t seq, stamp;
    enum change_operation operation;
    struct bytes bucket;
    uint32_t bucket_id;
    struct bytes key;
    uint64_t version_seq; /* 0: the change's own */
    uint32_t version_site;
    bool null_version;
    uint64_t length;
    uint8_t etag[RECORD_ETAG_LEN];
    uint32_t parts;
    struct record_checksum checksum;
    uint64_t time_unix_ms;
    struct record_origin origin;
    struct bytes lineage_trace;
    uint32_t lineage_depth;
    struct bytes user;
};

struct record_scrub {
    uint32_t phase; /* enum scrub_phase */
    struct bytes position;
    uint64_t started_unix_ms, finished_unix_ms; /* finished 0: not yet */
    uint64_t bodies, bytes, rot;
};

struct record_system {
    uint32_t format;
    uint8_t box_id[16];
    uint64_t epoch;
    uint32_t site;
    uint64_t created_unix_ms;
    uint64_t parent_epoch; /* of the box whose backup this one was restored from; 0: never */
    uint64_t parent_ids;   /* ids of bodies below this were given before */
};

/* Encode a row value. The sequence number and stamp of objects and changes are
 * left for the committer (RECORD_SEQ_AT) unless the record has them already.
 *
 * returns  arena memory; data is NULL when memory is out */
struct bytes record_encode_object(const struct record_object *object, struct arena *arena);
struct bytes record_encode_part(const struct record_part *part, struct arena *arena);
struct bytes record_encode_upload(const struct record_upload *upload, struct arena *arena);
struct bytes record_encode_bucket(const struct record_bucket *bucket, struct arena *arena);
struct bytes record_encode_extents(const struct record_extents *extents, struct arena *arena);
struct bytes record_encode_change(const struct record_change *change, struct arena *arena);
struct bytes record_encode_system(const struct record_system *system, struct arena *arena);
struct bytes record_encode_cursor(uint64_t seq, struct arena *arena);
struct bytes record_encode_scrub(const struct record_scrub *scrub, struct arena *arena);

/* Decode a row value.
 *
 * row     borrowed for the call: everything is copied to the arena
 * errors  ERR_CORRUPT (unknown format, not such a message, a length that cannot be), ERR_NO_MEMORY
 */
MUST_USE enum err_code record_decode_object(struct bytes row, struct arena *arena,
                                            struct record_object *ret_object, struct err *err);
MUST_USE enum err_code record_decode_part(struct bytes row, struct arena *arena,
                                          struct record_part *ret_part, struct err *err);
MUST_USE enum err_code record_decode_upload(struct bytes row, struct arena *arena,
                                            struct record_upload *ret_upload, struct err *err);
MUST_USE enum err_code record_decode_bucket(struct bytes row, struct arena *arena,
                                            struct record_bucket *ret_bucket, struct err *err);
MUST_USE enum err_code record_decode_extents(struct bytes row, struct arena *arena,
                                             struct record_extents *ret_extents, struct err *err);
MUST_USE enum err_code record_decode_change(struct bytes row, struct arena *arena,
                                            struct record_change *ret_change, struct err *err);
MUST_USE enum err_code record_decode_system(struct bytes row, struct arena *arena,
                                            struct record_system *ret_system, struct err *err);
MUST_USE enum err_code record_decode_scrub(struct bytes row, struct arena *arena,
                                           struct record_scrub *ret_scrub, struct err *err);
MUST_USE enum err_code record_decode_cursor(struct bytes row, uint64_t *ret_seq, struct err *err);

/* The value of a header of that lower-case name; data is NULL without one. */
struct bytes record_pair_find(const struct record_pairs *pairs, const char *name);

#endif
