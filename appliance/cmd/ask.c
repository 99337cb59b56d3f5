/* ask.c - see ask.h. */
#include "appliance/cmd/ask.h"

#include <poll.h>
#include <unistd.h>

#include "appliance/control.h"

#define ASK_MS   10000 /* for a box that starts, stops, or is asked by somebody else */
#define RETRY_MS 50

static enum err_code look_around(struct asker *asker, struct err *err)
{
    const struct space_limits limits = box_space_limits(asker->args->settings);
    space_init(&asker->space, asker->args->dir, &limits);
    enum space_advice advice;
    enum err_code code = space_measure(&asker->space, &advice, err);
    if (code == ERR_OK)
        code = last_seen_load(&asker->last_seen, asker->box.kv, asker->box.committer,
                              clock_system(), err);
    asker->health = (struct health){asker->box.store, &asker->space, &asker->last_seen};
    asker->env =
        (struct command_env){.box = &asker->box, .health = &asker->health, .space = &asker->space};
    return code;
}

static enum err_code open_box(struct asker *asker, struct err *err)
{
    enum err_code code = box_open(asker->args->dir, asker->args->settings, &asker->box, err);
    if (code != ERR_OK)
        return code;
    code = look_around(asker, err);
    asker->opened = code == ERR_OK;
    if (code != ERR_OK)
        box_close(&asker->box);
    return code;
}

static enum err_code ask_once(struct asker *asker, const json_t *request, json_t **ret_reply,
                              struct err *err)
{
    enum err_code code =
        asker->opened ? ERR_NOT_FOUND : control_call(asker->args->dir, request, ret_reply, err);
    if (code != ERR_NOT_FOUND)
        return code;
    code = asker->opened ? ERR_OK : open_box(asker, err);
    if (code == ERR_OK)
        *ret_reply = command_answer(&asker->env, getuid(), request);
    return code;
}

/* Between a box's lock and its socket lies its start: nothing can be waited
 * for there but time. */
static enum err_code ask_until_free(struct asker *asker, const json_t *request, json_t **ret_reply,
                                    struct err *err)
{
    uint64_t deadline_ms = clock_mono_ms(clock_system()) + ASK_MS;
    enum err_code code;
    while ((code = ask_once(asker, request, ret_reply, err)) == ERR_BUSY &&
           clock_mono_ms(clock_system()) < deadline_ms)
        poll(NULL, 0, RETRY_MS);
    return code;
}

static enum err_code take_result(json_t *reply, json_t **ret_result, struct err *err)
{
    json_t *result = json_object_get(reply, "result");
    const char *message =
        json_string_value(json_object_get(json_object_get(reply, "error"), "message"));
    enum err_code code = ERR_OK;
    if (result)
        *ret_result = json_incref(result);
    else if (message)
        code = err_fail(err, ERR_INVALID, "%s", message);
    else
        code = err_fail(err, ERR_NO_MEMORY, "out of memory");
    json_decref(reply);
    return code;
}

enum err_code asker_ask(struct asker *asker, json_t *request, json_t **ret_result, struct err *err)
{
    if (!request)
        return err_fail(err, ERR_INVALID, "a word on the command line is not UTF-8");
    json_t *reply = NULL;
    enum err_code code = ask_until_free(asker, request, &reply, err);
    json_decref(request);
    return code == ERR_OK ? take_result(reply, ret_result, err) : code;
}

void asker_done(struct asker *asker)
{
    if (asker->opened)
        box_close(&asker->box);
    asker->opened = false;
}

enum err_code ask(struct cmd_args *args, json_t *request, json_t **ret_result, struct err *err)
{
    struct asker asker = {.args = args};
    enum err_code code = asker_ask(&asker, request, ret_result, err);
    asker_done(&asker);
    return code;
}
