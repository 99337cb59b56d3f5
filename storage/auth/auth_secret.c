/* auth_secret.c - find the secret that a signature is checked against.
 *
 * An access key's row is looked for first, then a session's. Where there is
 * neither, a made-up secret is opened, so that the way is as long.
 *
 * Threads   any. */
#include "storage/auth/auth_internal.h"

/* What both kinds of row say, once found. */
struct found {
    const char *user, *user_id;
    ProtobufCBinaryData sealed;
};

/* Copy text that was checked when it was stored.
 *
 * returns  false where it does not fit: the row was not written by us */
static bool copy_text(char *to, size_t room, const char *from)
{
    size_t len = strlen(from);
    if (len >= room)
        return false;
    memcpy(to, from, len + 1);
    return true;
}

static enum err_code open_secret(const struct auth *auth, struct bytes context, struct bytes sealed,
                                 struct arena *arena, struct auth_secret *ret_secret,
                                 struct err *err)
{
    struct bytes plain;
    enum err_code code = seal_open(auth->box_key, context, sealed, arena, &plain, err);
    if (code != ERR_OK)
        return code;
    if (plain.len > AUTH_SECRET_MAX)
        return err_fail(err, ERR_CORRUPT, "a secret is longer than AUTH_SECRET_MAX");
    memcpy(ret_secret->secret, plain.data, plain.len);
    ret_secret->secret[plain.len] = '\0';
    seal_wipe((void *)plain.data, plain.len);
    return ERR_OK;
}

static enum err_code take_found(const struct auth *auth, const struct auth_rows_key *key,
                                const struct found *found, struct arena *arena,
                                struct auth_secret *ret_secret, struct err *err)
{
    struct auth_key *who = &ret_secret->key;
    struct bytes access_key = bytes_from(auth_rows_key_bytes(key), 1);
    if (!copy_text(who->user, sizeof(who->user), found->user) ||
        !copy_text(who->user_id, sizeof(who->user_id), found->user_id))
        return err_fail(err, ERR_CORRUPT, "the row of an access key names no user");
    memcpy(who->access_key, access_key.data, access_key.len);
    who->enabled = true;
    return open_secret(auth, auth_rows_key_bytes(key),
                       bytes_of(found->sealed.data, found->sealed.len), arena, ret_secret, err);
}

static enum err_code find_key(const struct auth *auth, struct bytes access_key, struct arena *arena,
                              struct auth_secret *ret_secret, bool *ret_found, struct err *err)
{
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, access_key);
    void *message = NULL;
    enum err_code code =
        auth_rows_find(auth->kv, arena, &valise__auth__access_key__descriptor, &key, &message, err);
    const Valise__Auth__AccessKey *row = message;
    if (code != ERR_OK || !row || row->disabled)
        return code;
    ret_secret->key.created_unix_ms = row->created_unix_ms;
    ret_secret->key.last_used_unix_ms = row->last_used_unix_ms;
    *ret_found = true;
    struct found found = {row->user, row->user_id, row->secret};
    return take_found(auth, &key, &found, arena, ret_secret, err);
}

static enum err_code find_session(const struct auth *auth, struct bytes access_key,
                                  struct arena *arena, struct auth_secret *ret_secret,
                                  bool *ret_found, struct err *err)
{
    struct auth_rows_key key = auth_rows_key(TAG_SESSION, access_key);
    void *message = NULL;
    enum err_code code =
        auth_rows_find(auth->kv, arena, &valise__auth__session__descriptor, &key, &message, err);
    const Valise__Auth__Session *row = message;
    if (code != ERR_OK || !row)
        return code;
    if (row->token_sha256.len != sizeof(ret_secret->token_sha256))
        return err_fail(err, ERR_CORRUPT, "the row of a session has no token");
    memcpy(ret_secret->token_sha256, row->token_sha256.data, sizeof(ret_secret->token_sha256));
    ret_secret->key.created_unix_ms = row->created_unix_ms;
    ret_secret->expires_unix_ms = row->expires_unix_ms;
    ret_secret->is_session = true;
    *ret_found = true;
    struct found found = {row->user, row->user_id, row->secret};
    return take_found(auth, &key, &found, arena, ret_secret, err);
}

enum err_code auth_secret_find(struct auth *auth, struct bytes access_key,
                               struct auth_secret *ret_secret, bool *ret_found, struct err *err)
{
    bool found = false;
    enum err_code code = ERR_OK;
    AUTO(auth_arena) struct arena arena;
    arena_init(&arena, AUTH_ARENA_MAX);
    *ret_secret = (struct auth_secret){0};
    if (access_key.len > 0 && access_key.len <= AUTH_KEY_ID_MAX) {
        code = find_key(auth, access_key, &arena, ret_secret, &found, err);
        if (code == ERR_OK && !found)
            code = find_session(auth, access_key, &arena, ret_secret, &found, err);
    }
    if (code == ERR_OK && !found)
        code = open_secret(auth, BYTES_LIT("decoy"), bytes_of(auth->decoy, sizeof(auth->decoy)),
                           &arena, ret_secret, err);
    if (code == ERR_OK)
        *ret_found = found;
    return code;
}
