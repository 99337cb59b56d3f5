/* client.c - see client.h.
 *
 *   IDLE ── send ──> SENDING ── all is out ──> HEAD ── head is read ──> BODY ──> IDLE
 *
 * An answer that comes before the request is out counts as an error of the server. */
#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define ANSWER_MAX 8192   /* bytes of an answer kept: its head, and what came with it */
#define EVENTS_MAX 64     /* taken at once */
#define STALL_MS   120000 /* without any event: give up */

enum state { IDLE, SENDING, HEAD, BODY };

struct connection {
    enum state state;
    int fd;
    bool waits_for_room; /* EPOLLOUT is asked for */
    bool failed;         /* the answer is not a 2xx */
    bool closes;         /* after the answer */
    size_t head_len, sent;
    size_t got;         /* bytes of the answer's head */
    uint64_t body_left; /* bytes of the answer still to come */
    uint64_t body_len, began_ns;
    char head[REQUEST_HEAD_MAX];
    char answer[ANSWER_MAX];
};

struct client {
    const struct request_maker *maker;
    const struct job *job;
    struct client_result *result;
    struct connection *connections;
    int epoll;
    uint32_t busy; /* connections with a request on its way */
    uint64_t deadline_ns;
};

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- connections ---- */

int client_connect(const struct job *job)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(job->port)};
    if (fd < 0 || inet_pton(AF_INET, job->address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static void open_connection(struct client *client, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = client_connect(client->job);
    connection->state = IDLE;
    connection->waits_for_room = false;
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        die("epoll_ctl");
}

static void reopen_connection(struct client *client, struct connection *connection)
{
    close(connection->fd);
    open_connection(client, connection);
}

static void wait_for_room(struct client *client, struct connection *connection, bool wait)
{
    struct epoll_event event = {.events = EPOLLIN | (wait ? EPOLLOUT : 0), .data.ptr = connection};
    if (connection->waits_for_room != wait)
        epoll_ctl(client->epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->waits_for_room = wait;
}

/* ---- one request ---- */

/* Tell the first few failures, count them all. */
static void fail(struct client *client, struct connection *connection, const char *what)
{
    if (client->result->errors++ < 3)
        fprintf(stderr, "load: %s: %s: %.*s\n", client->job->name, what,
                (int)(connection->got < 600 ? connection->got : 600), connection->answer);
}

static void finish(struct client *client, struct connection *connection)
{
    if (connection->failed) {
        fail(client, connection, "refused");
    } else {
        histogram_add(&client->result->times, clock_mono_ns() - connection->began_ns);
        client->result->bytes += client->maker->body_len ? client->job->size : connection->body_len;
    }
    connection->state = IDLE;
    client->busy--;
}

static void lose(struct client *client, struct connection *connection, const char *what)
{
    if (connection->state != IDLE) {
        fail(client, connection, what);
        client->busy--;
    }
    reopen_connection(client, connection);
}

/* Send what is left; the state tells whether all is out. */
static void send_more(struct client *client, struct connection *connection)
{
    while (connection->state == SENDING) {
        size_t body_sent =
            connection->sent > connection->head_len ? connection->sent - connection->head_len : 0;
        size_t head_sent = connection->sent - body_sent;
        struct iovec pieces[] = {
            {connection->head + head_sent, connection->head_len - head_sent},
            {client->maker->body + body_sent, client->maker->body_len - body_sent},
        };
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN)
                lose(client, connection, "connection lost while sending");
            else
                wait_for_room(client, connection, true);
            return;
        }
        connection->sent += (size_t)sent;
        if (connection->sent == connection->head_len + client->maker->body_len)
            connection->state = HEAD;
    }
    wait_for_room(client, connection, false);
}

static void send_next(struct client *client, struct connection *connection)
{
    uint64_t now_ns = clock_mono_ns();
    if (client->result->sent >= client->job->count || now_ns >= client->deadline_ns)
        return;
    connection->head_len = request_head(client->maker, client->result->sent++, connection->head);
    connection->sent = connection->got = 0;
    connection->began_ns = now_ns;
    connection->state = SENDING;
    client->busy++;
    send_more(client, connection);
}

/* ---- its answer ---- */

/* The value of a field of the head, NULL where it is not there. */
static const char *field(const struct connection *connection, const char *name)
{
    const char *found = strcasestr(connection->answer, name);
    return found ? found + strlen(name) : NULL;
}

static bool has_body(const struct client *client, int status)
{
    return client->job->op != JOB_HEAD && status != 204 && status != 304;
}

/* Read the head once it is whole. */
static void read_head(struct client *client, struct connection *connection)
{
    connection->answer[connection->got] = 0;
    char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end) {
        if (connection->got == ANSWER_MAX - 1)
            lose(client, connection, "an answer whose head is too long");
        return;
    }
    end[3] = 0; /* fields are looked for in the head alone */
    int status = atoi(connection->answer + strlen("HTTP/1.1 "));
    const char *length = field(connection, "\r\nContent-Length: ");
    connection->failed = status < 200 || status > 299;
    connection->closes = field(connection, "\r\nConnection: close") != NULL;
    connection->body_len = length && has_body(client, status) ? strtoull(length, NULL, 10) : 0;
    size_t came = connection->got - (size_t)(end + 4 - connection->answer);
    end[3] = '\n';
    connection->body_left = connection->body_len > came ? connection->body_len - came : 0;
    connection->state = BODY;
}

