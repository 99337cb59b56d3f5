/* box.c - see box.h. */
#include "appliance/box.h"

#include <unistd.h>

#include "appliance/audit_box.h"
#include "appliance/claim.h"
#include "appliance/folder.h"
#include "appliance/reserve.h"
#include "appliance/rows.h"
#include "appliance/settings.h"
#include "appliance/version.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/tree.h"

static enum err_code join(struct arena *arena, const char *dir, const char *name,
                          const char **ret_path, struct err *err)
{
    *ret_path = file_join(arena, dir, name);
    return *ret_path ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "out of memory");
}

static enum err_code make_key(const char *path, struct err *err)
{
    uint8_t key[SEAL_KEY_LEN];
    seal_random(key, sizeof(key));
    enum err_code code = file_replace(path, 0600, bytes_of(key, sizeof(key)), err);
    seal_wipe(key, sizeof(key));
    return code;
}

static enum err_code read_key(const char *path, struct arena *arena, uint8_t ret_key[SEAL_KEY_LEN],
                              struct err *err)
{
    struct bytes content;
    enum err_code code = file_read(path, SEAL_KEY_LEN, arena, &content, err);
    if (code == ERR_NOT_FOUND)
        return err_fail(err, ERR_CORRUPT,
                        "the box's key is missing, put it back from a backup: '%s'", path);
    if (code == ERR_LIMIT || (code == ERR_OK && content.len != SEAL_KEY_LEN))
        return err_fail(err, ERR_CORRUPT, "not a key of %d bytes, put it back from a backup: '%s'",
                        SEAL_KEY_LEN, path);
    if (code != ERR_OK)
        return code;
    memcpy(ret_key, content.data, SEAL_KEY_LEN);
    seal_wipe((void *)content.data, content.len);
    return ERR_OK;
}

struct space_limits box_space_limits(const struct settings *settings)
{
    return (struct space_limits){
        .reserve_bytes = settings_u64(settings, "store.reserve_bytes"),
        .room_bytes = settings_room_bytes(settings),
        .full_percent = (uint32_t)settings_u64(settings, "store.full_percent"),
    };
}

static enum err_code open_kv(struct box *box, const struct settings *settings, struct arena *arena,
                             struct err *err)
{
    const char *path;
    enum err_code code = join(arena, box->dir, "kv", &path, err);
    if (code != ERR_OK)
        return code;
    const struct kv_rocks_options options = {
        .cache_bytes = settings_u64(settings, "store.cache_bytes"),
        .memtable_bytes = settings_u64(settings, "store.memtable_bytes"),
    };
    return kv_rocks_open(path, &options, &box->kv, err);
}

/* must_be_fresh: a box in the making has no identity yet, every other has. */
static enum err_code check_identity(const struct box *box, bool must_be_fresh, struct err *err)
{
    struct record_system system;
    bool fresh;
    enum err_code code = store_identity(box->kv, &system, &fresh, err);
    if (code == ERR_OK && fresh != must_be_fresh)
        return err_fail(err, ERR_CORRUPT, "the store has lost the box's identity: '%s/kv'",
                        box->dir);
    return code;
}

static enum err_code start_committer(struct box *box, struct err *err)
{
    uint64_t seq, stamp;
    enum err_code code = store_last_seq(box->kv, &seq, &stamp, err);
    if (code != ERR_OK)
        return code;
    return committer_start(box->kv, clock_system(), seq, stamp, &box->committer, err);
}

static enum err_code open_store(struct box *box, const struct settings *settings, struct err *err)
{
    const struct store_options options = {
        .dir = box->dir,
        .segment_bytes = settings_u64(settings, "store.segment_bytes"),
        .changes_max = settings_u64(settings, "store.changes_max"),
        .clock = clock_system(),
        .compact =
            {
                .below_percent = (unsigned)settings_u64(settings, "compact.below_percent"),
                .wait_ms = (uint32_t)settings_u64(settings, "compact.wait_seconds") * 1000,
                .bytes_per_second = settings_u64(settings, "compact.bytes_per_second"),
            },
    };
    return store_open(box->kv, box->committer, &options, &box->store, err);
}

