/* upload_age.c - see upload_age.h. */
#include "appliance/upload_age.h"

#include "appliance/rows.h"

enum err_code upload_age_load(struct upload_age *age, struct kv *kv, struct committer *committer,
                              const struct clock *clock, struct err *err)
{
    *age = (struct upload_age){
        .committer = committer, .clock = clock, .mono_ms = clock_mono_ms(clock)};
    return rows_get_upload_age(kv, age, err);
}

static void drop_marks(struct upload_age *age, size_t count)
{
    age->count -= count;
    memmove(age->marks, age->marks + count, age->count * sizeof(*age->marks));
}

static bool is_older(const struct upload_age *age, const struct upload_age_mark *mark, uint64_t ms)
{
    return age->running_ms - mark->running_ms >= ms;
}

enum err_code upload_age_count(struct upload_age *age, uint64_t next_id, uint64_t limit_ms,
                               uint64_t *ret_before, struct err *err)
{
    uint64_t now = clock_mono_ms(age->clock);
    age->running_ms += now - age->mono_ms;
    age->mono_ms = now;
    size_t old = 0;
    while (old < age->count && is_older(age, &age->marks[old], limit_ms))
        old++;
    *ret_before = old ? age->marks[old - 1].id : 0;
    if (old > 1)
        drop_marks(age, old - 1);
    const struct upload_age_mark *last = age->count ? &age->marks[age->count - 1] : NULL;
    if (!last || is_older(age, last, limit_ms / (UPLOAD_AGE_MARKS - 2))) {
        if (age->count == UPLOAD_AGE_MARKS)
            drop_marks(age, 1); /* the limit was larger before */
        age->marks[age->count++] = (struct upload_age_mark){next_id, age->running_ms};
    }
    return rows_put_upload_age(age->committer, age, err);
}
