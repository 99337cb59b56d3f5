/* buf_test.c - BASE-BUF-1, BASE-BUF-2, BASE-MEMORY-1.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tests/unit/alloc_fail.h"

static void starts_empty(void **state UNUSED)
{
    struct buf buf;

    buf_init(&buf, 10);
    assert_true(buf_ok(&buf));
    assert_int_equal(buf_bytes(&buf).len, 0);
    buf_append(&buf, bytes_of(NULL, 0));
    buf_append_str(&buf, "");
    assert_true(buf_ok(&buf));
    buf_done(&buf);
    buf_done(&buf);
}

static void appends(void **state UNUSED)
{
    AUTO(buf) struct buf buf;

    buf_init(&buf, KIB(1));
    buf_append_str(&buf, "ab");
    buf_append_u8(&buf, 0x01);
    buf_append_u16be(&buf, 0x0203);
    buf_append_u32be(&buf, 0x04050607);
    buf_append_u64be(&buf, 0x08090A0B0C0D0E0Full);
    buf_printf(&buf, "%03d", 7);
    assert_true(bytes_equal(buf_bytes(&buf), BYTES_LIT("ab\x01\x02\x03\x04\x05\x06\x07\x08\x09"
                                                       "\x0A\x0B\x0C\x0D\x0E\x0F"
                                                       "007")));
}

static void grows_over_many_sizes(void **state UNUSED)
{
    AUTO(buf) struct buf buf;

    buf_init(&buf, MIB(1));
    for (size_t i = 0; i < 100000; i++)
        buf_append_u8(&buf, (uint8_t)(i * 31));
    assert_int_equal(buf.len, 100000);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], (uint8_t)(i * 31));
}

/* The NUL of vsnprintf has room too, whatever the first growth is. */
static void prints_any_length_into_an_empty_one(void **state UNUSED)
{
    for (int len = 1; len < 1100; len++) {
        AUTO(buf) struct buf buf;
        buf_init(&buf, KIB(64));
        buf_printf(&buf, "%*d", len, 1);
        assert_true(buf_ok(&buf));
        assert_int_equal(buf.len, len);
        assert_true(buf.room > buf.len);
    }
}

/* BASE-BUF-2: caps near the sizes at which it grows, by each kind of append. */
static void fills_up_to_its_cap_exactly(void **state UNUSED)
{
    for (size_t max = 1; max < 1100; max++) {
        struct buf buf;
        buf_init(&buf, max);
        for (size_t i = 0; i < max; i++)
            buf_append_u8(&buf, 'x');
        assert_true(buf_ok(&buf));
        buf_append_u8(&buf, 'x');
        assert_int_equal(buf.failed, ERR_LIMIT);
        assert_int_equal(buf.len, max);
        buf_clear(&buf);
        buf_printf(&buf, "%*d", (int)max, 1);
        assert_true(buf_ok(&buf));
        buf_clear(&buf);
        buf_printf(&buf, "%*d", (int)max + 1, 1);
        assert_int_equal(buf.failed, ERR_LIMIT);
        assert_int_equal(buf.len, 0);
        buf_done(&buf);
    }
}

static void survives_sizes_that_overflow(void **state UNUSED)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    buf_append_str(&buf, "ab");
    assert_null(buf_extend(&buf, SIZE_MAX));
    assert_int_equal(buf.failed, ERR_LIMIT);
    buf_clear(&buf);
    assert_null(buf_extend(&buf, SIZE_MAX - 1));
    assert_int_equal(buf.failed, ERR_NO_MEMORY);
    buf_done(&buf);
}

/* BASE-BUF-1 */
static void a_failure_is_remembered_and_leaves_the_content(void **state UNUSED)
{
    AUTO(buf) struct buf buf;

    buf_init(&buf, 4);
    buf_append_str(&buf, "abc");
    buf_append_str(&buf, "de");
    buf_append_str(&buf, "f"); /* would fit, but a gap would be before it */
    assert_null(buf_extend(&buf, 0));
    assert_int_equal(buf.failed, ERR_LIMIT);
    assert_true(bytes_equal_str(buf_bytes(&buf), "abc"));
    buf_clear(&buf);
    buf_append_str(&buf, "wxyz");
    assert_true(buf_ok(&buf));
    assert_true(bytes_equal_str(buf_bytes(&buf), "wxyz"));
}

static void extends_in_place(void **state UNUSED)
{
    AUTO(buf) struct buf buf;
    uint8_t *room;

    buf_init(&buf, KIB(4));
    buf_append_str(&buf, "a");
    room = buf_extend(&buf, 1000);
    memset(room, 'b', 1000);
    assert_int_equal(buf.len, 1001);
    assert_int_equal(buf.data[0], 'a');
    assert_int_equal(buf.data[1000], 'b');
}

/* BASE-MEMORY-1 */
static bool append_much(void *ctx UNUSED)
{
    AUTO(buf) struct buf buf;

    buf_init(&buf, KIB(64));
    for (size_t i = 0; i < 1000; i++) {
        buf_append_str(&buf, "0123456789");
        buf_append_u32be(&buf, 1);
        buf_append_u64be(&buf, 1);
        buf_append_u16be(&buf, 1);
        buf_printf(&buf, "%d", 1);
    }
    assert_true(buf_ok(&buf) || buf.failed == ERR_NO_MEMORY);
    assert_int_equal(buf_ok(&buf), buf.len == 25000);
    return buf_ok(&buf);
}

static void survives_failing_allocations(void **state UNUSED)
{
    assert_true(alloc_fail_sweep(append_much, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(appends),
        cmocka_unit_test(grows_over_many_sizes),
        cmocka_unit_test(prints_any_length_into_an_empty_one),
        cmocka_unit_test(fills_up_to_its_cap_exactly),
        cmocka_unit_test(survives_sizes_that_overflow),
        cmocka_unit_test(a_failure_is_remembered_and_leaves_the_content),
        cmocka_unit_test(extends_in_place),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
