/* raw.h - for the tests of base/http: a front with the service of
 * raw_service.h behind it, and a client that sends any bytes and reads replies
 * from a bare socket.
 *
 * Owns      one front at a time, on a port of 127.0.0.1.
 * Threads   the test's. */
#ifndef TESTS_UNIT_BASE_HTTP_RAW_H
#define TESTS_UNIT_BASE_HTTP_RAW_H

#include "tests/unit/base/http/raw_service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

const char *MHD_get_version(void); /* microhttpd.h is mhd.c's alone */

/* libmicrohttpd before 0.9.77: lenient where it does not let us look. */
static inline bool raw_library_is_lenient(void)
{
    return strncmp(MHD_get_version(), "0.9.7", 5) == 0 && MHD_get_version()[5] < '7';
}

struct raw_reply {
    int status; /* 0: none came */
    char head[16384];
    uint8_t body[1 << 16]; /* the first bytes of it */
    size_t body_len;       /* as long as it really was */
    bool complete;         /* all that Content-Length or the last chunk promised */
};

static inline void raw_start_at(struct raw_front *raw, const char *address,
                                const struct http_options *options)
{
    struct http_service service = {raw, raw_head, raw_body, raw_end, raw_done};
    struct err err;
    memset(raw, 0, sizeof(*raw));
    log_set_level(LOG_ERROR);
    if (http_front_start(address, options, &service, &raw->front, &err) != ERR_OK)
        fail_msg("%s", err.msg);
}

static inline void raw_start(struct raw_front *raw, const struct http_options *options)
{
    static const struct http_options DEFAULTS = {.connections_max = 600,
                                                 .connections_per_address_max = 10};
    raw_start_at(raw, "127.0.0.1:0", options ? options : &DEFAULTS);
}

static inline void raw_stop(struct raw_front *raw)
{
    http_front_stop(raw->front, 2000);
    http_front_free(TAKE(raw->front));
    assert_int_equal(atomic_load(&raw->heads), atomic_load(&raw->dones));
}

static inline uint16_t raw_port(const struct raw_front *raw)
{
    const char *colon = strrchr(http_front_address(raw->front), ':');
    return (uint16_t)atoi(colon + 1);
}

/* Connect; replies are waited for 20 s. */
static inline int raw_connect(const struct raw_front *raw)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval wait = {.tv_sec = 20};
    struct sockaddr_in address = {.sin_family = AF_INET};
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(raw_port(raw));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Send as much as the other side takes; false where it closed before the end. */
static inline bool raw_send_bytes(int fd, struct bytes data)
{
    while (data.len > 0) {
        ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data = bytes_from(data, (size_t)sent);
    }
    return true;
}

static inline bool raw_send(int fd, const char *text)
{
    return raw_send_bytes(fd, bytes_of_str(text));
}

