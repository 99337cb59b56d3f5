/* bytes_test.c - BASE-BYTES-1, BASE-BYTES-2. */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

#define NOTHING bytes_of(NULL, 0)

static void compares(void **state UNUSED)
{
    assert_int_equal(bytes_compare(NOTHING, NOTHING), 0);
    assert_true(bytes_compare(NOTHING, BYTES_LIT("a")) < 0);
    assert_true(bytes_compare(BYTES_LIT("ab"), BYTES_LIT("a")) > 0);
    assert_true(bytes_compare(BYTES_LIT("a\xFF"), BYTES_LIT("b")) < 0);
    assert_true(bytes_compare(BYTES_LIT("\xFF"), BYTES_LIT("\x01")) > 0);
    assert_true(bytes_equal(NOTHING, BYTES_LIT("")));
    assert_false(bytes_equal(BYTES_LIT("a"), BYTES_LIT("b")));
    assert_true(bytes_equal_str(BYTES_LIT("abc"), "abc"));
}

static void ignores_the_case_of_ascii_letters_alone(void **state UNUSED)
{
    assert_true(bytes_equal_nocase(BYTES_LIT("Content-MD5"), BYTES_LIT("cONTENT-md5")));
    assert_false(bytes_equal_nocase(BYTES_LIT("a"), BYTES_LIT("ab")));
    assert_false(bytes_equal_nocase(BYTES_LIT("@"), BYTES_LIT("`")));
    assert_false(bytes_equal_nocase(BYTES_LIT("["), BYTES_LIT("{")));
    assert_false(bytes_equal_nocase(BYTES_LIT("\xC0"), BYTES_LIT("\xE0")));
}

static void starts_and_ends(void **state UNUSED)
{
    assert_true(bytes_starts_with(BYTES_LIT("abc"), BYTES_LIT("ab")));
    assert_true(bytes_starts_with(NOTHING, NOTHING));
    assert_false(bytes_starts_with(BYTES_LIT("a"), BYTES_LIT("ab")));
    assert_true(bytes_ends_with(BYTES_LIT("abc"), BYTES_LIT("bc")));
    assert_true(bytes_ends_with(BYTES_LIT("abc"), NOTHING));
    assert_false(bytes_ends_with(BYTES_LIT("c"), BYTES_LIT("bc")));
}

static void clips(void **state UNUSED)
{
    assert_true(bytes_equal_str(bytes_from(BYTES_LIT("abc"), 1), "bc"));
    assert_int_equal(bytes_from(BYTES_LIT("abc"), 9).len, 0);
    assert_int_equal(bytes_from(NOTHING, 9).len, 0);
    assert_true(bytes_equal_str(bytes_first(BYTES_LIT("abc"), 2), "ab"));
    assert_true(bytes_equal_str(bytes_first(BYTES_LIT("abc"), SIZE_MAX), "abc"));
}

static void finds(void **state UNUSED)
{
    assert_int_equal(bytes_find(BYTES_LIT("abcb"), 'b'), 1);
    assert_int_equal(bytes_find(BYTES_LIT("a"), 'b'), -1);
    assert_int_equal(bytes_find(NOTHING, 0), -1);
    assert_int_equal(bytes_find_bytes(BYTES_LIT("abcab"), BYTES_LIT("ca")), 2);
    assert_int_equal(bytes_find_bytes(BYTES_LIT("a"), BYTES_LIT("ab")), -1);
    assert_int_equal(bytes_find_bytes(BYTES_LIT("a"), NOTHING), -1);
    assert_int_equal(bytes_find_bytes(NOTHING, BYTES_LIT("a")), -1);
}

static void trims(void **state UNUSED)
{
    assert_true(bytes_equal_str(bytes_trim(BYTES_LIT(" \ta b\t ")), "a b"));
    assert_int_equal(bytes_trim(BYTES_LIT(" \t ")).len, 0);
    assert_int_equal(bytes_trim(NOTHING).len, 0);
    assert_true(bytes_equal_str(bytes_trim(BYTES_LIT("\na\n")), "\na\n"));
}

