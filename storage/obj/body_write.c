/* body_write.c - body.h, the writing half.
 *
 *     OPEN ──write──> small: bytes collect in memory
 *       │               │ more than OBJ_INLINE_MAX, or announced so
 *       └──────────────>large: a buffer is a ring of slots; a full one is written behind
 *                       to a space of a segment while the next one fills; every
 *                       OBJ_BLOCK_BYTES a CRC32C is closed
 *     finish: the rest is written, padded with zeros, the segments are synced
 *
 * Source    storage measurements in ARCHITECTURE.md. */
#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "storage/obj/internal.h"
#include "storage/obj/write_behind.h"

#define SMALL_ROOM_MIN KIB(4)
#define SPACE_UNKNOWN  MIB(8) /* taken at once when the length is not known */
#define CRC_LEN        4
#define SLOTS_MAX      (OBJ_BUFFER_BYTES / OBJ_WRITE_BYTES)

/* So a slot never lies over the end of a space, which is of whole blocks or ends with the body. */
static_assert(OBJ_BLOCK_BYTES % OBJ_WRITE_BYTES == 0 &&
                  OBJ_BLOCK_BYTES % OBJ_BUFFER_BYTES_CROWDED == 0,
              "blocks are of whole writes");
static_assert(OBJ_INLINE_MAX <= OBJ_BUFFER_BYTES_CROWDED, "a small body fits a slot");

struct space_used {
    struct segment_space space;
    uint64_t used; /* bytes written, padding not counted */
};

struct body_writer {
    struct store *store;
    uint64_t announced; /* BODY_LENGTH_UNKNOWN, or the most that may come */
    uint64_t length;    /* so far */
    bool large;
    bool settled;      /* the spaces were given back or kept */
    struct err failed; /* the first failure; its code ERR_OK: none. It stays failed then */

    uint8_t *buffer;   /* small: malloc; large: aligned, slots of `room` bytes */
    size_t room, fill; /* bytes: of the small buffer, or of the slot being filled */
    bool pooled;       /* the buffer counts in body_buffers */

    size_t slot, slot_count; /* large: the one being filled; this and below */
    struct write_line line;
    struct write_job jobs[SLOTS_MAX]; /* of each slot */

    struct space_used *spaces;
    size_t space_count, space_room;
    uint64_t written; /* bytes in spaces */

    struct buf crcs;
    uint32_t block_crc;
    size_t block_fill;
};

enum err_code body_writer_open(struct store *store, uint64_t length,
                               struct body_writer **ret_writer, struct err *err)
{
    enum err_code rc = store_health(store, err);
    if (rc != ERR_OK)
        return rc;
    struct body_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return err_fail(err, ERR_NO_MEMORY, "body");
    writer->store = store;
    writer->announced = length;
    buf_init(&writer->crcs, S3_PUT_BYTES_MAX / OBJ_BLOCK_BYTES * CRC_LEN + CRC_LEN);
    *ret_writer = writer;
    return ERR_OK;
}

uint64_t body_writer_length(const struct body_writer *writer)
{
    return writer->length;
}

/* Spaces: the first `used` bytes of each stay when a record names them. */
static void settle(struct body_writer *writer, bool keep)
{
    if (writer->settled)
        return;
    writer->settled = true;
    if (writer->large)
        write_line_done(&writer->line);
    for (size_t i = 0; i < writer->space_count; i++)
        segment_keep(writer->store->segments, &writer->spaces[i].space,
                     keep ? writer->spaces[i].used : 0);
}

void body_writer_committed(struct body_writer *writer, enum err_code rc)
{
    if (rc == ERR_OK || rc == ERR_IO || rc == ERR_CORRUPT)
        settle(writer, true);
}

void body_writer_free(struct body_writer *writer)
{
    if (!writer)
        return;
    settle(writer, false);
    if (writer->large)
        body_buffers_give(writer->store->buffers, TAKE(writer->buffer), writer->pooled);
    else
        free(writer->buffer);
    free(writer->spaces);
    buf_done(&writer->crcs);
    free(writer);
}

/* A space with room for more, taken where the last one is full. */
static enum err_code space_with_room(struct body_writer *writer, struct space_used **ret_space,
                                     struct err *err)
{
    if (writer->space_count) {
        struct space_used *last = &writer->spaces[writer->space_count - 1];
        if (last->used < last->space.len) {
            *ret_space = last;
            return ERR_OK;
        }
    }
    if (writer->space_count == writer->space_room) {
        size_t room = writer->space_room ? writer->space_room * 2 : 2;
        struct space_used *spaces = realloc(writer->spaces, room * sizeof(*spaces));
        if (!spaces)
            return err_fail(err, ERR_NO_MEMORY, "extents");
        writer->spaces = spaces;
        writer->space_room = room;
    }
    uint64_t want = writer->announced == BODY_LENGTH_UNKNOWN ? SPACE_UNKNOWN
                                                             : writer->announced - writer->written;
    struct space_used *space = &writer->spaces[writer->space_count];
    enum err_code rc =
        segment_take(writer->store->segments, want, OBJ_BLOCK_BYTES, &space->space, err);
    if (rc != ERR_OK)
        return rc;
    space->used = 0;
    writer->space_count++;
    *ret_space = space;
    return store_note_segment(writer->store, space->space.segment, err);
}

