/* reply.h - what libmicrohttpd needs to know of a reply. Private to base/http.
 *
 * Owns      nothing.
 * Threads   the connection's own. */
#ifndef BASE_HTTP_REPLY_H
#define BASE_HTTP_REPLY_H

#include "base/http/front.h"

/* Make the reply sendable: one that could not be built becomes a plain 500 or 503. */
void reply_settle(struct http_request *request);

#endif
