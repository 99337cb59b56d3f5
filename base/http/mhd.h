/* mhd.h - libmicrohttpd, behind five functions. Private to base/http.
 *
 * Owns      the daemon that gives each connection a thread and speaks HTTP.
 * Not here  accepting (listen.c), requests (request.c).
 * Threads   mhd_add is the acceptor's; start, stop, free belong to the front's owner. */
#ifndef BASE_HTTP_MHD_H
#define BASE_HTTP_MHD_H

#include "base/http/front.h"

/* Start it; it serves what mhd_add hands over.
 *
 * options  its certificate and key are copied
 * errors   ERR_INVALID (certificate or key), ERR_NO_MEMORY, ERR_IO */
MUST_USE enum err_code mhd_start(struct http_front *front, const struct http_options *options,
                                 struct err *err);

/* Hand over a connected socket; it is closed in any case.
 *
 * returns  false where it was closed at once */
bool mhd_add(struct mhd *mhd, int fd, const struct sockaddr *address, socklen_t address_len);

/* Cut what is left and wait for every connection's thread. */
void mhd_stop(struct mhd *mhd);
void mhd_free(struct mhd *mhd);

#endif
