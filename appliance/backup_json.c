/* backup_json.c - see backup_json.h. */
#include "appliance/backup_json.h"

#include "appliance/time_json.h"

/* Text that may quote a path, which may be no UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("(not UTF-8)");
}

static json_t *findings_json(const struct backup_status *status)
{
    json_t *list = json_array();
    for (size_t i = 0; i < status->finding_count; i++)
        json_array_append_new(list, text_json(status->findings[i]));
    return list;
}

enum err_code backup_json_status(struct backup *backup, struct arena *arena, json_t **ret_status,
                                 struct err *err)
{
    static const char *const phases[] = {"preparing", "bodies", "files", "checking", "ending"};
    struct backup_status *now = arena_alloc(arena, sizeof(*now));
    if (!now)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    backup_get_status(backup, now);
    *ret_status = json_pack(
        "{s:b, s:s, s:o, s:o, s:o, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "running",
        (int)now->running, "phase", phases[now->phase], "dest", text_json(now->dest), "started",
        time_json(now->started_unix_ms), "finished", time_json(now->finished_unix_ms), "generation",
        (json_int_t)now->generation, "complete", (int)now->complete, "files",
        (json_int_t)now->files, "bytes", (json_int_t)now->bytes, "bytes_total",
        (json_int_t)now->bytes_total, "copied_files", (json_int_t)now->copied_files, "copied_bytes",
        (json_int_t)now->copied_bytes, "damaged", (json_int_t)now->damaged, "findings",
        findings_json(now), "problem", now->problem[0] ? text_json(now->problem) : json_null());
    return ERR_OK;
}

json_t *backup_json_last(struct backup *backup)
{
    struct backup_last last;
    struct err err;
    if (backup_get_last(backup, &last, &err) != ERR_OK || last.finished_unix_ms == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:I, s:I, s:o}", "finished", time_json(last.finished_unix_ms),
                     "succeeded", time_json(last.succeeded_unix_ms), "generation",
                     (json_int_t)last.generation, "damaged", (json_int_t)last.damaged, "problem",
                     last.problem[0] ? text_json(last.problem) : json_null());
}

bool backup_json_is_into(struct backup *backup, struct arena *arena, const char *dest)
{
    struct backup_status *now = arena_alloc(arena, sizeof(*now));
    if (!now)
        return false;
    backup_get_status(backup, now);
    return now->running && strcmp(now->dest, dest) == 0;
}
