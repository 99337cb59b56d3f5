/* upload_age.h - how old uploads are, counted in time that the box ran.
 *
 * A wall clock jumps: a battery dies, a clock is set ten years ahead. An upload
 * that is under way must not be taken for an abandoned one by that. So age is
 * monotonic time, summed up over runs; time in which the box was off does not
 * count. Upload ids rise, so a mark (an id, and when it was the newest) tells
 * the age of all uploads before it; a few marks are kept.
 *
 * Threads   one. */
#ifndef APPLIANCE_UPLOAD_AGE_H
#define APPLIANCE_UPLOAD_AGE_H

#include "base/clock.h"
#include "storage/kv/commit.h"

#define UPLOAD_AGE_MARKS 34 /* so an upload is expired by a thirty-second of the limit late */

struct upload_age_mark {
    uint64_t id;         /* every upload with a smaller one is older than the mark */
    uint64_t running_ms; /* when it was made */
};

struct upload_age {
    struct committer *committer; /* borrowed */
    const struct clock *clock;
    uint64_t running_ms; /* of all runs so far, as of mono_ms */
    uint64_t mono_ms;    /* of this run */
    struct upload_age_mark marks[UPLOAD_AGE_MARKS];
    size_t count;
};

/* Go on where the last run stopped. errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code upload_age_load(struct upload_age *age, struct kv *kv,
                                       struct committer *committer, const struct clock *clock,
                                       struct err *err);

/* Count the time since the last call, and make a mark now and then.
 *
 * next_id     greater than that of every upload so far
 * limit_ms    of age; > 0
 * ret_before  uploads with a smaller id are older than that; 0: none is
 * errors      those of commit()
 * effect      durable; to be called every few minutes, for what was not is not counted */
MUST_USE enum err_code upload_age_count(struct upload_age *age, uint64_t next_id, uint64_t limit_ms,
                                        uint64_t *ret_before, struct err *err);

#endif
