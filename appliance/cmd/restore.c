/* restore.c - valise restore: a box out of a backup.
 *
 * DIR carries a marker until all is there and checked, so what is interrupted is
 * no box. Exit code 1 also where something is missing that was damaged when the
 * backup was made: the box is there then, and says so of those objects. */
#include <stdio.h>
#include <unistd.h>

#include "appliance/audit_box.h"
#include "appliance/cmd/cmd.h"
#include "appliance/cmd/progress.h"
#include "appliance/folder.h"
#include "base/clock.h"
#include "storage/backup/restore.h"

static void show(void *ctx UNUSED, uint64_t bytes, uint64_t total)
{
    progress_show("restoring", bytes, total);
}

static void tell(void *ctx UNUSED, const char *text)
{
    progress_end();
    fprintf(stderr, "valise: %s\n", text);
}

static enum err_code restore(const struct cmd_args *args, uint32_t generation,
                             struct restore_result *ret_result, struct err *err)
{
    const struct kv_rocks_options kv = {
        .cache_bytes = settings_u64(args->settings, "store.cache_bytes"),
        .memtable_bytes = settings_u64(args->settings, "store.memtable_bytes"),
    };
    const struct restore_options options = {.source = args->positional,
                                            .generation = generation,
                                            .dir = args->dir,
                                            .kv = &kv,
                                            .progress = show,
                                            .found = tell};
    int lock_fd;
    enum err_code code = restore_look(args->positional, generation, err);
    if (code == ERR_OK)
        code = folder_begin_restore(args->dir, &lock_fd, err);
    if (code != ERR_OK)
        return code;
    code = restore_run(&options, ret_result, err);
    progress_end();
    if (code == ERR_OK)
        code = folder_finish_restore(args->dir, err);
    close(lock_fd);
    return code;
}

/* In the audit log of the box that is there now. */
static enum err_code note(const struct cmd_args *args, const struct restore_result *result,
                          struct err *err)
{
    struct box box;
    char id[BOX_ID_TEXT], detail[80];
    enum err_code code = box_open(args->dir, args->settings, &box, err);
    if (code != ERR_OK)
        return code;
    box_id_text(&box, id);
    snprintf(detail, sizeof(detail), "backup %u, %llu bodies missing", result->generation.number,
             (unsigned long long)result->missing);
    const struct audit_box_doing doing = {"box:restore", id, NULL, detail};
    code = audit_box_write(box.audit, getuid(), &doing, err);
    box_close(&box);
    return code;
}

static int report(const struct cmd_args *args, const struct restore_result *result)
{
    const struct generation *generation = &result->generation;
    char time[CLOCK_TEXT_MAX];
    clock_format_iso(generation->created_unix_ms, time);
    if (args->option[CMD_JSON])
        printf("{\"generation\": %u, \"created\": \"%s\", \"files\": %llu, \"bytes\": %llu, "
               "\"missing\": %llu}\n",
               generation->number, time, (unsigned long long)result->files,
               (unsigned long long)result->bytes, (unsigned long long)result->missing);
    else
        printf("restored backup %u of %s: %llu files, %.1f MiB\n"
               "start it with 'valise serve'; do not start the box it was made of again\n",
               generation->number, time, (unsigned long long)result->files,
               (double)result->bytes / (1 << 20));
    if (result->missing == 0)
        return cmd_flush();
    fflush(stdout);
    fprintf(stderr,
            "valise: restored but for %llu bodies that were damaged when the backup was made\n",
            (unsigned long long)result->missing);
    return CMD_FAILED;
}

int cmd_restore(struct cmd_args *args)
{
    struct err err;
    struct restore_result result;
    uint64_t generation = 0;
    const char *text = args->option[CMD_GENERATION];
    if (text && (!bytes_to_u64(bytes_of_str(text), UINT32_MAX, &generation) || generation == 0)) {
        fputs("valise: --generation wants a number; see 'valise backup list'\n", stderr);
        return CMD_USAGE;
    }
    enum err_code code = restore(args, (uint32_t)generation, &result, &err);
    if (code == ERR_OK)
        code = note(args, &result, &err);
    return code == ERR_OK ? report(args, &result) : cmd_fail(&err);
}
