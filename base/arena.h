/* arena.h - memory that is freed in one stroke: a request's, a command's.
 *
 * Owns      blocks from malloc; at most `max` bytes in all.
 * Threads   an arena belongs to one thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/bytes.h"

struct arena_block;

#define ARENA_KEEP ((size_t)64 << 10) /* bytes; see arena_reset */

struct arena {
    struct arena_block *block; /* newest first; private to arena.c */
    size_t used;               /* bytes handed out */
    size_t max;                /* bytes; allocation past it yields NULL */
};

/* Start empty, without allocating. `max` is a cap from limits.h. */
void arena_init(struct arena *arena, size_t max);

/* Free everything; the arena may be used again. */
void arena_done(struct arena *arena);

/* Forget everything, but keep one block of up to ARENA_KEEP bytes for reuse. */
void arena_reset(struct arena *arena);

/* `size` bytes, aligned for any type, zeroed; NULL when memory or the cap is out. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same, not zeroed. */
void *arena_alloc_raw(struct arena *arena, size_t size);

/* A copy, with a NUL behind it that does not count. data is NULL when memory is out. */
struct bytes arena_copy(struct arena *arena, struct bytes b);

/* A NUL-terminated copy; NULL when memory is out. */
char *arena_str(struct arena *arena, struct bytes b);

/* Formatted text with a NUL behind it; data is NULL when memory is out. */
struct bytes arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
