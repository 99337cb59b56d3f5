/* control.h - the control socket DIR/control of a running box: one JSON object
 * in a line, one in a line back, then the connection closes.
 *
 * The socket is for the box's own user (mode 0600). It is reached through a
 * descriptor of DIR, so the path may be longer than a socket address (108 bytes).
 *
 * Owns      DIR/control.
 * Not here  what requests mean: command.c.
 * Threads   requests are answered one after the other on the control's own
 *           thread, each with CONTROL_MS to arrive. */
#ifndef APPLIANCE_CONTROL_H
#define APPLIANCE_CONTROL_H

#include <jansson.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"

#define CONTROL_REQUEST_MAX KIB(16) /* bytes of a request's line */
#define CONTROL_REPLY_MAX   MIB(64) /* bytes of a reply's line */
#define CONTROL_MS          5000    /* for a request to arrive, or a reply to leave */
#define CONTROL_CALL_MS     60000   /* for a reply to come */

struct control; /* opaque: control.c */

/* Answer a request of the account `uid`. returns  the reply, taken; NULL when memory is out */
typedef json_t *(*control_fn)(void *ctx, uint32_t uid, const json_t *request);

/* Listen. The caller holds DIR/lock, so a socket that lies there is a dead one's.
 *
 * ret_control  yours: control_stop
 * errors       ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code control_start(const char *dir, control_fn answer, void *ctx,
                                     struct control **ret_control, struct err *err);

/* Finish the request under way, remove the socket. NULL is fine. */
void control_stop(struct control *control);

/* The reply's line to one request line, without a newline in the latter.
 *
 * uid      who asks
 * returns  text with a newline, yours to free; NULL when memory is out */
char *control_answer_line(struct bytes line, uint32_t uid, control_fn answer, void *ctx);

/* Ask the running box.
 *
 * ret_reply  yours to decref
 * errors     ERR_NOT_FOUND (none is running), ERR_TIMEOUT, ERR_CLOSED, ERR_INVALID
 *            (no JSON came back), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code control_call(const char *dir, const json_t *request, json_t **ret_reply,
                                    struct err *err);

#endif
