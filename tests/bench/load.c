/* load.c - a load generator for one case: `load OPTION… ` runs it against a
 * server and prints one line of JSON; `load --help` lists the options. The key is
 * in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "tests/bench/client.h"
#include "tests/bench/watch.h"

#define MS_MAX 600000 /* signatures are good for 15 minutes */

enum kind { TEXT, NUMBER, FLAG };

/* The options, by name; `at` is the field of struct job that they set. */
static const struct row {
    const char *name;
    enum kind kind;
    size_t at, size; /* bytes */
    const char *help;
} rows[] = {
#define ROW(name, kind, field, help)                                                               \
    {                                                                                              \
        name, kind, offsetof(struct job, field), sizeof(((struct job *)0)->field), help            \
    }
    ROW("name", TEXT, name, "of the case, for the report"),
    ROW("address", TEXT, address, "IPv4 address of the server"),
    ROW("port", NUMBER, port, "of the server"),
    ROW("pid", NUMBER, pid, "of the server, to see what it spends"),
    ROW("bucket", TEXT, bucket, "a bucket that is there"),
    ROW("prefix", TEXT, prefix, "of keys; of a listing: asked for; of parts: the key"),
    ROW("connections", NUMBER, connections, "at once"),
    ROW("ms", NUMBER, ms, "to run; milliseconds"),
    ROW("count", NUMBER, count, "requests at most"),
    ROW("first", NUMBER, first, "number of the first key or part"),
    ROW("keys", NUMBER, keys, "read these keys over and over, in a scattered order"),
    ROW("folders", NUMBER, folders, "that keys are spread over"),
    ROW("size", NUMBER, size, "bytes of a body"),
    ROW("upload", TEXT, upload, "id of the upload that parts belong to"),
    ROW("trailer", FLAG, trailer, "bodies in aws-chunked form with a CRC32 trailer"),
    ROW("hashed", FLAG, hashed, "sign the SHA-256 of bodies, not UNSIGNED-PAYLOAD"),
    ROW("delimited", FLAG, delimited, "list with delimiter '/'"),
};

static const char *const op_names[JOB_OPS] = {
    [JOB_PUT] = "put",       [JOB_GET] = "get",   [JOB_HEAD] = "head",
    [JOB_DELETE] = "delete", [JOB_LIST] = "list", [JOB_PART] = "part",
};

static void usage(void)
{
    puts("Usage: load --op put|get|head|delete|list|part OPTION...\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        printf("  --%-12s %s\n", rows[i].name, rows[i].help);
}

static void set(struct job *job, const struct row *row, const char *value)
{
    char *field = (char *)job + row->at;
    unsigned long long number = row->kind == NUMBER ? strtoull(value, NULL, 10) : 1;
    if (row->kind == TEXT)
        memcpy(field, &value, sizeof(value));
    else
        memcpy(field, &number, row->size); /* little-endian */
}

static bool set_op(struct job *job, const char *value)
{
    for (job->op = 0; job->op < JOB_OPS; job->op++)
        if (strcmp(op_names[job->op], value) == 0)
            return true;
    return false;
}

static bool read_options(struct job *job, int argc, char **argv)
{
    struct option options[ARRAY_LEN(rows) + 2] = {{0}};
    int found, at = 0;
    bool has_op = false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        options[i] = (struct option){rows[i].name,
                                     rows[i].kind == FLAG ? no_argument : required_argument, 0, 0};
    options[ARRAY_LEN(rows)] = (struct option){"op", required_argument, 0, 'o'};
    while ((found = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (found == '?')
            return false;
        if (found == 'o')
            has_op = set_op(job, optarg);
        else
            set(job, &rows[at], optarg);
    }
    return has_op && optind == argc && job->connections && job->folders && job->port &&
           job->ms <= MS_MAX && job->access_key && job->secret_key;
}

static double per(double amount, double count)
{
    return count > 0 ? amount / count : 0;
}

static void report(const struct job *job, const struct client_result *result,
                   const struct watch_point *before, const struct watch_point *after)
{
    double seconds = (double)result->elapsed_ns / 1e9, ops = (double)result->times.count;
    double server_ns = (double)(after->server_ns - before->server_ns);
    double client_ns = (double)(after->client_ns - before->client_ns);
    double others_ns = (double)(after->machine_ns - before->machine_ns) - server_ns - client_ns;
    printf("{\"case\": \"%s\", \"op\": \"%s\", \"connections\": %u, \"size\": %llu, \"ops\": %.0f, "
           "\"errors\": %llu, \"seconds\": %.3f, \"ops_s\": %.1f, \"mb_s\": %.1f, ",
           job->name, op_names[job->op], job->connections, (unsigned long long)job->size, ops,
           (unsigned long long)result->errors, seconds, per(ops, seconds),
           per((double)result->bytes / 1e6, seconds));
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, ",
           (double)histogram_at(&result->times, .5) / 1e6,
           (double)histogram_at(&result->times, .99) / 1e6, (double)result->times.max_ns / 1e6);
    printf("\"server_cpu_ms_per_1000\": %.1f, \"server_sys_share\": %.2f, "
           "\"client_cpu_ms_per_1000\": %.1f, \"others_cores\": %.2f, ",
           per(server_ns / 1e3, ops),
           per((double)(after->server_sys_ns - before->server_sys_ns), server_ns),
           per(client_ns / 1e3, ops), per(others_ns / 1e9, seconds));
    printf("\"syncs_per_op\": %.3f, \"disk_bytes_per_byte\": %.2f, \"rss_mb\": %.1f, "
           "\"peak_mb\": %.1f}\n",
           per((double)(after->syncs - before->syncs), ops),
           per((double)(after->disk_bytes - before->disk_bytes), (double)result->bytes),
           (double)after->rss_kib / 1024, (double)after->peak_kib / 1024);
}

static void run(const struct job *job, struct client_result *result)
{
    struct request_maker maker;
    struct watch_point before, after;
    request_maker_init(&maker, job);
    before.syncs = watch_syncs(job);
    struct client *client = client_open(&maker);
    watch_forget_peak(job);
    watch_look(job, &before);
    client_run(client, result);
    watch_look(job, &after); /* the connections are open: their memory counts */
    client_close(client);
    after.syncs = watch_syncs(job);
    report(job, result, &before, &after);
    free(maker.body);
}

int main(int argc, char **argv)
{
    static struct client_result result;
    struct job job = {
        .name = "",
        .address = "127.0.0.1",
        .bucket = "bench",
        .prefix = "",
        .upload = "",
        .connections = 1,
        .folders = 1,
        .ms = MS_MAX,
        .count = UINT64_MAX,
        .access_key = getenv("AWS_ACCESS_KEY_ID"),
        .secret_key = getenv("AWS_SECRET_ACCESS_KEY"),
    };
    if (!read_options(&job, argc, argv)) {
        usage();
        return 2;
    }
    run(&job, &result);
    return result.errors || !result.times.count;
}
