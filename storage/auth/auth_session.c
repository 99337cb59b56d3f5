/* auth_session.c - keys that expire, acting as a user.
 *
 * A session outlives the keys of its user, but not its own end; its row stays
 * a day longer, so that a late client hears "expired" and not "unknown".
 *
 * Threads   any. */
#include "storage/auth/auth_internal.h"

#define SESSION_KEY_LEN   20
#define SESSION_TOKEN_LEN 64
#define SWEEP_MAX         1000 /* rows of one round: the next takes the rest */
#define SESSION_KEEP_MS   (24ull * 60 * 60 * 1000)

struct fresh_session {
    char *user;
    char *user_id;
    uint32_t seconds;
    char access_key[SESSION_KEY_LEN + 1];
    char secret[AUTH_SECRET_MADE + 1];
    char token[SESSION_TOKEN_LEN + 1];
};

static void make_texts(struct fresh_session *session)
{
    memcpy(session->access_key, "VS", 2);
    auth_random_text(session->access_key + 2, SESSION_KEY_LEN - 2, true);
    auth_random_text(session->secret, AUTH_SECRET_MADE, false);
    auth_random_text(session->token, SESSION_TOKEN_LEN, false);
}

static enum err_code store(struct auth *auth, const struct fresh_session *session,
                           struct arena *arena, struct err *err)
{
    Valise__Auth__Session row = VALISE__AUTH__SESSION__INIT;
    struct auth_rows_key key = auth_rows_key(TAG_SESSION, bytes_of_str(session->access_key));
    struct hash_value token = hash_once(HASH_SHA256, bytes_of_str(session->token));
    struct commit_batch batch;
    row.user = session->user;
    row.user_id = session->user_id;
    row.token_sha256 = (ProtobufCBinaryData){token.len, token.data};
    row.created_unix_ms = clock_unix_ms(auth->clock);
    row.expires_unix_ms = row.created_unix_ms + session->seconds * 1000ull;
    enum err_code code =
        auth_seal(auth, &key, bytes_of_str(session->secret), arena, &row.secret, err);
    if (code != ERR_OK)
        return code;
    commit_batch_init(&batch, arena);
    auth_rows_put(&batch, &key, &row.base);
    return commit(auth->committer, &batch, err);
}

/* ret_session  arena memory, for a user that is there */
static enum err_code prepare(struct auth *auth, struct bytes user, struct arena *arena,
                             struct fresh_session **ret_session, struct err *err)
{
    Valise__Auth__User *row = NULL;
    enum err_code code = auth_user_find(auth, user, arena, &row, err);
    if (code != ERR_OK)
        return code;
    if (!row)
        return err_fail(err, ERR_NOT_FOUND, "no user '%" BYTES_FMT "'", BYTES_ARG(user));
    struct fresh_session *session = arena_alloc(arena, sizeof(*session));
    if (session)
        session->user = arena_str(arena, user);
    if (!session || !session->user)
        return err_fail(err, ERR_NO_MEMORY, "making a session");
    session->user_id = row->user_id;
    make_texts(session);
    *ret_session = session;
    return ERR_OK;
}

enum err_code auth_session_create(struct auth *auth, struct bytes user, uint32_t seconds,
                                  struct arena *arena, struct bytes *ret_access_key,
                                  struct bytes *ret_secret, struct bytes *ret_token,
                                  struct err *err)
{
    struct fresh_session *session = NULL;
    if (seconds < 1 || seconds > AUTH_SESSION_SECONDS_MAX)
        return err_fail(err, ERR_INVALID, "a session lasts 1 to %d seconds",
                        AUTH_SESSION_SECONDS_MAX);
    enum err_code code = prepare(auth, user, arena, &session, err);
    if (code != ERR_OK)
        return code;
    session->seconds = seconds;
    code = store(auth, session, arena, err);
    if (code != ERR_OK)
        return code;
    *ret_access_key = bytes_of_str(session->access_key);
    *ret_secret = bytes_of_str(session->secret);
    *ret_token = bytes_of_str(session->token);
    return ERR_OK;
}

struct sweep {
    struct commit_batch batch;
    uint64_t now_unix_ms;
};

static enum err_code look_at_session(void *ctx, struct bytes name, void *message,
                                     struct err *err UNUSED)
{
    struct sweep *sweep = ctx;
    const Valise__Auth__Session *row = message;
    struct auth_rows_key key = auth_rows_key(TAG_SESSION, name);
    if (sweep->batch.count < SWEEP_MAX &&
        row->expires_unix_ms + SESSION_KEEP_MS < sweep->now_unix_ms)
        commit_delete(&sweep->batch, KV_META, auth_rows_key_bytes(&key));
    return ERR_OK;
}

enum err_code auth_session_sweep(struct auth *auth, struct err *err)
{
    struct sweep sweep = {.now_unix_ms = clock_unix_ms(auth->clock)};
    struct auth_rows_walk walk = {TAG_SESSION, &valise__auth__session__descriptor, look_at_session,
                                  &sweep};
    AUTO(auth_arena) struct arena arena;
    arena_init(&arena, AUTH_ARENA_MAX);
    commit_batch_init(&sweep.batch, &arena);
    enum err_code code = auth_rows_each(auth->kv, &walk, err);
    if (code != ERR_OK || commit_batch_is_empty(&sweep.batch))
        return code;
    return commit(auth->committer, &sweep.batch, err);
}
