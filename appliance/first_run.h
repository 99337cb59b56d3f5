/* first_run.h - what a new box tells once, as one JSON object: printed by
 * `valise init`, written to DIR/first-run.json by `valise serve`.
 *
 * Threads   any. */
#ifndef APPLIANCE_FIRST_RUN_H
#define APPLIANCE_FIRST_RUN_H

#include "appliance/box.h"

/* The object as text, a line each member, a newline at the end.
 *
 * ret_text  arena memory: holds secrets
 * errors    ERR_NO_MEMORY */
MUST_USE enum err_code first_run_text(const struct box_first_run *first_run, struct arena *arena,
                                      struct bytes *ret_text, struct err *err);

/* Write it to DIR/first-run.json, mode 0600.
 *
 * errors  ERR_IO, ERR_NO_SPACE, ERR_NO_MEMORY. effect  durable */
MUST_USE enum err_code first_run_write(const char *dir, const struct box_first_run *first_run,
                                       struct err *err);

#endif
