/* conn.c - the list of connections, and the word that says where each stands.
 *
 * The word is serial << 8 | phase. Its own thread moves it through phase.c's
 * table; the watcher and a stop may move it to DROPPED, by compare-and-swap on
 * what they looked at, so that a request which came or ended meanwhile is
 * never cut for what the one before it did.
 *
 * Owns      every struct http_conn, from conn_add to conn_forget or conn_closed.
 * Threads   acceptor, libmicrohttpd's thread, connections' threads, watcher. */
#include "base/http/conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

#define DRAIN_STEP_BYTES KIB(256)
#define LAST_DRAIN_BYTES MIB(1) /* thrown away without waiting, before a close */
#define CALL_ROOM        256    /* bytes below a frame for a call that needs no stack itself */

static void link_in(struct http_conn **list, struct http_conn *conn)
{
    conn->prev = NULL;
    conn->next = *list;
    if (*list)
        (*list)->prev = conn;
    *list = conn;
}

static void unlink_from(struct http_conn **list, struct http_conn *conn)
{
    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        *list = conn->next;
}

static struct http_conn *find_arriving(struct http_front *front, int fd)
{
    struct http_conn *conn = front->arriving;
    while (conn && conn->fd != fd)
        conn = conn->next;
    return conn;
}

static void release(struct http_conn *conn)
{
    arena_done(&conn->arena);
    free(conn);
}

/* libmicrohttpd closes a socket without a word when memory is out before the
 * connection starts. Its number coming back tells. */
static void forget_stale(struct http_front *front, int fd)
{
    struct http_conn *stale = find_arriving(front, fd);
    if (!stale)
        return;
    unlink_from(&front->arriving, stale);
    caps_give(&front->caps, &stale->peer);
    release(stale);
}

static void write_peer(struct http_conn *conn, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *ip =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(ip))
            inet_ntop(AF_INET, ip->s6_addr + 12, conn->peer_text, sizeof(conn->peer_text));
        else
            inet_ntop(AF_INET6, ip, conn->peer_text, sizeof(conn->peer_text));
    } else if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                  conn->peer_text, sizeof(conn->peer_text));
    }
}

static struct http_conn *make(struct http_front *front, int fd, const struct caps_peer *peer,
                              const struct sockaddr *address)
{
    struct http_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    conn->front = front;
    conn->fd = fd;
    conn->peer = *peer;
    conn->request.conn = conn;
    conn->mark = watch_begin(clock_mono_ms(clock_system()));
    arena_init(&conn->arena, HTTP_ARENA_MAX);
    write_peer(conn, address);
    return conn;
}

enum caps_verdict conn_add(struct http_front *front, int fd, const struct sockaddr *address,
                           struct http_conn **ret_conn)
{
    struct caps_peer peer = caps_peer_of(address);
    struct http_conn *conn = make(front, fd, &peer, address);
    pthread_mutex_lock(&front->lock);
    forget_stale(front, fd);
    enum caps_verdict verdict = conn ? caps_take(&front->caps, &peer) : CAPS_FREE;
    if (conn && verdict == CAPS_FREE)
        link_in(&front->arriving, conn);
    pthread_mutex_unlock(&front->lock);
    if (conn && verdict != CAPS_FREE)
        release(TAKE(conn));
    *ret_conn = conn;
    return verdict;
}

static void remove_from(struct http_conn **list, struct http_conn *conn)
{
    struct http_front *front = conn->front;
    pthread_mutex_lock(&front->lock);
    unlink_from(list, conn);
    caps_give(&front->caps, &conn->peer);
    if (front->caps.all == 0 && atomic_load(&front->stopping))
        pthread_cond_broadcast(&front->changed);
    pthread_mutex_unlock(&front->lock);
    release(conn);
}

void conn_forget(struct http_conn *conn)
{
    remove_from(&conn->front->arriving, conn);
}

void conn_forget_all(struct http_front *front)
{
    while (front->arriving)
        conn_forget(front->arriving);
}

struct http_conn *conn_started(struct http_front *front, int fd)
{
    pthread_mutex_lock(&front->lock);
    struct http_conn *conn = find_arriving(front, fd);
    assert(conn);
    unlink_from(&front->arriving, conn);
    link_in(&front->conns, conn);
    if (atomic_load(&front->stopping))
        conn_drop(conn, atomic_load(&conn->word), false);
    pthread_mutex_unlock(&front->lock);
    return conn;
}

/* Bytes left unread turn a close into a reset, which can destroy a reply that
 * the client has not read yet. */
