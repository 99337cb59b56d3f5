/* reserve.c - see reserve.h. */
#include "appliance/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAT_BLOCK 512 /* bytes, the unit of st_blocks */

static enum err_code reserve_path(const char *dir, char ret_path[PATH_MAX], struct err *err)
{
    int len = snprintf(ret_path, PATH_MAX, "%s/reserve", dir);
    if (len < 0 || len >= PATH_MAX)
        return err_fail(err, ERR_INVALID, "the path of the data folder is too long");
    return ERR_OK;
}

/* A sparse file, as a copy of the folder may make it, holds what it has. */
uint64_t reserve_held(const char *dir)
{
    char path[PATH_MAX];
    struct stat status;
    if (reserve_path(dir, path, NULL) != ERR_OK || stat(path, &status) != 0)
        return 0;
    uint64_t size = (uint64_t)status.st_size;
    uint64_t allocated = (uint64_t)status.st_blocks * STAT_BLOCK;
    return size < allocated ? size : allocated;
}

/* returns  0 or an errno */
static int allocate(int fd, uint64_t bytes)
{
    int failed = ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
    if (!failed)
        failed = posix_fallocate(fd, 0, (off_t)bytes);
    if (!failed && fsync(fd) != 0)
        failed = errno;
    return failed;
}

enum err_code reserve_take(const char *dir, uint64_t bytes, struct err *err)
{
    char path[PATH_MAX];
    uint64_t before = reserve_held(dir);
    enum err_code code = reserve_path(dir, path, err);
    if (code != ERR_OK || before == bytes)
        return code;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_fail_sys(err, errno, "making '%s'", path);
    int failed = allocate(fd, bytes);
    if (failed)
        (void)!ftruncate(fd, (off_t)before);
    close(fd);
    if (failed && before == 0)
        unlink(path);
    if (failed)
        return err_fail_sys(err, failed, "holding %llu MiB back in '%s'",
                            (unsigned long long)bytes >> 20, path);
    return ERR_OK;
}

enum err_code reserve_give(const char *dir, uint64_t bytes, struct err *err)
{
    char path[PATH_MAX];
    uint64_t before = reserve_held(dir);
    enum err_code code = reserve_path(dir, path, err);
    if (code != ERR_OK || before == 0)
        return code;
    int failed = bytes < before ? truncate(path, (off_t)(before - bytes)) : unlink(path);
    return failed ? err_fail_sys(err, errno, "giving up '%s'", path) : ERR_OK;
}
