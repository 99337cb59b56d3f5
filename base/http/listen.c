/* listen.c - accepts connections itself, so that the caps are ours: one above
 * a cap gets 503 at once, without a thread, and without blocking the others.
 *
 * Owns      the acceptor thread.
 * Threads   the acceptor alone touches spare_fd. */
#include "base/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/http/conn.h"
#include "base/http/mhd.h"
#include "base/limits.h"

#define BACKLOG  1024
#define PAUSE_MS 50 /* before accepting again when the system is out of something */

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t address_len(const union any_address *address)
{
    return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

/* Cut "host:port" into both; brackets around an IPv6 host go. */
static bool cut_address(struct bytes text, struct bytes *ret_host, uint64_t *ret_port)
{
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] != ':')
        at--;
    if (at == 0 || !bytes_to_u64(bytes_from(text, at), UINT16_MAX, ret_port))
        return false;
    *ret_host = bytes_first(text, at - 1);
    return true;
}

static bool parse_address(const char *text, union any_address *ret_address)
{
    struct bytes host;
    uint64_t port;
    if (!cut_address(bytes_of_str(text), &host, &port))
        return false;
    *ret_address = (union any_address){.v6 = {.sin6_family = AF_INET6,
                                              .sin6_port = htons((uint16_t)port),
                                              .sin6_addr = IN6ADDR_ANY_INIT}};
    if (host.len == 0)
        return true;
    char name[INET6_ADDRSTRLEN + 2];
    if (host.len >= sizeof(name))
        return false;
    memcpy(name, host.data, host.len);
    name[host.len] = 0;
    if (name[0] == '[' && name[host.len - 1] == ']') {
        name[host.len - 1] = 0;
        return inet_pton(AF_INET6, name + 1, &ret_address->v6.sin6_addr) == 1;
    }
    ret_address->v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, name, &ret_address->v4.sin_addr) == 1;
}

static enum err_code write_address(struct http_front *front, struct err *err)
{
    union any_address bound = {0};
    socklen_t len = sizeof(bound);
    if (getsockname(front->listen_fd, &bound.any, &len) != 0)
        return err_fail_sys(err, errno, "getsockname");
    char ip[INET6_ADDRSTRLEN];
    if (bound.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &bound.v4.sin_addr, ip, sizeof(ip));
        snprintf(front->address, sizeof(front->address), "%s:%u", ip, ntohs(bound.v4.sin_port));
    } else {
        inet_ntop(AF_INET6, &bound.v6.sin6_addr, ip, sizeof(ip));
        snprintf(front->address, sizeof(front->address), "[%s]:%u", ip, ntohs(bound.v6.sin6_port));
    }
    return ERR_OK;
}

static enum err_code bind_socket(int fd, const union any_address *address, const char *text,
                                 struct err *err)
{
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, &address->any, address_len(address)) == 0 && listen(fd, BACKLOG) == 0)
        return ERR_OK;
    if (errno == EADDRINUSE)
        return err_fail(err, ERR_BUSY, "'%s' is in use by another program", text);
    if (errno == EADDRNOTAVAIL)
        return err_fail(err, ERR_INVALID, "'%s' is no address of this machine", text);
    return err_fail_sys(err, errno, "listen on '%s'", text);
}

bool http_address_ok(const char *address)
{
    union any_address parsed;
    return parse_address(address, &parsed);
}

enum err_code listen_open(struct http_front *front, const char *text, struct err *err)
{
    union any_address address;
    if (!parse_address(text, &address))
        return err_fail(err, ERR_INVALID, "'%s' is not ADDRESS:PORT", text);
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    front->listen_fd = socket(address.any.sa_family, type, 0);
    if (front->listen_fd < 0 && errno == EAFNOSUPPORT && text[0] == ':') {
        address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = address.v6.sin6_port};
        front->listen_fd = socket(AF_INET, type, 0);
    }
    front->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    front->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (front->listen_fd < 0 || front->wake_fd < 0 || front->spare_fd < 0)
        return err_fail_sys(err, errno, "sockets of the front");
    if (bind_socket(front->listen_fd, &address, text, err) != ERR_OK)
        return err->code;
    return write_address(front, err);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void listen_close(struct http_front *front)
{
    close_fd(&front->listen_fd);
    close_fd(&front->wake_fd);
    close_fd(&front->spare_fd);
}

/* Say 503 and close, without waiting for anything. */
static void refuse(const struct http_front *front, int fd)
{
    static const char TEXT[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Retry-After: 1\r\nConnection: close\r\n\r\n";
    if (!front->tls)
        (void)!send(fd, TEXT, sizeof(TEXT) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)!recv(fd, NULL, MIB(1), MSG_TRUNC | MSG_DONTWAIT); /* else the close is a reset */
    close(fd);
}

static void take(struct http_front *front, int fd, const union any_address *address)
{
    struct http_conn *conn;
    enum caps_verdict verdict = conn_add(front, fd, &address->any, &conn);
    if (verdict == CAPS_PEER_FULL)
        metrics_add(&front->refused_address, 1);
    else if (verdict == CAPS_FULL || !conn)
        metrics_add(&front->refused_total, 1);
    if (!conn) {
        refuse(front, fd);
        return;
    }
    metrics_add(&front->accepted, 1);
    if (!mhd_add(front->mhd, fd, &address->any, address_len(address)))
        conn_forget(conn);
}

/* Out of descriptors: give up the spare one, and use it to say 503. */
static void refuse_with_spare(struct http_front *front)
{
    close_fd(&front->spare_fd);
    int fd = accept4(front->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        metrics_add(&front->refused_total, 1);
        refuse(front, fd);
    }
    front->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Accept one. Returns false when there is none to be had now. */
static bool accept_one(struct http_front *front)
{
    union any_address address = {0};
    socklen_t len = sizeof(address);
    int fd = accept4(front->listen_fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        take(front, fd, &address);
        return true;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return false;
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM)
        return true;
    if (errno == EMFILE || errno == ENFILE)
        refuse_with_spare(front);
    struct pollfd wake = {.fd = front->wake_fd, .events = POLLIN};
    poll(&wake, 1, PAUSE_MS);
    return false;
}

static void *run(void *ctx)
{
    struct http_front *front = ctx;
    while (!atomic_load(&front->stopping)) {
        struct pollfd wait[] = {{.fd = front->listen_fd, .events = POLLIN},
                                {.fd = front->wake_fd, .events = POLLIN}};
        poll(wait, 2, -1);
        while (!atomic_load(&front->stopping) && accept_one(front))
            ;
    }
    return NULL;
}

enum err_code listen_start(struct http_front *front, struct err *err)
{
    int failed = pthread_create(&front->acceptor, NULL, run, front);
    if (failed)
        return err_fail_sys(err, failed, "acceptor thread");
    front->has_acceptor = true;
    return ERR_OK;
}

void listen_stop(struct http_front *front)
{
    uint64_t one = 1;
    if (!front->has_acceptor)
        return;
    (void)!write(front->wake_fd, &one, sizeof(one));
    pthread_join(front->acceptor, NULL);
    front->has_acceptor = false;
    close_fd(&front->listen_fd); /* or the kernel would go on taking connections for us */
}
