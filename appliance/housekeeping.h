/* housekeeping.h - what a running box does now and then: looks at the disk,
 * notes the time and the keys that were used, ends uploads that were abandoned,
 * begins a scrub when the last one is old, writes and trims the audit log.
 *
 * Owns      a thread; the work of each task is its module's.
 * Threads   start and stop from one thread. */
#ifndef APPLIANCE_HOUSEKEEPING_H
#define APPLIANCE_HOUSEKEEPING_H

#include "appliance/audit_repeat.h"
#include "appliance/box.h"
#include "appliance/last_seen.h"
#include "appliance/space.h"

struct housekeeping; /* opaque: housekeeping.c */

struct housekeeping_options {
    struct box *box; /* all borrowed until housekeeping_stop */
    struct space *space;
    struct last_seen *last_seen;
    uint32_t uploads_expire_days; /* 0 = never */
    uint32_t scrub_days;          /* 0 = never */
    uint64_t scrub_rate;          /* bytes per second; 0 = as fast as can be */
    struct audit_repeat *repeat;
    uint64_t audit_entries_max;
    bool start_noted; /* in the audit log; where not, it is noted once there is room */
    const struct settings *settings;
};

/* Start. Every task is first run at once.
 *
 * ret_housekeeping  yours: housekeeping_stop
 * errors            ERR_NO_MEMORY, ERR_IO */
MUST_USE enum err_code housekeeping_start(const struct housekeeping_options *options,
                                          struct housekeeping **ret_housekeeping, struct err *err);

/* Finish the task under way, note the time, the used keys and the age of uploads once more, end
 * the thread. NULL is fine. */
void housekeeping_stop(struct housekeeping *housekeeping);

#endif
