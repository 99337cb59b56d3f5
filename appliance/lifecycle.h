/* lifecycle.h - the process round the box: descriptors, file modes, signals.
 *
 * lifecycle_start belongs to the time before any thread: signals that end the
 * box are blocked there, so that every later thread inherits it and one
 * descriptor delivers them.
 *
 * Threads   the main thread. */
#ifndef APPLIANCE_LIFECYCLE_H
#define APPLIANCE_LIFECYCLE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Make the process fit for any command: descriptors 0 to 2 are open, what is
 * written is for the owner alone, a closed pipe is an error and no signal. */
void lifecycle_prepare(void);

/* Block SIGTERM, SIGINT and SIGHUP and raise the limit of descriptors as far as allowed.
 *
 * ret_fd  becomes readable when one of them came; yours
 * errors  ERR_IO */
MUST_USE enum err_code lifecycle_start(int *ret_fd, struct err *err);

/* How many connections may be open at once so that the store always has the
 * descriptors it needs: without one it cannot begin a file, and refuses writes
 * until a restart. For after lifecycle_start.
 *
 * wanted   the most that are asked for
 * returns  1..wanted */
uint32_t lifecycle_connections(uint32_t wanted);

/* Block until a signal asks to stop. returns  its name; static */
const char *lifecycle_wait(int fd);

#endif
