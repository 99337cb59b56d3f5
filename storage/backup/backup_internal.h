/* backup_internal.h - a backup at work, shared by backup.c (its life),
 * backup_run.c (its course) and backup_take.c (what it copies).
 *
 * Threads   the fields marked lock: any, under it; `request`, `reason` are written
 *           before the thread starts, or under the lock; the rest is the thread's own. */
#ifndef STORAGE_BACKUP_BACKUP_INTERNAL_H
#define STORAGE_BACKUP_BACKUP_INTERNAL_H

#include <pthread.h>

#include "base/pace.h"
#include "storage/backup/backup.h"
#include "storage/backup/copy.h"
#include "storage/backup/generation.h"

#define BACKUP_KNOWN_MAX                                                                           \
    16 /* catalogs looked at: the newest generation, and broken runs after it */

struct backup {
    struct backup_options options;
    pthread_mutex_t run_lock; /* starting, stopping, joining */
    pthread_t thread;         /* run_lock */
    bool joinable;            /* run_lock */
    struct backup_request request;
    char dest[4096];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;                   /* lock */
    const char *why;             /* lock: it was stopped; static */
    struct backup_status status; /* lock */
    struct pace pace;
};

/* ERR_CLOSED and why, when it shall stop. */
MUST_USE enum err_code backup_check(struct backup *backup, struct err *err);

/* Count bytes that were read, and keep to the rate. errors  ERR_CLOSED (it shall stop) */
MUST_USE enum err_code backup_pace(struct backup *backup, size_t len, struct err *err);

/* It has come so far. */
void backup_set_phase(struct backup *backup, enum backup_phase phase);

/* A file was passed. */
void backup_count(struct backup *backup, uint64_t bytes, bool copied);

/* Something in the box is not what was stored. */
void backup_note(struct backup *backup, const char *text);

/* One from its beginning to its end; the thread's own. */
struct backup_run {
    struct backup *backup;
    const struct record_system *system;
    struct place place;
    struct copier copier;
    struct catalog catalog;
    struct catalog_cursor known[BACKUP_KNOWN_MAX];
    size_t known_count;
    struct generation generation; /* in the making */
    uint64_t before;              /* bodies have ids below it */
    size_t batch_files;           /* noted since the last flush */
    bool batch_copied;            /* some of them were copied */
    uint64_t batch_bytes;         /* so many bytes */
    struct arena arena;
    char tmp[PATH_MAX], kv_dir[PATH_MAX + 8]; /* DIR/backup.tmp, DIR/backup.tmp/kv */
};

/* backup_take.c: the bodies, under the hold; box.key and the files of the ordered store's copy.
 *
 * errors  those of copy_in and place_sync, ERR_CORRUPT (a file without which there is no
 *         generation cannot be read), ERR_CLOSED */
MUST_USE enum err_code backup_take_bodies(struct backup_run *run, struct err *err);
MUST_USE enum err_code backup_take_files(struct backup_run *run, struct err *err);

/* Sync what was copied, then note it. errors  ERR_IO, ERR_NO_SPACE, ERR_NO_MEMORY */
MUST_USE enum err_code backup_flush(struct backup_run *run, struct err *err);

/* The whole of it. errors  many; ERR_CLOSED: it was stopped */
MUST_USE enum err_code backup_run(struct backup *backup, struct err *err);

#endif
