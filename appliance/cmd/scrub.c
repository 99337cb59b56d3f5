/* scrub.c - valise scrub: read everything, report what is not what was stored.
 *
 * A running box scrubs itself, at its setting's rate, and goes on when this
 * command is interrupted; a stopped one is read here, as fast as can be.
 * Exit code 1 where anything was found. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "appliance/cmd/ask.h"
#include "base/escape.h"

#define LOOK_MS 500 /* between looks at the progress */

static double mib(const json_t *status, const char *name)
{
    return (double)json_integer_value(json_object_get(status, name)) / (1 << 20);
}

static void show_progress(const json_t *status)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%-12s  %lld bodies, %.1f MiB read, %lld found \x1b[K",
            json_string_value(json_object_get(status, "phase")),
            (long long)json_integer_value(json_object_get(status, "bodies")), mib(status, "bytes"),
            (long long)json_integer_value(json_object_get(status, "rot")));
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

/* Start it and wait until it stands. */
static enum err_code watch(struct asker *asker, json_t **ret_status, struct err *err)
{
    json_t *nothing;
    enum err_code code =
        asker_ask(asker, json_pack("{s:s}", "command", "scrub start"), &nothing, err);
    if (code != ERR_OK)
        return code;
    json_decref(nothing);
    for (;;) {
        code = asker_ask(asker, json_pack("{s:s}", "command", "scrub status"), ret_status, err);
        if (code != ERR_OK)
            break;
        show_progress(*ret_status);
        if (!json_is_true(json_object_get(*ret_status, "running")))
            break;
        json_decref(*ret_status);
        poll(NULL, 0, LOOK_MS);
    }
    end_progress();
    return code;
}

/* Names are the clients': a line feed or an escape in one must not look like ours. */
static void print_finding(const char *text)
{
    char room[ESCAPE_ROOM];
    for (struct bytes rest = bytes_of_str(text); rest.len > 0;) {
        struct bytes shown = escape_next(&rest, ESCAPE_CONTROLS, room);
        fwrite(shown.data, 1, shown.len, stdout);
    }
    putchar('\n');
}

static void print_words(const json_t *status)
{
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(status, "findings"), i, text)
    {
        print_finding(json_string_value(text));
    }
    printf("%lld bodies, %.1f MiB read: %lld not what was stored\n",
           (long long)json_integer_value(json_object_get(status, "bodies")), mib(status, "bytes"),
           (long long)json_integer_value(json_object_get(status, "rot")));
}

static int report(const struct cmd_args *args, const json_t *status)
{
    struct err err;
    if (args->option[CMD_JSON]) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_words(status);
    }
    if (cmd_flush() != CMD_OK)
        return CMD_FAILED;
    if (json_is_null(json_object_get(status, "finished"))) {
        err_fail(&err, ERR_CLOSED, "the scrub was interrupted; run it again to go on where it was");
        return cmd_fail(&err);
    }
    return json_integer_value(json_object_get(status, "rot")) ? CMD_FAILED : CMD_OK;
}

int cmd_scrub(struct cmd_args *args)
{
    struct asker asker = {.args = args};
    struct err err;
    json_t *status;
    enum err_code code = watch(&asker, &status, &err);
    asker_done(&asker);
    if (code != ERR_OK)
        return cmd_fail(&err);
    int exit_code = report(args, status);
    json_decref(status);
    return exit_code;
}