static void drain_what_is_there(int fd)
{
    size_t total = 0;
    ssize_t got;
    do {
        got = recv(fd, NULL, DRAIN_STEP_BYTES, MSG_TRUNC | MSG_DONTWAIT);
        total += got > 0 ? (size_t)got : 0;
    } while (got > 0 && total < LAST_DRAIN_BYTES);
}

void conn_closed(struct http_conn *conn)
{
    drain_what_is_there(conn->fd);
    remove_from(&conn->front->conns, conn);
}

enum phase conn_post(struct http_conn *conn, enum phase_event event)
{
    uint64_t word = atomic_load(&conn->word);
    enum phase next;
    uint64_t wanted;
    do {
        next = phase_next(conn_phase(word), event);
        wanted = (conn_serial(word) + (event == PHASE_ON_HEAD)) << 8 | next;
    } while (!atomic_compare_exchange_weak(&conn->word, &word, wanted));
    return next;
}

/* Nothing of a reply has gone out in these phases, so plain text can be said here. */
static void say_timeout(const struct http_conn *conn)
{
    static const char TEXT[] =
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    if (!conn->front->tls)
        (void)!send(conn->fd, TEXT, sizeof(TEXT) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool conn_drop(struct http_conn *conn, uint64_t word, bool owed)
{
    enum phase next = phase_next(conn_phase(word), PHASE_ON_DROP);
    uint64_t wanted = conn_serial(word) << 8 | next;
    if (!atomic_compare_exchange_strong(&conn->word, &word, wanted))
        return false;
    if (owed)
        say_timeout(conn);
    shutdown(conn->fd, SHUT_RDWR);
    return true;
}

void conn_drop_all(struct http_front *front, bool all)
{
    pthread_mutex_lock(&front->lock);
    for (struct http_conn *conn = front->conns; conn; conn = conn->next) {
        uint64_t word = atomic_load(&conn->word);
        while ((all || conn_phase(word) == PHASE_IDLE) && !conn_drop(conn, word, false))
            word = atomic_load(&conn->word);
    }
    pthread_mutex_unlock(&front->lock);
}

void conn_wait_none(struct http_front *front, uint64_t wait_ms)
{
    uint64_t end_ms = clock_mono_ms(clock_system()) + wait_ms;
    struct timespec until = {.tv_sec = (time_t)(end_ms / 1000),
                             .tv_nsec = (long)(end_ms % 1000) * 1000000};
    int waited = 0;
    pthread_mutex_lock(&front->lock);
    while (front->caps.all > 0 && waited == 0)
        waited = pthread_cond_timedwait(&front->changed, &front->lock, &until);
    pthread_mutex_unlock(&front->lock);
}

void conn_drain(struct http_conn *conn)
{
    uint64_t end_ms = clock_mono_ms(clock_system()) + conn->front->limits.discard_ms;
    size_t total = 0;
    if (!conn->front->tls) /* TLS ends with a message of its own, which is still to be written */
        shutdown(conn->fd, SHUT_WR);
    while (total < HTTP_DISCARD_MAX) {
        uint64_t now_ms = clock_mono_ms(clock_system());
        struct pollfd wait = {.fd = conn->fd, .events = POLLIN};
        if (now_ms >= end_ms || poll(&wait, 1, (int)(end_ms - now_ms)) <= 0)
            return;
        ssize_t got = recv(conn->fd, NULL, DRAIN_STEP_BYTES, MSG_TRUNC | MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return;
        total += got > 0 ? (size_t)got : 0;
    }
}

/* The lowest address of this thread's stack, 0 where it is not known. */
static uintptr_t stack_begin(void)
{
    pthread_attr_t attributes;
    void *begin = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return 0;
    pthread_attr_getstack(&attributes, &begin, &size);
    pthread_attr_destroy(&attributes);
    return (uintptr_t)begin;
}

/* Give back the pages of this thread's stack that no call is using now. A function
 * of its own, so that the room below its frame is all that madvise() can want. */
__attribute__((noinline)) static void drop_stack(uintptr_t begin)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - CALL_ROOM) / page * page;
    if (begin > 0 && begin < end && end - begin <= HTTP_STACK_BYTES)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

void conn_rest(struct http_conn *conn)
{
    uint64_t now_ms = clock_mono_ms(clock_system());
    if (conn->rested_ms > 0 && now_ms - conn->rested_ms < CONN_REST_MS)
        return;
    conn->rested_ms = now_ms;
    arena_done(&conn->arena);
    drop_stack(stack_begin());
}

bool conn_is_connected(const struct http_conn *conn)
{
    struct pollfd look = {.fd = conn->fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) == 0;
}
