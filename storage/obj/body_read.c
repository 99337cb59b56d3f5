/* body_read.c - body.h, the reading half.
 *
 * A reader stands on a span: bytes [from, until) of the object that lie in one
 * body. An object in one piece has one span, a multipart object one for each
 * part, loaded as they are reached. A block is read, checked against its
 * CRC32C and only then handed over: whole blocks straight into the caller's
 * memory, pieces of one through the reader's own. Never mmap: a bad page would
 * be a signal, a punched hole would be zeros. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "storage/obj/internal.h"

#define CRC_LEN        4
#define SPAN_ARENA_MAX MIB(8) /* an extent list with the CRCs of 5 GiB is 80 KiB */

struct span {
    uint64_t from, until; /* offsets in the object */
    struct record_body body;
    uint64_t body_at; /* offset in the body of the byte at `from` */
    bool is_small;
    struct pin pin; /* of a large part: its place may change, its manifest's pin tells nobody so */
    bool pinned;
    struct bytes small;            /* is_small: the bytes, in the arena */
    struct record_extents extents; /* else: where in the segments */
};

struct body_reader {
    struct store *store;
    uint64_t length;
    struct record_body body;
    struct pin pin;
    bool pinned;
    struct arena arena; /* the span's */
    bool on_span;
    struct span span;
    int fd; /* of the segment last read; -1 */
    uint32_t fd_segment;
    bool direct;       /* read the disk, not what memory remembers of it */
    uint8_t *block;    /* NULL until a piece of a block is asked for */
    uint64_t block_at; /* body offset of what is in it; UINT64_MAX: nothing */
    size_t block_len;
};

static void leave_span(struct body_reader *reader)
{
    if (reader->span.pinned)
        pin_drop(&reader->store->pins, &reader->span.pin);
    reader->span.pinned = reader->on_span = false;
    reader->block_at = UINT64_MAX;
    arena_reset(&reader->arena);
}

void body_reader_free(struct body_reader *reader)
{
    if (!reader)
        return;
    leave_span(reader);
    arena_done(&reader->arena);
    if (reader->pinned)
        pin_drop(&reader->store->pins, &reader->pin);
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->block);
    free(reader);
}

static enum err_code rot(struct body_reader *reader, struct err *err, const char *where,
                         uint64_t at)
{
    metrics_add(&reader->store->stats.rot_found, 1);
    return err_fail(err, ERR_CORRUPT, "body %016llx: checksum mismatch in %s at %llu",
                    (unsigned long long)reader->body.id, where, (unsigned long long)at);
}

/* Copy the bytes of a small body, checked. */
static enum err_code take_small(struct body_reader *reader, struct bytes stored, uint64_t length,
                                struct err *err)
{
    if (stored.len != length + CRC_LEN)
        return rot(reader, err, "the ordered store", 0);
    struct bytes *small = &reader->span.small;
    *small = arena_copy(&reader->arena, bytes_first(stored, (size_t)length));
    if (!small->data)
        return err_fail(err, ERR_NO_MEMORY, "a small body");
    if (hash_crc32c(0, *small) != codec_get_u32be(stored.data + length))
        return rot(reader, err, "the ordered store", 0);
    return ERR_OK;
}

/* A small body, whole. Copied: a slow client reads for long, and what is held of
 * the ordered store keeps it from leaving a full disk (kv.h, reopen). */
static enum err_code load_small(struct body_reader *reader, uint64_t id, uint64_t length,
                                bool *ret_found, struct err *err)
{
    struct key row = key_bare(id);
    struct kv_value value;
    enum err_code rc =
        kv_find(reader->store->kv, KV_BODIES, key_bytes(&row), ret_found, &value, err);
    if (rc == ERR_CORRUPT)
        metrics_add(&reader->store->stats.rot_found, 1);
    if (rc != ERR_OK || !*ret_found)
        return rc;
    rc = take_small(reader, value.bytes, length, err);
    kv_value_free(reader->store->kv, &value);
    return rc;
}

static enum err_code load_extents(struct body_reader *reader, uint64_t id, bool *ret_found,
                                  struct err *err)
{
    struct key row = key_number(TAG_BODY, id);
    struct kv_value value;
    enum err_code rc = kv_find(reader->store->kv, KV_META, key_bytes(&row), ret_found, &value, err);
    if (rc != ERR_OK || !*ret_found)
        return rc;
    rc = record_decode_extents(value.bytes, &reader->arena, &reader->span.extents, err);
    kv_value_free(reader->store->kv, &value);
    return rc;
}

