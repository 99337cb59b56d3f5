/* serve.c - valise serve: the box as a service, in the foreground.
 *
 * Starts in phases, each on top of the one before, and stops in reverse:
 *
 *     alone     settings, certificate, signals: no thread, no store yet. What
 *               must fork from a small process is started at its end
 *     box       made where DIR is empty, then opened: committer, sweeper
 *     services  S3, the box's own paths, control socket, housekeeping
 *     front     the port is open: requests come
 */
#include <stdio.h>
#include <unistd.h>

#include "appliance/api.h"
#include "appliance/audit_box.h"
#include "appliance/audit_s3.h"
#include "appliance/cmd/cmd.h"
#include "appliance/command.h"
#include "appliance/control.h"
#include "appliance/first_run.h"
#include "appliance/folder.h"
#include "appliance/housekeeping.h"
#include "appliance/lifecycle.h"
#include "appliance/notify.h"
#include "appliance/tls.h"
#include "appliance/version.h"
#include "base/log.h"

#define GRACE_MS 10000 /* for requests in flight when the box is told to stop */

/* What is set is closed by stop(). */
struct serve {
    struct cmd_args *args;
    int signal_fd;
    bool bad_usage; /* what was typed cannot be */
    struct http_options front_options;

    struct box box;
    bool box_is_open;

    struct space space;
    struct last_seen last_seen;
    struct health health;
    struct command_env command_env;
    struct audit_repeat *repeat;
    struct audit_s3 audit_s3;
    bool start_noted;
    struct s3 *s3;
    struct metrics_sources metrics;
    struct api api;
    struct http_service service;
    struct control *control;
    struct housekeeping *housekeeping;

    struct http_front *front;
};

static const char *text_setting(const struct serve *serve, const char *name)
{
    return settings_text(serve->args->settings, name);
}

static uint64_t number_setting(const struct serve *serve, const char *name)
{
    return settings_u64(serve->args->settings, name);
}

/* Phase: alone. */

static enum err_code start_alone(struct serve *serve, struct err *err)
{
    serve->bad_usage = !http_address_ok(text_setting(serve, "api"));
    if (serve->bad_usage)
        return err_fail(err, ERR_INVALID, "--api: '%s' is not ADDRESS:PORT",
                        text_setting(serve, "api"));
    log_set_level((enum log_level)log_level_parse(text_setting(serve, "log.level")));
    serve->front_options.connections_per_address_max =
        (uint32_t)number_setting(serve, "api.connections_per_address_max");
    struct tls_files tls;
    enum err_code code =
        tls_read(serve->args->settings, clock_system(), &serve->args->arena, &tls, err);
    serve->front_options.tls_cert = tls.cert;
    serve->front_options.tls_key = tls.key;
    if (code == ERR_OK)
        code = lifecycle_start(&serve->signal_fd, err);
    serve->front_options.connections_max =
        lifecycle_connections((uint32_t)number_setting(serve, "api.connections_max"));
    return code;
}

/* Phase: box. */

static enum err_code tell_in_file(void *ctx, const struct box_first_run *first_run, struct err *err)
{
    const struct serve *serve = ctx;
    return first_run_write(serve->args->dir, first_run, err);
}

static enum err_code make_box(struct serve *serve, struct err *err)
{
    struct cmd_args *args = serve->args;
    const struct box_request request = {.tell = tell_in_file, .ctx = serve};
    enum err_code code =
        box_init(args->dir, &request, args->settings, &args->arena, &serve->box, err);
    if (code != ERR_OK)
        return code;
    printf("new box: its first credentials and claim code are in %s/first-run.json\n", args->dir);
    fflush(stdout);
    return ERR_OK;
}

static enum err_code start_box(struct serve *serve, struct err *err)
{
    struct cmd_args *args = serve->args;
    enum folder_state state;
    enum err_code code = folder_look(args->dir, &state, err);
    if (code == ERR_OK && state == FOLDER_BOX)
        code = box_open(args->dir, args->settings, &serve->box, err);
    else if (code == ERR_OK)
        code = make_box(serve, err);
    serve->box_is_open = code == ERR_OK;
    return code;
}

/* Phase: services. */

static enum err_code start_watching(struct serve *serve, struct err *err)
{
    struct box *box = &serve->box;
    const struct space_limits limits = box_space_limits(serve->args->settings);
    space_init(&serve->space, box->dir, &limits);
    enum space_advice advice;
    enum err_code code = space_measure(&serve->space, &advice, err);
    if (code == ERR_OK)
        code = last_seen_load(&serve->last_seen, box->kv, box->committer, clock_system(), err);
    store_set_full(box->store, space_now(&serve->space).full);
    serve->health = (struct health){box->store, &serve->space, &serve->last_seen};
    return code;
}

/* The box serves without its start in the log: on a full disk it must start. */
static enum err_code start_audit(struct serve *serve, struct err *err)
{
    struct err why;
    enum err_code code = audit_repeat_new(serve->box.audit, &serve->repeat, err);
    if (code != ERR_OK)
        return code;
    serve->audit_s3 = (struct audit_s3){.audit = serve->box.audit, .repeat = serve->repeat};
    audit_s3_init(&serve->audit_s3);
    if (space_now(&serve->space).full)
        return ERR_OK;
    serve->start_noted = audit_box_start(&serve->box, serve->args->settings, &why) == ERR_OK;
    if (!serve->start_noted)
        log_error("audit", "noting the start", &why);
    return ERR_OK;
}

