/* auth_key.c - access keys: make, list, disable, delete.
 *
 * Whoever changes a row holds auth->write from the read to the commit, so a
 * time that is written behind cannot bring a deleted key back.
 *
 * Threads   any. */
#include "storage/auth/auth_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"

#define KEY_ID_MADE 20 /* characters of an access key that we make */
#define KEY_ID_MIN  3  /* characters of one that is given */

/* A key in the making. */
struct draft {
    struct bytes user;
    char access_key[AUTH_KEY_ID_MAX + 1];
    char secret[AUTH_SECRET_MAX + 1];
    char user_id[AUTH_USER_ID_LEN + 1];
    bool is_new_user;
    const struct auth_witness *witness;
};

static enum err_code commit_change(struct auth *auth, const struct auth_witness *witness,
                                   const struct auth_key *key, struct commit_batch *batch,
                                   struct err *err)
{
    return witness ? witness->commit(witness->ctx, key, batch, err)
                   : commit(auth->committer, batch, err);
}

static bool is_name(struct bytes name, const char *others)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i], letter = c | 0x20;
        bool plain = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return true;
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return false;
    return true;
}

static enum err_code check_input(const struct auth_key_request *request, struct err *err)
{
    struct bytes user = request->user, access_key = request->access_key, secret = request->secret;
    if (user.len < 1 || user.len > AUTH_USER_NAME_MAX || !is_name(user, "._-@"))
        return err_fail(err, ERR_INVALID, "a user name is 1 to %d of A-Z a-z 0-9 . _ - @",
                        AUTH_USER_NAME_MAX);
    if (access_key.len > 0 && (access_key.len < KEY_ID_MIN || access_key.len > AUTH_KEY_ID_MAX ||
                               !is_name(access_key, "._-")))
        return err_fail(err, ERR_INVALID, "an access key is %d to %d of A-Z a-z 0-9 . _ -",
                        KEY_ID_MIN, AUTH_KEY_ID_MAX);
    if (secret.len > 0 &&
        (secret.len < AUTH_SECRET_MIN || secret.len > AUTH_SECRET_MAX || !is_printable(secret)))
        return err_fail(err, ERR_INVALID, "a secret is %d to %d printable ASCII characters",
                        AUTH_SECRET_MIN, AUTH_SECRET_MAX);
    return ERR_OK;
}

static void fill_draft(struct draft *draft, struct bytes access_key, struct bytes secret)
{
    if (access_key.len > 0) {
        memcpy(draft->access_key, access_key.data, access_key.len);
    } else {
        memcpy(draft->access_key, "VK", 2);
        auth_random_text(draft->access_key + 2, KEY_ID_MADE - 2, true);
    }
    if (secret.len > 0)
        memcpy(draft->secret, secret.data, secret.len);
    else
        auth_random_text(draft->secret, AUTH_SECRET_MADE, false);
}

/* No key and no session may have that name already. */
static enum err_code check_free(const struct auth *auth, struct bytes access_key,
                                struct arena *arena, struct err *err)
{
    static const struct {
        enum kv_tag tag;
        const ProtobufCMessageDescriptor *type;
    } kinds[] = {{TAG_ACCESS_KEY, &valise__auth__access_key__descriptor},
                 {TAG_SESSION, &valise__auth__session__descriptor}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct auth_rows_key key = auth_rows_key(kinds[i].tag, access_key);
        void *row = NULL;
        enum err_code code = auth_rows_find(auth->kv, arena, kinds[i].type, &key, &row, err);
        if (code != ERR_OK)
            return code;
        if (row)
            return err_fail(err, ERR_EXISTS, "access key '%" BYTES_FMT "' is taken",
                            BYTES_ARG(access_key));
    }
    return ERR_OK;
}

static enum err_code choose_user_id(const struct auth *auth, struct draft *draft,
                                    struct arena *arena, struct err *err)
{
    Valise__Auth__User *user = NULL;
    enum err_code code = auth_user_find(auth, draft->user, arena, &user, err);
    if (code != ERR_OK)
        return code;
    draft->is_new_user = user == NULL;
    if (user && strlen(user->user_id) != AUTH_USER_ID_LEN)
        return err_fail(err, ERR_CORRUPT, "the row of user '%" BYTES_FMT "' has no id",
                        BYTES_ARG(draft->user));
    if (user) {
        memcpy(draft->user_id, user->user_id, AUTH_USER_ID_LEN + 1);
    } else {
        uint8_t random[AUTH_USER_ID_LEN / 2];
        seal_random(random, sizeof(random));
        codec_hex(bytes_of(random, sizeof(random)), draft->user_id);
    }
    return ERR_OK;
}

