/* pace.c - see pace.h. */
#include "base/pace.h"

static uint64_t rest_ms(const struct pace *pace)
{
    return pace->bytes * 1000 / pace->bytes_per_second;
}

void pace_init(struct pace *pace, uint64_t bytes_per_second, uint64_t now_ms)
{
    *pace = (struct pace){.bytes_per_second = bytes_per_second, .due_ms = now_ms};
}

uint32_t pace_wait_ms(struct pace *pace, uint64_t bytes, uint64_t now_ms)
{
    const uint64_t rate = pace->bytes_per_second;
    if (rate == 0)
        return 0;
    if (now_ms > pace->due_ms + rest_ms(pace) + PACE_CREDIT_MS)
        pace_init(pace, rate, now_ms - PACE_CREDIT_MS);
    pace->bytes += bytes;
    pace->due_ms += pace->bytes / rate * 1000;
    pace->bytes %= rate;
    const uint64_t due_ms = pace->due_ms + rest_ms(pace);
    if (due_ms <= now_ms)
        return 0;
    return due_ms - now_ms < PACE_WAIT_MS_MAX ? (uint32_t)(due_ms - now_ms) : PACE_WAIT_MS_MAX;
}
