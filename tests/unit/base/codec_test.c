/* codec_test.c - BASE-CODEC-1, BASE-CODEC-2, BASE-MEMORY-1.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "tests/unit/alloc_fail.h"

static struct bytes every_byte(void)
{
    static uint8_t data[256];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    return bytes_of(data, sizeof(data));
}

static void integers_are_big_endian(void **state UNUSED)
{
    uint8_t data[8];

    codec_put_u64be(data, 0x0102030405060708ull);
    assert_memory_equal(data, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    assert_true(codec_get_u64be(data) == 0x0102030405060708ull);
    assert_int_equal(codec_get_u32be(data + 1), 0x02030405);
    assert_int_equal(codec_get_u16be(data + 6), 0x0708);
    codec_put_u64be(data, UINT64_MAX);
    assert_true(codec_get_u64be(data) == UINT64_MAX);
    assert_int_equal(codec_get_u32be(data), UINT32_MAX);
    assert_int_equal(codec_get_u16be(data), UINT16_MAX);
}

/* BASE-CODEC-1 */
static void decimals_are_as_printf_writes_them(void **state UNUSED)
{
    static const uint64_t values[] = {0, 1, 9, 10, 99, 100, 4294967295, 10000000000, UINT64_MAX};

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char wanted[32], text[CODEC_DECIMAL_MAX + 1];
        size_t len = (size_t)snprintf(wanted, sizeof(wanted), "%" PRIu64, values[i]);
        assert_int_equal(codec_decimal(values[i], text), len);
        assert_string_equal(text, wanted);
    }
}

static void hex_comes_back(void **state UNUSED)
{
    struct bytes all = every_byte();
    uint8_t back[256];
    char text[513];

    codec_hex(all, text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_memory_equal(text + 506, "fdfeff", 7);
    assert_true(codec_unhex(bytes_of_str(text), back, sizeof(back)));
    assert_memory_equal(back, all.data, sizeof(back));
    assert_true(codec_unhex(BYTES_LIT("aAfF"), back, 2));
    assert_memory_equal(back, "\xAA\xFF", 2);
    codec_hex(bytes_of(NULL, 0), text);
    assert_string_equal(text, "");
    assert_true(codec_unhex(bytes_of(NULL, 0), back, 0));
}

/* BASE-CODEC-2: every byte that is no digit, in both places. */
static void hex_is_strict(void **state UNUSED)
{
    uint8_t back[4];

    for (int c = 0; c < 256; c++) {
        char high[2] = {(char)c, '0'}, low[2] = {'0', (char)c};
        bool is_digit = c && strchr("0123456789abcdefABCDEF", c);
        assert_int_equal(codec_unhex(bytes_of(high, 2), back, 1), is_digit);
        assert_int_equal(codec_unhex(bytes_of(low, 2), back, 1), is_digit);
    }
    assert_false(codec_unhex(BYTES_LIT("abc"), back, 1));
    assert_false(codec_unhex(BYTES_LIT("abc"), back, 2));
    assert_false(codec_unhex(BYTES_LIT("abcd"), back, 1));
    assert_false(codec_unhex(BYTES_LIT("ab"), back, SIZE_MAX / 2 + 2));
}

static void base64_knows_the_vectors(void **state UNUSED)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xBF", "+/+/"},
    };
    uint8_t back[8];
    char text[16];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i][0]);
        codec_base64(bytes_of_str(rows[i][0]), text);
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(strlen(text), CODEC_BASE64_LEN(len));
        assert_int_equal(codec_unbase64(bytes_of_str(text), back, len), len);
        assert_memory_equal(back, rows[i][0], len);
        if (len > 0)
            assert_int_equal(codec_unbase64(bytes_of_str(text), back, len - 1), -1);
    }
}

/* BASE-CODEC-1 */
static void base64_comes_back(void **state UNUSED)
{
    struct bytes all = every_byte();
    uint8_t back[256];
    char text[CODEC_BASE64_LEN(256) + 1];

    for (size_t len = 0; len <= 256; len++) {
        codec_base64(bytes_first(all, len), text);
        assert_int_equal(codec_unbase64(bytes_of_str(text), back, sizeof(back)), len);
        assert_memory_equal(back, all.data, len);
    }
}

