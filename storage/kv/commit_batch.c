/* commit_batch.c - a batch in the making, and the places its number goes to.
 *
 * Must not know  the committer's thread.
 * Threads        a batch belongs to one thread at a time. */
#include "storage/kv/commit.h"

#include <assert.h>

#define OPS_FIRST 8 /* room of a batch at its first operation */

void commit_batch_init(struct commit_batch *batch, struct arena *arena)
{
    *batch = (struct commit_batch){.arena = arena};
}

static struct commit_op *no_memory(struct commit_batch *batch)
{
    batch->failed = ERR_NO_MEMORY;
    return NULL;
}

/* Room for one more operation; false when memory is out. */
static bool grow(struct commit_batch *batch)
{
    if (batch->count < batch->room)
        return true;
    size_t room = batch->room ? batch->room * 2 : OPS_FIRST;
    struct commit_op *ops = arena_alloc_raw(batch->arena, room * sizeof *ops);
    if (!ops)
        return false;
    if (batch->count)
        memcpy(ops, batch->ops, batch->count * sizeof *ops);
    batch->ops = ops;
    batch->room = room;
    return true;
}

static struct commit_op *add(struct commit_batch *batch, struct kv_op op)
{
    if (!op.key.data || !grow(batch))
        return no_memory(batch);
    struct commit_op *added = &batch->ops[batch->count++];
    *added = (struct commit_op){op, COMMIT_NOWHERE, COMMIT_NOWHERE, COMMIT_NOWHERE, batch->number};
    batch->bytes += op.key.len + op.value.len;
    return added;
}

struct commit_op *commit_put(struct commit_batch *batch, enum kv_family family, struct bytes key,
                             struct bytes value)
{
    struct bytes copy = value.data ? arena_copy(batch->arena, value) : value;
    return commit_put_borrowed(batch, family, key, copy);
}

struct commit_op *commit_put_borrowed(struct commit_batch *batch, enum kv_family family,
                                      struct bytes key, struct bytes value)
{
    if (!value.data)
        return no_memory(batch);
    return add(batch, (struct kv_op){KV_PUT, family, arena_copy(batch->arena, key), value});
}

struct commit_op *commit_delete(struct commit_batch *batch, enum kv_family family, struct bytes key)
{
    return add(batch,
               (struct kv_op){KV_DELETE, family, arena_copy(batch->arena, key), (struct bytes){0}});
}

struct commit_op *commit_delete_range(struct commit_batch *batch, enum kv_family family,
                                      struct bytes from, struct bytes until)
{
    struct bytes copy = arena_copy(batch->arena, until);
    if (!copy.data)
        return no_memory(batch);
    return add(batch,
               (struct kv_op){KV_DELETE_RANGE, family, arena_copy(batch->arena, from), copy});
}

static void patch(struct bytes in, uint32_t at, uint64_t value)
{
    assert(in.len >= 8 && at <= in.len - 8);
    uint8_t *to = (uint8_t *)(uintptr_t)in.data + at; /* the arena's, see commit.h */
    for (int i = 7; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static bool has_placeholder(const struct commit_op *op)
{
    return op->seq_in_key != COMMIT_NOWHERE || op->inverse_in_key != COMMIT_NOWHERE ||
           op->seq_in_value != COMMIT_NOWHERE;
}

static void patch_op(const struct commit_op *op, uint64_t seq, uint64_t stamp)
{
    if (op->seq_in_key != COMMIT_NOWHERE)
        patch(op->op.key, op->seq_in_key, seq);
    if (op->inverse_in_key != COMMIT_NOWHERE)
        patch(op->op.key, op->inverse_in_key, ~seq);
    if (op->seq_in_value != COMMIT_NOWHERE) {
        patch(op->op.value, op->seq_in_value, seq);
        patch(op->op.value, op->seq_in_value + 8, stamp);
    }
}

uint32_t commit_batch_number(struct commit_batch *batch, uint64_t seq, uint64_t stamp)
{
    uint32_t taken = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct commit_op *op = &batch->ops[i];
        if (!has_placeholder(op))
            continue;
        patch_op(op, seq + op->number, stamp + op->number);
        if (op->number >= taken)
            taken = op->number + 1;
    }
    return taken;
}
