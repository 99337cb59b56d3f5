/* tags.h - the first byte of every key in the ordered store, in one place, so
 * that no two kinds of row ever meet. A tag is never given a second meaning.
 *
 * Family KV_META, by tag:
 *   key after the tag                       value (storage/obj/record.proto …)   owner
 * Families of their own:
 *   KV_BODIES   body id u64                 bytes of a small body, CRC32C u32    obj
 *   KV_CHANGES  sequence number u64         seq, stamp, Change                   obj
 *
 * Object keys are UTF-8 without NUL, so `key 00` keeps their order. Integers
 * are big-endian. `~seq` is the complement of a sequence number: newest first. */
#ifndef STORAGE_KV_TAGS_H
#define STORAGE_KV_TAGS_H

enum kv_tag {
    TAG_SYSTEM = 's',  /* name                          format, identity, floors       obj */
    TAG_BUCKET = 'b',  /* bucket name                   Bucket                         obj */
    TAG_CURRENT = 'o', /* bucket u32, key 00            Object: the version GET gets   obj */
    TAG_VERSION =
        'v', /* bucket u32, key 00, ~seq, site u32   Object: older, or a delete marker  obj */
    TAG_NULL =
        'n', /* bucket u32, key 00            ~seq, site of the null version among TAG_VERSION */
    TAG_UPLOAD = 'u',     /* bucket u32, key 00, upload u64       Upload                  obj */
    TAG_PART = 'p',       /* upload u64, part number u16   Part                           obj */
    TAG_MANIFEST = 'm',   /* manifest u64, end offset u64, part number u16   Part         obj */
    TAG_BODY = 'x',       /* body u64                      Body: extents, block CRCs      obj */
    TAG_REFERENCE = 'r',  /* body u64, owner u64           empty                          obj */
    TAG_FREE = 'f',       /* body u64, owner u64           kind: look whether it is dead  obj */
    TAG_CURSOR = 'c',     /* reader name                   Cursor                         obj */
    TAG_TOMBSTONE = 't',  /* bucket u32, key 00            reserved: deletes, for sync    obj */
    TAG_USER = 'U',       /* user name                     User                           auth */
    TAG_ACCESS_KEY = 'K', /* access key                    AccessKey, secret sealed       auth */
    TAG_SESSION = 'S',    /* session access key            Session, secret sealed         auth */
    TAG_AUDIT = 'A',    /* sequence number u64           AuditEntry, chained hash       appliance */
    TAG_SETTING = 'C',  /* name                          reserved: settings by console  appliance */
    TAG_FUNCTION = 'F', /* reserved                                                     functions */
    TAG_QUEUE = 'Q',    /* reserved                                                     functions */
    TAG_SCHEDULE = 'H', /* reserved                                                     functions */
    TAG_TABLE = 'T',    /* reserved                                                     tables */
    TAG_SYNC = 'Y' /* reserved                                                     console-sync */
};

#endif
