/* segment.c - see segment.h; the table is drawn in segment_internal.h. */
#include "storage/obj/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/obj/segment_internal.h"

void segment_path(const struct segments *segments, uint32_t number, char ret_path[SEGMENT_PATH_MAX])
{
    snprintf(ret_path, SEGMENT_PATH_MAX, "%s/%08x.seg", segments->dir, number);
}

static int compare_segments(const void *a, const void *b)
{
    const struct segment *const *x = a, *const *y = b;
    return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

struct segment *segment_find(const struct segments *segments, uint32_t number)
{
    struct segment probe = {.number = number}, *key = &probe;
    if (segments->count == 0)
        return NULL; /* bsearch insists on a table */
    struct segment **hit =
        bsearch(&key, segments->table, segments->count, sizeof(key), compare_segments);
    return hit ? *hit : NULL;
}

static void segment_release(struct segment *segment)
{
    if (segment->fd >= 0)
        close(segment->fd);
    segment_sync_done(&segment->sync);
    free(segment->ranges);
    free(segment);
}

enum err_code segment_add(struct segments *segments, uint32_t number, struct segment **ret_segment,
                          struct err *err)
{
    if (segments->count == segments->room) {
        size_t room = segments->room ? segments->room * 2 : 16;
        struct segment **table = realloc(segments->table, room * sizeof(*table));
        if (!table)
            return err_fail(err, ERR_NO_MEMORY, "table of %zu segments", room);
        segments->table = table;
        segments->room = room;
    }
    struct segment *segment = calloc(1, sizeof(*segment));
    if (!segment)
        return err_fail(err, ERR_NO_MEMORY, "segment %08x", number);
    segment->number = number;
    segment->fd = -1;
    segment_sync_init(&segment->sync);
    segments->table[segments->count++] = segment;
    if (number >= segments->next_number)
        segments->next_number = number + 1;
    *ret_segment = segment;
    return ERR_OK;
}

static void drop(struct segments *segments, struct segment *segment)
{
    size_t at = 0;
    while (segments->table[at] != segment)
        at++;
    memmove(segments->table + at, segments->table + at + 1,
            (segments->count - at - 1) * sizeof(*segments->table));
    segments->count--;
    segment_release(segment);
}

/* One file of an earlier run. */
static enum err_code adopt(struct segments *segments, const char *name, struct err *err)
{
    unsigned number;
    char own[sizeof("ffffffff.seg")];
    if (sscanf(name, "%8x", &number) != 1)
        return ERR_OK;
    snprintf(own, sizeof(own), "%08x.seg", number);
    if (strcmp(name, own) != 0)
        return ERR_OK; /* not ours */
    char path[SEGMENT_PATH_MAX];
    segment_path(segments, number, path);
    struct stat st;
    if (stat(path, &st) != 0)
        return err_fail_sys(err, errno, "segment '%s'", path);
    struct segment *segment;
    enum err_code rc = segment_add(segments, number, &segment, err);
    if (rc != ERR_OK)
        return rc;
    segment->size = segment->bump = segment->live = (uint64_t)st.st_size;
    segment->sealed = segment->earlier = true;
    return ERR_OK;
}

static enum err_code adopt_all(struct segments *segments, struct err *err)
{
    DIR *folder = opendir(segments->dir);
    if (!folder)
        return err_fail_sys(err, errno, "folder '%s'", segments->dir);
    enum err_code rc = ERR_OK;
    struct dirent *entry;
    while (rc == ERR_OK && (errno = 0, entry = readdir(folder)))
        rc = adopt(segments, entry->d_name, err);
    if (rc == ERR_OK && errno)
        rc = err_fail_sys(err, errno, "folder '%s'", segments->dir);
    closedir(folder);
    if (rc == ERR_OK && segments->count)
        qsort(segments->table, segments->count, sizeof(*segments->table), compare_segments);
    return rc;
}

enum err_code segments_open(const char *dir, uint64_t segment_bytes, struct segments **ret_segments,
                            struct err *err)
{
    enum err_code rc = file_make_dir(dir, 0700, err);
    if (rc != ERR_OK)
        return rc;
    struct segments *segments = calloc(1, sizeof(*segments));
    if (!segments)
        return err_fail(err, ERR_NO_MEMORY, "segments");
    pthread_mutex_init(&segments->lock, NULL);
    segments->segment_bytes = segment_bytes;
    segments->next_number = 1;
    segments->dir = strdup(dir);
    rc = segments->dir ? adopt_all(segments, err) : err_fail(err, ERR_NO_MEMORY, "segments");
    if (rc != ERR_OK) {
        segments_close(segments);
        return rc;
    }
    *ret_segments = segments;
    return ERR_OK;
}

void segments_begin_at(struct segments *segments, uint32_t number)
{
    pthread_mutex_lock(&segments->lock);
    if (number > segments->next_number)
        segments->next_number = number;
    pthread_mutex_unlock(&segments->lock);
}

void segment_unlink_if_empty(struct segments *segments, struct segment *segment)
{
    if (!segment->sealed || segment->earlier || segment->writers || segment->live)
        return;
    char path[SEGMENT_PATH_MAX];
    segment_path(segments, segment->number, path);
    unlink(path); /* one that stays is found empty at the next start */
    drop(segments, segment);
}

/* Hand out nothing more. Once the last writer is gone, what was preallocated
 * and not used goes back. */
static void seal(struct segments *segments, struct segment *segment)
{
    segment->sealed = true;
    if (segments->active == segment)
        segments->active = NULL;
    if (!segment->writers && segment->fd >= 0) {
        if (ftruncate(segment->fd, (off_t)segment->bump) == 0)
            segment->size = segment->bump;
        close(segment->fd);
        segment->fd = -1;
    }
    segment_unlink_if_empty(segments, segment);
}

void segments_close(struct segments *segments)
{
    if (!segments)
        return;
    if (segments->active)
        seal(segments, segments->active);
    for (size_t i = 0; i < segments->count; i++)
        segment_release(segments->table[i]);
    free(segments->table);
    free(segments->dir);
    pthread_mutex_destroy(&segments->lock);
    free(segments);
}

static enum err_code take_locked(struct segments *segments, uint64_t want, uint64_t unit,
                                 struct segment_space *ret_space, struct err *err)
{
    want = segment_round_up(want);
    struct segment *segment = segments->active;
    if (segment && segment->size - segment->bump < want)
        segment_grow(segments, segment, want);
    if (segment && segment->size - segment->bump < (want < unit ? want : unit)) {
        seal(segments, segment);
        segment = NULL;
    }
    if (!segment) {
        enum err_code rc = segment_make_active(segments, want, err);
        if (rc != ERR_OK)
            return rc;
        segment = segments->active;
    }
    uint64_t room = segment->size - segment->bump;
    uint64_t len = want <= room ? want : room / unit * unit;
    if (len == 0)
        return err_fail(err, ERR_NO_SPACE, "segment of %llu bytes is smaller than a block",
                        (unsigned long long)segment->size);
    *ret_space = (struct segment_space){segment->number, segment->bump, len};
    segment->bump += len;
    segment->live += len;
    segment->writers++;
    return ERR_OK;
}

enum err_code segment_take(struct segments *segments, uint64_t want, uint64_t unit,
                           struct segment_space *ret_space, struct err *err)
{
    pthread_mutex_lock(&segments->lock);
    enum err_code rc = take_locked(segments, want, unit, ret_space, err);
    pthread_mutex_unlock(&segments->lock);
    return rc;
}

struct segment *segment_held(struct segments *segments, uint32_t number)
{
    pthread_mutex_lock(&segments->lock);
    struct segment *segment = segment_find(segments, number);
    pthread_mutex_unlock(&segments->lock);
    return segment;
}

enum err_code segment_write(struct segments *segments, uint32_t segment, uint64_t at,
                            struct bytes data, struct err *err)
{
    return file_write_at(segment_held(segments, segment)->fd, data, at, err);
}

enum err_code segment_sync(struct segments *segments, uint32_t segment, struct err *err)
{
    struct segment *held_segment = segment_held(segments, segment);
    bool synced_here = false;
    enum err_code rc = segment_sync_round(&held_segment->sync, held_segment->fd, &synced_here, err);
    if (synced_here)
        __atomic_fetch_add(&segments->syncs, 1, __ATOMIC_RELAXED);
    return rc;
}

int segment_punch(int fd, uint64_t offset, uint64_t len)
{
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int failed = 0;
    if (len == 0)
        return 0;
    do
        failed = fallocate(fd, mode, (off_t)offset, (off_t)len) == 0 ? 0 : errno;
    while (failed == EINTR);
    return failed == EOPNOTSUPP ? 0 : failed;
}

void segment_keep(struct segments *segments, const struct segment_space *space, uint64_t used)
{
    used = segment_round_up(used);
    uint64_t back = space->len - used;
    pthread_mutex_lock(&segments->lock);
    struct segment *segment = segment_find(segments, space->segment);
    segment->live -= back;
    segment->writers--;
    if (back && segment->bump == space->offset + space->len && !segment->sealed) {
        segment->bump -= back;
        /* Written and given up: the next writer must find no old bytes behind its own. */
        (void)segment_punch(segment->fd, segment->bump, back);
        (void)segment_allocate(segment->fd, segment->bump, back);
    } else if (back) {
        (void)segment_punch(segment->fd, space->offset + used, back);
    }
    if (segment->sealed)
        seal(segments, segment);
    pthread_mutex_unlock(&segments->lock);
}

enum err_code segment_open_read(struct segments *segments, uint32_t segment, bool direct,
                                int *ret_fd, struct err *err)
{
    char path[SEGMENT_PATH_MAX];
    segment_path(segments, segment, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | (direct ? O_DIRECT : 0));
    if (fd < 0 && errno == EINVAL)
        fd = open(path, O_RDONLY | O_CLOEXEC); /* a file system without O_DIRECT */
    if (fd < 0 && errno == ENOENT)
        return err_fail(err, ERR_CORRUPT, "segment '%s' is missing", path);
    if (fd < 0)
        return err_fail_sys(err, errno, "segment '%s'", path);
    *ret_fd = fd;
    return ERR_OK;
}

enum err_code segment_free(struct segments *segments, uint32_t segment, uint64_t offset,
                           uint64_t len, struct err *err)
{
    char path[SEGMENT_PATH_MAX];
    segment_path(segments, segment, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ERR_OK; /* lost: there is nothing to free */
    if (fd < 0)
        return err_fail_sys(err, errno, "segment '%s'", path);
    int failed = segment_punch(fd, offset, segment_round_up(len));
    close(fd);
    return failed ? err_fail_sys(err, failed, "hole in segment '%s'", path) : ERR_OK;
}

void segment_forget(struct segments *segments, uint32_t segment, uint64_t len)
{
    len = segment_round_up(len);
    pthread_mutex_lock(&segments->lock);
    struct segment *found = segment_find(segments, segment);
    if (found && !found->earlier && len <= found->live) { /* else the next start counts anew */
        found->live -= len;
        segment_unlink_if_empty(segments, found);
    }
    pthread_mutex_unlock(&segments->lock);
}

void segments_get_stats(struct segments *segments, struct segments_stats *ret_stats)
{
    *ret_stats = (struct segments_stats){0};
    pthread_mutex_lock(&segments->lock);
    ret_stats->files = segments->count;
    for (size_t i = 0; i < segments->count; i++) {
        ret_stats->file_bytes += segments->table[i]->size;
        ret_stats->live_bytes += segments->table[i]->live;
    }
    pthread_mutex_unlock(&segments->lock);
    ret_stats->syncs = __atomic_load_n(&segments->syncs, __ATOMIC_RELAXED);
}
