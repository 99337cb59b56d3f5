/* place.h - the folder of a backup: DEST.
 *
 *     valise-backup                 this is a backup, of this box
 *     lock                          held by who writes to it, or reads all of it
 *     generations/G.manifest        generation G is complete (generation.h)
 *     generations/G.catalog         its files, by name (catalog.h)
 *     bodies/XX/ID-G                a large body; XX: the id's last byte; G copied it
 *     kv/NAME-G, box.key-G          the ordered store's files, the box's key
 *
 * A file is written once, by one generation, and never again. All that is there
 * beside what catalogs name is left by a run that was broken off: prune.h.
 *
 * Owns      names in DEST, its lock.
 * Threads   one. */
#ifndef STORAGE_BACKUP_PLACE_H
#define STORAGE_BACKUP_PLACE_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"

#define PLACE_FORMAT     1
#define PLACE_NAME_MAX   96  /* bytes of a file's name, with a NUL */
#define PLACE_PATH_MAX   128 /* of its path below DEST, with a NUL */
#define PLACE_BOX_ID_LEN 16
#define PLACE_BODY       "bodies/%016llx" /* name of a body, of its id */

struct place {
    char dir[PATH_MAX];
    int fd;      /* of DEST: everything is reached through it; -1: not open */
    int lock_fd; /* -1: not held; shared by readers */
    uint8_t box_id[PLACE_BOX_ID_LEN];
};

/* Open a folder to write to; one that is not there, or empty, becomes a backup of this box.
 *
 * ret_place  place_close, also after a failure
 * errors     ERR_EXISTS (something else is there, or a backup of another box), ERR_BUSY (another
 *            process writes to it), ERR_UNSUPPORTED (made by a newer version), ERR_CORRUPT,
 *            ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code place_open(const char *dir, const uint8_t box_id[PLACE_BOX_ID_LEN],
                                  struct place *ret_place, struct err *err);

/* Open one to read. errors  ERR_NOT_FOUND (no backup there), ERR_UNSUPPORTED, ERR_CORRUPT, ERR_IO
 */
MUST_USE enum err_code place_open_read(const char *dir, struct place *ret_place, struct err *err);

/* Keep who writes away from one that is open to read, until it is closed: old generations go when a
 * new one is complete. errors  ERR_BUSY (somebody writes to it), ERR_IO */
MUST_USE enum err_code place_keep(struct place *place, struct err *err);
void place_close(struct place *place);

/* Whether `name` is one that a catalog may hold: nothing that leads out of a folder. */
bool place_name_ok(const char *name);

/* Where a file is, below DEST. `name` is one that is ok. */
void place_path(const char *name, uint32_t made_by, char ret_path[PLACE_PATH_MAX]);

/* The other way: what the entry `entry` of folder `folder` ("", "kv", "bodies/XX") is.
 *
 * returns  false: nothing of ours */
bool place_parse(const char *folder, const char *entry, char ret_name[PLACE_NAME_MAX],
                 uint32_t *ret_made_by);

/* Open a file, or a folder ("" is DEST itself), to read. errors  ERR_NOT_FOUND, ERR_IO */
MUST_USE enum err_code place_open_file(const struct place *place, const char *path, FILE **ret_file,
                                       struct err *err);
MUST_USE enum err_code place_open_dir(const struct place *place, const char *folder, DIR **ret_dir,
                                      struct err *err);

/* Make "bodies/XX" or another folder below DEST. errors  ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code place_make_dir(struct place *place, const char *folder, struct err *err);

/* Everything written to the file system so far is on stable storage.
 *
 * errors  ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code place_sync(struct place *place, struct err *err);

#endif
