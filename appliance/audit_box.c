/* audit_box.c - see audit_box.h. */
#include "appliance/audit_box.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "appliance/rows.h"
#include "appliance/settings.h"
#include "appliance/version.h"
#include "storage/obj/scrub.h"

#define PASSWD_ROOM KIB(4) /* bytes of an account's row */

struct audit_actor audit_box_local(uint32_t uid, char ret_name[AUDIT_BOX_NAME_ROOM])
{
    char room[PASSWD_ROOM];
    struct passwd row, *found = NULL;
    ret_name[0] = '\0';
    if (getpwuid_r(uid, &row, room, sizeof(room), &found) == 0 && found)
        snprintf(ret_name, AUDIT_BOX_NAME_ROOM, "%s", found->pw_name);
    return (struct audit_actor){.user = bytes_of_str(ret_name), .is_local = true, .uid = uid};
}

static struct audit_entry entry_of(const struct audit_actor *actor,
                                   const struct audit_box_doing *doing)
{
    return (struct audit_entry){
        .actor = *actor,
        .action = bytes_of_str(doing->action),
        .resource = bytes_of_str(doing->resource),
        .result = bytes_of_str(doing->result ? doing->result : "ok"),
        .detail = bytes_of_str(doing->detail),
    };
}

enum err_code audit_box_write(struct audit *audit, uint32_t uid,
                              const struct audit_box_doing *doing, struct err *err)
{
    char name[AUDIT_BOX_NAME_ROOM];
    const struct audit_actor actor = audit_box_local(uid, name);
    const struct audit_entry entry = entry_of(&actor, doing);
    return audit_write(audit, &entry, err);
}

/* ---- keys ---- */

static enum err_code commit_key(void *ctx, const struct auth_key *key, struct commit_batch *batch,
                                struct err *err)
{
    const struct audit_box_key *change = ctx;
    char name[AUDIT_BOX_NAME_ROOM], detail[AUTH_USER_NAME_MAX + 8];
    const struct audit_actor actor = audit_box_local(change->uid, name);
    snprintf(detail, sizeof(detail), "user %s", key->user);
    const struct audit_box_doing doing = {
        .action = change->action, .resource = key->access_key, .detail = detail};
    struct audit_entry entry = entry_of(&actor, &doing);
    return audit_commit(change->audit, &entry, 1, batch, err);
}

struct auth_witness audit_box_witness(struct audit_box_key *change)
{
    return (struct auth_witness){commit_key, change};
}

/* ---- starts, and the settings that they bring ---- */

#define SETTINGS_MAX 64 /* rows of the table */

/* All of one start: what it writes lives in the arena. */
struct start {
    const struct settings *settings, *defaults;
    struct bytes *seen; /* "name=value" of the last start */
    size_t seen_count;
    struct arena *arena;
    struct audit_actor actor;
    struct audit_entry entries[1 + SETTINGS_MAX];
    size_t count;
    struct bytes rows[SETTINGS_MAX]; /* "name=value" of this one */
    size_t row_count;
};

static struct bytes value_text(const struct settings *settings, const struct setting *row,
                               struct arena *arena)
{
    if (row->type == SETTING_TEXT || row->type == SETTING_CHOICE)
        return bytes_of_str(settings_text(settings, row->name));
    return arena_printf(arena, "%" PRIu64, settings_u64(settings, row->name));
}

/* Its value at the last start; the default for one that was not there then. */
static struct bytes value_before(const struct start *start, const struct setting *row)
{
    struct bytes name;
    for (size_t i = 0; i < start->seen_count; i++) {
        struct bytes rest = start->seen[i];
        if (bytes_cut(&rest, '=', &name) && bytes_equal_str(name, row->name))
            return rest;
    }
    return value_text(start->defaults, row, start->arena);
}

/* returns  false when memory is out */
static bool compare(struct start *start, const struct setting *row)
{
    struct bytes before = value_before(start, row);
    struct bytes now = value_text(start->settings, row, start->arena);
    struct bytes *seen = &start->rows[start->row_count++];
    *seen = arena_printf(start->arena, "%s=%" BYTES_FMT, row->name, BYTES_ARG(now));
    if (bytes_equal(before, now))
        return seen->data;
    struct bytes detail = arena_printf(start->arena, "'%" BYTES_FMT "' -> '%" BYTES_FMT "'",
                                       BYTES_ARG(before), BYTES_ARG(now));
    start->entries[start->count++] = (struct audit_entry){.actor = start->actor,
                                                          .action = BYTES_LIT("settings:change"),
                                                          .resource = bytes_of_str(row->name),
                                                          .result = BYTES_LIT("ok"),
                                                          .detail = detail};
    return seen->data && detail.data;
}

