/* hash_crc_test.c - BASE-HASH-3, and the CRCs against their definition, bit by bit. */
#include "base/hash_crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/hash.h"

static const enum hash_kind crc_kinds[] = {HASH_CRC32, HASH_CRC32C, HASH_CRC64NVME};

/* More than a length that folding takes in several strides and ends of all lengths. */
static uint8_t data[2048];

static int fill(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 167 + i / 7 * 13 + 5);
    return 0;
}

/* The definition: a shift register of the polynomial's width. */
static uint64_t by_bits(uint64_t poly, uint64_t mask, struct bytes of)
{
    uint64_t crc = mask;

    for (size_t i = 0; i < of.len; i++) {
        crc ^= of.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ poly : crc >> 1;
    }
    return crc ^ mask;
}

static void follow_their_definition(void **state UNUSED)
{
    for (size_t len = 0; len <= 700; len++) {
        struct bytes part = bytes_of(data + len % 17, len); /* not aligned, too */
        assert_true(hash_crc_32(0, part) == by_bits(HASH_CRC_POLY_32, UINT32_MAX, part));
        assert_true(hash_crc32c(0, part) == by_bits(HASH_CRC_POLY_32C, UINT32_MAX, part));
        assert_true(hash_crc_64_nvme(0, part) == by_bits(HASH_CRC_POLY_64_NVME, UINT64_MAX, part));
    }
}

static void go_on_from_what_came_before(void **state UNUSED)
{
    struct bytes whole = bytes_of(data, 500);

    for (size_t cut = 0; cut <= whole.len; cut++) {
        struct bytes a = bytes_first(whole, cut), b = bytes_from(whole, cut);
        assert_true(hash_crc_32(hash_crc_32(0, a), b) == hash_crc_32(0, whole));
        assert_true(hash_crc32c(hash_crc32c(0, a), b) == hash_crc32c(0, whole));
        assert_true(hash_crc_64_nvme(hash_crc_64_nvme(0, a), b) == hash_crc_64_nvme(0, whole));
    }
}

static void assert_combines(enum hash_kind kind, struct bytes a, struct bytes b)
{
    struct bytes whole = bytes_of(a.data, a.len + b.len); /* b stands behind a */
    struct hash_value expected = hash_once(kind, whole);
    struct hash_value got = hash_crc_combine(kind, hash_once(kind, a), hash_once(kind, b), b.len);

    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, sizeof(got.data));
}

/* BASE-HASH-3 */
static void combine_at_every_cut(void **state UNUSED)
{
    struct bytes whole = bytes_of(data, 300);

    for (size_t k = 0; k < ARRAY_LEN(crc_kinds); k++) {
        for (size_t cut = 0; cut <= whole.len; cut++)
            assert_combines(crc_kinds[k], bytes_first(whole, cut), bytes_from(whole, cut));
    }
}

static struct hash_value value_of(uint64_t crc, unsigned bits)
{
    struct hash_value value = {.len = bits / 8};

    if (bits == 64)
        codec_put_u64be(value.data, crc);
    else
        codec_put_u32be(value.data, (uint32_t)crc);
    return value;
}

/* BASE-HASH-3: each bit of a length, and many, beyond what a test could hash.
 * What stood before is multiplied by x^(8n); if it is 1, that power shows. */
static void combine_over_great_lengths(void **state UNUSED)
{
    static const uint64_t polys[] = {HASH_CRC_POLY_32, HASH_CRC_POLY_32C, HASH_CRC_POLY_64_NVME};

    for (size_t k = 0; k < ARRAY_LEN(crc_kinds); k++) {
        unsigned bits = 8 * (unsigned)hash_len(crc_kinds[k]);
        struct hash_value one = value_of(1ull << (bits - 1), bits), zero = value_of(0, bits);
        for (int i = 0; i <= 61; i++) {
            uint64_t len = i < 61 ? 1ull << i : 0x123456789ABCDEFull;
            struct hash_value got = hash_crc_combine(crc_kinds[k], one, zero, len);
            struct hash_value power = value_of(hash_crc_power(polys[k], bits, 8 * len), bits);
            assert_memory_equal(got.data, power.data, sizeof(got.data));
        }
    }
}

static void powers_wrap_at_the_order(void **state UNUSED)
{
    assert_true(hash_crc_power(HASH_CRC_POLY_32, 32, 0) == 0x80000000u);
    assert_true(hash_crc_power(HASH_CRC_POLY_32, 32, 31) == 1);
    assert_true(hash_crc_power(HASH_CRC_POLY_32, 32, 32) == HASH_CRC_POLY_32);
    assert_true(hash_crc_power(HASH_CRC_POLY_32, 32, UINT32_MAX) == 0x80000000u); /* primitive */
    assert_true(hash_crc_power(HASH_CRC_POLY_64_NVME, 64, 64) == HASH_CRC_POLY_64_NVME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_their_definition),  cmocka_unit_test(go_on_from_what_came_before),
        cmocka_unit_test(combine_at_every_cut),     cmocka_unit_test(combine_over_great_lengths),
        cmocka_unit_test(powers_wrap_at_the_order),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
