/* auth.h - users, their access keys, sessions: who may sign requests.
 *
 * Owns      the rows TAG_USER, TAG_ACCESS_KEY, TAG_SESSION (auth.proto); a
 *           memory of keys in use, so that a signature costs no lookup on disk.
 *           Secrets are sealed at rest under the box's key (base/seal.h).
 * Not here  signatures (sign.h), what a user may do to a bucket (storage/s3).
 * Threads   any. */
#ifndef STORAGE_AUTH_AUTH_H
#define STORAGE_AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/seal.h"
#include "storage/kv/commit.h"

struct auth;      /* opaque: auth.c */
struct key_cache; /* key_cache.h */

#define AUTH_USER_ID_LEN 64 /* hex digits: the S3 canonical id */

/* Open the users of this store.
 *
 * box_key   seals secrets; copied
 * errors    ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code auth_open(struct kv *kv, struct committer *committer,
                                 const struct clock *clock, const uint8_t box_key[SEAL_KEY_LEN],
                                 struct auth **ret_auth, struct err *err);

/* Write behind what is still to be written, and forget every secret. The
 * committer must still run. */
void auth_close(struct auth *auth);

struct auth_key {
    char user[AUTH_USER_NAME_MAX + 1];
    char user_id[AUTH_USER_ID_LEN + 1];
    char access_key[AUTH_KEY_ID_MAX + 1];
    uint64_t created_unix_ms;
    uint64_t last_used_unix_ms; /* 0 = never; kept to the minute, written behind */
    bool enabled;
};

/* Who commits a change of a key in commit()'s place, with rows of their own beside
 * it: an audit log. Called with the change ready in `batch`, under a lock of auth's.
 *
 * key      of which user, access_key and user_id are set
 * returns  what commit() of the batch said */
struct auth_witness {
    enum err_code (*commit)(void *ctx, const struct auth_key *key, struct commit_batch *batch,
                            struct err *err);
    void *ctx;
};

struct auth_key_request {
    struct bytes user;       /* 1..AUTH_USER_NAME_MAX of A-Z a-z 0-9 . _ - @ */
    struct bytes access_key; /* 3..AUTH_KEY_ID_MAX of A-Z a-z 0-9 . _ -; empty = make one
                                (20 characters, "VK…") */
    struct bytes secret;     /* AUTH_SECRET_MIN..AUTH_SECRET_MAX printable ASCII characters;
                                empty = make one (40) */
    const struct auth_witness *witness; /* NULL = nobody */
};

/* Make an access key, and the user with it where the user is new.
 *
 * ret_secret  arena memory: the only time it is told
 * errors      ERR_INVALID, ERR_EXISTS (access key taken), those of commit()
 * effect      durable */
MUST_USE enum err_code auth_key_create(struct auth *auth, const struct auth_key_request *request,
                                       struct arena *arena, struct auth_key *ret_key,
                                       struct bytes *ret_secret, struct err *err);

/* All keys, by user then access key.
 *
 * ret_keys  arena memory, ret_count of them */
MUST_USE enum err_code auth_key_list(struct auth *auth, struct arena *arena,
                                     struct auth_key **ret_keys, size_t *ret_count,
                                     struct err *err);

/* witness  NULL = nobody
 * errors   ERR_NOT_FOUND; those of commit()
 * effect   durable; the next request sees it */
MUST_USE enum err_code auth_key_disable(struct auth *auth, struct bytes access_key,
                                        const struct auth_witness *witness, struct err *err);
MUST_USE enum err_code auth_key_delete(struct auth *auth, struct bytes access_key,
                                       const struct auth_witness *witness, struct err *err);

/* A session: keys that expire, acting as a user.
 *
 * ret_access_key, ret_secret, ret_token  arena memory
 * errors  ERR_NOT_FOUND (no such user), ERR_INVALID (seconds not 1..129600), those of commit() */
MUST_USE enum err_code auth_session_create(struct auth *auth, struct bytes user, uint32_t seconds,
                                           struct arena *arena, struct bytes *ret_access_key,
                                           struct bytes *ret_secret, struct bytes *ret_token,
                                           struct err *err);

/* What a signature is checked against. The secret is the caller's to wipe. */
struct auth_secret {
    struct auth_key key;
    char secret[AUTH_SECRET_MAX + 1];
    bool is_session;
    uint8_t token_sha256[32]; /* of the session token; sessions only */
    uint64_t expires_unix_ms; /* sessions only */
};

/* Find an access key or a session's, in the store.
 *
 * ret_found  false (no such key, or it is disabled) leaves a made-up secret in
 *            ret_secret, so that the caller computes a signature either way and
 *            an unknown key takes as long as a wrong one
 * errors     ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code auth_secret_find(struct auth *auth, struct bytes access_key,
                                        struct auth_secret *ret_secret, bool *ret_found,
                                        struct err *err);

/* Remember that the key was used now; cheap, in memory. Keys past AUTH_USED_MAX
 * between two flushes keep their old time. */
void auth_key_used(struct auth *auth, struct bytes access_key);

/* Write behind: when keys were used, where that is a minute or more after what
 * the disk says. For housekeeping, about once a minute; never from a request.
 *
 * errors  those of commit() */
MUST_USE enum err_code auth_flush_last_used(struct auth *auth, struct err *err);

/* Delete the sessions that ended more than a day ago. For housekeeping.
 *
 * errors  those of commit() */
MUST_USE enum err_code auth_session_sweep(struct auth *auth, struct err *err);

/* What sign.h remembers of keys in use; forgotten whenever a key changes. */
struct key_cache *auth_key_cache(struct auth *auth);

/* The user of that canonical id; ERR_NOT_FOUND without one. */
MUST_USE enum err_code auth_user_name(struct auth *auth, struct bytes user_id,
                                      char ret_name[AUTH_USER_NAME_MAX + 1], struct err *err);

#endif
