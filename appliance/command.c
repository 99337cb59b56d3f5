/* command.c - see command.h. */
#include "appliance/command.h"

#include "appliance/audit_box.h"
#include "appliance/audit_json.h"
#include "appliance/backup_json.h"
#include "appliance/time_json.h"
#include "appliance/version.h"
#include "storage/obj/scrub.h"

#define COMMAND_ARENA_MAX MIB(64) /* bytes: a list of every key */

struct call {
    const struct command_env *env;
    uint32_t uid; /* who asks */
    const json_t *request;
    struct arena *arena;
};

/* Sets *ret_result; a NULL there is memory that was out. */
typedef enum err_code (*command_fn)(const struct call *call, json_t **ret_result, struct err *err);

static enum err_code text_member(const struct call *call, const char *name, struct bytes *ret_text,
                                 struct err *err)
{
    const json_t *member = json_object_get(call->request, name);
    if (!json_is_string(member))
        return err_fail(err, ERR_INVALID, "the request has no '%s'", name);
    *ret_text = bytes_of(json_string_value(member), json_string_length(member));
    return ERR_OK;
}

static json_t *key_json(const struct auth_key *key)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b}", "user", key->user, "user_id", key->user_id,
                     "access_key", key->access_key, "created", time_json(key->created_unix_ms),
                     "last_used", time_json(key->last_used_unix_ms), "enabled", (int)key->enabled);
}

static enum err_code key_create(const struct call *call, json_t **ret_result, struct err *err)
{
    struct bytes user, secret;
    enum err_code code = text_member(call, "user", &user, err);
    if (code != ERR_OK)
        return code;
    struct auth_key key;
    struct audit_box_key change = {call->env->box->audit, "key:create", call->uid};
    const struct auth_witness witness = audit_box_witness(&change);
    const struct auth_key_request request = {.user = user, .witness = &witness};
    code = auth_key_create(call->env->box->auth, &request, call->arena, &key, &secret, err);
    if (code != ERR_OK)
        return code;
    json_t *result = key_json(&key);
    json_object_set_new(result, "secret_key", json_stringn((const char *)secret.data, secret.len));
    seal_wipe((void *)secret.data, secret.len);
    *ret_result = result;
    return ERR_OK;
}

static enum err_code key_list(const struct call *call, json_t **ret_result, struct err *err)
{
    struct auth_key *keys;
    size_t count;
    enum err_code code = auth_key_list(call->env->box->auth, call->arena, &keys, &count, err);
    if (code != ERR_OK)
        return code;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(list, key_json(&keys[i])) != 0) {
            json_decref(list);
            return err_fail(err, ERR_NO_MEMORY, "out of memory");
        }
    }
    *ret_result = list;
    return ERR_OK;
}

typedef enum err_code (*key_change_fn)(struct auth *auth, struct bytes access_key,
                                       const struct auth_witness *witness, struct err *err);

static enum err_code key_change(const struct call *call, json_t **ret_result, const char *action,
                                key_change_fn change, struct err *err)
{
    struct audit_box_key told = {call->env->box->audit, action, call->uid};
    const struct auth_witness witness = audit_box_witness(&told);
    struct bytes access_key;
    enum err_code code = text_member(call, "access_key", &access_key, err);
    if (code == ERR_OK)
        code = change(call->env->box->auth, access_key, &witness, err);
    if (code == ERR_OK)
        *ret_result = json_object();
    return code;
}

static enum err_code key_disable(const struct call *call, json_t **ret_result, struct err *err)
{
    return key_change(call, ret_result, "key:disable", auth_key_disable, err);
}

static enum err_code key_delete(const struct call *call, json_t **ret_result, struct err *err)
{
    return key_change(call, ret_result, "key:delete", auth_key_delete, err);
}

/* The console of the box may see more than a stranger: what failed, by name. */
static json_t *reasons_json(const struct health_report *report)
{
    json_t *list = health_texts(report, true);
    if (report->found[HEALTH_STORE])
        json_array_append_new(list, json_string(report->store_error.msg));
    return list;
}

