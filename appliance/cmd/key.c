/* key.c - valise key create, list, disable, delete. */
#include <jansson.h>
#include <stdio.h>

#include "appliance/cmd/ask.h"
#include "appliance/cmd/cmd.h"

static int print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
    return cmd_flush();
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "-";
}

static int print_created(const json_t *key)
{
    static const char *const members[] = {"user", "user_id", "access_key", "secret_key"};
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        printf("%-11s %s\n", members[i], text_of(key, members[i]));
    return cmd_flush();
}

static int print_list(const json_t *keys)
{
    printf("%-20s %-24s %-8s %-24s %s\n", "USER", "ACCESS KEY", "ENABLED", "CREATED", "LAST USED");
    size_t i;
    json_t *key;
    json_array_foreach(keys, i, key)
    {
        printf("%-20s %-24s %-8s %-24s %s\n", text_of(key, "user"), text_of(key, "access_key"),
               json_is_true(json_object_get(key, "enabled")) ? "yes" : "no",
               text_of(key, "created"), text_of(key, "last_used"));
    }
    return cmd_flush();
}

/* Ask, and print the answer as JSON or by `print` (NULL: nothing to print). */
static int ask_and_print(struct cmd_args *args, json_t *request, int (*print)(const json_t *result))
{
    struct err err;
    json_t *result;
    if (ask(args, request, &result, &err) != ERR_OK)
        return cmd_fail(&err);
    int exit_code = CMD_OK;
    if (print)
        exit_code = args->option[CMD_JSON] ? print_json(result) : print(result);
    json_decref(result);
    return exit_code;
}

int cmd_key_create(struct cmd_args *args)
{
    json_t *request =
        json_pack("{s:s, s:s}", "command", "key create", "user", args->option[CMD_USER]);
    return ask_and_print(args, request, print_created);
}

int cmd_key_list(struct cmd_args *args)
{
    return ask_and_print(args, json_pack("{s:s}", "command", "key list"), print_list);
}

static int change(struct cmd_args *args, const char *command)
{
    json_t *request = json_pack("{s:s, s:s}", "command", command, "access_key", args->positional);
    return ask_and_print(args, request, NULL);
}

int cmd_key_disable(struct cmd_args *args)
{
    return change(args, "key disable");
}

int cmd_key_delete(struct cmd_args *args)
{
    return change(args, "key delete");
}
