/* proto_arena.h - protobuf messages in an arena: packing and unpacking rows.
 *
 * A message is freed with its arena, never by itself.
 *
 * Threads   those of the arena.
 * Source    protobuf-c/protobuf-c.h, ProtobufCAllocator. */
#ifndef STORAGE_KV_PROTO_ARENA_H
#define STORAGE_KV_PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

struct proto_arena {
    struct arena *arena;
    bool failed; /* an allocation failed: protobuf-c itself does not tell */
};

static inline void *proto_arena_alloc(void *allocator_data, size_t size)
{
    struct proto_arena *memory = allocator_data;
    void *data = arena_alloc_raw(memory->arena, size);
    memory->failed |= !data;
    return data;
}

/* The arena frees everything in one stroke. */
static inline void proto_arena_free(void *allocator_data UNUSED, void *data UNUSED)
{
}

/* Unpack `packed`, a message of that type.
 *
 * ret_message  arena memory
 * errors       ERR_CORRUPT (it does not decode), ERR_NO_MEMORY */
MUST_USE static inline enum err_code proto_arena_unpack(const ProtobufCMessageDescriptor *type,
                                                        struct bytes packed, struct arena *arena,
                                                        ProtobufCMessage **ret_message,
                                                        struct err *err)
{
    struct proto_arena memory = {.arena = arena};
    ProtobufCAllocator allocator = {proto_arena_alloc, proto_arena_free, &memory};
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, packed.len, packed.data);
    if (memory.failed)
        return err_fail(err, ERR_NO_MEMORY, "unpacking a message '%s'", type->short_name);
    if (!message)
        return err_fail(err, ERR_CORRUPT, "a message '%s' does not decode", type->short_name);
    *ret_message = message;
    return ERR_OK;
}

/* Pack `message` behind `head_len` bytes, which the caller fills.
 *
 * ret_len  of head and message together
 * returns  arena memory; NULL when memory is out */
static inline uint8_t *proto_arena_pack(const ProtobufCMessage *message, size_t head_len,
                                        struct arena *arena, size_t *ret_len)
{
    size_t len = head_len + protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc_raw(arena, len);
    if (!data)
        return NULL;
    protobuf_c_message_pack(message, data + head_len);
    *ret_len = len;
    return data;
}

#endif
