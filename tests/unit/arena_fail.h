/* arena_fail.h - make the N-th request to an arena fail too, whether or not it
 * would have needed memory from the system: a sweep of alloc_fail.h then reaches
 * the failure of every single arena_alloc(), not of one block in hundreds.
 *
 * A test that includes this names alloc_fail.h's wraps, and these:
 *
 *      * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 *      * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 *
 * Calls inside arena.c do not come by.
 *
 * Include once in a program, after cmocka.h.
 * Threads   any; the N-th call counts over all of them. */
#ifndef TESTS_UNIT_ARENA_FAIL_H
#define TESTS_UNIT_ARENA_FAIL_H

#include <stdio.h>

#include "base/arena.h"
#include "tests/unit/alloc_fail.h"

#define ARENA_FAIL_WRAP(type, name, parameters, arguments, failure)                                \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return alloc_fail_now(0) ? failure : __real_##name arguments;                              \
    }

ARENA_FAIL_WRAP(void *, arena_alloc_raw, (struct arena * arena, size_t size), (arena, size), NULL)
ARENA_FAIL_WRAP(void *, arena_alloc, (struct arena * arena, size_t size), (arena, size), NULL)
ARENA_FAIL_WRAP(struct bytes, arena_copy, (struct arena * arena, struct bytes b), (arena, b),
                bytes_of(NULL, 0))
ARENA_FAIL_WRAP(char *, arena_str, (struct arena * arena, struct bytes b), (arena, b), NULL)

struct bytes __wrap_arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
struct bytes __wrap_arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *text = alloc_fail_now(0) ? NULL : __real_arena_alloc_raw(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return bytes_of(text, text ? (size_t)len : 0);
}

#endif
