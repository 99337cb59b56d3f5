/* key_cache.h - keys in use, with their signing key of the day, so that a
 * signature costs no lookup on disk and no derivation.
 *
 * Owns      AUTH_CACHE_MAX entries, found by text: "access key/date/region/service"
 *           for version 4, the bare access key for version 2.
 * Not here  when a key is good: only what a valid signature proved is put here, so a
 *           stranger cannot push others out.
 * Threads   any; a lock for each shard. */
#ifndef STORAGE_AUTH_KEY_CACHE_H
#define STORAGE_AUTH_KEY_CACHE_H

#include "base/hash.h"
#include "storage/auth/auth.h"

#define KEY_CACHE_ID_MAX 208 /* bytes */

struct key_cache_entry {
    struct auth_secret secret;          /* its text is blank in entries of version 4 */
    uint8_t signing_key[HASH_HMAC_LEN]; /* version 4 only */
};

/* NULL when memory is out. */
struct key_cache *key_cache_new(void);
void key_cache_free(struct key_cache *cache); /* wipes; NULL is allowed */

/* Copy the entry of that id out, for the caller to wipe.
 *
 * ret_generation  set where it is not there: hand it to key_cache_add
 * returns         whether it is there */
bool key_cache_find(struct key_cache *cache, struct bytes id, struct key_cache_entry *ret_entry,
                    uint64_t *ret_generation);

/* Keep an entry in place of the oldest, unless keys have been forgotten since
 * `generation`: what was read from disk before that may be out of date. */
void key_cache_add(struct key_cache *cache, struct bytes id, const struct key_cache_entry *entry,
                   uint64_t generation);

/* Wipe everything; call it after a change of keys is committed. */
void key_cache_forget(struct key_cache *cache);

#endif