static json_t *disk_json(const struct space *space)
{
    struct space_now now = space_now(space);
    return json_pack("{s:I, s:I, s:I, s:b}", "total_bytes", (json_int_t)now.total_bytes,
                     "available_bytes", (json_int_t)now.available_bytes, "reserve_bytes",
                     (json_int_t)now.reserve_bytes, "full", (int)now.full);
}

/* Where the API answers, null while it does not. */
static json_t *api_json(const struct command_env *env)
{
    const struct http_front *front = env->running ? atomic_load(env->front) : NULL;
    return front ? json_sprintf("%s://%s", env->tls ? "https" : "http", http_front_address(front))
                 : json_null();
}

static enum err_code status(const struct call *call, json_t **ret_result, struct err *err UNUSED)
{
    const struct command_env *env = call->env;
    struct health_report report = health_look(env->health);
    struct store_space stored;
    store_get_space(env->box->store, &stored);
    char box_id[BOX_ID_TEXT];
    box_id_text(env->box, box_id);
    *ret_result = json_pack(
        "{s:b, s:o, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:b, s:o, s:o, s:o}", "running",
        (int)env->running, "api", api_json(env), "version", VERSION_TEXT, "box_id", box_id,
        "account_id", BOX_ACCOUNT_ID, "created",
        time_json(store_system(env->box->store)->created_unix_ms), "seq",
        (json_int_t)committer_durable_seq(env->box->committer), "buckets",
        (json_int_t)stored.buckets, "live_bytes", (json_int_t)stored.live_bytes, "disk",
        disk_json(env->space), "healthy", (int)report.ok, "reasons", reasons_json(&report),
        "warnings", health_texts(&report, false), "backup", backup_json_last(env->box->backup));
    return ERR_OK;
}

static enum err_code scrub_begin(const struct call *call, json_t **ret_result, struct err *err)
{
    const struct audit_box_doing doing = {.action = "scrub:start"};
    enum err_code code = scrub_start(call->env->box->store, call->env->scrub_rate, err);
    if (code == ERR_OK)
        code = audit_box_write(call->env->box->audit, call->uid, &doing, err);
    if (code == ERR_OK || code == ERR_BUSY) /* one that runs already is as good */
        *ret_result = json_object();
    return code == ERR_BUSY ? ERR_OK : code;
}

static enum err_code findings_json(const struct call *call, json_t **ret_list, struct err *err)
{
    struct scrub_finding *findings;
    size_t count;
    enum err_code code =
        scrub_get_findings(call->env->box->store, call->arena, &findings, &count, err);
    if (code != ERR_OK)
        return code;
    *ret_list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct bytes what = findings[i].what;
        json_array_append_new(*ret_list, json_stringn((const char *)what.data, what.len));
    }
    return ERR_OK;
}

static enum err_code scrub_look(const struct call *call, json_t **ret_result, struct err *err)
{
    static const char *const phases[] = {"files", "small bodies", "large bodies", "names", "done"};
    struct scrub_status now;
    json_t *findings;
    (void)!audit_box_note_ends(call->env->box, err); /* a failure is counted there */
    enum err_code code = scrub_get_status(call->env->box->store, &now, err);
    if (code == ERR_OK)
        code = findings_json(call, &findings, err);
    if (code != ERR_OK)
        return code;
    *ret_result = json_pack(
        "{s:b, s:b, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "running", (int)now.running, "failed",
        (int)now.failed, "phase", phases[now.phase], "started", time_json(now.started_unix_ms),
        "finished", time_json(now.finished_unix_ms), "bodies", (json_int_t)now.bodies, "bytes",
        (json_int_t)now.bytes, "large_bytes_total", (json_int_t)now.bytes_total, "rot",
        (json_int_t)now.rot, "findings", findings);
    return ERR_OK;
}

/* What was counted is told too, as far as it can be written. */
static void write_counted(const struct call *call)
{
    struct err err;
    if (call->env->repeat)
        (void)!audit_repeat_flush(call->env->repeat, false, &err);
}

