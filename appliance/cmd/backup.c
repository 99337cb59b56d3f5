/* backup.c - valise backup, and what looks at a backup: list, verify, stop.
 *
 * A running box makes its backup itself, at its setting's rate, and goes on when
 * this command is interrupted; a stopped one is opened here. Exit code 1 where it
 * did not come to an end, or something was damaged. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/cmd/ask.h"
#include "appliance/cmd/progress.h"
#include "appliance/time_json.h"
#include "storage/backup/restore.h"

#define LOOK_MS      200 /* between looks at the progress */
#define KEEP_DEFAULT 7
#define LIST_MAX     MIB(1)

static uint64_t number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

/* The folder `path` stands in, resolved, and its last part. ret_path  to be freed */
static enum err_code resolve_parent(const char *path, char **ret_path, struct err *err)
{
    char text[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len >= sizeof(text))
        return err_fail(err, ERR_INVALID, "a path is longer than %d bytes", PATH_MAX);
    memcpy(text, path, len);
    text[len] = '\0';
    char *slash = strrchr(text, '/');
    if (slash)
        *slash = '\0';
    char *folder = realpath(!slash ? "." : slash == text ? "/" : text, NULL);
    if (!folder)
        return err_fail_sys(err, errno, "looking at the folder of '%s'", path);
    if (asprintf(ret_path, "%s/%s", folder[1] ? folder : "", slash ? slash + 1 : text) < 0)
        *ret_path = NULL;
    free(folder);
    return *ret_path ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "out of memory");
}

/* As a full path: the box has a current folder of its own. The last part of it
 * need not be there yet. ret_path  to be freed */
static enum err_code full_path(const char *path, char **ret_path, struct err *err)
{
    *ret_path = realpath(path, NULL);
    if (*ret_path)
        return ERR_OK;
    return errno == ENOENT ? resolve_parent(path, ret_path, err)
                           : err_fail_sys(err, errno, "looking at '%s'", path);
}

static void show(const json_t *status)
{
    progress_show(json_string_value(json_object_get(status, "phase")), number(status, "bytes"),
                  number(status, "bytes_total"));
}

/* Start it and wait for its end. */
static enum err_code watch(struct asker *asker, const char *dest, uint64_t keep,
                           json_t **ret_status, struct err *err)
{
    json_t *nothing;
    enum err_code code = asker_ask(asker,
                                   json_pack("{s:s, s:s, s:I}", "command", "backup start", "dest",
                                             dest, "keep", (json_int_t)keep),
                                   &nothing, err);
    if (code != ERR_OK)
        return code;
    json_decref(nothing);
    while ((code = asker_ask(asker, json_pack("{s:s}", "command", "backup status"), ret_status,
                             err)) == ERR_OK) {
        show(*ret_status);
        if (!json_is_true(json_object_get(*ret_status, "running")))
            break;
        json_decref(*ret_status);
        poll(NULL, 0, LOOK_MS);
    }
    progress_end();
    return code;
}

static void print_words(const json_t *status)
{
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(status, "findings"), i, text)
    {
        printf("damaged in the box: %s\n", json_string_value(text));
    }
    if (json_is_true(json_object_get(status, "complete")))
        printf("backup %llu: %llu files, %.1f MiB; %.1f MiB of it copied now, the rest was there\n",
               (unsigned long long)number(status, "generation"),
               (unsigned long long)number(status, "files"), mib(number(status, "bytes")),
               mib(number(status, "copied_bytes")));
}

static int report(const struct cmd_args *args, const json_t *status)
{
    struct err err;
    const char *problem = json_string_value(json_object_get(status, "problem"));
    unsigned long long damaged = number(status, "damaged");
    if (args->option[CMD_JSON]) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_words(status);
    }
    if (cmd_flush() != CMD_OK)
        return CMD_FAILED;
    if (json_is_null(json_object_get(status, "finished")))
        problem = "the box was stopped; run the backup again to go on where it was";
    if (problem)
        err_fail(&err, ERR_CLOSED, "%s", problem);
    else if (damaged)
        err_fail(&err, ERR_CORRUPT,
                 "the backup is complete but for what is damaged in the box: %llu; "
                 "'valise scrub' tells which objects",
                 damaged);
    else
        return CMD_OK;
    return cmd_fail(&err);
}

int cmd_backup(struct cmd_args *args)
{
    struct asker asker = {.args = args};
    struct err err;
    json_t *status;
    char *dest = NULL;
    uint64_t keep = KEEP_DEFAULT;
    const char *text = args->option[CMD_KEEP];
    if (text && (!bytes_to_u64(bytes_of_str(text), BACKUP_KEEP_MAX, &keep) || keep == 0)) {
        fprintf(stderr, "valise: --keep wants a number from 1 to %d; see 'valise help backup'\n",
                BACKUP_KEEP_MAX);
        return CMD_USAGE;
    }
    enum err_code code = full_path(args->positional, &dest, &err);
    if (code == ERR_OK)
        code = watch(&asker, dest, keep, &status, &err);
    asker_done(&asker);
    free(dest);
    if (code != ERR_OK)
        return cmd_fail(&err);
    int exit_code = report(args, status);
    json_decref(status);
    return exit_code;
}

