/* segment_recover.c - segment.h: after a start, the segments of earlier runs keep
 * what records name, and lose the rest. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/obj/segment_internal.h"

void segments_live_start(struct segments *segments)
{
    pthread_mutex_lock(&segments->lock);
    for (size_t i = 0; i < segments->count; i++)
        segments->table[i]->range_count = 0;
    pthread_mutex_unlock(&segments->lock);
}

enum err_code segments_live(struct segments *segments, const struct record_extent *extent,
                            struct err *err)
{
    struct segment *segment = segment_held(segments, extent->segment);
    uint64_t until = segment_round_up(extent->offset + extent->stored);
    if (!segment || until < extent->offset || until > segment_round_up(segment->size))
        return err_fail(err, ERR_CORRUPT, "extent at %llu is outside segment %08x",
                        (unsigned long long)extent->offset, extent->segment);
    if (!segment->earlier)
        return ERR_OK;
    if (segment->range_count == segment->range_room) {
        size_t room = segment->range_room ? segment->range_room * 2 : 64;
        struct live_range *ranges = realloc(segment->ranges, room * sizeof(*ranges));
        if (!ranges)
            return err_fail(err, ERR_NO_MEMORY, "extents of segment %08x", segment->number);
        segment->ranges = ranges;
        segment->range_room = room;
    }
    segment->ranges[segment->range_count++] = (struct live_range){extent->offset, until};
    return ERR_OK;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct live_range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* What the file takes on the disk: holes made before are no gain. */
static uint64_t disk_bytes(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* Punch everything between the live ranges. */
static enum err_code recover(struct segments *segments, struct segment *segment,
                             uint64_t *ret_freed, struct err *err)
{
    char path[SEGMENT_PATH_MAX];
    segment_path(segments, segment->number, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_fail_sys(err, errno, "segment '%s'", path);
    if (segment->range_count)
        qsort(segment->ranges, segment->range_count, sizeof(*segment->ranges), compare_ranges);
    uint64_t at = 0, live = 0, before = disk_bytes(fd);
    int failed = 0;
    for (size_t i = 0; i < segment->range_count && !failed; i++) {
        struct live_range range = segment->ranges[i];
        if (range.from > at)
            failed = segment_punch(fd, at, range.from - at);
        if (range.until > at) {
            live += range.until - (range.from > at ? range.from : at);
            at = range.until;
        }
    }
    if (!failed && at < segment->size && ftruncate(fd, (off_t)at) != 0)
        failed = errno;
    uint64_t after = disk_bytes(fd);
    close(fd);
    if (failed)
        return err_fail_sys(err, failed, "holes in segment '%s'", path);
    *ret_freed += before > after ? before - after : 0;
    pthread_mutex_lock(&segments->lock);
    segment->size = segment->bump = at;
    segment->live = live;
    pthread_mutex_unlock(&segments->lock);
    return ERR_OK;
}

static struct segment *next_earlier(struct segments *segments)
{
    struct segment *hit = NULL;
    pthread_mutex_lock(&segments->lock);
    for (size_t i = 0; i < segments->count && !hit; i++)
        if (segments->table[i]->earlier)
            hit = segments->table[i];
    pthread_mutex_unlock(&segments->lock);
    return hit;
}

enum err_code segments_recover(struct segments *segments, uint64_t *ret_freed, struct err *err)
{
    *ret_freed = 0;
    struct segment *segment;
    while ((segment = next_earlier(segments))) {
        enum err_code rc = recover(segments, segment, ret_freed, err);
        if (rc != ERR_OK)
            return rc;
        pthread_mutex_lock(&segments->lock);
        free(TAKE(segment->ranges));
        segment->range_count = segment->range_room = 0;
        segment->earlier = false;
        segment_unlink_if_empty(segments, segment);
        pthread_mutex_unlock(&segments->lock);
    }
    return ERR_OK;
}
