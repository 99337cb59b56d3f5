/* seal.h - libsodium behind a small door: random bytes, sealing of secrets at
 * rest under the box's key (XChaCha20-Poly1305, random nonce in front), and the
 * digest that chains are made of (BLAKE2b-256).
 *
 * Owns      sodium.h, alone.
 * Threads   any, after seal_start(). */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

#define SEAL_KEY_LEN  32 /* bytes */
#define SEAL_OVERHEAD 40 /* bytes that sealing adds: nonce and tag */
#define SEAL_HASH_LEN 32 /* bytes of seal_hash */

/* Start libsodium; once, before any thread.
 *
 * errors  ERR_IO (no randomness to be had) */
MUST_USE enum err_code seal_start(struct err *err);

void seal_random(void *ret_data, size_t len);

/* Overwrite secrets before their memory is let go; never optimized away. */
void seal_wipe(void *data, size_t len);

/* Seal `plain`, bound to `context` (a row's key: a sealed value moved to
 * another row does not open).
 *
 * ret_sealed  arena memory, plain.len + SEAL_OVERHEAD bytes
 * errors      ERR_NO_MEMORY */
MUST_USE enum err_code seal_close(const uint8_t key[SEAL_KEY_LEN], struct bytes context,
                                  struct bytes plain, struct arena *arena, struct bytes *ret_sealed,
                                  struct err *err);

/* Open what seal_close made.
 *
 * errors  ERR_CORRUPT (not sealed with this key for this context, or changed), ERR_NO_MEMORY */
MUST_USE enum err_code seal_open(const uint8_t key[SEAL_KEY_LEN], struct bytes context,
                                 struct bytes sealed, struct arena *arena, struct bytes *ret_plain,
                                 struct err *err);

/* BLAKE2b-256 without a key (RFC 7693) of these pieces, one behind the other; cannot fail. */
void seal_hash(const struct bytes *pieces, size_t count, uint8_t ret_hash[SEAL_HASH_LEN]);

#endif
