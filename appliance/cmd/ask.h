/* ask.h - ask a box, whether it is running or not.
 *
 * A running box answers through its control socket. A stopped one is opened
 * here, under its lock, and asked in this process.
 *
 * Threads   the main thread. */
#ifndef APPLIANCE_CMD_ASK_H
#define APPLIANCE_CMD_ASK_H

#include <jansson.h>

#include "appliance/cmd/cmd.h"
#include "appliance/command.h"

/* Several questions to one box: a stopped one stays open in between, so that
 * what one question started is there for the next. Must not be moved. */
struct asker {
    struct cmd_args *args;
    bool opened; /* here, in this process: the rest is set */
    struct box box;
    struct space space;
    struct last_seen last_seen;
    struct health health;
    struct command_env env;
};

/* Ask.
 *
 * asker       zeroed but for args; asker_done when all is asked
 * request     taken; NULL, as json_pack returns for text that is not UTF-8, is refused
 * ret_result  yours to decref
 * errors      what the box answered (ERR_INVALID, with its message), ERR_BUSY (neither a box
 *             that answers nor free for ASK_MS), those of box_open and control_call */
MUST_USE enum err_code asker_ask(struct asker *asker, json_t *request, json_t **ret_result,
                                 struct err *err);
void asker_done(struct asker *asker);

/* One question. */
MUST_USE enum err_code ask(struct cmd_args *args, json_t *request, json_t **ret_result,
                           struct err *err);

#endif