/* A backup that was broken off leaves its copy of the ordered store. */
static enum err_code open_backup(struct box *box, struct arena *arena, struct err *err)
{
    const struct backup_options options = {.kv = box->kv,
                                           .committer = box->committer,
                                           .store = box->store,
                                           .dir = box->dir,
                                           .clock = clock_system()};
    const char *path;
    enum err_code code = join(arena, box->dir, BACKUP_TMP, &path, err);
    if (code == ERR_OK)
        code = tree_remove(path, err);
    return code == ERR_OK ? backup_new(&options, &box->backup, err) : code;
}

/* A new box notes which key is its own, every other looks. */
static enum err_code check_key(struct box *box, bool fresh, const uint8_t key[SEAL_KEY_LEN],
                               struct err *err)
{
    if (fresh)
        return rows_put_key_check(box->committer, key, err);
    enum err_code code = rows_check_key(box->kv, key, err);
    if (code == ERR_CORRUPT)
        return err_fail(err, ERR_CORRUPT,
                        "not the key of this box, put it back from a backup: '%s/box.key'",
                        box->dir);
    return code;
}

/* A key of its own for each use, so that none tells of another. */
static void derive_keys(struct box *box, const uint8_t key[SEAL_KEY_LEN])
{
    hash_hmac_sha256(bytes_of(key, SEAL_KEY_LEN), BYTES_LIT("valise: S3 continuation tokens"),
                     box->token_key);
}

static enum err_code open_auth(struct box *box, bool fresh, struct arena *arena, struct err *err)
{
    const char *path;
    enum err_code code = join(arena, box->dir, "box.key", &path, err);
    uint8_t key[SEAL_KEY_LEN];
    if (code == ERR_OK)
        code = read_key(path, arena, key, err);
    if (code == ERR_OK)
        code = check_key(box, fresh, key, err);
    if (code == ERR_OK)
        code = auth_open(box->kv, box->committer, clock_system(), key, &box->auth, err);
    if (code == ERR_OK)
        derive_keys(box, key);
    seal_wipe(key, sizeof(key));
    return code;
}

/* Under the lock. What was opened before a failure is closed by the caller. */
static enum err_code open_parts(struct box *box, const struct settings *settings, bool fresh,
                                struct err *err)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    enum err_code code = open_kv(box, settings, &arena, err);
    if (code == ERR_OK)
        code = check_identity(box, fresh, err);
    if (code == ERR_OK)
        code = start_committer(box, err);
    if (code == ERR_OK)
        code = audit_open(box->kv, box->committer, clock_system(), &box->audit, err);
    if (code == ERR_OK)
        code = open_store(box, settings, err);
    if (code == ERR_OK)
        code = open_auth(box, fresh, &arena, err);
    if (code == ERR_OK)
        code = open_backup(box, &arena, err);
    if (code == ERR_OK)
        code = audit_box_look(box, err);
    arena_done(&arena);
    return code;
}

static enum err_code check_is_box(const char *dir, struct err *err)
{
    enum folder_state state;
    enum err_code code = folder_look(dir, &state, err);
    if (code != ERR_OK || state == FOLDER_BOX)
        return code;
    if (state == FOLDER_HALF_MADE)
        return err_fail(err, ERR_NOT_FOUND,
                        "this box was never finished, run 'valise init' again: '%s'", dir);
    if (state == FOLDER_HALF_RESTORED)
        return err_fail(err, ERR_NOT_FOUND,
                        "a restore was broken off here, run 'valise restore' again: '%s'", dir);
    if (state == FOLDER_EMPTY)
        return err_fail(err, ERR_NOT_FOUND, "no box here, make one with 'valise init': '%s'", dir);
    return err_fail(err, ERR_NOT_FOUND, "not a box: '%s'", dir);
}

enum err_code box_open(const char *dir, const struct settings *settings, struct box *ret_box,
                       struct err *err)
{
    enum err_code code = check_is_box(dir, err);
    if (code != ERR_OK)
        return code;
    struct box box = {.dir = dir, .lock_fd = -1};
    code = folder_lock(dir, &box.lock_fd, err);
    if (code != ERR_OK)
        return code;
    code = space_make_room(dir, settings_room_bytes(settings), 0, err);
    if (code == ERR_OK)
        code = space_check_end(dir, err);
    if (code == ERR_OK)
        code = open_parts(&box, settings, false, err);
    if (code != ERR_OK)
        box_close(&box);
    else
        *ret_box = box;
    return code;
}