static enum err_code audit_list(const struct call *call, json_t **ret_result, struct err *err)
{
    const json_t *since = json_object_get(call->request, "since");
    if (!json_is_integer(since) || json_integer_value(since) < 0)
        return err_fail(err, ERR_INVALID, "the request has no number 'since'");
    write_counted(call);
    return audit_json_list(call->env->box->audit, (uint64_t)json_integer_value(since), call->arena,
                           ret_result, err);
}

static enum err_code audit_check(const struct call *call, json_t **ret_result, struct err *err)
{
    write_counted(call);
    return audit_json_verify(call->env->box->audit, ret_result, err);
}

static enum err_code backup_begin(const struct call *call, json_t **ret_result, struct err *err)
{
    struct backup *backup = call->env->box->backup;
    const json_t *keep = json_object_get(call->request, "keep");
    struct bytes dest;
    enum err_code code = text_member(call, "dest", &dest, err);
    if (code != ERR_OK)
        return code;
    if (!json_is_integer(keep) || json_integer_value(keep) < 1 ||
        json_integer_value(keep) > BACKUP_KEEP_MAX)
        return err_fail(err, ERR_INVALID, "the request has no number 'keep'");
    const char *path = (const char *)dest.data; /* jansson ends it with a NUL, and lets none in */
    const struct backup_request request = {path, call->env->backup_rate,
                                           (uint32_t)json_integer_value(keep), call->env->running};
    const struct audit_box_doing doing = {.action = "backup:start", .resource = path};
    code = backup_start(backup, &request, err);
    if (code == ERR_OK) /* without the entry where the disk is dying: then it is needed most */
        (void)!audit_box_write(call->env->box->audit, call->uid, &doing, err);
    else if (code == ERR_BUSY && backup_json_is_into(backup, call->arena, path))
        code = ERR_OK; /* one that runs already is as good */
    *ret_result = code == ERR_OK ? json_object() : NULL;
    return code;
}

static enum err_code backup_look(const struct call *call, json_t **ret_result, struct err *err)
{
    (void)!audit_box_note_ends(call->env->box, err); /* a failure is counted there */
    return backup_json_status(call->env->box->backup, call->arena, ret_result, err);
}

static enum err_code backup_end(const struct call *call, json_t **ret_result,
                                struct err *err UNUSED)
{
    backup_give_up(call->env->box->backup,
                   "stopped by command; run the backup again to go on where it was");
    *ret_result = json_object();
    return ERR_OK;
}

static const struct {
    const char *name;
    command_fn run;
} commands[] = {
    {"backup start", backup_begin}, {"backup status", backup_look},
    {"backup stop", backup_end},    {"key create", key_create},
    {"key list", key_list},         {"key disable", key_disable},
    {"key delete", key_delete},     {"status", status},
    {"scrub start", scrub_begin},   {"scrub status", scrub_look},
    {"audit list", audit_list},     {"audit verify", audit_check},
};

static enum err_code dispatch(const struct call *call, json_t **ret_result, struct err *err)
{
    struct bytes name;
    enum err_code code = text_member(call, "command", &name, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (bytes_equal_str(name, commands[i].name))
            return commands[i].run(call, ret_result, err);
    return err_fail(err, ERR_UNSUPPORTED, "the running box knows no command '%" BYTES_FMT "'",
                    BYTES_ARG(bytes_first(name, 40)));
}

/* A message may quote bytes that are not UTF-8; then its class must do. */
static json_t *error_json(enum err_code code, const char *message)
{
    bool is_text = bytes_is_utf8(bytes_of_str(message));
    return json_pack("{s:{s:s, s:s}}", "error", "code", err_code_name(code), "message",
                     is_text ? message : err_code_name(code));
}

json_t *command_answer(void *env, uint32_t uid, const json_t *request)
{
    struct arena arena;
    arena_init(&arena, COMMAND_ARENA_MAX);
    const struct call call = {env, uid, request, &arena};
    struct err err = {0};
    json_t *result = NULL;
    enum err_code code = dispatch(&call, &result, &err);
    arena_done(&arena);
    return code == ERR_OK ? json_pack("{s:o}", "result", result) : error_json(code, err.msg);
}