static void put_user(struct commit_batch *batch, struct draft *draft, uint64_t now_unix_ms)
{
    Valise__Auth__User row = VALISE__AUTH__USER__INIT;
    struct auth_rows_key key = auth_rows_key(TAG_USER, draft->user);
    row.user_id = draft->user_id;
    row.created_unix_ms = now_unix_ms;
    auth_rows_put(batch, &key, &row.base);
}

static struct auth_key key_of_draft(const struct draft *draft, uint64_t now_unix_ms)
{
    struct auth_key key = {.created_unix_ms = now_unix_ms, .enabled = true};
    memcpy(key.user, draft->user.data, draft->user.len);
    memcpy(key.user_id, draft->user_id, sizeof(key.user_id));
    memcpy(key.access_key, draft->access_key, sizeof(key.access_key));
    return key;
}

static enum err_code store_draft(struct auth *auth, struct draft *draft, uint64_t now_unix_ms,
                                 struct arena *arena, struct err *err)
{
    Valise__Auth__AccessKey row = VALISE__AUTH__ACCESS_KEY__INIT;
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, bytes_of_str(draft->access_key));
    struct commit_batch batch;
    enum err_code code =
        auth_seal(auth, &key, bytes_of_str(draft->secret), arena, &row.secret, err);
    if (code != ERR_OK)
        return code;
    row.user = arena_str(arena, draft->user);
    row.user_id = draft->user_id;
    row.created_unix_ms = now_unix_ms;
    if (!row.user)
        return err_fail(err, ERR_NO_MEMORY, "storing an access key");
    commit_batch_init(&batch, arena);
    if (draft->is_new_user)
        put_user(&batch, draft, now_unix_ms);
    auth_rows_put(&batch, &key, &row.base);
    const struct auth_key made = key_of_draft(draft, now_unix_ms);
    return commit_change(auth, draft->witness, &made, &batch, err);
}

static enum err_code create_locked(struct auth *auth, struct draft *draft, uint64_t now_unix_ms,
                                   struct arena *arena, struct err *err)
{
    enum err_code code = check_free(auth, bytes_of_str(draft->access_key), arena, err);
    if (code == ERR_OK)
        code = choose_user_id(auth, draft, arena, err);
    if (code == ERR_OK)
        code = store_draft(auth, draft, now_unix_ms, arena, err);
    return code;
}

enum err_code auth_key_create(struct auth *auth, const struct auth_key_request *request,
                              struct arena *arena, struct auth_key *ret_key,
                              struct bytes *ret_secret, struct err *err)
{
    struct draft draft = {.user = request->user, .witness = request->witness};
    uint64_t now_unix_ms = clock_unix_ms(auth->clock);
    enum err_code code = check_input(request, err);
    if (code != ERR_OK)
        return code;
    fill_draft(&draft, request->access_key, request->secret);
    struct bytes told = arena_copy(arena, bytes_of_str(draft.secret));
    if (told.data) {
        pthread_mutex_lock(&auth->write);
        code = create_locked(auth, &draft, now_unix_ms, arena, err);
        pthread_mutex_unlock(&auth->write);
    } else {
        code = err_fail(err, ERR_NO_MEMORY, "making an access key");
    }
    if (code == ERR_OK) {
        *ret_key = key_of_draft(&draft, now_unix_ms);
        *ret_secret = told;
    }
    seal_wipe(&draft, sizeof(draft));
    return code;
}

struct key_list {
    struct auth *auth;
    struct arena *arena;
    struct auth_key *keys;
    size_t count, room;
};

static bool make_room(struct key_list *list)
{
    if (list->count < list->room)
        return true;
    size_t room = list->room ? list->room * 2 : 16;
    struct auth_key *keys = arena_alloc_raw(list->arena, room * sizeof(*keys));
    if (!keys)
        return false;
    if (list->count > 0)
        memcpy(keys, list->keys, list->count * sizeof(*keys));
    list->keys = keys;
    list->room = room;
    return true;
}

