/* command.h - what the command line asks of a box, running or not: one JSON
 * object in, one out. The same code answers through the control socket and
 * in the process of `valise key` itself.
 *
 *     {"command": "key create", "user": "ann"}  ->  {"result": {…}}
 *                                               or  {"error": {"code": …, "message": …}}
 *
 * Owns      the names of commands and their members.
 * Not here  sockets (control.c), how results are shown (cmd/).
 * Threads   any. */
#ifndef APPLIANCE_COMMAND_H
#define APPLIANCE_COMMAND_H

#include <jansson.h>

#include "appliance/audit_repeat.h"
#include "appliance/box.h"
#include "appliance/health.h"
#include "base/http/http.h"

struct command_env {
    struct box *box; /* all borrowed */
    const struct health *health;
    const struct space *space;
    bool running;                                  /* as a service: the two below are set */
    const struct http_front *const _Atomic *front; /* NULL there until the port is open */
    bool tls;
    uint64_t scrub_rate;         /* bytes per second; 0 = as fast as can be */
    uint64_t backup_rate;        /* the same */
    struct audit_repeat *repeat; /* what is counted for the audit log; NULL = nothing is */
};

/* Answer one request.
 *
 * env      struct command_env
 * uid      the account of this machine that asks
 * request  any JSON: what is wrong with it is answered as an error
 * returns  the reply, yours to decref; NULL when memory is out */
json_t *command_answer(void *env, uint32_t uid, const json_t *request);

#endif
