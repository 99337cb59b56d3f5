/* scrub_internal.h - a scrub at work, shared by scrub.c (its life) and
 * scrub_look.c (what it reads).
 *
 * Threads   the fields marked lock: any, under it; the others: the scrub's own. */
#ifndef STORAGE_OBJ_SCRUB_INTERNAL_H
#define STORAGE_OBJ_SCRUB_INTERNAL_H

#include "base/pace.h"
#include "storage/obj/internal.h"
#include "storage/obj/scrub.h"

#define SCRUB_BAD_MAX 10000 /* rotten bodies whose names are looked for: with files, they fit */

struct scrub {
    struct store *store;
    pthread_t thread;
    bool joined;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, running, failed;         /* lock */
    struct record_scrub place;          /* lock; position is in `position` */
    uint8_t position[KEYS_MAX];         /* the thread's */
    char *findings[SCRUB_FINDINGS_MAX]; /* lock */
    size_t finding_count;               /* lock */
    uint64_t bad[SCRUB_BAD_MAX];        /* numbers of rotten bodies; the thread's */
    size_t bad_count;
    struct pace pace;  /* the thread's */
    uint64_t saved_ms; /* the thread's: last save */
};

/* Somebody wants it to stand. */
bool scrub_stopping(struct scrub *scrub);

/* Count what was read, and keep to the rate. */
void scrub_pace(struct scrub *scrub, uint64_t bytes);

/* The same for what is read a second time: not counted. */
void scrub_throttle(struct scrub *scrub, uint64_t bytes);

/* One more body was looked at. */
void scrub_count_body(struct scrub *scrub);

/* One more thing is not what was stored. */
void scrub_count_rot(struct scrub *scrub);

/* Log a finding, and keep it for who asks. */
void scrub_note(struct scrub *scrub, const char *text);

/* The row of this key is done. Written down now and then. errors  those of commit() */
MUST_USE enum err_code scrub_step_to(struct scrub *scrub, struct bytes key, struct err *err);

/* What each phase but SCRUB_DONE does: from the place on, until its end or until
 * it shall stop. errors  those of reading and commit(); rot is none */
typedef enum err_code (*scrub_phase_fn)(struct scrub *scrub, struct err *err);
extern const scrub_phase_fn scrub_phases[SCRUB_DONE];

#endif
