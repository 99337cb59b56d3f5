/* settings.h - the rows of all settings (settings.def) and what they mean together.
 *
 * The machinery is base/settings.h. Nothing below appliance/ knows that
 * settings exist: values are handed down as plain arguments.
 *
 * Threads   one, at start. */
#ifndef APPLIANCE_SETTINGS_H
#define APPLIANCE_SETTINGS_H

#include "base/settings.h"

/* The table; static. */
const struct setting *settings_rows(size_t *ret_count);

/* Disk space that the ordered store needs free to open, or to go on after a
 * full disk: its log is replayed into a file, and a new one begun. The reserve
 * holds it twice: once for a running box, once for its next start. */
uint64_t settings_room_bytes(const struct settings *settings);

/* Check what no single row can: files named in pairs, sizes that fit each other.
 *
 * errors  ERR_INVALID */
MUST_USE enum err_code settings_check(const struct settings *settings, struct err *err);

#endif
