/* io_fail.h - make the N-th call that touches a disk fail, as alloc_fail.h does
 * for memory. A test that includes this names the wraps in its header comment:
 *
 *      * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 *      * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 *
 * (the names that _FILE_OFFSET_BITS=64 gives the calls).
 *
 * Include once in a program, after cmocka.h.
 * Threads   any; the N-th call counts over all of them. */
#ifndef TESTS_UNIT_IO_FAIL_H
#define TESTS_UNIT_IO_FAIL_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

static atomic_long io_fail_left; /* calls until the one that fails; 0 and below: none will */
static atomic_bool io_fail_hit;
static atomic_int io_fail_errno = EIO;

/* Make the nth call from now on (1 = the next) fail, once, with this errno. */
static inline void io_fail_arm(long nth, int errno_value)
{
    atomic_store(&io_fail_errno, errno_value);
    atomic_store(&io_fail_hit, false);
    atomic_store(&io_fail_left, nth);
}

/* Let all succeed again. returns  whether one failed since it was armed */
static inline bool io_fail_disarm(void)
{
    atomic_store(&io_fail_left, 0);
    return atomic_load(&io_fail_hit);
}

static inline bool io_fail_now(void)
{
    bool now = atomic_load(&io_fail_left) > 0 && atomic_fetch_sub(&io_fail_left, 1) == 1;
    if (now) {
        atomic_store(&io_fail_hit, true);
        errno = atomic_load(&io_fail_errno);
    }
    return now;
}

/* ssize_t or int calls that answer -1 with errno. */
#define IO_FAIL_WRAP(type, name, parameters, arguments)                                            \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return io_fail_now() ? -1 : __real_##name arguments;                                       \
    }

IO_FAIL_WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t len, off_t at),
             (fd, data, len, at))
IO_FAIL_WRAP(ssize_t, pread64, (int fd, void *data, size_t len, off_t at), (fd, data, len, at))
IO_FAIL_WRAP(int, fdatasync, (int fd), (fd))
IO_FAIL_WRAP(int, fsync, (int fd), (fd))
IO_FAIL_WRAP(int, fallocate64, (int fd, int mode, off_t at, off_t len), (fd, mode, at, len))
IO_FAIL_WRAP(int, ftruncate64, (int fd, off_t len), (fd, len))

/* This one answers the errno itself. */
int __real_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len)
{
    return io_fail_now() ? atomic_load(&io_fail_errno) : __real_posix_fallocate64(fd, at, len);
}

#endif
