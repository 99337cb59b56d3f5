/* segment_sparse.c - segment.h: which segments are worth emptying. */
#include "storage/obj/segment_internal.h"

#define SHORT_MAX 8 /* segments that stops cut short are left alone up to so many */

static bool is_below(uint64_t part, unsigned percent, uint64_t whole)
{
    return part < whole / 100 * percent;
}

/* Nobody writes to it, something is alive, and that is not what was left over before. */
static bool can_empty(const struct segment *segment)
{
    return segment->sealed && !segment->earlier && segment->writers == 0 && segment->live &&
           segment->live != segment->tried;
}

size_t segments_sparse(struct segments *segments, unsigned percent, uint32_t *ret_numbers,
                       size_t max)
{
    size_t count = 0, short_count = 0;
    pthread_mutex_lock(&segments->lock);
    for (size_t i = 0; i < segments->count; i++)
        short_count += can_empty(segments->table[i]) &&
                       is_below(segments->table[i]->live, percent, segments->segment_bytes);
    for (size_t i = 0; i < segments->count && count < max; i++) {
        const struct segment *segment = segments->table[i];
        uint64_t whole = short_count > SHORT_MAX ? segments->segment_bytes : segment->size;
        if (can_empty(segment) && is_below(segment->live, percent, whole))
            ret_numbers[count++] = segment->number;
    }
    pthread_mutex_unlock(&segments->lock);
    return count;
}

void segment_tried(struct segments *segments, uint32_t number)
{
    pthread_mutex_lock(&segments->lock);
    struct segment *segment = segment_find(segments, number);
    if (segment)
        segment->tried = segment->live;
    pthread_mutex_unlock(&segments->lock);
}