void box_close(struct box *box)
{
    backup_free(box->backup);
    auth_close(box->auth);
    store_close(box->store);
    audit_close(box->audit);
    if (box->committer)
        committer_stop(box->committer);
    if (box->kv)
        box->kv->calls->close(box->kv);
    if (box->lock_fd >= 0)
        close(box->lock_fd);
    seal_wipe(box->token_key, sizeof(box->token_key));
    *box = (struct box){.lock_fd = -1};
}

void box_id_text(const struct box *box, char ret_text[BOX_ID_TEXT])
{
    const struct record_system *system = store_system(box->store);
    codec_hex(bytes_of(system->box_id, sizeof(system->box_id)), ret_text);
}

struct credentials {
    char box_id[BOX_ID_TEXT], claim_code[CLAIM_TEXT_LEN + 1];
    struct auth_key key;
    struct bytes secret; /* arena memory */
};

/* Make what a new box is told once. The audit log begins with it. */
static enum err_code make_credentials(struct box *box, const struct box_request *request,
                                      struct arena *arena, struct credentials *ret, struct err *err)
{
    struct audit_box_key change = {box->audit, "key:create", getuid()};
    const struct auth_witness witness = audit_box_witness(&change);
    const struct auth_key_request first = {BYTES_LIT(BOX_USER), request->access_key,
                                           request->secret, &witness};
    const struct audit_box_doing made = {
        .action = "box:make", .resource = ret->box_id, .detail = "version " VERSION_TEXT};
    box_id_text(box, ret->box_id);
    enum err_code code = audit_box_write(box->audit, change.uid, &made, err);
    if (code == ERR_OK)
        code = auth_key_create(box->auth, &first, arena, &ret->key, &ret->secret, err);
    return code == ERR_OK
               ? claim_make(box->committer, clock_unix_ms(clock_system()), ret->claim_code, err)
               : code;
}

/* The first key and the claim code of an open new box, told before it counts. */
static enum err_code give_keys(struct box *box, const struct box_request *request,
                               struct arena *arena, struct err *err)
{
    struct credentials made;
    enum err_code code = make_credentials(box, request, arena, &made, err);
    if (code != ERR_OK)
        return code;
    const struct box_first_run first_run = {
        .box_id = bytes_of_str(made.box_id),
        .account_id = BYTES_LIT(BOX_ACCOUNT_ID),
        .user = bytes_of_str(made.key.user),
        .user_id = bytes_of_str(made.key.user_id),
        .access_key = bytes_of_str(made.key.access_key),
        .secret_key = made.secret,
        .claim_code = bytes_of_str(made.claim_code),
    };
    code = request->tell(request->ctx, &first_run, err);
    seal_wipe(made.claim_code, sizeof(made.claim_code));
    seal_wipe((void *)made.secret.data, made.secret.len);
    return code;
}

static enum err_code make_files(const struct box *box, const struct settings *settings,
                                struct arena *arena, struct err *err)
{
    const char *path;
    enum err_code code = join(arena, box->dir, "box.key", &path, err);
    if (code == ERR_OK)
        code = make_key(path, err);
    if (code == ERR_OK)
        code = reserve_take(box->dir, settings_u64(settings, "store.reserve_bytes"), err);
    return code;
}

enum err_code box_init(const char *dir, const struct box_request *request,
                       const struct settings *settings, struct arena *arena, struct box *ret_box,
                       struct err *err)
{
    struct box box = {.dir = dir, .lock_fd = -1};
    enum err_code code = folder_begin(dir, &box.lock_fd, err);
    if (code != ERR_OK)
        return code;
    code = make_files(&box, settings, arena, err);
    if (code == ERR_OK)
        code = open_parts(&box, settings, true, err);
    if (code == ERR_OK)
        code = give_keys(&box, request, arena, err);
    if (code == ERR_OK)
        code = folder_finish(dir, err);
    if (code != ERR_OK)
        box_close(&box);
    else
        *ret_box = box;
    return code;
}
