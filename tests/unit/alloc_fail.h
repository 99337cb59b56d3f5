/* alloc_fail.h - make the N-th allocation of the code under test fail.
 *
 * A test that includes this names the wraps in its header comment, all three,
 * on a line that nothing else stands on, not even the comment's end:
 *
 *      * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * The linker then sends the calls of the test and of libvalise.a here. Calls
 * from inside shared libraries (strdup's, cmocka's, RocksDB's) do not come by.
 *
 * A sweep makes the 1st allocation fail, then the 2nd, ... until none does:
 *
 *     static bool put_thing(void *ctx) { ... return code == ERR_OK; }
 *     assert_true(alloc_fail_sweep(put_thing, ctx) > 0);
 *
 * `run` starts afresh each time, frees what it made, looks for the right error
 * itself, and returns whether it succeeded. The sweep fails the test where
 * `run` succeeds although an allocation failed; use alloc_fail_arm and
 * alloc_fail_disarm by hand where that is right.
 *
 * Include once in a program, after cmocka.h.
 * Threads   any; the N-th call counts over all of them. */
#ifndef TESTS_UNIT_ALLOC_FAIL_H
#define TESTS_UNIT_ALLOC_FAIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <stdatomic.h>
#include <stdbool.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static atomic_long alloc_fail_left; /* calls until the one that fails; 0 and below: none will */
static atomic_bool alloc_fail_hit;
static atomic_bool alloc_fail_stays; /* and so will all after it */

/* Sizes that no malloc grants are refused here: a sanitizer's would end the program. */
static inline bool alloc_fail_now(size_t size)
{
    if (size > PTRDIFF_MAX)
        return true;
    bool now = atomic_load(&alloc_fail_left) > 0 && atomic_fetch_sub(&alloc_fail_left, 1) == 1;

    if (now)
        atomic_store(&alloc_fail_hit, true);
    return now || (atomic_load(&alloc_fail_stays) && atomic_load(&alloc_fail_hit));
}

void *__wrap_malloc(size_t size)
{
    return alloc_fail_now(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return alloc_fail_now(size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return alloc_fail_now(size) ? NULL : __real_realloc(old, size);
}

/* Make the nth allocation from now on (1 = the next) fail, once. */
static inline void alloc_fail_arm(long nth)
{
    atomic_store(&alloc_fail_hit, false);
    atomic_store(&alloc_fail_left, nth);
}

/* The same, and all after it too, until alloc_fail_disarm. */
static inline void alloc_fail_arm_from(long nth)
{
    alloc_fail_arm(nth);
    atomic_store(&alloc_fail_stays, true);
}

/* Let all succeed again.
 *
 * returns  whether one failed since it was armed */
static inline bool alloc_fail_disarm(void)
{
    atomic_store(&alloc_fail_left, 0);
    atomic_store(&alloc_fail_stays, false);
    return atomic_load(&alloc_fail_hit);
}

/* Run with each allocation failing in turn, and at last with none.
 *
 * returns  how many there were */
static inline long alloc_fail_sweep(bool (*run)(void *ctx), void *ctx)
{
    for (long nth = 1;; nth++) {
        bool succeeded, failed;

        alloc_fail_arm(nth);
        succeeded = run(ctx);
        failed = alloc_fail_disarm();
        if (succeeded == failed)
            print_error("allocation %ld %s, yet the run %s\n", nth, failed ? "failed" : "was had",
                        succeeded ? "succeeded" : "failed");
        assert_true(succeeded != failed);
        if (!failed)
            return nth - 1;
    }
}

#endif
