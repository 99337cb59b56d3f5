/* hash_crc64.c - CRC64NVME: 64 bytes at a time by carry-less multiplication
 * where the CPU has it; short data, ends and other CPUs by table.
 *
 * Folding: 16 bytes of message, as polynomial H * x^64 + L, that stand D bits
 * before others may be replaced by H * x^(D + 64) + L * x^D added to those: the
 * remainder modulo P stays. Each factor is reduced modulo P beforehand, so that
 * both products fit 128 bits. In reflected order a carry-less product comes
 * out one bit low, that is times x: the factors are for one bit less.
 *
 * Threads   pure; the tables are worked out once.
 * Source    NVM Express NVM Command Set Specification 1.0, 5.2.1.3.4 (the CRC);
 *           Gopal et al., Fast CRC Computation Using PCLMULQDQ, 2009 (folding). */
#include "base/hash_crc.h"

#include <pthread.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define POLY        HASH_CRC_POLY_64_NVME
#define LANES       4 /* of 16 bytes, folded side by side */
#define STRIDE      (LANES * 16)
#define SLICES      8 /* bytes that the table takes at once */
#define STRIDE_BITS (STRIDE * 8)

/* How far 16 bytes move: factors for the half that comes first, and the other. */
struct factors {
    uint64_t high, low;
};

struct tables {
    uint64_t slice[SLICES][256]; /* [k][c]: the CRC of c and k zero bytes */
    struct factors stride;       /* moves by a stride */
    struct factors lane;         /* moves by 16 bytes */
};

/* Written once, under `tables_once`. */
static struct tables tables;
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static struct factors make_factors(uint64_t distance_bits)
{
    return (struct factors){hash_crc_power(POLY, 64, distance_bits + 64 - 1),
                            hash_crc_power(POLY, 64, distance_bits - 1)};
}

static void make_tables(void)
{
    for (unsigned c = 0; c < 256; c++) {
        uint64_t crc = c;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLY : crc >> 1;
        tables.slice[0][c] = crc;
    }
    for (int k = 1; k < SLICES; k++) {
        for (unsigned c = 0; c < 256; c++) {
            uint64_t crc = tables.slice[k - 1][c];
            tables.slice[k][c] = crc >> 8 ^ tables.slice[0][crc & 0xFF];
        }
    }
    tables.stride = make_factors(STRIDE_BITS);
    tables.lane = make_factors(128);
}

static uint64_t load_u64le(const uint8_t *from)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | from[i];
    return value;
}

/* On the bare remainder, without the masks of the standard. */
static uint64_t by_table(uint64_t crc, struct bytes data)
{
    for (; data.len >= SLICES; data = bytes_from(data, SLICES)) {
        uint64_t next = 0;
        crc ^= load_u64le(data.data);
        for (int k = 0; k < SLICES; k++)
            next ^= tables.slice[SLICES - 1 - k][crc >> 8 * k & 0xFF];
        crc = next;
    }
    for (size_t i = 0; i < data.len; i++)
        crc = crc >> 8 ^ tables.slice[0][(crc ^ data.data[i]) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
#define CLMUL __attribute__((target("pclmul,sse2")))

/* The constant selectors name the halves: 0x00 first with first, 0x11 second with second. */
CLMUL static __m128i move(__m128i what, __m128i factors)
{
    return _mm_xor_si128(_mm_clmulepi64_si128(what, factors, 0x00),
                         _mm_clmulepi64_si128(what, factors, 0x11));
}

CLMUL static __m128i load(const uint8_t *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

CLMUL static __m128i load_factors(struct factors factors)
{
    return _mm_set_epi64x((long long)factors.low, (long long)factors.high);
}

/* At least a stride; what is left behind the last whole 16 bytes goes by table. */
CLMUL static uint64_t by_folding(uint64_t crc, struct bytes data)
{
    const __m128i stride = load_factors(tables.stride), lane = load_factors(tables.lane);
    __m128i sum[LANES];
    uint8_t rest[16];

    for (int i = 0; i < LANES; i++)
        sum[i] = load(data.data + 16 * i);
    sum[0] = _mm_xor_si128(sum[0], _mm_set_epi64x(0, (long long)crc));
    for (data = bytes_from(data, STRIDE); data.len >= STRIDE; data = bytes_from(data, STRIDE)) {
        for (int i = 0; i < LANES; i++)
            sum[i] = _mm_xor_si128(move(sum[i], stride), load(data.data + 16 * i));
    }
    for (int i = 1; i < LANES; i++)
        sum[i] = _mm_xor_si128(move(sum[i - 1], lane), sum[i]);
    for (; data.len >= 16; data = bytes_from(data, 16))
        sum[LANES - 1] = _mm_xor_si128(move(sum[LANES - 1], lane), load(data.data));
    _mm_storeu_si128((__m128i *)(void *)rest, sum[LANES - 1]);
    return by_table(by_table(0, bytes_of(rest, sizeof(rest))), data);
}

static uint64_t remainder_of(uint64_t crc, struct bytes data)
{
    if (data.len >= STRIDE && __builtin_cpu_supports("pclmul"))
        return by_folding(crc, data);
    return by_table(crc, data);
}
#else
static uint64_t remainder_of(uint64_t crc, struct bytes data)
{
    return by_table(crc, data);
}
#endif

uint64_t hash_crc_64_nvme(uint64_t before, struct bytes data)
{
    pthread_once(&tables_once, make_tables);
    return ~remainder_of(~before, data);
}
