/* auth_internal.h - what the files of auth share: the struct behind auth.h.
 *
 * Not here  anything for others: they use auth.h and sign.h.
 * Threads   as each field says. */
#ifndef STORAGE_AUTH_AUTH_INTERNAL_H
#define STORAGE_AUTH_AUTH_INTERNAL_H

#include <pthread.h>

#include "storage/auth/auth.h"
#include "storage/auth/auth_rows.h"
#include "storage/auth/key_cache.h"
#include "storage/auth/used.h"

#define AUTH_SECRET_MADE 40 /* characters of a secret that we make */
#define AUTH_ARENA_MAX   MIB(1)

struct auth {
    struct kv *kv; /* const after open, as the next four */
    struct committer *committer;
    const struct clock *clock;
    uint8_t box_key[SEAL_KEY_LEN];
    uint8_t
        decoy[AUTH_SECRET_MADE + SEAL_OVERHEAD]; /* a made-up secret, sealed: for unknown keys */
    pthread_mutex_t write;                       /* held from read to commit by who changes rows */
    struct key_cache *cache;
    struct used *used;
};

static inline void auth_arena_auto(struct arena *arena)
{
    arena_done(arena);
}

/* `len` random characters of A-Z a-z 0-9 . _ (or of A-Z 2-7 only) and a NUL.
 *
 * ret_text  room for len + 1 */
void auth_random_text(char *ret_text, size_t len, bool capitals_only);

/* Seal a secret for a row.
 *
 * ret_sealed  arena memory
 * errors      ERR_NO_MEMORY */
MUST_USE enum err_code auth_seal(const struct auth *auth, const struct auth_rows_key *key,
                                 struct bytes secret, struct arena *arena,
                                 ProtobufCBinaryData *ret_sealed, struct err *err);

/* The row of a user; NULL where there is none. */
MUST_USE enum err_code auth_user_find(const struct auth *auth, struct bytes user,
                                      struct arena *arena, Valise__Auth__User **ret_user,
                                      struct err *err);

#endif
