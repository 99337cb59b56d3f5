/* hash_crc.c - CRC32 and CRC32C by ISA-L; CRCs of concatenations for all three kinds.
 *
 * A CRC is a remainder modulo a polynomial P over GF(2). Appending n bytes
 * multiplies what stood before by x^(8n), so with equal start and final masks
 *     crc(A || B) = crc(A) * x^(8 |B|) mod P  xor  crc(B).
 *
 * Owns      isa-l/crc.h.
 * Threads   pure functions; the powers are worked out once.
 * Source    Peterson and Brown, Cyclic Codes for Error Detection, 1961. */
#include "base/hash_crc.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <pthread.h>

#include "base/codec.h"
#include "base/hash.h"

#define PIECE_MAX ((size_t)1 << 30) /* ISA-L takes the length of CRC32C as an int */

struct crc_kind {
    uint64_t poly;
    unsigned bits;
};

static const struct crc_kind crc_kinds[HASH_KINDS] = {
    [HASH_CRC32] = {HASH_CRC_POLY_32, 32},
    [HASH_CRC32C] = {HASH_CRC_POLY_32C, 32},
    [HASH_CRC64NVME] = {HASH_CRC_POLY_64_NVME, 64},
};

/* x^(8 * 2^i) for each kind: a length is a sum of 2^i. Written once, under `powers_once`. */
static uint64_t powers[HASH_KINDS][64];
static pthread_once_t powers_once = PTHREAD_ONCE_INIT;

uint32_t hash_crc_32(uint32_t before, struct bytes data)
{
    return data.len ? crc32_gzip_refl(before, data.data, data.len) : before;
}

/* ISA-L leaves the masks of CRC32C to its caller, and forgets a const. */
uint32_t hash_crc32c(uint32_t seed, struct bytes data)
{
    uint32_t crc = ~seed;

    while (data.len > 0) {
        struct bytes piece = bytes_first(data, PIECE_MAX);
        crc = crc32_iscsi((unsigned char *)(uintptr_t)piece.data, (int)piece.len, crc);
        data = bytes_from(data, piece.len);
    }
    return ~crc;
}

/* a * b mod P. The highest bit is x^0; going down it, b is multiplied by x. */
static uint64_t multiply(uint64_t poly, unsigned bits, uint64_t a, uint64_t b)
{
    uint64_t product = 0;

    for (uint64_t bit = 1ull << (bits - 1); bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ poly : b >> 1;
    }
    return product;
}

uint64_t hash_crc_power(uint64_t poly, unsigned bits, uint64_t exponent)
{
    uint64_t result = 1ull << (bits - 1); /* x^0 */
    uint64_t square = result >> 1;        /* x^1 */

    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = multiply(poly, bits, result, square);
        square = multiply(poly, bits, square, square);
    }
    return result;
}

static void make_powers(void)
{
    for (int kind = HASH_CRC32; kind < HASH_KINDS; kind++) {
        const struct crc_kind *crc = &crc_kinds[kind];
        uint64_t power = hash_crc_power(crc->poly, crc->bits, 8);
        for (int i = 0; i < 64; i++) {
            powers[kind][i] = power;
            power = multiply(crc->poly, crc->bits, power, power);
        }
    }
}

static uint64_t value_of(const struct hash_value *value)
{
    return value->len == 8 ? codec_get_u64be(value->data) : codec_get_u32be(value->data);
}

struct hash_value hash_crc_combine(enum hash_kind kind, struct hash_value first,
                                   struct hash_value second, uint64_t second_len)
{
    const struct crc_kind *crc = &crc_kinds[kind];
    struct hash_value result = {.len = crc->bits / 8};
    uint64_t value = value_of(&first);

    assert(crc->bits && first.len == result.len && second.len == result.len);
    pthread_once(&powers_once, make_powers);
    for (int i = 0; second_len; second_len >>= 1, i++) {
        if (second_len & 1)
            value = multiply(crc->poly, crc->bits, powers[kind][i], value);
    }
    value ^= value_of(&second);
    if (crc->bits == 64)
        codec_put_u64be(result.data, value);
    else
        codec_put_u32be(result.data, (uint32_t)value);
    return result;
}
