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

static enum err_code add_range(struct segment *segment, struct live_range range, struct err *err)
{
    if (segment->range_count == segment->range_room) {
        size_t room = segment->range_room ? segment->range_room * 2 : 64;
        struct live_range *ranges = realloc(segment->ranges, room * sizeof(*ranges));
        if (!ranges)
            return err_fail(err, ERR_NO_MEMORY, "extents of segment %08x", segment->number);
        segment->ranges = ranges;
        segment->range_room = room;
    }
    segment->ranges[segment->range_count++] = range;
    return ERR_OK;
}

/* What lies behind the end of a file that was cut counts, too: it is counted off
 * when its row goes, and that must not be at the cost of what is there. */
enum err_code segments_live(struct segments *segments, const struct record_extent *extent,
                            struct err *err)
{
    const struct live_range range = {extent->offset,
                                     segment_round_up(extent->offset + extent->stored)};
    enum err_code rc = ERR_OK;
    pthread_mutex_lock(&segments->lock);
    struct segment *segment = segment_find(segments, extent->segment);
    bool inside =
        segment && range.from <= range.until && range.until <= segment_round_up(segment->size);
    if (segment && segment->earlier && range.from < range.until)
        rc = add_range(segment, range, err);
    pthread_mutex_unlock(&segments->lock);
    if (rc == ERR_OK && !inside)
        rc = err_fail(err, ERR_CORRUPT, "extent at %llu is outside segment %08x",
                      (unsigned long long)extent->offset, extent->segment);
    return rc;
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

static int punch_until(int fd, uint64_t from, uint64_t until)
{
    return from < until ? segment_punch(fd, from, until - from) : 0;
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
        failed = punch_until(fd, at, range.from < segment->size ? range.from : segment->size);
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
    segment->size = segment->bump = at < segment->size ? at : segment->size;
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
