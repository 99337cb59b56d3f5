/* catalog.h - the files of one generation, in order of their names: written as
 * they are copied, so that a run that was broken off is not for nothing, and
 * walked along by who looks for what is there already.
 *
 * What a catalog names is on stable storage: catalog_flush comes after place_sync.
 *
 * Owns      DEST/generations/G.catalog.
 * Threads   one. */
#ifndef STORAGE_BACKUP_CATALOG_H
#define STORAGE_BACKUP_CATALOG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "storage/backup/place.h"

#define CATALOG_SHA_LEN   32
#define CATALOG_BATCH_MAX 1024 /* files between two flushes */

struct catalog_file {
    char name[PLACE_NAME_MAX];
    uint64_t length; /* bytes */
    uint32_t made_by;
    uint8_t sha256[CATALOG_SHA_LEN];
    bool has_mark;
    uint8_t mark[CATALOG_SHA_LEN]; /* what it is known by in the box, without reading all of it */
};

/* One being written. */
struct catalog {
    struct place *place;
    uint32_t number;
    int fd; /* -1: not open */
    struct buf waiting;
    uint64_t length; /* bytes on the disk */
    struct hash_set *sha256;
};

/* Begin one. errors  ERR_EXISTS, ERR_IO, ERR_NO_SPACE, ERR_NO_MEMORY. catalog_close in any case */
MUST_USE enum err_code catalog_create(struct place *place, uint32_t number, uint64_t epoch,
                                      struct catalog *ret_catalog, struct err *err);
void catalog_close(struct catalog *catalog);

/* Note a file; at most CATALOG_BATCH_MAX until the next flush. A failure is told there. */
void catalog_add(struct catalog *catalog, const struct catalog_file *file);

/* Write down what was noted. errors  ERR_IO, ERR_NO_SPACE, ERR_NO_MEMORY. effect  durable */
MUST_USE enum err_code catalog_flush(struct catalog *catalog, struct err *err);

/* Its digest; once, after the last flush. */
void catalog_digest(struct catalog *catalog, uint8_t ret_sha256[CATALOG_SHA_LEN]);

/* One being read. */
struct catalog_cursor {
    FILE *file; /* NULL: not open */
    uint32_t number;
    uint64_t epoch;
    bool on; /* it stands on `at` */
    struct catalog_file at;
    struct arena arena; /* one record's */
};

/* Open one and stand on its first file.
 *
 * errors  ERR_NOT_FOUND, ERR_CORRUPT (it is damaged), ERR_UNSUPPORTED, ERR_IO.
 *         catalog_cursor_close in any case */
MUST_USE enum err_code catalog_cursor_open(struct place *place, uint32_t number,
                                           struct catalog_cursor *ret_cursor, struct err *err);
void catalog_cursor_close(struct catalog_cursor *cursor);

/* To the next; at the end it stands on none. errors  ERR_CORRUPT (it ends here), ERR_IO */
MUST_USE enum err_code catalog_cursor_next(struct catalog_cursor *cursor, struct err *err);

/* Forward to `name`, or behind where it would be. returns  whether it stands on it. What is damaged
 * in it ends it */
bool catalog_cursor_seek(struct catalog_cursor *cursor, const char *name);

/* The catalog's path below DEST. */
void catalog_path(uint32_t number, char ret_path[PLACE_PATH_MAX]);

#endif
