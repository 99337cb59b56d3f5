/* auth.c - opening and closing, users, and what the other files of auth share.
 *
 *     auth_key.c      access keys: make, list, disable, delete
 *     auth_session.c  sessions
 *     auth_secret.c   the secret that a signature is checked against
 *     key_cache.c     keys in use          used.c  when they were used
 *     auth_rows.c     the rows
 *
 * Threads   any. */
#include "storage/auth/auth_internal.h"

#include <stdlib.h>

#define USED_GAIN_MS 60000 /* after what the disk says: from then on a time is written */

static void free_parts(struct auth *auth)
{
    key_cache_free(auth->cache);
    used_free(auth->used);
    pthread_mutex_destroy(&auth->write);
    seal_wipe(auth, sizeof(*auth));
    free(auth);
}

/* Seal a random secret, so that an unknown key costs opening one, as a known key does. */
static enum err_code make_decoy(struct auth *auth, struct err *err)
{
    char secret[AUTH_SECRET_MADE + 1];
    struct bytes sealed;
    AUTO(auth_arena) struct arena arena;
    arena_init(&arena, AUTH_ARENA_MAX);
    auth_random_text(secret, AUTH_SECRET_MADE, false);
    enum err_code code = seal_close(auth->box_key, BYTES_LIT("decoy"),
                                    bytes_of(secret, AUTH_SECRET_MADE), &arena, &sealed, err);
    if (code == ERR_OK)
        memcpy(auth->decoy, sealed.data, sizeof(auth->decoy));
    seal_wipe(secret, sizeof(secret));
    return code;
}

enum err_code auth_open(struct kv *kv, struct committer *committer, const struct clock *clock,
                        const uint8_t box_key[SEAL_KEY_LEN], struct auth **ret_auth,
                        struct err *err)
{
    struct auth *auth = calloc(1, sizeof(*auth));
    if (!auth)
        return err_fail(err, ERR_NO_MEMORY, "opening the users");
    auth->kv = kv;
    auth->committer = committer;
    auth->clock = clock;
    memcpy(auth->box_key, box_key, SEAL_KEY_LEN);
    pthread_mutex_init(&auth->write, NULL);
    auth->cache = key_cache_new();
    auth->used = used_new();
    enum err_code code = auth->cache && auth->used
                             ? make_decoy(auth, err)
                             : err_fail(err, ERR_NO_MEMORY, "opening the users");
    if (code == ERR_OK)
        *ret_auth = auth;
    else
        free_parts(auth);
    return code;
}

/* Put the row of a key that was used a minute or more after what it says. */
static enum err_code put_used(struct auth *auth, struct commit_batch *batch,
                              const struct used_entry *entry, struct err *err)
{
    struct auth_rows_key key =
        auth_rows_key(TAG_ACCESS_KEY, bytes_of(entry->access_key, entry->len));
    void *message = NULL;
    enum err_code code = auth_rows_find(auth->kv, batch->arena,
                                        &valise__auth__access_key__descriptor, &key, &message, err);
    Valise__Auth__AccessKey *row = message;
    if (code != ERR_OK || !row || entry->unix_ms < row->last_used_unix_ms + USED_GAIN_MS)
        return code;
    row->last_used_unix_ms = entry->unix_ms;
    auth_rows_put(batch, &key, &row->base);
    return ERR_OK;
}

static enum err_code flush_locked(struct auth *auth, const struct used_entry *entries, size_t count,
                                  struct arena *arena, struct err *err)
{
    struct commit_batch batch;
    commit_batch_init(&batch, arena);
    for (size_t i = 0; i < count; i++) {
        enum err_code code = put_used(auth, &batch, &entries[i], err);
        if (code != ERR_OK)
            return code;
    }
    if (commit_batch_is_empty(&batch))
        return ERR_OK;
    return commit(auth->committer, &batch, err);
}

enum err_code auth_flush_last_used(struct auth *auth, struct err *err)
{
    AUTO(auth_arena) struct arena arena;
    arena_init(&arena, AUTH_ARENA_MAX);
    struct used_entry *entries = arena_alloc_raw(&arena, AUTH_USED_MAX * sizeof(*entries));
    if (!entries)
        return err_fail(err, ERR_NO_MEMORY, "writing behind when keys were used");
    size_t count = used_take(auth->used, entries);
    pthread_mutex_lock(&auth->write);
    enum err_code code = flush_locked(auth, entries, count, &arena, err);
    pthread_mutex_unlock(&auth->write);
    for (size_t i = 0; i < count && code != ERR_OK; i++)
        used_mark(auth->used, bytes_of(entries[i].access_key, entries[i].len), entries[i].unix_ms);
    return code;
}

void auth_close(struct auth *auth)
{
    if (!auth)
        return;
    /* Times of use that cannot be written are lost; nothing else is waiting. */
    (void)!auth_flush_last_used(auth, NULL);
    free_parts(auth);
}

struct key_cache *auth_key_cache(struct auth *auth)
{
    return auth->cache;
}

void auth_key_used(struct auth *auth, struct bytes access_key)
{
    used_mark(auth->used, access_key, clock_unix_ms(auth->clock));
}

void auth_random_text(char *ret_text, size_t len, bool capitals_only)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abcdefghijklmnopqrstuvwxyz0189._";
    uint8_t mask = capitals_only ? 31 : 63;
    seal_random(ret_text, len);
    for (size_t i = 0; i < len; i++)
        ret_text[i] = alphabet[(uint8_t)ret_text[i] & mask];
    ret_text[len] = '\0';
}

enum err_code auth_seal(const struct auth *auth, const struct auth_rows_key *key,
                        struct bytes secret, struct arena *arena, ProtobufCBinaryData *ret_sealed,
                        struct err *err)
{
    struct bytes sealed;
    enum err_code code =
        seal_close(auth->box_key, auth_rows_key_bytes(key), secret, arena, &sealed, err);
    if (code == ERR_OK)
        *ret_sealed = (ProtobufCBinaryData){sealed.len, (uint8_t *)sealed.data};
    return code;
}

enum err_code auth_user_find(const struct auth *auth, struct bytes user, struct arena *arena,
                             Valise__Auth__User **ret_user, struct err *err)
{
    struct auth_rows_key key = auth_rows_key(TAG_USER, user);
    void *message = NULL;
    enum err_code code =
        auth_rows_find(auth->kv, arena, &valise__auth__user__descriptor, &key, &message, err);
    *ret_user = message;
    return code;
}

struct name_search {
    struct bytes user_id;
    char *ret_name;
    bool found;
};

static enum err_code look_at_user(void *ctx, struct bytes name, void *message,
                                  struct err *err UNUSED)
{
    struct name_search *search = ctx;
    const Valise__Auth__User *user = message;
    if (name.len <= AUTH_USER_NAME_MAX && bytes_equal_str(search->user_id, user->user_id)) {
        memcpy(search->ret_name, name.data, name.len);
        search->ret_name[name.len] = '\0';
        search->found = true;
    }
    return ERR_OK;
}

enum err_code auth_user_name(struct auth *auth, struct bytes user_id,
                             char ret_name[AUTH_USER_NAME_MAX + 1], struct err *err)
{
    struct name_search search = {.user_id = user_id, .ret_name = ret_name};
    struct auth_rows_walk walk = {TAG_USER, &valise__auth__user__descriptor, look_at_user, &search};
    enum err_code code = auth_rows_each(auth->kv, &walk, err);
    if (code == ERR_OK && !search.found)
        return err_fail(err, ERR_NOT_FOUND, "no user has that id");
    return code;
}
