/* audit.c - valise audit: lists the audit log, or checks its chain of hashes.
 *
 * With --json each entry is one line of JSON; its names are those of audit_json.h.
 * Exit code 1 where the chain is broken. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "appliance/cmd/ask.h"

#define ROW_FORMAT "%7s  %-24s  %-10s  %-20s  %-14s  %-24s  %-8s  %s"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "-";
}

static void print_header(void)
{
    printf(ROW_FORMAT "\n", "ENTRY", "TIME", "WHO", "ACCESS KEY", "FROM", "ACTION", "RESULT",
           "RESOURCE");
}

static void print_row(const json_t *entry)
{
    char seq[24];
    const char *detail = json_string_value(json_object_get(entry, "detail"));
    long long count = (long long)json_integer_value(json_object_get(entry, "count"));
    bool is_local = json_is_integer(json_object_get(entry, "uid"));
    snprintf(seq, sizeof(seq), "%lld",
             (long long)json_integer_value(json_object_get(entry, "seq")));
    printf(ROW_FORMAT, seq, text_of(entry, "time"), text_of(entry, "user"),
           text_of(entry, "access_key"), is_local ? "local" : text_of(entry, "address"),
           text_of(entry, "action"), text_of(entry, "result"), text_of(entry, "resource"));
    if (detail)
        printf("  (%s)", detail);
    if (count > 1)
        printf("  %lld times", count);
    putchar('\n');
}

static void print_line(const json_t *entry)
{
    json_dumpf(entry, stdout, JSON_COMPACT);
    putchar('\n');
}

/* Print one page. returns  the number to go on from, 0 at the end */
static uint64_t print_page(const json_t *page, uint64_t since, void (*print)(const json_t *entry))
{
    size_t i;
    json_t *entry;
    uint64_t next = 0;
    json_array_foreach(json_object_get(page, "entries"), i, entry)
    {
        print(entry);
        next = (uint64_t)json_integer_value(json_object_get(entry, "seq")) + 1;
    }
    return next > since ? next : 0;
}

static enum err_code list(struct asker *asker, uint64_t since, bool as_json, struct err *err)
{
    bool is_first = true;
    while (since > 0) {
        json_t *page;
        json_t *request =
            json_pack("{s:s, s:I}", "command", "audit list", "since", (json_int_t)since);
        enum err_code code = asker_ask(asker, request, &page, err);
        if (code != ERR_OK)
            return code;
        if (is_first && !as_json)
            print_header();
        is_first = false;
        since = print_page(page, since, as_json ? print_line : print_row);
        json_decref(page);
    }
    return ERR_OK;
}

static void print_report(const json_t *report)
{
    if (json_is_null(json_object_get(report, "last_seq"))) {
        puts("no entries");
        return;
    }
    printf("entries  %lld to %lld follow one another\n",
           (long long)json_integer_value(json_object_get(report, "first_seq")),
           (long long)json_integer_value(json_object_get(report, "last_seq")));
    printf("hash     %s of entry %lld\n", text_of(report, "hash"),
           (long long)json_integer_value(json_object_get(report, "last_seq")));
}

static enum err_code verify(struct asker *asker, bool as_json, struct err *err)
{
    json_t *report;
    enum err_code code =
        asker_ask(asker, json_pack("{s:s}", "command", "audit verify"), &report, err);
    if (code != ERR_OK)
        return code;
    if (as_json)
        print_line(report);
    else
        print_report(report);
    if (!json_is_true(json_object_get(report, "intact")))
        code = err_fail(err, ERR_CORRUPT, "the audit log is broken at entry %lld: %s",
                        (long long)json_integer_value(json_object_get(report, "broken_seq")),
                        text_of(report, "why"));
    json_decref(report);
    return code;
}

int cmd_audit(struct cmd_args *args)
{
    struct asker asker = {.args = args};
    const char *since_text = args->option[CMD_SINCE];
    bool as_json = args->option[CMD_JSON] != NULL;
    uint64_t since = 1;
    struct err err;
    if (since_text && !bytes_to_u64(bytes_of_str(since_text), INT64_MAX, &since)) {
        fputs("valise: --since wants the number of an entry; see 'valise help audit'\n", stderr);
        return CMD_USAGE;
    }
    enum err_code code = args->option[CMD_VERIFY] ? verify(&asker, as_json, &err)
                                                  : list(&asker, since ? since : 1, as_json, &err);
    asker_done(&asker);
    return code == ERR_OK ? cmd_flush() : cmd_fail(&err);
}