static void close_block(struct body_writer *writer)
{
    buf_append_u32be(&writer->crcs, writer->block_crc);
    writer->block_crc = 0;
    writer->block_fill = 0;
}

static void add_to_crcs(struct body_writer *writer, struct bytes data)
{
    while (data.len) {
        struct bytes piece = bytes_first(data, OBJ_BLOCK_BYTES - writer->block_fill);
        writer->block_crc = hash_crc32c(writer->block_crc, piece);
        writer->block_fill += piece.len;
        data = bytes_from(data, piece.len);
        if (writer->block_fill == OBJ_BLOCK_BYTES)
            close_block(writer);
    }
}

static uint8_t *slot_at(const struct body_writer *writer, size_t slot)
{
    return writer->buffer + slot * writer->room;
}

static enum err_code poison_if_lost(struct body_writer *writer, enum err_code rc, struct err *err)
{
    if (rc == ERR_IO)
        committer_poison(writer->store->committer, err);
    return rc;
}

/* Have the slot written, and go on in the next one. Only the last slot may be of an odd length. */
static enum err_code flush(struct body_writer *writer, struct err *err)
{
    uint8_t *data = slot_at(writer, writer->slot);
    add_to_crcs(writer, bytes_of(data, writer->fill));
    memset(data + writer->fill, 0, segment_round_up(writer->fill) - writer->fill);
    struct space_used *space = NULL;
    enum err_code rc = space_with_room(writer, &space, err);
    if (rc != ERR_OK)
        return rc;
    assert(segment_round_up(writer->fill) <= space->space.len - space->used);
    struct write_job *job = &writer->jobs[writer->slot];
    job->segment = space->space.segment;
    job->at = space->space.offset + space->used;
    job->data = bytes_of(data, segment_round_up(writer->fill));
    write_line_put(&writer->line, job);
    space->used += writer->fill;
    writer->written += writer->fill;
    writer->fill = 0;
    writer->slot = (writer->slot + 1) % writer->slot_count;
    rc = write_line_wait(&writer->line, &writer->jobs[writer->slot], err);
    return poison_if_lost(writer, rc, err);
}

static enum err_code become_large(struct body_writer *writer, struct err *err)
{
    size_t room;
    uint8_t *buffer = body_buffers_take(writer->store->buffers, &room, &writer->pooled);
    writer->large = true;
    write_line_init(&writer->line, writer->store->write_behind);
    writer->room = room < OBJ_WRITE_BYTES ? room : OBJ_WRITE_BYTES;
    writer->slot_count = room / writer->room;
    if (buffer && writer->fill)
        memcpy(buffer, writer->buffer, writer->fill);
    free(writer->buffer);
    writer->buffer = buffer;
    return buffer ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "write buffer");
}

/* Room for `len` more small bytes and the CRC behind them. */
static enum err_code grow_small(struct body_writer *writer, size_t len, struct err *err)
{
    size_t need = writer->fill + len + CRC_LEN;
    if (need <= writer->room)
        return ERR_OK;
    size_t room = writer->room ? writer->room * 4 : SMALL_ROOM_MIN;
    if (writer->announced <= OBJ_INLINE_MAX)
        room = (size_t)writer->announced + CRC_LEN;
    if (room < need)
        room = need;
    uint8_t *buffer = realloc(writer->buffer, room);
    if (!buffer)
        return err_fail(err, ERR_NO_MEMORY, "body of %zu bytes", room);
    writer->buffer = buffer;
    writer->room = room;
    return ERR_OK;
}

