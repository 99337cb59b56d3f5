/* arena_test.c - BASE-ARENA-1, BASE-ARENA-2, BASE-MEMORY-1.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdalign.h>

#include "base/limits.h"
#include "tests/unit/alloc_fail.h"

static void hands_out_aligned_zeroed_memory(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, MIB(1));
    for (size_t size = 0; size < 300; size++) {
        uint8_t *raw = arena_alloc_raw(&arena, size);
        memset(raw, 0xEE, size);
        uint8_t *zeroed = arena_alloc(&arena, size);
        assert_non_null(zeroed);
        assert_int_equal((uintptr_t)zeroed % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(zeroed[i], 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(raw[i], 0xEE);
    }
    arena_done(&arena);
}

/* BASE-ARENA-1 */
static void keeps_to_its_cap(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 1000);
    assert_null(arena_alloc(&arena, 1001));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_non_null(arena_alloc(&arena, 999));
    assert_null(arena_alloc(&arena, 2));
    assert_non_null(arena_alloc(&arena, 1));
    assert_null(arena_alloc(&arena, 0));
    assert_int_equal(arena.used, 1000);
    arena_done(&arena);
    assert_non_null(arena_alloc(&arena, 1000));
    arena_done(&arena);
}

static void survives_sizes_that_overflow(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, SIZE_MAX);
    for (size_t less = 0; less < 64; less++)
        assert_null(arena_alloc_raw(&arena, SIZE_MAX - less));
    assert_null(arena_copy(&arena, bytes_of("", SIZE_MAX)).data);
    assert_non_null(arena_alloc(&arena, 1));
    arena_done(&arena);
}

static void takes_small_and_large_in_turn(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, MIB(16));
    for (size_t i = 1; i <= 40; i++) {
        assert_non_null(arena_alloc(&arena, i * 3));
        assert_non_null(arena_alloc(&arena, i * KIB(7)));
    }
    arena_done(&arena);
    assert_null(arena.block);
    assert_int_equal(arena.used, 0);
}

/* BASE-ARENA-2 */
static void reset_keeps_a_block_of_bounded_size(void **state UNUSED)
{
    struct arena arena;
    void *first;

    arena_init(&arena, MIB(16));
    arena_reset(&arena);
    first = arena_alloc(&arena, 100);
    assert_non_null(arena_alloc(&arena, MIB(1)));
    arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    alloc_fail_arm(1);
    assert_ptr_equal(arena_alloc(&arena, 100), first);
    assert_false(alloc_fail_disarm());
    arena_done(&arena);

    assert_non_null(arena_alloc(&arena, ARENA_KEEP + 1));
    arena_reset(&arena);
    assert_null(arena.block);
    arena_done(&arena);
}

static void copies_with_a_nul_behind(void **state UNUSED)
{
    struct arena arena;
    struct bytes copy;

    arena_init(&arena, KIB(4));
    copy = arena_copy(&arena, BYTES_LIT("a\0b"));
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    copy = arena_copy(&arena, bytes_of(NULL, 0));
    assert_non_null(copy.data);
    assert_string_equal((const char *)copy.data, "");
    assert_string_equal(arena_str(&arena, BYTES_LIT("abc")), "abc");
    copy = arena_printf(&arena, "%s-%d", "x", 5);
    assert_int_equal(copy.len, 3);
    assert_string_equal((const char *)copy.data, "x-5");
    assert_null(arena_printf(&arena, "%5000d", 1).data);
    arena_done(&arena);
}

/* BASE-MEMORY-1 */
static bool use(void *ctx UNUSED)
{
    struct arena arena;
    bool ok;

    arena_init(&arena, MIB(1));
    ok = arena_alloc(&arena, 10) && arena_alloc(&arena, KIB(100)) &&
         arena_str(&arena, BYTES_LIT("abc")) && arena_copy(&arena, BYTES_LIT("abc")).data &&
         arena_printf(&arena, "%8000d", 1).data;
    if (!ok)
        assert_non_null(arena_alloc(&arena, 10)); /* it fails once, then goes on */
    arena_done(&arena);
    return ok;
}

static void survives_failing_allocations(void **state UNUSED)
{
    assert_int_equal(alloc_fail_sweep(use, NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_aligned_zeroed_memory),
        cmocka_unit_test(keeps_to_its_cap),
        cmocka_unit_test(survives_sizes_that_overflow),
        cmocka_unit_test(takes_small_and_large_in_turn),
        cmocka_unit_test(reset_keeps_a_block_of_bounded_size),
        cmocka_unit_test(copies_with_a_nul_behind),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
