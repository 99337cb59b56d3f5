/* hash.h - the digests that S3 needs, several of them in one pass, and HMAC.
 *
 * Owns      libcrypto (MD5, SHA-1, SHA-256, HMAC) and ISA-L (CRC32, CRC32C);
 *           CRC64NVME by carry-less multiplication where the CPU has it, else by table.
 * Threads   a struct hash_set belongs to one thread; the rest is pure. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum hash_kind {
    HASH_MD5,
    HASH_SHA1,
    HASH_SHA256,
    HASH_CRC32,     /* the zlib one; 4 bytes big-endian */
    HASH_CRC32C,    /* Castagnoli */
    HASH_CRC64NVME, /* 8 bytes big-endian */
    HASH_KINDS
};

#define HASH_BYTES_MAX 32
#define HASH_BIT(kind) (1u << (kind))

/* Length of a digest in bytes. */
size_t hash_len(enum hash_kind kind);

struct hash_value {
    uint8_t data[HASH_BYTES_MAX];
    size_t len; /* bytes; 0 = absent */
};

struct hash_set; /* opaque: hash.c */

/* Start the digests in `kinds` (HASH_BIT of each, any mix, 0 allowed).
 *
 * ret_set  yours, free with hash_set_free
 * errors   ERR_NO_MEMORY */
MUST_USE enum err_code hash_set_new(unsigned kinds, struct hash_set **ret_set, struct err *err);
void hash_set_free(struct hash_set *set);
void hash_set_update(struct hash_set *set, struct bytes piece);

/* The digest of all pieces so far, once per kind, at the end; `kind` must have been started. */
struct hash_value hash_set_finish(struct hash_set *set, enum hash_kind kind);

AUTO_DEFINE(hash_set, struct hash_set, hash_set_free)

/* One digest of one buffer; cannot fail. */
struct hash_value hash_once(enum hash_kind kind, struct bytes data);

/* CRC32C of `data`, continuing `seed` (0 to begin). */
uint32_t hash_crc32c(uint32_t seed, struct bytes data);

/* CRC of a concatenation from the CRCs of its halves (CRC kinds only).
 *
 * second_len  bytes of the second half */
struct hash_value hash_crc_combine(enum hash_kind kind, struct hash_value first,
                                   struct hash_value second, uint64_t second_len);

#define HASH_HMAC_LEN 32
/* HMAC-SHA256 (RFC 2104). */
void hash_hmac_sha256(struct bytes key, struct bytes message, uint8_t ret_mac[HASH_HMAC_LEN]);
/* HMAC-SHA1, for signature version 2 only. */
void hash_hmac_sha1(struct bytes key, struct bytes message, uint8_t ret_mac[20]);

/* Equal, in time that depends on the lengths alone. */
bool hash_equal_secret(struct bytes a, struct bytes b);

#endif
