/* hash.c - sets of digests in one pass, and HMAC.
 *
 * The digests of libcrypto are called by their plain functions, deprecated
 * since 3.0 in favor of EVP and the same code underneath: these work on memory
 * of ours, so they allocate nothing, share no reference counts between threads
 * and cannot fail; each request's signature takes five HMACs and some hashes.
 *
 * Owns      openssl/md5.h, openssl/sha.h.
 * Threads   a struct hash_set belongs to one thread; the rest is pure.
 * Source    RFC 1321, FIPS 180-4, RFC 2104. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/hash_crc.h"

#define PIECE ((size_t)16 << 10) /* bytes; stays in the first cache while each digest reads it */

struct hash_set {
    unsigned kinds; /* HASH_BIT of each that was started */
    uint32_t crc32, crc32c;
    uint64_t crc64nvme;
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
};

static void md5_start(struct hash_set *set)
{
    MD5_Init(&set->md5);
}

static void md5_update(struct hash_set *set, struct bytes data)
{
    MD5_Update(&set->md5, data.data, data.len);
}

static void md5_finish(struct hash_set *set, uint8_t *ret_digest)
{
    MD5_Final(ret_digest, &set->md5);
}

static void sha1_start(struct hash_set *set)
{
    SHA1_Init(&set->sha1);
}

static void sha1_update(struct hash_set *set, struct bytes data)
{
    SHA1_Update(&set->sha1, data.data, data.len);
}

static void sha1_finish(struct hash_set *set, uint8_t *ret_digest)
{
    SHA1_Final(ret_digest, &set->sha1);
}

static void sha256_start(struct hash_set *set)
{
    SHA256_Init(&set->sha256);
}

static void sha256_update(struct hash_set *set, struct bytes data)
{
    SHA256_Update(&set->sha256, data.data, data.len);
}

static void sha256_finish(struct hash_set *set, uint8_t *ret_digest)
{
    SHA256_Final(ret_digest, &set->sha256);
}

static void crc32_start(struct hash_set *set)
{
    set->crc32 = 0;
}

static void crc32_update(struct hash_set *set, struct bytes data)
{
    set->crc32 = hash_crc_32(set->crc32, data);
}

static void crc32_finish(struct hash_set *set, uint8_t *ret_digest)
{
    codec_put_u32be(ret_digest, set->crc32);
}

static void crc32c_start(struct hash_set *set)
{
    set->crc32c = 0;
}

static void crc32c_update(struct hash_set *set, struct bytes data)
{
    set->crc32c = hash_crc32c(set->crc32c, data);
}

static void crc32c_finish(struct hash_set *set, uint8_t *ret_digest)
{
    codec_put_u32be(ret_digest, set->crc32c);
}

static void crc64nvme_start(struct hash_set *set)
{
    set->crc64nvme = 0;
}

static void crc64nvme_update(struct hash_set *set, struct bytes data)
{
    set->crc64nvme = hash_crc_64_nvme(set->crc64nvme, data);
}

static void crc64nvme_finish(struct hash_set *set, uint8_t *ret_digest)
{
    codec_put_u64be(ret_digest, set->crc64nvme);
}

struct digest {
    size_t len; /* bytes */
    void (*start)(struct hash_set *set);
    void (*update)(struct hash_set *set, struct bytes data);
    void (*finish)(struct hash_set *set, uint8_t *ret_digest);
};

static const struct digest digests[HASH_KINDS] = {
    [HASH_MD5] = {16, md5_start, md5_update, md5_finish},
    [HASH_SHA1] = {20, sha1_start, sha1_update, sha1_finish},
    [HASH_SHA256] = {32, sha256_start, sha256_update, sha256_finish},
    [HASH_CRC32] = {4, crc32_start, crc32_update, crc32_finish},
    [HASH_CRC32C] = {4, crc32c_start, crc32c_update, crc32c_finish},
    [HASH_CRC64NVME] = {8, crc64nvme_start, crc64nvme_update, crc64nvme_finish},
};

