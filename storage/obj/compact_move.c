/* compact_move.c - compact_internal.h: how one body moves.
 *
 *                 extents, some of them in victims
 *     TAG_BODY body   [ a ][ V ][ b ][ V ]       the V are read, checked, written anew: W
 *         │           in one commit, if the row is still what it was:
 *         ├─> TAG_BODY body  [ a ][ W ][ b ][ W ]    same length, same checksums
 *         ├─> TAG_BODY old   [ V ][ V ]              a body that nobody owns ...
 *         └─> TAG_FREE old                           ... for the sweeper to free
 *
 * The reader's pin keeps the sweeper from the body meanwhile. A crash before the
 * commit leaves space that no record names, after it a row to sweep. */
#include <errno.h>

#include "base/log.h"
#include "storage/obj/compact_internal.h"

#define CRC_LEN   4
#define ARENA_MAX MIB(16) /* the extents and checksums of 5 GiB, a few times over */

struct move {
    struct compact *compact;
    struct store *store;
    uint64_t body, old;
    struct arena arena;
    struct bytes row;              /* as it was found */
    struct record_extents now;     /* what it says */
    struct record_extents leaving; /* of it, what lies in victims: the old place */
    struct record_extents written; /* where that is now */
    struct body_reader *reader;
    struct body_writer *writer;
    bool rotten; /* it cannot be read: it stays */
};

static enum err_code find_row(const struct move *move, struct arena *arena, struct bytes *ret_row,
                              struct err *err)
{
    struct key key = key_number(TAG_BODY, move->body);
    struct kv *kv = move->store->kv;
    struct kv_value value;
    bool found;
    *ret_row = (struct bytes){0};
    enum err_code rc = kv_find(kv, KV_META, key_bytes(&key), &found, &value, err);
    if (rc != ERR_OK || !found)
        return rc;
    *ret_row = arena_copy(arena, value.bytes);
    kv_value_free(kv, &value);
    return ret_row->data ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "row of a body");
}

static enum err_code odd(struct move *move, struct err *err)
{
    move->rotten = true;
    return err_fail(err, ERR_CORRUPT, "body %016llx: bad extents", (unsigned long long)move->body);
}

static size_t blocks_of(uint64_t bytes)
{
    return (size_t)((bytes + OBJ_BLOCK_BYTES - 1) / OBJ_BLOCK_BYTES);
}

/* Which extents leave, and their checksums. */
static enum err_code pick_leaving(struct move *move, struct err *err)
{
    const struct record_extents *now = &move->now;
    struct record_extent *list = arena_alloc(&move->arena, now->extent_count * sizeof(*list));
    uint8_t *crcs = arena_alloc(&move->arena, now->block_crcs.len + 1);
    if (!list || !crcs)
        return err_fail(err, ERR_NO_MEMORY, "extents");
    struct record_extents *leaving = &move->leaving;
    *leaving = (struct record_extents){.block_bytes = OBJ_BLOCK_BYTES, .extents = list};
    uint64_t at = 0;
    for (size_t i = 0; i < now->extent_count; i++) {
        const struct record_extent *extent = &now->extents[i];
        struct bytes own = bytes_first(bytes_from(now->block_crcs, blocks_of(at) * CRC_LEN),
                                       blocks_of(extent->stored) * CRC_LEN);
        if (at % OBJ_BLOCK_BYTES || own.len != blocks_of(extent->stored) * CRC_LEN)
            return odd(move, err);
        at += extent->stored;
        if (!compact_is_victim(move->compact, extent->segment))
            continue;
        memcpy(crcs + leaving->block_crcs.len, own.data, own.len);
        leaving->block_crcs = bytes_of(crcs, leaving->block_crcs.len + own.len);
        leaving->length += extent->stored;
        list[leaving->extent_count++] = *extent;
    }
    return at == now->length && now->block_bytes == OBJ_BLOCK_BYTES ? ERR_OK : odd(move, err);
}

/* Whether there is something to move. */
static enum err_code look(struct move *move, bool *ret_any, struct err *err)
{
    *ret_any = false;
    bool owned;
    enum err_code rc = find_row(move, &move->arena, &move->row, err);
    if (rc != ERR_OK || !move->row.data)
        return rc;
    rc = record_decode_extents(move->row, &move->arena, &move->now, err);
    move->rotten = rc == ERR_CORRUPT;
    if (rc == ERR_OK)
        rc = pick_leaving(move, err);
    if (rc == ERR_OK)
        rc = body_is_owned(move->store, move->body, &owned, err);
    *ret_any = rc == ERR_OK && owned && move->leaving.extent_count;
    return rc;
}

/* returns  false: the body is gone */
static enum err_code open_both(struct move *move, bool *ret_gone, struct err *err)
{
    const struct record_body body = {.kind = BODY_EXTENTS, .id = move->body};
    enum err_code rc =
        body_reader_open(move->store, &body, move->now.length, ret_gone, &move->reader, err);
    if (rc != ERR_OK || *ret_gone)
        return rc;
    body_reader_set_direct(move->reader);
    uint64_t length = move->leaving.length;
    return body_writer_open(move->store, length > OBJ_INLINE_MAX ? length : OBJ_INLINE_MAX + 1,
                            &move->writer, err);
}

static enum err_code copy_range(struct move *move, uint64_t from, uint64_t until, struct err *err)
{
    enum err_code rc = ERR_OK;
    uint8_t *block = move->compact->block;
    for (uint64_t at = from; rc == ERR_OK && at < until;) {
        size_t room = until - at < OBJ_BLOCK_BYTES ? (size_t)(until - at) : OBJ_BLOCK_BYTES;
        size_t len = 0;
        rc = body_reader_read(move->reader, at, block, room, &len, err);
        move->rotten = rc == ERR_CORRUPT || (rc == ERR_IO && err->sys == EIO);
        if (rc == ERR_OK)
            rc = body_writer_write(move->writer, bytes_of(block, len), err);
        if (rc == ERR_OK && !compact_pace(move->compact, len))
            rc = err_fail(err, ERR_CLOSED, "compaction is stopped");
        at += len;
    }
    return rc;
}