static enum err_code fill_start(struct start *start, const char *box_id, struct err *err)
{
    size_t count;
    const struct setting *rows = settings_rows(&count);
    struct settings *defaults;
    enum err_code code = settings_new(rows, count, start->arena, &defaults, err);
    if (code != ERR_OK)
        return code;
    start->defaults = defaults;
    const struct audit_box_doing doing = {
        .action = "box:start", .resource = box_id, .detail = "version " VERSION_TEXT};
    start->entries[start->count++] = entry_of(&start->actor, &doing);
    for (size_t i = 0; i < count && i < SETTINGS_MAX; i++)
        if (!compare(start, &rows[i]))
            return err_fail(err, ERR_NO_MEMORY, "noting the settings");
    return ERR_OK;
}

static enum err_code write_start(struct box *box, struct start *start, struct err *err)
{
    char name[AUDIT_BOX_NAME_ROOM], box_id[BOX_ID_TEXT];
    struct commit_batch batch;
    start->actor = audit_box_local(getuid(), name);
    box_id_text(box, box_id);
    enum err_code code =
        rows_get_settings(box->kv, start->arena, &start->seen, &start->seen_count, err);
    if (code == ERR_OK)
        code = fill_start(start, box_id, err);
    if (code != ERR_OK)
        return code;
    commit_batch_init(&batch, start->arena);
    rows_add_settings(&batch, start->rows, start->row_count);
    return audit_commit(box->audit, start->entries, start->count, &batch, err);
}

enum err_code audit_box_start(struct box *box, const struct settings *settings, struct err *err)
{
    struct arena arena;
    arena_init(&arena, AUDIT_ARENA_MAX);
    struct start *start = arena_alloc(&arena, sizeof(*start));
    enum err_code code = ERR_NO_MEMORY;
    if (start) {
        start->settings = settings;
        start->arena = &arena;
        code = write_start(box, start, err);
    } else {
        err_fail(err, code, "noting the start");
    }
    arena_done(&arena);
    return code;
}

/* ---- scrubs and backups, whose ends nobody calls to tell ---- */

enum err_code audit_box_look(struct box *box, struct err *err)
{
    struct scrub_status scrub = {0};
    struct backup_last backup = {0};
    enum err_code code = scrub_get_status(box->store, &scrub, err);
    if (code == ERR_OK || code == ERR_CORRUPT)
        code = backup_get_last(box->backup, &backup, err);
    atomic_init(&box->scrub_noted_unix_ms, scrub.finished_unix_ms);
    atomic_init(&box->backup_noted_unix_ms, backup.finished_unix_ms);
    return code == ERR_CORRUPT ? ERR_OK : code;
}

/* Whether it is news that something ended then; only once it is. */
static bool is_news(atomic_uint_fast64_t *noted_unix_ms, uint64_t finished_unix_ms)
{
    return finished_unix_ms > 0 &&
           atomic_exchange(noted_unix_ms, finished_unix_ms) != finished_unix_ms;
}

static enum err_code note_scrub(struct box *box, struct err *err)
{
    struct scrub_status now;
    char detail[96];
    enum err_code code = scrub_get_status(box->store, &now, err);
    if (code != ERR_OK || now.running || !is_news(&box->scrub_noted_unix_ms, now.finished_unix_ms))
        return code;
    snprintf(detail, sizeof(detail), "%" PRIu64 " bodies, %" PRIu64 " not what was stored",
             now.bodies, now.rot);
    const struct audit_box_doing doing = {
        .action = "scrub:end", .result = now.rot ? "damaged" : "ok", .detail = detail};
    return audit_box_write(box->audit, getuid(), &doing, err);
}

static const char *backup_result(const struct backup_last *last)
{
    if (last->generation == 0)
        return "failed";
    return last->damaged ? "damaged" : "ok";
}

static enum err_code note_backup(struct box *box, struct err *err)
{
    struct backup_last last;
    char detail[96];
    enum err_code code = backup_get_last(box->backup, &last, err);
    if (code != ERR_OK || !is_news(&box->backup_noted_unix_ms, last.finished_unix_ms))
        return code;
    snprintf(detail, sizeof(detail), "generation %" PRIu32 ", %" PRIu64 " not what was stored",
             last.generation, last.damaged);
    const struct audit_box_doing doing = {.action = "backup:end",
                                          .result = backup_result(&last),
                                          .detail = last.generation ? detail : last.problem};
    return audit_box_write(box->audit, getuid(), &doing, err);
}

enum err_code audit_box_note_ends(struct box *box, struct err *err)
{
    enum err_code code = note_scrub(box, err);
    return code == ERR_OK ? note_backup(box, err) : code;
}