int cmd_backup_stop(struct cmd_args *args)
{
    struct err err;
    json_t *nothing;
    if (ask(args, json_pack("{s:s}", "command", "backup stop"), &nothing, &err) != ERR_OK)
        return cmd_fail(&err);
    json_decref(nothing);
    return CMD_OK;
}

/* list */

static json_t *generation_json(const struct generation *generation)
{
    return json_pack("{s:I, s:o, s:I, s:I, s:I, s:I}", "generation", (json_int_t)generation->number,
                     "created", time_json(generation->created_unix_ms), "files",
                     (json_int_t)generation->files, "bytes", (json_int_t)generation->bytes,
                     "copied_bytes", (json_int_t)generation->copied_bytes, "damaged",
                     (json_int_t)generation->damaged);
}

static void print_generation(const struct generation *generation)
{
    char time[CLOCK_TEXT_MAX];
    clock_format_iso(generation->created_unix_ms, time);
    printf("%6u  %s  %9llu files  %12.1f MiB  %12.1f MiB copied", generation->number, time,
           (unsigned long long)generation->files, mib(generation->bytes),
           mib(generation->copied_bytes));
    if (generation->damaged)
        printf("  %llu damaged in the box", (unsigned long long)generation->damaged);
    putchar('\n');
}

/* ret_list  NULL: print each instead */
static enum err_code list_all(struct place *place, json_t *list, struct err *err)
{
    struct arena arena;
    arena_init(&arena, LIST_MAX);
    struct generation_list numbers;
    enum err_code code = generation_list(place, &arena, &numbers, err);
    for (size_t i = 0; code == ERR_OK && i < numbers.complete_count; i++) {
        struct generation generation;
        code = generation_read(place, numbers.complete[i], &generation, err);
        if (code == ERR_OK && list)
            json_array_append_new(list, generation_json(&generation));
        else if (code == ERR_OK)
            print_generation(&generation);
    }
    arena_done(&arena);
    return code;
}

int cmd_backup_list(struct cmd_args *args)
{
    struct place place;
    struct err err;
    json_t *list = args->option[CMD_JSON] ? json_array() : NULL;
    enum err_code code = place_open_read(args->positional, &place, &err);
    if (code == ERR_OK)
        code = list_all(&place, list, &err);
    place_close(&place);
    if (code == ERR_OK && list) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(list);
    return code == ERR_OK ? cmd_flush() : cmd_fail(&err);
}

/* verify */

static void note_damage(void *ctx, const char *text)
{
    json_t *list = ctx;
    progress_end();
    if (json_array_size(list) < BACKUP_FINDINGS_MAX)
        json_array_append_new(list, json_string(text));
}

static void show_verify(void *ctx UNUSED, uint64_t bytes, uint64_t total)
{
    progress_show("verifying", bytes, total);
}

static int report_verify(const struct cmd_args *args, const struct restore_result *result,
                         json_t *found)
{
    size_t i;
    json_t *text;
    if (args->option[CMD_JSON]) {
        json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:O}", "generation",
                                (json_int_t)result->generation.number, "files",
                                (json_int_t)result->files, "bytes", (json_int_t)result->bytes,
                                "damaged", (json_int_t)result->damaged, "findings", found);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        return cmd_flush();
    }
    json_array_foreach(found, i, text)
    {
        printf("%s\n", json_string_value(text));
    }
    printf("backup %u: %llu files, %.1f MiB read: %llu not what was written\n",
           result->generation.number, (unsigned long long)result->files, mib(result->bytes),
           (unsigned long long)result->damaged);
    if (result->damaged)
        printf("remove those files, then back up again: they are copied anew\n");
    return cmd_flush();
}

int cmd_backup_verify(struct cmd_args *args)
{
    struct err err;
    struct restore_result result;
    uint64_t generation = 0;
    const char *text = args->option[CMD_GENERATION];
    if (text && (!bytes_to_u64(bytes_of_str(text), UINT32_MAX, &generation) || generation == 0)) {
        fputs("valise: --generation wants a number; see 'valise backup list'\n", stderr);
        return CMD_USAGE;
    }
    json_t *found = json_array();
    const struct restore_options options = {.source = args->positional,
                                            .generation = (uint32_t)generation,
                                            .progress = show_verify,
                                            .found = note_damage,
                                            .ctx = found};
    enum err_code code = restore_verify(&options, &result, &err);
    progress_end();
    int exit_code = code == ERR_OK ? report_verify(args, &result, found) : cmd_fail(&err);
    json_decref(found);
    return code == ERR_OK && result.damaged ? CMD_FAILED : exit_code;
}
