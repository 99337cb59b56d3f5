/* control_socket.c - see control_socket.h. */
#include "appliance/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define PIECE_BYTES 4096

enum err_code control_socket_address(const char *dir, int *ret_dir_fd,
                                     struct sockaddr_un *ret_address, struct err *err)
{
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_fail(err, ERR_NOT_FOUND, "no folder '%s'", dir);
    if (fd < 0)
        return err_fail_sys(err, errno, "opening the folder '%s'", dir);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/control", fd);
    *ret_dir_fd = fd;
    return ERR_OK;
}

/* Wait for `events` until the deadline. */
static enum err_code wait_for(int fd, short events, uint64_t deadline_ms, struct err *err)
{
    for (;;) {
        uint64_t now = clock_mono_ms(clock_system());
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int ready = now < deadline_ms ? poll(&poll_fd, 1, (int)(deadline_ms - now)) : 0;
        if (ready > 0)
            return ERR_OK;
        if (ready == 0)
            return err_fail(err, ERR_TIMEOUT, "the other end of the control socket is silent");
        if (errno != EINTR)
            return err_fail_sys(err, errno, "waiting for the control socket");
    }
}

/* Append what is there. ret_done: a newline came; it and what follows is cut. */
static enum err_code read_piece(int fd, struct buf *line, bool *ret_done, struct err *err)
{
    uint8_t piece[PIECE_BYTES];
    ssize_t len = recv(fd, piece, sizeof(piece), 0);
    if (len < 0 && (errno == EINTR || errno == EAGAIN))
        return ERR_OK;
    if (len < 0)
        return err_fail_sys(err, errno, "reading the control socket");
    if (len == 0)
        return err_fail(err, ERR_CLOSED, "the control socket was closed");
    struct bytes read = bytes_of(piece, (size_t)len);
    ptrdiff_t newline = bytes_find(read, '\n');
    *ret_done = newline >= 0;
    buf_append(line, *ret_done ? bytes_first(read, (size_t)newline) : read);
    if (!buf_ok(line))
        return err_fail(err, line->failed, "a line on the control socket is too long");
    return ERR_OK;
}

enum err_code control_socket_read_line(int fd, struct buf *line, int timeout_ms, struct err *err)
{
    uint64_t deadline_ms = clock_mono_ms(clock_system()) + (uint64_t)timeout_ms;
    bool done = false;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && !done) {
        code = wait_for(fd, POLLIN, deadline_ms, err);
        if (code == ERR_OK)
            code = read_piece(fd, line, &done, err);
    }
    return code;
}

enum err_code control_socket_write(int fd, struct bytes text, int timeout_ms, struct err *err)
{
    uint64_t deadline_ms = clock_mono_ms(clock_system()) + (uint64_t)timeout_ms;
    while (text.len) {
        enum err_code code = wait_for(fd, POLLOUT, deadline_ms, err);
        if (code != ERR_OK)
            return code;
        ssize_t len = send(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (len < 0 && errno != EINTR && errno != EAGAIN)
            return err_fail(err, ERR_CLOSED, "the control socket was closed");
        if (len > 0)
            text = bytes_from(text, (size_t)len);
    }
    return ERR_OK;
}