/* One recv; false where nothing came, or the connection is another one now. */
static bool receive(struct client *client, struct connection *connection)
{
    ssize_t got;
    if (connection->state == BODY)
        got = recv(connection->fd, NULL, connection->body_left, MSG_TRUNC);
    else
        got = recv(connection->fd, connection->answer + connection->got,
                   ANSWER_MAX - 1 - connection->got, 0);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        lose(client, connection, "connection lost");
        return false;
    }
    if (connection->state == BODY)
        connection->body_left -= (uint64_t)got;
    else
        connection->got += (size_t)got;
    return true;
}

static void receive_more(struct client *client, struct connection *connection)
{
    while (receive(client, connection)) {
        if (connection->state == SENDING || connection->state == IDLE) {
            lose(client, connection, "an answer before the request was out");
            return;
        }
        if (connection->state == HEAD)
            read_head(client, connection);
        if (connection->state == BODY && connection->body_left == 0) {
            finish(client, connection);
            if (connection->closes)
                reopen_connection(client, connection);
            return;
        }
    }
}

/* ---- all of them ---- */

static void handle(struct client *client, const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;
    if (event->events & EPOLLOUT)
        send_more(client, connection);
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive_more(client, connection);
    if (connection->state == IDLE)
        send_next(client, connection);
}

void client_run(struct client *client, struct client_result *result)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t start_ns = clock_mono_ns();
    client->result = result;
    client->deadline_ns = start_ns + client->job->ms * 1000000ull;
    for (uint32_t i = 0; i < client->job->connections; i++)
        send_next(client, &client->connections[i]);
    while (client->busy) {
        int count = epoll_wait(client->epoll, events, EVENTS_MAX, STALL_MS);
        if (count == 0) {
            errno = ETIMEDOUT;
            die("no answer");
        }
        for (int i = 0; i < count; i++)
            handle(client, &events[i]);
    }
    result->elapsed_ns = clock_mono_ns() - start_ns;
}

struct client *client_open(const struct request_maker *maker)
{
    struct client *client = calloc(1, sizeof(*client));
    const struct job *job = maker->job;
    if (!client)
        die("memory");
    *client = (struct client){.maker = maker, .job = job, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    client->connections = calloc(job->connections, sizeof(*client->connections));
    if (!client->connections || client->epoll < 0)
        die("epoll");
    for (uint32_t i = 0; i < job->connections; i++)
        open_connection(client, &client->connections[i]);
    return client;
}

void client_close(struct client *client)
{
    for (uint32_t i = 0; i < client->job->connections; i++)
        close(client->connections[i].fd);
    close(client->epoll);
    free(client->connections);
    free(client);
}
