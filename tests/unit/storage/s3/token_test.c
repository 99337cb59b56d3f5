/* token_test.c - tokens of listings: there and back; not of another bucket,
 * key or store; no bit may change. */
#include "storage/s3/token.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"

static const uint8_t key[TOKEN_KEY_LEN] = "0123456789abcdef0123456789abcdef";
static const uint8_t other_key[TOKEN_KEY_LEN] = "0123456789abcdef0123456789abcdeg";

static enum err_code read_back(const uint8_t *with, uint32_t bucket, struct bytes token,
                               struct arena *arena, struct bytes *ret_after)
{
    struct err err = {0};
    enum err_code code = token_read(with, bucket, token, arena, ret_after, &err);
    if (code)
        assert_int_equal(err.reason, S3_INVALID_ARGUMENT);
    return code;
}

/* Every length of key, hence every padding; every byte. */
static void test_round_trip(void **state)
{
    uint8_t after[S3_KEY_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(after); i++)
        after[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof(after); len++) {
        struct arena arena;
        struct bytes back, token;
        arena_init(&arena, KIB(16));
        token = token_make(key, 42, bytes_of(after, len), &arena);
        assert_non_null(token.data);
        for (size_t i = 0; i < token.len; i++)
            assert_true(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                               token.data[i], 64));
        assert_int_equal(read_back(key, 42, token, &arena, &back), ERR_OK);
        assert_true(bytes_equal(back, bytes_of(after, len)));
        assert_int_equal(read_back(key, 43, token, &arena, &back), ERR_INVALID);
        assert_int_equal(read_back(other_key, 42, token, &arena, &back), ERR_INVALID);
        arena_done(&arena);
    }
}

static void test_no_bit_may_change(void **state)
{
    struct arena arena;
    struct bytes token, back;
    (void)state;
    arena_init(&arena, MIB(1));
    token = token_make(key, 1, BYTES_LIT("photos/2026/"), &arena);
    for (size_t i = 0; i < token.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct bytes copy = arena_copy(&arena, token);
            ((uint8_t *)copy.data)[i] ^= (uint8_t)(1 << bit);
            assert_int_equal(read_back(key, 1, copy, &arena, &back), ERR_INVALID);
        }
    for (size_t len = 0; len < token.len; len++)
        assert_int_equal(read_back(key, 1, bytes_first(token, len), &arena, &back), ERR_INVALID);
    arena_done(&arena);
}

static void test_not_ours(void **state)
{
    static const char *const texts[] = {"",         "x",       "=",
                                        "====",     "AA==",    "photos/1.jpg",
                                        "\xff\xff", "AQAAAAE", "AQAAAAEAAAAAAAAAAAAAAAAAAAAA"};
    static uint8_t large[KIB(8)];
    struct arena arena;
    struct bytes back;
    (void)state;
    arena_init(&arena, KIB(16));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(read_back(key, 1, bytes_of_str(texts[i]), &arena, &back), ERR_INVALID);
    memset(large, 'A', sizeof(large));
    for (size_t len = 1380; len < sizeof(large); len += len < 1420 ? 1 : 1000)
        assert_int_equal(read_back(key, 1, bytes_of(large, len), &arena, &back), ERR_INVALID);
    arena_done(&arena);
}

static void test_out_of_memory(void **state)
{
    struct arena none, arena;
    struct err err = {0};
    struct bytes token, back;
    (void)state;
    arena_init(&none, 0);
    arena_init(&arena, KIB(1));
    assert_null(token_make(key, 1, BYTES_LIT("a"), &none).data);
    token = token_make(key, 1, BYTES_LIT("a"), &arena);
    assert_int_equal(token_read(key, 1, token, &none, &back, &err), ERR_NO_MEMORY);
    arena_done(&arena);
    arena_done(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_bit_may_change),
        cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
