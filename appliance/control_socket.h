/* control_socket.h - what both ends of the control socket share: its address
 * by way of DIR's descriptor, and lines within a deadline.
 *
 * Threads   any. */
#ifndef APPLIANCE_CONTROL_SOCKET_H
#define APPLIANCE_CONTROL_SOCKET_H

#include <sys/un.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Open DIR and name the socket in it.
 *
 * ret_dir_fd   yours; the address is good while it is open
 * ret_address  /proc/self/fd/N/control: short whatever DIR's path is
 * errors       ERR_NOT_FOUND (no such folder), ERR_IO */
MUST_USE enum err_code control_socket_address(const char *dir, int *ret_dir_fd,
                                              struct sockaddr_un *ret_address, struct err *err);

/* Read up to a newline, which is left out.
 *
 * line        born with the cap of what may come
 * timeout_ms  for all of it
 * errors      ERR_TIMEOUT, ERR_LIMIT, ERR_CLOSED (the end came first), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code control_socket_read_line(int fd, struct buf *line, int timeout_ms,
                                                struct err *err);

/* Write all of it. errors  ERR_TIMEOUT, ERR_CLOSED, ERR_IO */
MUST_USE enum err_code control_socket_write(int fd, struct bytes text, int timeout_ms,
                                            struct err *err);

#endif
