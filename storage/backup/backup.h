/* backup.h - copies a box to another place while it serves.
 *
 * A backup is a generation (generation.h): all rows of one moment, every body they
 * name, the box's key. What a generation before it has is not copied again. It is
 * complete when its manifest is there; until then the ones before it are untouched.
 * One that was broken off is gone on with by the next.
 *
 * While bodies are copied, deleted space is not freed (storage/obj/hold.h).
 *
 * Owns      a thread while one runs; DIR/backup.tmp; row "backup" under TAG_SYSTEM.
 * Not here  reading one back: restore.h.
 * Threads   any. */
#ifndef STORAGE_BACKUP_BACKUP_H
#define STORAGE_BACKUP_BACKUP_H

#include "storage/obj/store.h"

#define BACKUP_TMP          "backup.tmp" /* in the box's folder */
#define BACKUP_KEEP_MAX     1000         /* generations */
#define BACKUP_FINDINGS_MAX 100          /* kept of one backup; all are counted */

struct backup; /* opaque: backup.c */

struct backup_options {
    struct kv *kv; /* all borrowed until backup_free */
    struct committer *committer;
    struct store *store;
    const char *dir; /* of the box; box.key lies there */
    const struct clock *clock;
};

/* errors  ERR_NO_MEMORY */
MUST_USE enum err_code backup_new(const struct backup_options *options, struct backup **ret_backup,
                                  struct err *err);
/* End one that runs; NULL is fine. */
void backup_free(struct backup *backup);

struct backup_request {
    const char *dest; /* a full path: folder that is a backup of this box, empty, or not there */
    uint64_t bytes_per_second; /* how much is read at most; 0 = as fast as can be */
    uint32_t keep;             /* generations, at least 1: older ones are removed afterwards */
    bool log;                  /* what is found, and how it ended: where nobody waits for it */
};

/* Start one.
 *
 * errors  ERR_BUSY (one is running), ERR_INVALID (dest is in the box's folder),
 *         ERR_NO_SPACE (the box's disk is full), ERR_NO_MEMORY */
MUST_USE enum err_code backup_start(struct backup *backup, const struct backup_request *request,
                                    struct err *err);

/* Tell one that runs to end: the next goes on where it was. Nothing without one.
 *
 * why  one line, static: its status tells it */
void backup_give_up(struct backup *backup, const char *why);

/* The same, and wait for its end. */
void backup_stop(struct backup *backup, const char *why);

enum backup_phase { BACKUP_BEGIN, BACKUP_BODIES, BACKUP_FILES, BACKUP_CHECK, BACKUP_END };

struct backup_status {
    bool running;
    enum backup_phase phase;
    uint64_t started_unix_ms, finished_unix_ms; /* 0: never, not yet */
    uint32_t generation;                        /* the one being made, or made last; 0: none */
    bool complete;                              /* it is */
    uint64_t files, bytes;                      /* passed so far, copied or there already */
    uint64_t bytes_total;                       /* about */
    uint64_t copied_files, copied_bytes;        /* of those, copied */
    uint64_t damaged;  /* what could not be copied: it is not what was stored */
    char dest[4096];   /* where */
    char problem[160]; /* why it failed; empty: it did not */
    char findings[BACKUP_FINDINGS_MAX][160]; /* what is damaged, a line each */
    size_t finding_count;
};

/* How the running, or else the last one of this process is. ret_status  large: not for the stack */
void backup_get_status(struct backup *backup, struct backup_status *ret_status);

/* Whether one runs now. */
bool backup_is_running(struct backup *backup);

/* How the last one ended, of this process or an earlier one. */
struct backup_last {
    uint64_t finished_unix_ms;  /* 0: there was none */
    uint64_t succeeded_unix_ms; /* the last that was whole; 0: never */
    uint32_t generation;        /* 0: it did not come to an end */
    uint64_t damaged;
    char problem[160];
};

/* errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code backup_get_last(struct backup *backup, struct backup_last *ret_last,
                                       struct err *err);

#endif
