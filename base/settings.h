/* settings.h - the machinery of settings; the rows stand in appliance/.
 *
 * One table makes the parser of files, the parser of flags, --help and the
 * checks. It is read once, then const, and handed down as plain arguments.
 *
 * A setting "api.region" is the row `api.region = x` in a file and the flag
 * `--api-region x` (or `--api-region=x`) on a command line: '.' and '_' become '-'.
 *
 * Threads   one, at start. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum setting_type {
    SETTING_TEXT,   /* at most max characters */
    SETTING_NUMBER, /* decimal, min..max, in `unit` */
    SETTING_BYTES,  /* number with optional suffix K, M, G or T (powers of 1024) */
    SETTING_CHOICE  /* one of `choices`, separated by '|' */
};

struct setting {
    const char *name; /* "api.region" */
    enum setting_type type;
    const char *fallback; /* the default, as it would be typed; "" = not set */
    uint64_t min, max;
    const char *unit; /* "ms"; what to write for a text ("ADDR:PORT"); the choices */
    const char *help; /* one sentence, no full stop */
};

struct settings; /* opaque: settings.c */

/* Start with the defaults. `rows` must outlive the result.
 *
 * ret_settings  arena memory
 * errors        ERR_NO_MEMORY */
MUST_USE enum err_code settings_new(const struct setting *rows, size_t count, struct arena *arena,
                                    struct settings **ret_settings, struct err *err);

/* Set one by name.
 *
 * errors  ERR_NOT_FOUND (no such setting; the message names the nearest),
 *         ERR_INVALID (out of range, no number, no such choice; the message says what is allowed)
 */
MUST_USE enum err_code settings_set(struct settings *settings, struct bytes name,
                                    struct bytes value, struct err *err);

/* Read rows `key = value`; '#' at the start of a line or behind a space begins a
 * comment; empty lines are fine; of two rows for one key the later holds.
 *
 * errors  those of settings_set and file_read, with "file:line: " in front */
MUST_USE enum err_code settings_read_file(struct settings *settings, const char *path,
                                          struct err *err);

/* If argv[*at] is a setting's flag, set it and advance *at past it and its value.
 *
 * ret_taken  whether it was one
 * errors     ERR_INVALID (bad or missing value) */
MUST_USE enum err_code settings_take_flag(struct settings *settings, int argc, char **argv, int *at,
                                          bool *ret_taken, struct err *err);

uint64_t settings_u64(const struct settings *settings, const char *name);
const char *settings_text(const struct settings *settings, const char *name); /* "" = not set */

/* Print every row: flag, unit, default, help, wrapped at 100 columns. */
void settings_print_help(const struct setting *rows, size_t count, FILE *to);

#endif
