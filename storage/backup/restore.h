/* restore.h - a box out of a backup, and the check that it could be.
 *
 * Every file is read against its digest, every block of a body against its CRC;
 * nothing counts before all were what was written. The box gets an epoch of its own.
 *
 * Owns      DIR/kv, DIR/bodies, DIR/box.key while it works.
 * Not here  whether DIR may be filled, and the mark that it is not a box yet: the caller's.
 * Threads   one. */
#ifndef STORAGE_BACKUP_RESTORE_H
#define STORAGE_BACKUP_RESTORE_H

#include "storage/backup/generation.h"
#include "storage/kv/kv.h"

struct restore_options {
    const char *source;                /* folder of the backup; all borrowed */
    uint32_t generation;               /* 0 = the newest */
    const char *dir;                   /* to be filled: it is there, without the three above */
    const struct kv_rocks_options *kv; /* how the ordered store is opened for it */
    /* Called now and then, and for each thing that is found; NULL = nobody wants to know. */
    void (*progress)(void *ctx, uint64_t bytes, uint64_t total);
    void (*found)(void *ctx, const char *text);
    void *ctx;
};

struct restore_result {
    struct generation generation;
    uint64_t files, bytes; /* read */
    uint64_t missing;      /* bodies that were damaged in the box when it was backed up; told */
    uint64_t damaged;      /* restore_verify: files that are not what was written; told */
};

/* Whether there is such a backup, before anything is made for it.
 *
 * generation  0 = the newest
 * errors      as those of restore_run */
MUST_USE enum err_code restore_look(const char *source, uint32_t generation, struct err *err);

/* Fill DIR.
 *
 * errors  ERR_NOT_FOUND (no backup, no such generation), ERR_BUSY (a backup is being made),
 * ERR_CORRUPT (a file of it is damaged: named), ERR_UNSUPPORTED (made by a newer version),
 * ERR_NO_SPACE, ERR_IO, ERR_NO_MEMORY effect durable; after an error DIR is of no use */
MUST_USE enum err_code restore_run(const struct restore_options *options,
                                   struct restore_result *ret_result, struct err *err);

/* Read every file of a generation; dir and kv are not looked at.
 *
 * errors  as above, but damaged files are no error: they are counted and told */
MUST_USE enum err_code restore_verify(const struct restore_options *options,
                                      struct restore_result *ret_result, struct err *err);

#endif