static enum err_code start_s3(struct serve *serve, struct err *err)
{
    const struct s3_options options = {
        .region = bytes_of_str(text_setting(serve, "api.region")),
        .domain = bytes_of_str(text_setting(serve, "api.domain")),
        .object_max = number_setting(serve, "api.object_bytes_max"),
        .clock = clock_system(),
        .token_key = bytes_of(serve->box.token_key, sizeof(serve->box.token_key)),
        .audit = &serve->audit_s3.calls,
    };
    return s3_new(serve->box.store, serve->box.auth, &options, &serve->s3, err);
}

static void assemble_api(struct serve *serve)
{
    serve->metrics.box = &serve->box;
    serve->metrics.s3 = serve->s3;
    serve->metrics.health = &serve->health;
    serve->metrics.space = &serve->space;
    serve->metrics.repeat = serve->repeat;
    atomic_init(&serve->metrics.front, NULL);
    serve->api = (struct api){
        .s3 = s3_service(serve->s3),
        .health = &serve->health,
        .metrics = &serve->metrics,
        .metrics_for = api_metrics_parse(text_setting(serve, "api.metrics")),
    };
    serve->service = api_service(&serve->api);
}

static enum err_code start_housekeeping(struct serve *serve, struct err *err)
{
    const struct housekeeping_options options = {
        .box = &serve->box,
        .space = &serve->space,
        .last_seen = &serve->last_seen,
        .uploads_expire_days = (uint32_t)number_setting(serve, "uploads.expire_days"),
        .scrub_days = (uint32_t)number_setting(serve, "scrub.days"),
        .scrub_rate = number_setting(serve, "scrub.bytes_per_second"),
        .repeat = serve->repeat,
        .audit_entries_max = number_setting(serve, "audit.entries_max"),
        .start_noted = serve->start_noted,
        .settings = serve->args->settings,
    };
    return housekeeping_start(&options, &serve->housekeeping, err);
}

static enum err_code start_services(struct serve *serve, struct err *err)
{
    enum err_code code = log_behind_start(err);
    if (code == ERR_OK)
        code = start_watching(serve, err);
    if (code == ERR_OK)
        code = start_audit(serve, err);
    if (code == ERR_OK)
        code = start_s3(serve, err);
    if (code != ERR_OK)
        return code;
    assemble_api(serve);
    code = start_housekeeping(serve, err);
    serve->command_env =
        (struct command_env){&serve->box,
                             &serve->health,
                             &serve->space,
                             .running = true,
                             .front = &serve->metrics.front,
                             .tls = serve->front_options.tls_cert.len > 0,
                             .scrub_rate = number_setting(serve, "scrub.bytes_per_second"),
                             .backup_rate = number_setting(serve, "backup.bytes_per_second"),
                             .repeat = serve->repeat};
    if (code == ERR_OK)
        code = control_start(serve->args->dir, command_answer, &serve->command_env, &serve->control,
                             err);
    return code;
}

/* Phase: front. */

static enum err_code start_front(struct serve *serve, struct err *err)
{
    const char *address = text_setting(serve, "api");
    enum err_code code =
        http_front_start(address, &serve->front_options, &serve->service, &serve->front, err);
    if (code == ERR_BUSY)
        return err_fail(err, code, "%s is in use: stop what uses it, or choose another --api",
                        address);
    if (code == ERR_OK)
        atomic_store(&serve->metrics.front, serve->front);
    return code;
}

static enum err_code start(struct serve *serve, struct err *err)
{
    static enum err_code (*const phases[])(struct serve *, struct err *) = {
        start_alone, start_box, start_services, start_front};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < ARRAY_LEN(phases); i++)
        code = phases[i](serve, err);
    return code;
}

static void announce(const struct serve *serve)
{
    printf("ready api=%s://%s console=-\n", serve->front_options.tls_cert.len ? "https" : "http",
           http_front_address(serve->front));
    fflush(stdout);
    notify("READY=1");
}

/* Nobody asks any more: what was counted, and the stop itself. */
static void stop_audit(struct serve *serve)
{
    const struct audit_box_doing doing = {.action = "box:stop", .detail = "version " VERSION_TEXT};
    struct err err;
    if (!serve->repeat)
        return;
    enum err_code code = audit_box_note_ends(&serve->box, &err);
    if (code == ERR_OK)
        code = audit_repeat_flush(serve->repeat, true, &err);
    if (code == ERR_OK)
        code = audit_box_write(serve->box.audit, getuid(), &doing, &err);
    if (code != ERR_OK)
        log_error("audit", "noting the stop", &err);
    audit_repeat_free(serve->repeat);
}

static void stop(struct serve *serve)
{
    if (serve->front)
        http_front_stop(serve->front, GRACE_MS);
    control_stop(serve->control); /* a command under way reads the front's address */
    housekeeping_stop(serve->housekeeping);
    if (serve->front)
        http_front_free(serve->front);
    if (serve->s3)
        s3_free(serve->s3);
    stop_audit(serve);
    if (serve->box_is_open)
        box_close(&serve->box);
    if (serve->signal_fd >= 0)
        close(serve->signal_fd);
    log_behind_stop();
}

int cmd_serve(struct cmd_args *args)
{
    struct serve serve = {.args = args, .signal_fd = -1};
    struct err err;
    enum err_code code = start(&serve, &err);
    if (code == ERR_OK) {
        announce(&serve);
        log_message(LOG_INFO, "serve", "stopping: %s", lifecycle_wait(serve.signal_fd));
        notify("STOPPING=1");
    }
    stop(&serve);
    if (code == ERR_OK)
        return CMD_OK;
    (void)cmd_fail(&err);
    return serve.bad_usage ? CMD_USAGE : CMD_FAILED;
}
