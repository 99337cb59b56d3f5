/* listen.h - the listening socket and the thread that accepts from it.
 * Private to base/http.
 *
 * Owns      the acceptor thread; the sockets listen_fd, wake_fd, spare_fd.
 * Not here  what is done with a connection (conn.c, mhd.c).
 * Threads   open, start, stop, close belong to the front's owner. */
#ifndef BASE_HTTP_LISTEN_H
#define BASE_HTTP_LISTEN_H

#include "base/http/front.h"

/* Bind `address` ("a.b.c.d:port", "[v6]:port", ":port") and write the bound one
 * into front->address.
 *
 * errors  ERR_INVALID (not such an address), ERR_BUSY (in use), ERR_IO */
MUST_USE enum err_code listen_open(struct http_front *front, const char *address, struct err *err);
void listen_close(struct http_front *front);

/* Start accepting, and end it. errors  ERR_NO_MEMORY */
MUST_USE enum err_code listen_start(struct http_front *front, struct err *err);
void listen_stop(struct http_front *front);

#endif
