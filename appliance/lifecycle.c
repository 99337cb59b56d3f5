/* lifecycle.c - see lifecycle.h. */
#include "appliance/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_DESCRIPTORS        320 /* most that the box has beside its connections: tables, logs */
#define CONNECTION_DESCRIPTORS 2   /* its socket, and a segment that is read or begun */

/* A store file opened as descriptor 2 would be written over by log lines. */
static void open_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        abort();
    close(fd);
}

void lifecycle_prepare(void)
{
    open_standard_descriptors();
    umask(077);
    signal(SIGPIPE, SIG_IGN);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)!setrlimit(RLIMIT_NOFILE, &limit);
}

enum err_code lifecycle_start(int *ret_fd, struct err *err)
{
    raise_descriptor_limit();
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
        return err_fail_sys(err, errno, "blocking signals");
    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd < 0)
        return err_fail_sys(err, errno, "making a descriptor for signals");
    *ret_fd = fd;
    return ERR_OK;
}

uint32_t lifecycle_connections(uint32_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    uint64_t own = limit.rlim_cur / 2 < OWN_DESCRIPTORS ? limit.rlim_cur / 2 : OWN_DESCRIPTORS;
    uint64_t most = (limit.rlim_cur - own) / CONNECTION_DESCRIPTORS;
    if (most < 1)
        most = 1;
    return most < wanted ? (uint32_t)most : wanted;
}

const char *lifecycle_wait(int fd)
{
    struct signalfd_siginfo info;
    ssize_t len;
    do {
        len = read(fd, &info, sizeof(info));
    } while (len < 0 && errno == EINTR);
    if (len != (ssize_t)sizeof(info))
        return "unknown";
    return info.ssi_signo == SIGTERM ? "SIGTERM" : info.ssi_signo == SIGINT ? "SIGINT" : "SIGHUP";
}