/* The value of a reply's field (its name in the case it is sent with), "" without. */
static inline const char *raw_field(const struct raw_reply *reply, const char *name)
{
    static char value[512];
    char wanted[128];
    snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
    const char *at = strstr(reply->head, wanted);
    if (!at)
        return "";
    at += strlen(wanted);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static inline bool raw_get(int fd, uint8_t *ret_byte)
{
    return recv(fd, ret_byte, 1, 0) == 1;
}

static inline bool raw_read_head(int fd, struct raw_reply *reply)
{
    size_t len = 0;
    while (len < sizeof(reply->head) - 1 && raw_get(fd, (uint8_t *)reply->head + len)) {
        reply->head[++len] = 0;
        if (len >= 4 && memcmp(reply->head + len - 4, "\r\n\r\n", 4) == 0)
            return sscanf(reply->head, "HTTP/1.1 %d", &reply->status) == 1;
    }
    return false;
}

/* Read `len` bytes of body into what room there is. */
static inline bool raw_read_body(int fd, struct raw_reply *reply, uint64_t len)
{
    uint8_t spill[65536];
    while (len > 0) {
        size_t room = sizeof(reply->body) - reply->body_len;
        bool keep = reply->body_len < sizeof(reply->body);
        size_t want = keep ? room : sizeof(spill);
        ssize_t got = recv(fd, keep ? reply->body + reply->body_len : spill,
                           len < want ? (size_t)len : want, 0);
        if (got <= 0)
            return false;
        reply->body_len += (size_t)got;
        len -= (uint64_t)got;
    }
    return true;
}

static inline bool raw_read_chunks(int fd, struct raw_reply *reply)
{
    for (;;) {
        char line[32] = "";
        size_t len = 0;
        while (len < sizeof(line) - 1 && raw_get(fd, (uint8_t *)line + len) && line[len++] != '\n')
            continue;
        char *end;
        uint64_t size = strtoull(line, &end, 16);
        if (end == line || !raw_read_body(fd, reply, size))
            return false;
        uint8_t crlf[2];
        if (!raw_get(fd, crlf) || !raw_get(fd, crlf + 1))
            return false;
        if (size == 0)
            return true;
    }
}

/* Read one reply; `bodiless` for HEAD. 100 Continue is a reply of its own. */
static inline int raw_read_reply(int fd, bool bodiless, struct raw_reply *reply)
{
    reply->status = 0;
    reply->body_len = 0;
    reply->head[0] = 0;
    reply->complete = false;
    if (!raw_read_head(fd, reply))
        return reply->status = 0;
    if (bodiless || reply->status < 200 || reply->status == 204 || reply->status == 304)
        reply->complete = true;
    else if (strcmp(raw_field(reply, "Transfer-Encoding"), "chunked") == 0)
        reply->complete = raw_read_chunks(fd, reply);
    else
        reply->complete =
            raw_read_body(fd, reply, strtoull(raw_field(reply, "Content-Length"), NULL, 10));
    return reply->status;
}

/* The other side has closed, and sent nothing more. A reset counts. */
static inline bool raw_is_closed(int fd)
{
    uint8_t byte;
    return !raw_get(fd, &byte);
}

/* The other side closes within `wait_ms` of its last byte, and not by a reset,
 * which could destroy what it said before. */
static inline bool raw_closes(int fd, int wait_ms)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    uint8_t spill[512];
    ssize_t got = -1;
    while (poll(&look, 1, wait_ms) > 0)
        if ((got = recv(fd, spill, sizeof(spill), 0)) <= 0)
            break;
    look.events = 0; /* a reset may follow the end */
    return got == 0 && (poll(&look, 1, 20) == 0 || !(look.revents & POLLERR));
}

/* Send `request` on a connection of its own and read the reply; `ret_closed`
 * tells whether the connection was closed after it. */
static inline int raw_ask(const struct raw_front *raw, struct bytes request,
                          struct raw_reply *reply, bool *ret_closed)
{
    int fd = raw_connect(raw);
    raw_send_bytes(fd, request);
    raw_read_reply(fd, bytes_starts_with(request, BYTES_LIT("HEAD")), reply);
    if (ret_closed)
        *ret_closed = raw_closes(fd, 300);
    close(fd);
    return reply->status;
}

/* Wait until done() was called as often as head(). */
static inline void raw_settle(struct raw_front *raw)
{
    for (int i = 0; i < 2000 && atomic_load(&raw->heads) != atomic_load(&raw->dones); i++)
        poll(NULL, 0, 5);
    assert_int_equal(atomic_load(&raw->heads), atomic_load(&raw->dones));
}

/* The front still answers. */
static inline void raw_assert_alive(struct raw_front *raw)
{
    struct raw_reply *reply = malloc(sizeof(*reply));
    assert_non_null(reply);
    assert_int_equal(raw_ask(raw, BYTES_LIT("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n"), reply, NULL),
                     200);
    free(reply);
}

#endif
