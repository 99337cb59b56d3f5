/* progress.h - one line on a terminal that tells how far something is.
 *
 * Threads   the main thread. */
#ifndef APPLIANCE_CMD_PROGRESS_H
#define APPLIANCE_CMD_PROGRESS_H

#include <stdint.h>

/* Show it, a few times a second at most; nothing where stderr is no terminal.
 *
 * what   one word or two; borrowed
 * total  bytes, about; 0 = not known */
void progress_show(const char *what, uint64_t bytes, uint64_t total);

/* Leave the line, where one was shown. */
void progress_end(void);

#endif