static enum err_code copy(struct move *move, struct err *err)
{
    enum err_code rc = ERR_OK;
    uint64_t at = 0;
    for (size_t i = 0; rc == ERR_OK && i < move->now.extent_count; i++) {
        const struct record_extent *extent = &move->now.extents[i];
        if (compact_is_victim(move->compact, extent->segment))
            rc = copy_range(move, at, at + extent->stored, err);
        at += extent->stored;
    }
    if (rc == ERR_OK)
        rc = body_writer_extents(move->writer, &move->arena, &move->written, err);
    if (rc == ERR_OK && (move->written.length != move->leaving.length ||
                         !bytes_equal(move->written.block_crcs, move->leaving.block_crcs)))
        return odd(move, err); /* a bit flipped on its way through memory */
    return rc;
}

/* The body's extents with what was written in place of what leaves. */
static enum err_code weave(struct move *move, struct record_extents *ret_next, struct err *err)
{
    const struct record_extents *now = &move->now;
    const struct record_extent *source = move->written.extents;
    size_t most = now->extent_count + move->written.extent_count, count = 0;
    struct record_extent *list = arena_alloc(&move->arena, most * sizeof(*list));
    if (!list)
        return err_fail(err, ERR_NO_MEMORY, "extents");
    uint64_t used = 0; /* of *source */
    for (size_t i = 0; i < now->extent_count; i++) {
        struct record_extent extent = now->extents[i];
        if (!compact_is_victim(move->compact, extent.segment)) {
            list[count++] = extent;
            continue;
        }
        for (uint64_t left = extent.stored; left;) {
            uint64_t len = source->stored - used < left ? source->stored - used : left;
            list[count++] = (struct record_extent){source->segment, source->offset + used, len};
            left -= len;
            used += len;
            if (used == source->stored)
                source++, used = 0;
        }
    }
    *ret_next = *now;
    ret_next->extents = list;
    ret_next->extent_count = count;
    return ERR_OK;
}

static void add_rows(struct move *move, const struct record_extents *next,
                     struct commit_batch *batch)
{
    struct key row = key_number(TAG_BODY, move->body), old = key_number(TAG_BODY, move->old);
    commit_put_borrowed(batch, KV_META, key_bytes(&row), record_encode_extents(next, &move->arena));
    commit_put_borrowed(batch, KV_META, key_bytes(&old),
                        record_encode_extents(&move->leaving, &move->arena));
    sweep_mark(batch, SWEEP_BODY, move->old, 0);
}

/* Readers from now on find the new place. */
static enum err_code commit_rows(struct move *move, struct commit_batch *batch, struct err *err)
{
    struct compact *compact = move->compact;
    if (!compact_remember(compact, move->old, move->body))
        return err_fail(err, ERR_BUSY, "%d old places of bodies are still read", COMPACT_MOVED_MAX);
    enum err_code rc = commit(move->store->committer, batch, err);
    body_writer_committed(move->writer, rc);
    if (rc == ERR_OK)
        compact_set_mark(compact, move->old, pin_mark(&move->store->pins, move->body));
    else
        compact_forget(compact, move->old);
    return rc;
}

static enum err_code held(struct err *err)
{
    return err_fail(err, ERR_BUSY, "bodies are held where they are");
}

/* The commit, if the row is still what was read; nobody holds bodies meanwhile. */
static enum err_code switch_over(struct move *move, struct err *err)
{
    struct record_extents next;
    struct commit_batch batch;
    commit_batch_init(&batch, &move->arena);
    enum err_code rc = weave(move, &next, err);
    if (rc != ERR_OK)
        return rc;
    move->old = store_new_id(move->store);
    add_rows(move, &next, &batch);
    if (!hold_free_begin(&move->store->hold))
        return held(err);
    struct bytes row;
    rc = find_row(move, &move->arena, &row, err);
    const bool same = rc == ERR_OK && bytes_equal(row, move->row);
    if (same)
        rc = commit_rows(move, &batch, err);
    hold_free_end(&move->store->hold);
    if (rc == ERR_OK && same) {
        metrics_add(&move->store->stats.bodies_moved, 1);
        metrics_add(&move->store->stats.bytes_moved, move->leaving.length);
    }
    return rc;
}

static enum err_code move_it(struct move *move, struct err *err)
{
    bool any, gone = false;
    if (hold_is_held(&move->store->hold)) /* rather than after the copy */
        return held(err);
    enum err_code rc = look(move, &any, err);
    if (rc != ERR_OK || !any)
        return rc;
    rc = open_both(move, &gone, err);
    if (rc != ERR_OK || gone)
        return rc;
    rc = copy(move, err);
    return rc == ERR_OK ? switch_over(move, err) : rc;
}

enum err_code compact_move(struct compact *compact, uint64_t body, struct err *err)
{
    struct move move = {.compact = compact, .store = compact->store, .body = body};
    arena_init(&move.arena, ARENA_MAX);
    enum err_code rc = move_it(&move, err);
    body_writer_free(move.writer);
    body_reader_free(move.reader); /* lets the sweeper at the old place */
    arena_done(&move.arena);
    if (rc == ERR_OK)
        sweep_wake(compact->store);
    if (!move.rotten)
        return rc;
    log_error("compact", "a body cannot be read and stays where it is", err);
    return ERR_OK;
}