static void cuts(void **state UNUSED)
{
    struct bytes rest = BYTES_LIT("a==b"), head;

    assert_true(bytes_cut(&rest, '=', &head));
    assert_true(bytes_equal_str(head, "a"));
    assert_true(bytes_equal_str(rest, "=b"));
    assert_true(bytes_cut(&rest, '=', &head));
    assert_int_equal(head.len, 0);
    assert_false(bytes_cut(&rest, '=', &head));
    assert_true(bytes_equal_str(head, "b"));
    assert_int_equal(rest.len, 0);
    assert_false(bytes_cut(&rest, '=', &head));
    assert_int_equal(head.len, 0);
}

/* BASE-BYTES-1 */
static void reads_numbers(void **state UNUSED)
{
    uint64_t value = 42;

    assert_true(bytes_to_u64(BYTES_LIT("0"), 0, &value));
    assert_int_equal(value, 0);
    assert_true(bytes_to_u64(BYTES_LIT("00012"), 12, &value));
    assert_int_equal(value, 12);
    assert_true(bytes_to_u64(BYTES_LIT("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(bytes_to_u64(BYTES_LIT("18446744073709551616"), UINT64_MAX, &value));
    assert_false(bytes_to_u64(BYTES_LIT("99999999999999999999"), UINT64_MAX, &value));
    assert_false(bytes_to_u64(BYTES_LIT("13"), 12, &value));
    assert_true(value == UINT64_MAX);
}

/* BASE-BYTES-1 */
static void refuses_what_is_no_number(void **state UNUSED)
{
    static const char *const texts[] = {"",    " 1", "1 ",  "+1",  "-1",  "0x1",
                                        "1e3", "1.", "1\n", "1_0", "\xB2"};
    uint64_t value;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(bytes_to_u64(bytes_of_str(texts[i]), UINT64_MAX, &value));
    assert_false(bytes_to_u64(bytes_of("1", 2), UINT64_MAX, &value)); /* with its NUL */
}

static size_t encode(uint32_t point, size_t len, uint8_t *to)
{
    static const uint8_t first[] = {0, 0, 0xC0, 0xE0, 0xF0, 0xF8};

    if (len == 1)
        to[0] = (uint8_t)point;
    for (size_t i = len; len > 1 && i-- > 0; point >>= 6)
        to[i] = (uint8_t)(i ? 0x80 | (point & 0x3F) : first[len] | point);
    return len;
}

static size_t shortest(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* BASE-BYTES-2: every code point, in its shortest form and in longer ones, and
 * what lies above the last. */
static void knows_utf8(void **state UNUSED)
{
    uint8_t text[5];

    for (uint32_t point = 0; point < 0x200000; point++) {
        bool is_character = point < 0x110000 && (point < 0xD800 || point > 0xDFFF);
        size_t len = shortest(point);
        encode(point, len, text);
        if (bytes_is_utf8(bytes_of(text, len)) != is_character)
            fail_msg("U+%04X", point);
        for (size_t longer = len + 1; longer <= 4; longer++) {
            encode(point, longer, text);
            if (bytes_is_utf8(bytes_of(text, longer)))
                fail_msg("U+%04X in %zu bytes", point, longer);
        }
    }
}

/* BASE-BYTES-2 */
static void refuses_broken_utf8(void **state UNUSED)
{
    static const char *const texts[] = {"\x80",         "\xC3",         "a\xE2\x82",
                                        "\xE2\x82(",    "\xF0\x9F\x9A", "\xF0\x9F\x9A(",
                                        "\xC3\xC3\xA9", "\xFE",         "\xF8\x88\x80\x80\x80",
                                        "\xC3\xA9\x80"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(bytes_is_utf8(bytes_of_str(texts[i])));
    assert_true(bytes_is_utf8(NOTHING));
    assert_true(bytes_is_utf8(BYTES_LIT("a\0\xC3\xA9\xF0\x9F\x9A\xA2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(ignores_the_case_of_ascii_letters_alone),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(clips),
        cmocka_unit_test(finds),
        cmocka_unit_test(trims),
        cmocka_unit_test(cuts),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(refuses_broken_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
