/* last_seen.c - see last_seen.h. */
#include "appliance/last_seen.h"

#include "appliance/rows.h"

enum err_code last_seen_load(struct last_seen *last_seen, struct kv *kv,
                             struct committer *committer, const struct clock *clock,
                             struct err *err)
{
    uint64_t unix_ms;
    enum err_code code = rows_get_last_seen(kv, &unix_ms, err);
    if (code != ERR_OK)
        return code;
    last_seen->committer = committer;
    last_seen->clock = clock;
    atomic_init(&last_seen->unix_ms, unix_ms);
    return ERR_OK;
}

enum err_code last_seen_keep(struct last_seen *last_seen, struct err *err)
{
    uint64_t now = clock_unix_ms(last_seen->clock);
    if (now <= atomic_load(&last_seen->unix_ms))
        return ERR_OK;
    enum err_code code = rows_put_last_seen(last_seen->committer, now, err);
    if (code == ERR_OK)
        atomic_store(&last_seen->unix_ms, now);
    return code;
}

uint64_t last_seen_behind_ms(const struct last_seen *last_seen)
{
    uint64_t seen = atomic_load(&last_seen->unix_ms);
    uint64_t now = clock_unix_ms(last_seen->clock);
    return now < seen ? seen - now : 0;
}