/* BASE-CODEC-2 */
static void base64_is_strict(void **state UNUSED)
{
    static const char *const texts[] = {"Z",      "Zg",   "Zg=",       "Zg===",   "=",
                                        "====",   "Z===", "Zh==",      "Zm9=",    "Zg==Zg==",
                                        "Zg==\n", "Zm 9", "Zm9v Zm9v", "Zm-_",    "Zm9vZ",
                                        "Z=g=",   "=Zg=", "Zm9\xC3",   "Zm9v===="};
    uint8_t back[16];

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (codec_unbase64(bytes_of_str(texts[i]), back, sizeof(back)) != -1)
            fail_msg("'%s'", texts[i]);
    }
    assert_int_equal(codec_unbase64(bytes_of("Zm9\0", 4), back, sizeof(back)), -1);
}

/* BASE-CODEC-2: for every byte as a digit and as the last before padding. */
static void base64_takes_its_digits_alone(void **state UNUSED)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t back[3];

    for (int c = 0; c < 256; c++) {
        char text[4] = {'A', (char)c, '=', '='};
        const char *digit = c ? strchr(digits, c) : NULL;
        bool clean = digit && (digit - digits) % 16 == 0;
        assert_int_equal(codec_unbase64(bytes_of(text, 4), back, 3), clean ? 1 : -1);
        text[2] = text[3] = 'A';
        assert_int_equal(codec_unbase64(bytes_of(text, 4), back, 3), digit ? 3 : -1);
    }
}

static void uri_encodes_as_sigv4_wants_it(void **state UNUSED)
{
    struct arena arena;
    struct bytes text;

    arena_init(&arena, KIB(8));
    text = codec_uri_encode(&arena, BYTES_LIT("AZaz09-._~/ +*%\xC3\xA9\0"), false);
    assert_true(bytes_equal_str(text, "AZaz09-._~%2F%20%2B%2A%25%C3%A9%00"));
    text = codec_uri_encode(&arena, BYTES_LIT("a/b"), true);
    assert_true(bytes_equal_str(text, "a/b"));
    text = codec_uri_encode(&arena, bytes_of(NULL, 0), true);
    assert_non_null(text.data);
    assert_int_equal(text.len, 0);
    arena_done(&arena);
}

/* BASE-CODEC-1 */
static void uri_comes_back(void **state UNUSED)
{
    struct bytes all = every_byte(), text, back;
    struct arena arena;

    arena_init(&arena, KIB(8));
    text = codec_uri_encode(&arena, all, false);
    assert_int_equal(text.len, 66 + 3 * 190);
    assert_true(codec_uri_decode(&arena, text, true, &back));
    assert_true(bytes_equal(back, all));
    assert_true(codec_uri_decode(&arena, BYTES_LIT("a+b%2b%2B"), true, &back));
    assert_true(bytes_equal_str(back, "a b++"));
    assert_true(codec_uri_decode(&arena, BYTES_LIT("a+b"), false, &back));
    assert_true(bytes_equal_str(back, "a+b"));
    assert_true(codec_uri_decode(&arena, bytes_of(NULL, 0), false, &back));
    assert_int_equal(back.len, 0);
    arena_done(&arena);
}

/* BASE-CODEC-2 */
static void uri_refuses_broken_escapes(void **state UNUSED)
{
    static const char *const texts[] = {"%", "%2", "a%", "%%20", "%2g", "%g2", "% 2", "%+2", "%-1"};
    struct arena arena;
    struct bytes back;

    arena_init(&arena, KIB(8));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(codec_uri_decode(&arena, bytes_of_str(texts[i]), true, &back));
    assert_false(codec_uri_decode(&arena, bytes_first(BYTES_LIT("a%20"), 3), true, &back));
    assert_false(codec_uri_decode(&arena, bytes_first(BYTES_LIT("a%20"), 2), true, &back));
    arena_done(&arena);
}

/* BASE-MEMORY-1 */
static bool encode_and_decode(void *ctx UNUSED)
{
    struct arena arena;
    struct bytes text, back;
    bool ok;

    arena_init(&arena, KIB(64));
    text = codec_uri_encode(&arena, every_byte(), false);
    ok = text.data && arena_alloc(&arena, KIB(4)) && codec_uri_decode(&arena, text, false, &back);
    arena_done(&arena);
    return ok;
}

static void survives_failing_allocations(void **state UNUSED)
{
    assert_true(alloc_fail_sweep(encode_and_decode, NULL) >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(decimals_are_as_printf_writes_them),
        cmocka_unit_test(hex_comes_back),
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(base64_knows_the_vectors),
        cmocka_unit_test(base64_comes_back),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(base64_takes_its_digits_alone),
        cmocka_unit_test(uri_encodes_as_sigv4_wants_it),
        cmocka_unit_test(uri_comes_back),
        cmocka_unit_test(uri_refuses_broken_escapes),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
