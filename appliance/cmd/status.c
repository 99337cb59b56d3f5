/* status.c - valise status: how a box is, running or not. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "appliance/cmd/ask.h"
#include "appliance/cmd/cmd.h"

static double gib(const json_t *bytes)
{
    return (double)json_integer_value(bytes) / (1 << 30);
}

static void print_texts(const json_t *list, const char *label)
{
    size_t i;
    json_t *text;
    json_array_foreach(list, i, text)
    {
        printf("%-8s  %s\n", label, json_string_value(text));
    }
}

static void print_backup(const json_t *backup)
{
    const char *succeeded = json_string_value(json_object_get(backup, "succeeded"));
    const char *problem = json_string_value(json_object_get(backup, "problem"));
    printf("backup    %s", succeeded ? succeeded : "never");
    if (problem)
        printf("; the last one failed: %s", problem);
    else if (json_integer_value(json_object_get(backup, "damaged")))
        printf("; the last one found damage");
    putchar('\n');
}

static void print_words(const json_t *status)
{
    const json_t *disk = json_object_get(status, "disk");
    bool running = json_is_true(json_object_get(status, "running"));
    bool healthy = json_is_true(json_object_get(status, "healthy"));
    printf("state     %s, %s\n", running ? "running" : "stopped",
           healthy ? "healthy" : "cannot serve reads and writes");
    print_texts(json_object_get(status, "reasons"), "reason");
    print_texts(json_object_get(status, "warnings"), "warning");
    if (json_is_string(json_object_get(status, "api")))
        printf("api       %s\n", json_string_value(json_object_get(status, "api")));
    printf("box       %s\n", json_string_value(json_object_get(status, "box_id")));
    printf("folder    %s\n", json_string_value(json_object_get(status, "dir")));
    printf("version   %s\n", json_string_value(json_object_get(status, "version")));
    printf("disk      %.1f GiB, %.1f GiB free\n", gib(json_object_get(disk, "total_bytes")),
           gib(json_object_get(disk, "available_bytes")));
    printf("buckets   %lld\n", (long long)json_integer_value(json_object_get(status, "buckets")));
    printf("changes   %lld\n", (long long)json_integer_value(json_object_get(status, "seq")));
    print_backup(json_object_get(status, "backup"));
}

/* The box may know its folder by a relative path; here is what it is from here. */
static void add_dir(json_t *status, const char *dir)
{
    char *path = realpath(dir, NULL);
    json_object_set_new(status, "dir", json_string(path ? path : dir));
    free(path);
}

int cmd_status(struct cmd_args *args)
{
    struct err err;
    json_t *status;
    if (ask(args, json_pack("{s:s}", "command", "status"), &status, &err) != ERR_OK)
        return cmd_fail(&err);
    add_dir(status, args->dir);
    if (args->option[CMD_JSON]) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_words(status);
    }
    json_decref(status);
    return cmd_flush();
}
