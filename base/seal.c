/* seal.c - random bytes, secrets sealed at rest, digests of chains.
 *
 *     sealed = nonce (24, random) || ciphertext || tag (16)
 *
 * Owns      sodium.h, alone.
 * Threads   any, after seal_start().
 * Source    draft-irtf-cfrg-xchacha-03 (XChaCha20-Poly1305), RFC 7693 (BLAKE2b). */
#include "base/seal.h"

#include <sodium.h>
#include <string.h>

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN   crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key length");
_Static_assert(SEAL_OVERHEAD == NONCE_LEN + TAG_LEN, "overhead");

enum err_code seal_start(struct err *err)
{
    if (sodium_init() < 0)
        return err_fail(err, ERR_IO, "libsodium found no source of randomness");
    return ERR_OK;
}

void seal_random(void *ret_data, size_t len)
{
    randombytes_buf(ret_data, len);
}

void seal_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}

enum err_code seal_close(const uint8_t key[SEAL_KEY_LEN], struct bytes context, struct bytes plain,
                         struct arena *arena, struct bytes *ret_sealed, struct err *err)
{
    size_t len = plain.len + SEAL_OVERHEAD;
    uint8_t *sealed = arena_alloc_raw(arena, len);

    if (!sealed)
        return err_fail(err, ERR_NO_MEMORY, "sealing a secret");
    seal_random(sealed, NONCE_LEN);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_LEN, NULL, plain.data, plain.len,
                                               context.data, context.len, NULL, sealed, key);
    *ret_sealed = bytes_of(sealed, len);
    return ERR_OK;
}

enum err_code seal_open(const uint8_t key[SEAL_KEY_LEN], struct bytes context, struct bytes sealed,
                        struct arena *arena, struct bytes *ret_plain, struct err *err)
{
    struct bytes nonce = bytes_first(sealed, NONCE_LEN);
    struct bytes box = bytes_from(sealed, NONCE_LEN);
    uint8_t *plain;

    if (sealed.len < SEAL_OVERHEAD)
        return err_fail(err, ERR_CORRUPT, "a sealed secret is cut short");
    plain = arena_alloc_raw(arena, sealed.len - SEAL_OVERHEAD);
    if (!plain)
        return err_fail(err, ERR_NO_MEMORY, "opening a sealed secret");
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, box.data, box.len,
                                                   context.data, context.len, nonce.data, key) != 0)
        return err_fail(err, ERR_CORRUPT, "a sealed secret does not open");
    *ret_plain = bytes_of(plain, sealed.len - SEAL_OVERHEAD);
    return ERR_OK;
}

void seal_hash(const struct bytes *pieces, size_t count, uint8_t ret_hash[SEAL_HASH_LEN])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, SEAL_HASH_LEN);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, pieces[i].data, pieces[i].len);
    crypto_generichash_final(&state, ret_hash, SEAL_HASH_LEN);
}
