/* segment_new.c - segment.h: new segment files. They begin small and grow by
 * doubling, so that a box with little in it takes little of the disk. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/obj/segment_internal.h"

#define FIRST_BYTES       MIB(16) /* preallocated at once, at least */
#define SEGMENT_BYTES_MIN MIB(4)  /* smallest new segment on a nearly full disk */

static int create_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_DIRECT, 0600);
    if (fd < 0 && errno == EINVAL) {
        unlink(path); /* a file system without O_DIRECT may have made it all the same */
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    return fd;
}

int segment_allocate(int fd, uint64_t at, uint64_t len)
{
    int failed;
    do
        failed = posix_fallocate(fd, (off_t)at, (off_t)len);
    while (failed == EINTR);
    return failed;
}

/* As large as the disk allows, so that its last megabytes can be used. */
static int preallocate(int fd, uint64_t want, uint64_t *ret_size)
{
    for (uint64_t size = want; size >= SEGMENT_BYTES_MIN; size = segment_round_up(size / 2)) {
        int failed = segment_allocate(fd, 0, size);
        if (failed == 0) {
            *ret_size = size;
            return 0;
        }
        if (failed != ENOSPC)
            return failed;
        if (ftruncate(fd, 0) != 0)
            return errno;
    }
    return ENOSPC;
}

/* What a file of `size` bytes grows to when `needed` bytes have to fit. */
static uint64_t next_size(const struct segments *segments, uint64_t size, uint64_t needed)
{
    uint64_t next = size * 2 > FIRST_BYTES ? size * 2 : FIRST_BYTES;
    if (next < needed)
        next = segment_round_up(needed);
    return next < segments->segment_bytes ? next : segments->segment_bytes;
}

void segment_grow(struct segments *segments, struct segment *segment, uint64_t want)
{
    uint64_t size = next_size(segments, segment->size, segment->bump + want);
    if (size <= segment->size)
        return;
    if (segment_allocate(segment->fd, segment->size, size - segment->size) == 0)
        segment->size = size;
    else
        (void)!ftruncate(segment->fd, (off_t)segment->size); /* what it got of it goes back */
}

enum err_code segment_make_active(struct segments *segments, uint64_t want, struct err *err)
{
    uint32_t number = segments->next_number;
    if (number == 0)
        return err_fail(err, ERR_LIMIT, "the numbers of segments are used up");
    char path[SEGMENT_PATH_MAX];
    segment_path(segments, number, path);
    int fd = create_file(path);
    if (fd < 0)
        return err_fail_sys(err, errno, "new segment '%s'", path);
    uint64_t size = 0;
    int failed = preallocate(fd, next_size(segments, 0, want), &size);
    struct segment *segment;
    enum err_code rc = failed ? err_fail_sys(err, failed, "space for segment '%s'", path)
                              : file_sync_dir(segments->dir, err);
    if (rc == ERR_OK)
        rc = segment_add(segments, number, &segment, err);
    if (rc != ERR_OK) {
        close(fd);
        unlink(path);
        return rc;
    }
    segment->fd = fd;
    segment->size = size;
    segments->active = segment;
    return ERR_OK;
}
