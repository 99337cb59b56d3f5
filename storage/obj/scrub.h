/* scrub.h - reading everything that is stored, to find rot before it is asked for.
 *
 * Three phases: the ordered store's files; every body, block by block, from the
 * disk itself; every record, so that what is rotten has a name and what is
 * missing is found. One scrub at a time, on a thread of its own, at a limited
 * rate. Its place is kept: after a restart it goes on there.
 *
 * Threads   any. */
#ifndef STORAGE_OBJ_SCRUB_H
#define STORAGE_OBJ_SCRUB_H

#include "storage/obj/store.h"

enum scrub_phase { SCRUB_STORE, SCRUB_SMALL, SCRUB_LARGE, SCRUB_NAMES, SCRUB_DONE };

struct scrub_status {
    bool running;
    enum scrub_phase phase;
    uint64_t started_unix_ms, finished_unix_ms; /* finished 0: not yet; started 0: never */
    uint64_t bodies, bytes;                     /* looked at so far */
    uint64_t bytes_total;                       /* of large bodies, about */
    uint64_t rot;                               /* bodies and files that are not what was stored */
    bool failed;                                /* it could not go on; why is in the log */
};

/* One thing that is not what was stored. */
struct scrub_finding {
    struct bytes what; /* one line: which file, or bucket, key and version */
};

#define SCRUB_FINDINGS_MAX 10100 /* kept of one scrub; all are counted, and in the log */

/* Start, or go on where one was interrupted.
 *
 * bytes_per_second  how much may be read; 0 = as fast as can be
 * errors            ERR_BUSY (one is running), ERR_NO_MEMORY, ERR_IO, ERR_CORRUPT */
MUST_USE enum err_code scrub_start(struct store *store, uint64_t bytes_per_second, struct err *err);

/* Interrupt it; scrub_start goes on there. Waits until it stands. */
void scrub_stop(struct store *store);

/* How the running, or else the last scrub is. errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code scrub_get_status(struct store *store, struct scrub_status *ret_status,
                                        struct err *err);

/* What it found since this process started. ret_findings  arena memory */
MUST_USE enum err_code scrub_get_findings(struct store *store, struct arena *arena,
                                          struct scrub_finding **ret_findings, size_t *ret_count,
                                          struct err *err);

#endif
