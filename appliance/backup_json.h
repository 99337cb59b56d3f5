/* backup_json.h - a backup's progress and result as JSON, for command.c and the
 * page that `valise status` prints.
 *
 * Threads   any. */
#ifndef APPLIANCE_BACKUP_JSON_H
#define APPLIANCE_BACKUP_JSON_H

#include <jansson.h>

#include "storage/backup/backup.h"

/* How the running, or else the last backup of this process is.
 *
 * ret_status  yours to decref; NULL when memory is out
 * errors      ERR_NO_MEMORY */
MUST_USE enum err_code backup_json_status(struct backup *backup, struct arena *arena,
                                          json_t **ret_status, struct err *err);

/* How the last one ended, as it is written down: null where there was none, or it cannot be read.
 *
 * returns  yours to decref */
json_t *backup_json_last(struct backup *backup);

/* Whether the one that runs, runs into this folder. */
bool backup_json_is_into(struct backup *backup, struct arena *arena, const char *dest);

#endif