size_t hash_len(enum hash_kind kind)
{
    return digests[kind].len;
}

static void start(struct hash_set *set, unsigned kinds)
{
    set->kinds = kinds;
    for (int kind = 0; kind < HASH_KINDS; kind++) {
        if (kinds & HASH_BIT(kind))
            digests[kind].start(set);
    }
}

enum err_code hash_set_new(unsigned kinds, struct hash_set **ret_set, struct err *err)
{
    struct hash_set *set = malloc(sizeof(*set));

    assert(kinds < HASH_BIT(HASH_KINDS));
    if (!set)
        return err_fail(err, ERR_NO_MEMORY, "starting digests");
    start(set, kinds);
    *ret_set = set;
    return ERR_OK;
}

void hash_set_free(struct hash_set *set)
{
    free(set);
}

void hash_set_update(struct hash_set *set, struct bytes piece)
{
    while (piece.len > 0) {
        struct bytes part = bytes_first(piece, PIECE);
        for (int kind = 0; kind < HASH_KINDS; kind++) {
            if (set->kinds & HASH_BIT(kind))
                digests[kind].update(set, part);
        }
        piece = bytes_from(piece, part.len);
    }
}

struct hash_value hash_set_finish(struct hash_set *set, enum hash_kind kind)
{
    struct hash_value value = {.len = digests[kind].len};

    assert(set->kinds & HASH_BIT(kind));
    set->kinds &= ~HASH_BIT(kind); /* libcrypto's state is used up: no second time */
    digests[kind].finish(set, value.data);
    return value;
}

struct hash_value hash_once(enum hash_kind kind, struct bytes data)
{
    struct hash_set set;

    start(&set, HASH_BIT(kind));
    digests[kind].update(&set, data);
    return hash_set_finish(&set, kind);
}

#define HMAC_BLOCK 64 /* bytes; of SHA-1 and SHA-256 alike */

/* The key as long as a block, each byte xor `pad`. */
static void padded_key(enum hash_kind kind, struct bytes key, uint8_t pad, uint8_t *ret_block)
{
    struct hash_value short_key = {.len = 0};

    if (key.len > HMAC_BLOCK) {
        short_key = hash_once(kind, key);
        key = bytes_of(short_key.data, short_key.len);
    }
    memset(ret_block, pad, HMAC_BLOCK);
    for (size_t i = 0; i < key.len; i++)
        ret_block[i] ^= key.data[i];
    OPENSSL_cleanse(&short_key, sizeof(short_key));
}

/* digest(key xor `pad` || message) */
static void keyed(enum hash_kind kind, struct bytes key, uint8_t pad, struct bytes message,
                  uint8_t *ret_digest)
{
    const struct digest *digest = &digests[kind];
    uint8_t block[HMAC_BLOCK];
    struct hash_set set;

    padded_key(kind, key, pad, block);
    digest->start(&set);
    digest->update(&set, bytes_of(block, sizeof(block)));
    digest->update(&set, message);
    digest->finish(&set, ret_digest);
    OPENSSL_cleanse(block, sizeof(block));
}

static void hmac(enum hash_kind kind, struct bytes key, struct bytes message, uint8_t *ret_mac)
{
    uint8_t inner[HASH_BYTES_MAX];

    keyed(kind, key, 0x36, message, inner);
    keyed(kind, key, 0x5C, bytes_of(inner, digests[kind].len), ret_mac);
}

void hash_hmac_sha256(struct bytes key, struct bytes message, uint8_t ret_mac[HASH_HMAC_LEN])
{
    hmac(HASH_SHA256, key, message, ret_mac);
}

void hash_hmac_sha1(struct bytes key, struct bytes message, uint8_t ret_mac[20])
{
    hmac(HASH_SHA1, key, message, ret_mac);
}

bool hash_equal_secret(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}
