/* hash_crc.h - the CRCs behind hash.h (CRC32C stands there); for hash*.c alone.
 *
 * Each takes the CRC of what came before (0 to begin) and yields the CRC of
 * that and `data`, both as the standard shows them.
 *
 * Threads   pure functions. */
#ifndef BASE_HASH_CRC_H
#define BASE_HASH_CRC_H

#include <stdint.h>

#include "base/bytes.h"

/* Polynomials, reflected: bit 0 is the highest power below the leading one. */
#define HASH_CRC_POLY_32      0xEDB88320u
#define HASH_CRC_POLY_32C     0x82F63B78u
#define HASH_CRC_POLY_64_NVME 0x9A6C9329AC4BC9B5ull

uint32_t hash_crc_32(uint32_t before, struct bytes data);
uint64_t hash_crc_64_nvme(uint64_t before, struct bytes data);

/* x^exponent modulo a polynomial of `bits` (32 or 64) bits, all reflected. */
uint64_t hash_crc_power(uint64_t poly, unsigned bits, uint64_t exponent);

#endif
