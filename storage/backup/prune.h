/* prune.h - what a backup needs no more: old generations, runs that were broken
 * off, and what those had copied without noting it.
 *
 * Threads   one. */
#ifndef STORAGE_BACKUP_PRUNE_H
#define STORAGE_BACKUP_PRUNE_H

#include "storage/backup/generation.h"

/* Remove what broken runs copied behind the last file that their catalogs name.
 *
 * list    of generations
 * errors  ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code prune_leftovers(struct place *place, const struct generation_list *list,
                                       struct err *err);

/* Break the oldest generations, until `keep` (> 0) are left; the newest without damage is kept,
 * whatever its age. Remove every file that only broken ones name, and those; but for runs after
 * the newest generation: the next one goes on where they ended.
 *
 * errors  ERR_CORRUPT (a catalog that is kept is damaged: nothing is removed), ERR_IO,
 *         ERR_NO_MEMORY */
MUST_USE enum err_code prune_old(struct place *place, uint32_t keep, struct err *err);

#endif
