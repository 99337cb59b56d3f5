/* arena.c - memory that is freed in one stroke.
 *
 *     arena.block -> [newest block] -> [older] -> ... -> NULL
 *
 * Blocks double from BLOCK_MIN to ARENA_KEEP, so a small request touches one
 * and a large one few; what is larger than that gets a block of its own.
 *
 * Owns      the blocks.
 * Threads   an arena belongs to one thread at a time. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN     alignof(max_align_t)
#define BLOCK_MIN ((size_t)4 << 10)

struct arena_block {
    struct arena_block *older;
    size_t used; /* bytes, a multiple of ALIGN */
    size_t room; /* bytes at data */
    alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_done(struct arena *arena)
{
    free_blocks(arena->block);
    arena_init(arena, arena->max);
}

/* Unhook the newest block that is small enough to be kept, or NULL. */
static struct arena_block *take_keepable(struct arena *arena)
{
    for (struct arena_block **at = &arena->block; *at; at = &(*at)->older) {
        struct arena_block *block = *at;
        if (block->room <= ARENA_KEEP) {
            *at = block->older;
            return block;
        }
    }
    return NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = take_keepable(arena);

    free_blocks(arena->block);
    if (kept) {
        kept->older = NULL;
        kept->used = 0;
    }
    arena->block = kept;
    arena->used = 0;
}

static size_t next_room(const struct arena *arena, size_t size)
{
    size_t room = arena->block ? arena->block->room * 2 : BLOCK_MIN;

    if (room > ARENA_KEEP)
        room = ARENA_KEEP;
    return room > size ? room : size;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t room = next_room(arena, size);
    struct arena_block *block = NULL;

    if (room <= SIZE_MAX - sizeof(*block))
        block = malloc(sizeof(*block) + room);
    if (!block)
        return NULL;
    *block = (struct arena_block){.older = arena->block, .room = room};
    arena->block = block;
    return block;
}

void *arena_alloc_raw(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->block;
    size_t wanted = size ? size : 1; /* NULL means failure, so nothing has an address too */
    uint8_t *memory;

    if (wanted > arena->max - arena->used || wanted > SIZE_MAX - ALIGN)
        return NULL;
    size_t rounded = (wanted + ALIGN - 1) / ALIGN * ALIGN;
    if (!block || rounded > block->room - block->used)
        block = add_block(arena, rounded);
    if (!block)
        return NULL;
    memory = block->data + block->used;
    block->used += rounded;
    arena->used += wanted;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_alloc_raw(arena, size);

    return memory ? memset(memory, 0, size) : NULL;
}

struct bytes arena_copy(struct arena *arena, struct bytes b)
{
    uint8_t *copy = b.len < SIZE_MAX ? arena_alloc_raw(arena, b.len + 1) : NULL;

    if (!copy)
        return bytes_of(NULL, 0);
    if (b.len > 0)
        memcpy(copy, b.data, b.len);
    copy[b.len] = '\0';
    return bytes_of(copy, b.len);
}

char *arena_str(struct arena *arena, struct bytes b)
{
    return (char *)arena_copy(arena, b).data;
}

struct bytes arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len < 0 ? NULL : arena_alloc_raw(arena, (size_t)len + 1);
    if (!text)
        return bytes_of(NULL, 0);
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return bytes_of(text, (size_t)len);
}
