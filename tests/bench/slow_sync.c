/* slow_sync.c - LD_PRELOAD: each fdatasync and fsync takes SLOW_SYNC_MS (decimals
 * allowed) longer, as on a disk that has to move something. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_longer(void)
{
    const char *ms = getenv("SLOW_SYNC_MS");
    long long ns = ms ? (long long)(strtod(ms, NULL) * 1e6) : 0;
    struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (ns > 0 && nanosleep(&left, &left) != 0)
        continue;
}

int fdatasync(int fd)
{
    int result = (int)syscall(SYS_fdatasync, fd);
    wait_longer();
    return result;
}

int fsync(int fd)
{
    int result = (int)syscall(SYS_fsync, fd);
    wait_longer();
    return result;
}
