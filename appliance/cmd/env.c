/* env.c - valise env: shell lines that let an AWS SDK or CLI use the box with its
 * first credentials:  eval "$(valise env --data DIR)" */
#include <jansson.h>
#include <stdio.h>

#include "appliance/cmd/ask.h"
#include "base/file.h"
#include "base/seal.h"

#define FIRST_RUN_MAX KIB(64)

static enum err_code read_first_run(struct cmd_args *args, json_t **ret_first_run, struct err *err)
{
    struct bytes text;
    char *path = file_join(&args->arena, args->dir, "first-run.json");
    if (!path)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    enum err_code code = file_read(path, FIRST_RUN_MAX, &args->arena, &text, err);
    if (code == ERR_NOT_FOUND)
        return err_fail(err, code,
                        "%s is not there; make a key with 'valise key create' and set "
                        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                        path);
    if (code != ERR_OK)
        return code;
    json_error_t why;
    *ret_first_run = json_loadb((const char *)text.data, text.len, 0, &why);
    seal_wipe((void *)text.data, text.len);
    return *ret_first_run ? ERR_OK : err_fail(err, ERR_CORRUPT, "%s is not JSON", path);
}

/* Where a running box answers; where it would, by its settings, when it is stopped. */
static enum err_code find_api(struct cmd_args *args, struct bytes *ret_api, struct err *err)
{
    json_t *status;
    enum err_code code = ask(args, json_pack("{s:s}", "command", "status"), &status, err);
    if (code != ERR_OK)
        return code;
    const char *api = json_string_value(json_object_get(status, "api"));
    *ret_api = api ? arena_copy(&args->arena, bytes_of_str(api))
                   : arena_printf(&args->arena, "http://%s", settings_text(args->settings, "api"));
    json_decref(status);
    return ret_api->data ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "out of memory");
}

/* For a shell to evaluate: a quote in the value would end it. */
static void print_export(const char *name, const char *value)
{
    printf("export %s='", name);
    for (; *value; value++)
        if (*value == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*value);
    puts("'");
}

static enum err_code print_all(struct cmd_args *args, const json_t *first_run, struct err *err)
{
    const char *id = json_string_value(json_object_get(first_run, "access_key"));
    const char *secret = json_string_value(json_object_get(first_run, "secret_key"));
    if (!id || !secret)
        return err_fail(err, ERR_CORRUPT, "first-run.json has no keys");
    struct bytes api;
    enum err_code code = find_api(args, &api, err);
    if (code != ERR_OK)
        return code;
    print_export("AWS_ENDPOINT_URL", (const char *)api.data);
    print_export("AWS_ACCESS_KEY_ID", id);
    print_export("AWS_SECRET_ACCESS_KEY", secret);
    print_export("AWS_DEFAULT_REGION", "us-east-1");
    return ERR_OK;
}

int cmd_env(struct cmd_args *args)
{
    struct err err;
    json_t *first_run;
    enum err_code code = read_first_run(args, &first_run, &err);
    if (code != ERR_OK)
        return cmd_fail(&err);
    code = print_all(args, first_run, &err);
    json_decref(first_run);
    return code == ERR_OK ? cmd_flush() : cmd_fail(&err);
}