static enum err_code add_to_list(void *ctx, struct bytes name, void *message, struct err *err)
{
    struct key_list *list = ctx;
    const Valise__Auth__AccessKey *row = message;
    struct auth_key key = {.created_unix_ms = row->created_unix_ms, .enabled = !row->disabled};
    uint64_t used_unix_ms = used_get(list->auth->used, name);
    size_t user_len = strlen(row->user), user_id_len = strlen(row->user_id);
    if (name.len >= sizeof(key.access_key) || user_len >= sizeof(key.user) ||
        user_id_len >= sizeof(key.user_id))
        return err_fail(err, ERR_CORRUPT, "the row of an access key holds too long a name");
    memcpy(key.access_key, name.data, name.len);
    memcpy(key.user, row->user, user_len);
    memcpy(key.user_id, row->user_id, user_id_len);
    key.last_used_unix_ms =
        used_unix_ms > row->last_used_unix_ms ? used_unix_ms : row->last_used_unix_ms;
    if (!make_room(list))
        return err_fail(err, ERR_NO_MEMORY, "listing access keys");
    list->keys[list->count++] = key;
    return ERR_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const struct auth_key *left = a, *right = b;
    int order = strcmp(left->user, right->user);
    return order ? order : strcmp(left->access_key, right->access_key);
}

enum err_code auth_key_list(struct auth *auth, struct arena *arena, struct auth_key **ret_keys,
                            size_t *ret_count, struct err *err)
{
    struct key_list list = {.auth = auth, .arena = arena};
    struct auth_rows_walk walk = {TAG_ACCESS_KEY, &valise__auth__access_key__descriptor,
                                  add_to_list, &list};
    enum err_code code = auth_rows_each(auth->kv, &walk, err);
    if (code != ERR_OK)
        return code;
    if (list.count > 0)
        qsort(list.keys, list.count, sizeof(*list.keys), compare_keys);
    *ret_keys = list.keys;
    *ret_count = list.count;
    return ERR_OK;
}

/* What to do with the row of a key: change it, or put its deletion into the batch. */
struct change {
    void (*apply)(struct commit_batch *batch, const struct auth_rows_key *key,
                  Valise__Auth__AccessKey *row);
    const struct auth_witness *witness;
};

static void disable(struct commit_batch *batch, const struct auth_rows_key *key,
                    Valise__Auth__AccessKey *row)
{
    row->disabled = true;
    auth_rows_put(batch, key, &row->base);
}

static void delete (struct commit_batch *batch, const struct auth_rows_key *key,
                    Valise__Auth__AccessKey *row UNUSED)
{
    commit_delete(batch, KV_META, auth_rows_key_bytes(key));
}

/* What a witness is told of a row. */
static struct auth_key key_of_row(struct bytes access_key, const Valise__Auth__AccessKey *row)
{
    struct auth_key key = {.enabled = !row->disabled};
    snprintf(key.access_key, sizeof(key.access_key), "%" BYTES_FMT, BYTES_ARG(access_key));
    snprintf(key.user, sizeof(key.user), "%s", row->user);
    snprintf(key.user_id, sizeof(key.user_id), "%s", row->user_id);
    return key;
}

static enum err_code change_locked(struct auth *auth, struct bytes access_key,
                                   const struct change *change, struct arena *arena,
                                   struct err *err)
{
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, access_key);
    struct commit_batch batch;
    void *row = NULL;
    enum err_code code =
        auth_rows_find(auth->kv, arena, &valise__auth__access_key__descriptor, &key, &row, err);
    if (code != ERR_OK)
        return code;
    if (!row || access_key.len > AUTH_KEY_ID_MAX)
        return err_fail(err, ERR_NOT_FOUND, "no access key '%" BYTES_FMT "'",
                        BYTES_ARG(access_key));
    commit_batch_init(&batch, arena);
    change->apply(&batch, &key, row);
    const struct auth_key changed = key_of_row(access_key, row);
    return commit_change(auth, change->witness, &changed, &batch, err);
}

static enum err_code change_key(struct auth *auth, struct bytes access_key,
                                const struct change *change, struct err *err)
{
    AUTO(auth_arena) struct arena arena;
    arena_init(&arena, AUTH_ARENA_MAX);
    pthread_mutex_lock(&auth->write);
    enum err_code code = change_locked(auth, access_key, change, &arena, err);
    pthread_mutex_unlock(&auth->write);
    /* After a failed commit too: whether the change will be there is not known. */
    key_cache_forget(auth->cache);
    return code;
}

enum err_code auth_key_disable(struct auth *auth, struct bytes access_key,
                               const struct auth_witness *witness, struct err *err)
{
    const struct change change = {disable, witness};
    return change_key(auth, access_key, &change, err);
}

enum err_code auth_key_delete(struct auth *auth, struct bytes access_key,
                              const struct auth_witness *witness, struct err *err)
{
    const struct change change = {delete, witness};
    return change_key(auth, access_key, &change, err);
}
