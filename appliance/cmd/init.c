/* init.c - valise init: a new box, told once on stdout. */
#include <stdio.h>

#include "appliance/box.h"
#include "appliance/cmd/cmd.h"
#include "appliance/first_run.h"
#include "base/file.h"

#define SECRET_FILE_MAX 4096 /* bytes; what is too long for a secret is said by auth */

static enum err_code print(void *ctx UNUSED, const struct box_first_run *first_run, struct err *err)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct bytes text = {0};
    enum err_code code = first_run_text(first_run, &arena, &text, err);
    if (code == ERR_OK && (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout)))
        code = err_fail(err, ERR_IO, "the credentials could not be printed: no box was made");
    seal_wipe((void *)text.data, text.len);
    arena_done(&arena);
    return code;
}

static struct bytes without_newline(struct bytes text)
{
    if (bytes_ends_with(text, BYTES_LIT("\n")))
        text.len--;
    if (bytes_ends_with(text, BYTES_LIT("\r")))
        text.len--;
    return text;
}

static enum err_code read_credentials(struct cmd_args *args, struct box_request *request,
                                      struct err *err)
{
    const char *access_key = args->option[CMD_ACCESS_KEY];
    const char *file = args->option[CMD_SECRET_KEY_FILE];
    if (!access_key && !file)
        return ERR_OK;
    struct bytes content;
    enum err_code code = file_read(file, SECRET_FILE_MAX, &args->arena, &content, err);
    if (code != ERR_OK)
        return code;
    request->access_key = bytes_of_str(access_key);
    request->secret = without_newline(content);
    if (request->secret.len == 0)
        return err_fail(err, ERR_INVALID, "'%s' holds no secret", file);
    return ERR_OK;
}

int cmd_init(struct cmd_args *args)
{
    struct err err;
    if (!args->option[CMD_ACCESS_KEY] != !args->option[CMD_SECRET_KEY_FILE]) {
        fputs("valise: give both of --access-key and --secret-key-file, or none; see 'valise help "
              "init'\n",
              stderr);
        return CMD_USAGE;
    }
    struct box_request request = {.tell = print};
    struct box box = {.lock_fd = -1};
    enum err_code code = read_credentials(args, &request, &err);
    if (code == ERR_OK)
        code = box_init(args->dir, &request, args->settings, &args->arena, &box, &err);
    box_close(&box);
    seal_wipe((void *)request.secret.data, request.secret.len);
    return code == ERR_OK ? CMD_OK : cmd_fail(&err);
}