static enum err_code write_large(struct body_writer *writer, struct bytes piece, struct err *err)
{
    while (piece.len) {
        struct bytes now = bytes_first(piece, writer->room - writer->fill);
        memcpy(slot_at(writer, writer->slot) + writer->fill, now.data, now.len);
        writer->fill += now.len;
        piece = bytes_from(piece, now.len);
        enum err_code rc = writer->fill == writer->room ? flush(writer, err) : ERR_OK;
        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum err_code write_piece(struct body_writer *writer, struct bytes piece, struct err *err)
{
    uint64_t length = writer->length + piece.len;
    uint64_t most = writer->announced < S3_PUT_BYTES_MAX ? writer->announced : S3_PUT_BYTES_MAX;
    if (length > most)
        return err_fail(err, ERR_LIMIT, "body is longer than %llu bytes", (unsigned long long)most);
    bool large = length > OBJ_INLINE_MAX ||
                 (writer->announced > OBJ_INLINE_MAX && writer->announced != BODY_LENGTH_UNKNOWN);
    enum err_code rc = ERR_OK;
    if (large && !writer->large)
        rc = become_large(writer, err);
    else if (!large)
        rc = grow_small(writer, piece.len, err);
    if (rc != ERR_OK)
        return rc;
    writer->length = length;
    if (large)
        return write_large(writer, piece, err);
    memcpy(writer->buffer + writer->fill, piece.data, piece.len);
    writer->fill += piece.len;
    return ERR_OK;
}

/* A piece is missing: what follows must not close the gap. */
static enum err_code stay_failed(struct body_writer *writer, enum err_code rc, struct err *err)
{
    if (rc != ERR_OK && writer->failed.code == ERR_OK)
        writer->failed = *err;
    if (writer->failed.code != ERR_OK)
        *err = writer->failed;
    return writer->failed.code;
}

enum err_code body_writer_write(struct body_writer *writer, struct bytes piece, struct err *err)
{
    enum err_code rc = ERR_OK;
    if (piece.len && writer->failed.code == ERR_OK)
        rc = write_piece(writer, piece, err);
    return stay_failed(writer, rc, err);
}

static enum err_code sync_segments(struct body_writer *writer, struct err *err)
{
    for (size_t i = 0; i < writer->space_count; i++) {
        uint32_t segment = writer->spaces[i].space.segment;
        if (i && writer->spaces[i - 1].space.segment == segment)
            continue;
        enum err_code rc = segment_sync(writer->store->segments, segment, err);
        if (rc != ERR_OK) {
            committer_poison(writer->store->committer, err);
            return rc;
        }
    }
    return ERR_OK;
}

/* Spaces that lie one behind the other become one extent. */
static enum err_code list_extents(const struct body_writer *writer, struct arena *arena,
                                  struct record_extents *ret_extents, struct err *err)
{
    struct record_extent *list = arena_alloc(arena, writer->space_count * sizeof(*list));
    if (!list)
        return err_fail(err, ERR_NO_MEMORY, "extents");
    size_t count = 0;
    for (size_t i = 0; i < writer->space_count; i++) {
        const struct space_used *used = &writer->spaces[i];
        struct record_extent *last = count ? &list[count - 1] : NULL;
        if (last && last->segment == used->space.segment &&
            last->offset + last->stored == used->space.offset)
            last->stored += used->used;
        else if (used->used)
            list[count++] =
                (struct record_extent){used->space.segment, used->space.offset, used->used};
    }
    *ret_extents = (struct record_extents){
        .length = writer->length,
        .block_bytes = OBJ_BLOCK_BYTES,
        .extents = list,
        .extent_count = count,
        .block_crcs = buf_bytes(&writer->crcs),
    };
    return ERR_OK;
}

enum err_code body_writer_extents(struct body_writer *writer, struct arena *arena,
                                  struct record_extents *ret_extents, struct err *err)
{
    enum err_code rc = stay_failed(writer, ERR_OK, err);
    if (rc == ERR_OK && writer->fill)
        rc = flush(writer, err);
    if (rc == ERR_OK)
        rc = poison_if_lost(writer, write_line_wait(&writer->line, NULL, err), err);
    if (rc == ERR_OK && writer->block_fill)
        close_block(writer);
    if (rc == ERR_OK && !buf_ok(&writer->crcs))
        rc = err_fail(err, writer->crcs.failed, "checksums of blocks");
    if (rc == ERR_OK)
        rc = sync_segments(writer, err);
    if (rc == ERR_OK)
        rc = list_extents(writer, arena, ret_extents, err);
    return stay_failed(writer, rc, err);
}

static enum err_code finish_large(struct body_writer *writer, struct commit_batch *batch,
                                  struct record_body *body, struct err *err)
{
    struct record_extents extents;
    enum err_code rc = body_writer_extents(writer, batch->arena, &extents, err);
    if (rc != ERR_OK)
        return rc;
    body->kind = BODY_EXTENTS;
    struct key row = key_number(TAG_BODY, body->id);
    commit_put_borrowed(batch, KV_META, key_bytes(&row),
                        record_encode_extents(&extents, batch->arena));
    struct key reference = key_owned(TAG_REFERENCE, body->id, body->owner);
    commit_put(batch, KV_META, key_bytes(&reference), BYTES_LIT(""));
    return ERR_OK;
}

enum err_code body_writer_finish(struct body_writer *writer, struct commit_batch *batch,
                                 struct record_body *ret_body, struct err *err)
{
    *ret_body = (struct record_body){BODY_EMPTY, 0, 0};
    enum err_code rc = stay_failed(writer, ERR_OK, err);
    if (rc != ERR_OK || writer->length == 0)
        return rc;
    ret_body->id = store_new_id(writer->store);
    if (writer->large) {
        ret_body->owner = store_new_id(writer->store);
        return finish_large(writer, batch, ret_body, err);
    }
    ret_body->kind = BODY_INLINE;
    struct bytes body = bytes_of(writer->buffer, writer->fill);
    codec_put_u32be(writer->buffer + writer->fill, hash_crc32c(0, body));
    struct key row = key_bare(ret_body->id);
    commit_put_borrowed(batch, KV_BODIES, key_bytes(&row),
                        bytes_of(writer->buffer, writer->fill + CRC_LEN));
    return ERR_OK;
}