/* Stand on [from, until), which lies in `body` at `body_at`. */
static enum err_code load_span(struct body_reader *reader, const struct record_body *body,
                               uint64_t from, uint64_t until, uint64_t body_at, bool *ret_found,
                               struct err *err)
{
    leave_span(reader);
    reader->span = (struct span){.from = from,
                                 .until = until,
                                 .body = *body,
                                 .body_at = body_at,
                                 .is_small = body->kind == BODY_INLINE};
    reader->span.pinned = reader->body.kind == BODY_MANIFEST && !reader->span.is_small;
    if (reader->span.pinned)
        pin_join(&reader->store->pins, &reader->span.pin, body->id);
    enum err_code rc = reader->span.is_small
                           ? load_small(reader, body->id, until - from, ret_found, err)
                           : load_extents(reader, body->id, ret_found, err);
    reader->on_span = rc == ERR_OK && *ret_found;
    return rc;
}

/* The part of a manifest that holds `offset`: the first whose end is above it. */
static enum err_code find_part(struct body_reader *reader, uint64_t offset, bool *ret_found,
                               uint64_t *ret_end, struct record_part *ret_part, struct err *err)
{
    struct kv *kv = reader->store->kv;
    struct key from = key_manifest(reader->body.id, offset + 1, 0);
    struct key until = key_number(TAG_MANIFEST, reader->body.id + 1);
    struct kv_iter *iter;
    enum err_code rc =
        kv->calls->iter_open(kv, NULL, KV_META, key_bytes(&from), key_bytes(&until), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    *ret_found = kv->calls->iter_at(iter, &key, &value);
    rc = kv->calls->iter_check(iter, err);
    if (rc == ERR_OK && *ret_found) {
        *ret_end = codec_get_u64be(key.data + 1 + 8);
        rc = record_decode_part(value, &reader->arena, ret_part, err);
    }
    kv->calls->iter_close(iter);
    return rc;
}

static enum err_code load_part(struct body_reader *reader, uint64_t offset, bool *ret_found,
                               struct err *err)
{
    leave_span(reader);
    struct record_part part;
    uint64_t end;
    enum err_code rc = find_part(reader, offset, ret_found, &end, &part, err);
    if (rc != ERR_OK || !*ret_found)
        return rc;
    if (part.length > end)
        return err_fail(err, ERR_CORRUPT, "manifest %016llx: part %u does not fit",
                        (unsigned long long)reader->body.id, part.number);
    *ret_found = end - part.length <= offset; /* the parts before it are freed already */
    if (!*ret_found)
        return ERR_OK;
    struct record_body body = part.body;
    return load_span(reader, &body, end - part.length, end, part.body_offset, ret_found, err);
}

static enum err_code load(struct body_reader *reader, uint64_t offset, bool *ret_found,
                          struct err *err)
{
    if (reader->body.kind == BODY_MANIFEST)
        return load_part(reader, offset, ret_found, err);
    return load_span(reader, &reader->body, 0, reader->length, 0, ret_found, err);
}

static enum err_code open_first(struct body_reader *reader, bool *ret_gone, struct err *err)
{
    bool found = true;
    enum record_body_kind kind = reader->body.kind;
    if (kind == BODY_REMOTE)
        return err_fail(err, ERR_UNSUPPORTED, "the body is not on this box");
    if (kind == BODY_EXTENTS || kind == BODY_MANIFEST)
        found = reader->pinned = pin_take(&reader->store->pins, &reader->pin, reader->body.id);
    enum err_code rc = ERR_OK;
    if (found && kind != BODY_EMPTY && reader->length)
        rc = load(reader, 0, &found, err);
    *ret_gone = !found;
    return rc;
}

enum err_code body_reader_open(struct store *store, const struct record_body *body, uint64_t length,
                               bool *ret_gone, struct body_reader **ret_reader, struct err *err)
{
    *ret_gone = false;
    AUTO(body_reader) struct body_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return err_fail(err, ERR_NO_MEMORY, "body reader");
    reader->store = store;
    reader->length = length;
    reader->body = *body;
    reader->fd = -1;
    reader->block_at = UINT64_MAX;
    arena_init(&reader->arena, SPAN_ARENA_MAX);
    enum err_code rc = open_first(reader, ret_gone, err);
    if (rc == ERR_OK && !*ret_gone)
        *ret_reader = TAKE(reader);
    return rc;
}

void body_reader_set_direct(struct body_reader *reader)
{
    reader->direct = true;
}

struct bytes body_reader_small(const struct body_reader *reader)
{
    if (reader->length == 0)
        return BYTES_LIT("");
    if (reader->body.kind != BODY_INLINE)
        return (struct bytes){0};
    return reader->span.small;
}

static enum err_code use_segment(struct body_reader *reader, uint32_t segment, struct err *err)
{
    if (reader->fd >= 0 && reader->fd_segment == segment)
        return ERR_OK;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    enum err_code rc =
        segment_open_read(reader->store->segments, segment, reader->direct, &reader->fd, err);
    reader->fd_segment = segment;
    if (rc == ERR_OK)
        (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return rc;
}

/* Read one block of the body, checked. No block crosses an extent's end. */
static enum err_code read_block(struct body_reader *reader, uint64_t block_at, size_t len,
                                uint8_t *to, struct err *err)
{
    const struct record_extents *extents = &reader->span.extents;
    uint64_t skip = block_at;
    size_t at = 0;
    while (at < extents->extent_count && skip >= extents->extents[at].stored)
        skip -= extents->extents[at++].stored;
    size_t block = (size_t)(block_at / extents->block_bytes);
    if (at == extents->extent_count || extents->block_crcs.len < (block + 1) * CRC_LEN)
        return err_fail(err, ERR_CORRUPT, "body %016llx: no extent for %llu",
                        (unsigned long long)reader->body.id, (unsigned long long)block_at);
    const struct record_extent *extent = &extents->extents[at];
    enum err_code rc = use_segment(reader, extent->segment, err);
    if (rc == ERR_OK)
        rc = file_read_at(reader->fd, to, reader->direct ? segment_round_up(len) : len,
                          extent->offset + skip, err);
    if (rc != ERR_OK)
        return rc;
    if (hash_crc32c(0, bytes_of(to, len)) !=
        codec_get_u32be(extents->block_crcs.data + block * CRC_LEN)) {
        char where[32];
        snprintf(where, sizeof(where), "segment %08x", extent->segment);
        return rot(reader, err, where, extent->offset + skip);
    }
    return ERR_OK;
}

/* The block at `block_at` in the reader's own memory. */
static enum err_code hold_block(struct body_reader *reader, uint64_t block_at, size_t len,
                                struct err *err)
{
    if (reader->block_at == block_at)
        return ERR_OK;
    if (!reader->block)
        reader->block = aligned_alloc(SEGMENT_ALIGN, OBJ_BLOCK_BYTES);
    if (!reader->block)
        return err_fail(err, ERR_NO_MEMORY, "block of a body");
    reader->block_at = UINT64_MAX;
    enum err_code rc = read_block(reader, block_at, len, reader->block, err);
    if (rc != ERR_OK)
        return rc;
    reader->block_at = block_at;
    reader->block_len = len;
    return ERR_OK;
}

static enum err_code read_large(struct body_reader *reader, uint64_t body_at, uint8_t *to,
                                size_t room, size_t *ret_len, struct err *err)
{
    const struct record_extents *extents = &reader->span.extents;
    if (extents->block_bytes == 0 || extents->block_bytes > OBJ_BLOCK_BYTES ||
        body_at >= extents->length)
        return err_fail(err, ERR_CORRUPT, "body %016llx: bad extents",
                        (unsigned long long)reader->body.id);
    uint64_t block_at = body_at - body_at % extents->block_bytes;
    uint64_t left = extents->length - block_at;
    size_t len = left < extents->block_bytes ? (size_t)left : extents->block_bytes;
    if (body_at == block_at && room >= len && reader->block_at != block_at && !reader->direct) {
        *ret_len = len;
        return read_block(reader, block_at, len, to, err);
    }
    enum err_code rc = hold_block(reader, block_at, len, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes piece =
        bytes_first(bytes_from(bytes_of(reader->block, len), (size_t)(body_at - block_at)), room);
    memcpy(to, piece.data, piece.len);
    *ret_len = piece.len;
    return ERR_OK;
}

/* Stand on the span that holds `offset`. */
static enum err_code stand_on(struct body_reader *reader, uint64_t offset, struct err *err)
{
    if (offset >= reader->length)
        return err_fail(err, ERR_INVALID, "read behind the end");
    if (reader->on_span && offset >= reader->span.from && offset < reader->span.until)
        return ERR_OK;
    bool found;
    enum err_code rc = load(reader, offset, &found, err);
    if (rc == ERR_OK && !found)
        rc = err_fail(err, ERR_CORRUPT, "body %016llx: bytes at %llu are missing",
                      (unsigned long long)reader->body.id, (unsigned long long)offset);
    return rc;
}

enum err_code body_reader_within(struct body_reader *reader, uint64_t from, uint64_t until,
                                 bool *ret_within, struct record_body *ret_body,
                                 uint64_t *ret_offset, struct err *err)
{
    enum err_code rc = stand_on(reader, from, err);
    if (rc != ERR_OK)
        return rc;
    *ret_within = !reader->span.is_small && until <= reader->span.until;
    *ret_body = reader->span.body;
    *ret_offset = reader->span.body_at + from - reader->span.from;
    return ERR_OK;
}

enum err_code body_reader_read(struct body_reader *reader, uint64_t offset, uint8_t *to,
                               size_t room, size_t *ret_len, struct err *err)
{
    enum err_code rc = stand_on(reader, offset, err);
    if (rc != ERR_OK)
        return rc;
    const struct span *span = &reader->span;
    uint64_t left = span->until - offset;
    if (room > left)
        room = (size_t)left;
    if (!span->is_small)
        return read_large(reader, span->body_at + offset - span->from, to, room, ret_len, err);
    memcpy(to, span->small.data + (offset - span->from), room);
    *ret_len = room;
    return ERR_OK;
}
