/* conn.h - a connection's life: counted, listed, moved through its phases,
 * dropped, removed. Private to base/http.
 *
 * Owns      the connections and the list of them in the front.
 * Not here  requests (request.c), deadlines (watch.c), libmicrohttpd (mhd.c).
 * Threads   as each function says. */
#ifndef BASE_HTTP_CONN_H
#define BASE_HTTP_CONN_H

#include "base/http/front.h"

static inline enum phase conn_phase(uint64_t word)
{
    return (enum phase)(word & 0xff);
}

static inline uint64_t conn_serial(uint64_t word)
{
    return word >> 8;
}

/* Count and list an accepted socket. Acceptor only.
 *
 * ret_conn  set when CAPS_FREE is returned; NULL then means that memory is out */
enum caps_verdict conn_add(struct http_front *front, int fd, const struct sockaddr *address,
                           struct http_conn **ret_conn);

/* Take back one that libmicrohttpd would not have. Acceptor only. */
void conn_forget(struct http_conn *conn);

/* The connection of a socket that gets its thread now; it can be dropped from here on. */
struct http_conn *conn_started(struct http_front *front, int fd);

/* Its thread has ended; the socket is closed after the call, not before.
 * Frees `conn`. */
void conn_closed(struct http_conn *conn);

/* Move it on; its own thread only. PHASE_DROPPED tells that it was cut meanwhile. */
enum phase conn_post(struct http_conn *conn, enum phase_event event);

/* Cut it, if it still stands where `word` was read. Holding front->lock.
 *
 * owed     a complete reply was owed: say 408 first, where that can be said
 * returns  false where it moved on meanwhile */
bool conn_drop(struct http_conn *conn, uint64_t word, bool owed);

/* Free those that libmicrohttpd closed without a word. When all threads are gone. */
void conn_forget_all(struct http_front *front);

/* Cut those that wait for a request (`all` false), or every one. */
void conn_drop_all(struct http_front *front, bool all);

/* Wait until none is left, at most `wait_ms`. */
void conn_wait_none(struct http_front *front, uint64_t wait_ms);

/* Say that no more will come, then read and forget what the client still sends, until it closes, is
 * silent for too long, or the limits of discarding are reached. Its own thread. */
void conn_drain(struct http_conn *conn);

/* A request is over: give memory back that the next one may not need, the arena's
 * block and the stack its calls reached; once in CONN_REST_MS, so that a connection
 * that waits costs little and a busy one does not pay for it. Its own thread. */
#define CONN_REST_MS 1000
void conn_rest(struct http_conn *conn);

/* The client is still there. Its own thread. */
bool conn_is_connected(const struct http_conn *conn);

#endif
