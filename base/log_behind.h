/* log_behind.h - where log.c's lines go: straight to stderr, or gathered first.
 * For log.c alone. */
#ifndef BASE_LOG_BEHIND_H
#define BASE_LOG_BEHIND_H

#include <stdbool.h>

#include "base/bytes.h"

/* Take a whole line. now: it does not wait, and neither does what was gathered before it. */
void log_behind_write(struct bytes line, bool now);

#endif
