/* http.h - the one HTTP front: accepts connections itself, gives each a
 * thread, hands requests to a service and its replies to the client.
 *
 * Owns      listening sockets, connections, libmicrohttpd (mhd.c alone includes it).
 * Promises  a strict head (head.h) before anything is asked of the service;
 *           100 Continue only after http_service.head() accepted; deadlines for
 *           heads and slow bodies (limits.h) by a watcher that reads the kernel's
 *           count of received bytes, so a trickle does not reset them; caps on
 *           connections in all and by address (503 at once above them); every
 *           reply has x-amz-request-id and Date; one log line a request.
 * Not here  S3, users, services by name: see appliance/api.c.
 * Threads   a request belongs to its connection's thread from head() to done(). */
#ifndef BASE_HTTP_HTTP_H
#define BASE_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/http/head.h"

struct http_front;   /* opaque: front.h */
struct http_request; /* opaque: front.h */

enum http_next {
    HTTP_CONTINUE, /* go on: read the body */
    HTTP_REPLIED   /* http_reply_*() was called: give me no (more) body. From head()
                      the reply goes out at once, and what the client still sends
                      is discarded after it; from body() the rest is discarded
                      first. Up to HTTP_DISCARD_MAX bytes and HTTP_DISCARD_MS,
                      then the connection closes, as it does after the reply. A
                      request without a body keeps its connection. */
};

/* Who answers. head() sees the head before the body (and before 100 Continue);
 * body() gets the body piece by piece, chunked framing removed; end() must
 * reply; done() is called once for every request that head() saw, after the
 * reply was delivered or the connection was lost. A request without a body
 * gets head() and then end(). */
struct http_service {
    void *ctx;
    enum http_next (*head)(void *ctx, struct http_request *request);
    enum http_next (*body)(void *ctx, struct http_request *request, struct bytes piece);
    void (*end)(void *ctx, struct http_request *request);
    void (*done)(void *ctx, struct http_request *request);
};

struct http_options {
    uint32_t connections_max;             /* in all */
    uint32_t connections_per_address_max; /* one peer address; loopback is not counted */
    struct bytes tls_cert, tls_key;       /* PEM; both empty = plain HTTP */
    uint32_t head_ms, idle_ms, body_window_ms, discard_ms; /* 0 = as in limits.h */
};

/* Whether it is an address of one of the forms below; whether it can be listened on is another
 * matter. */
bool http_address_ok(const char *address);

/* Listen on `address` ("127.0.0.1:9000", "[::1]:0", ":9000" for every address)
 * and serve from threads of its own.
 *
 * ret_front  yours; http_front_stop, then http_front_free
 * errors     ERR_INVALID (address, certificate), ERR_BUSY (port in use), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code http_front_start(const char *address, const struct http_options *options,
                                        const struct http_service *service,
                                        struct http_front **ret_front, struct err *err);

/* The bound address as text, with the real port where :0 was asked for; static in the front. */
const char *http_front_address(const struct http_front *front);

/* Stop accepting, close idle connections, let requests in flight finish for
 * up to `grace_ms`, then cut them. Blocks until every connection thread ended. */
void http_front_stop(struct http_front *front, uint32_t grace_ms);
void http_front_free(struct http_front *front);

struct http_front_stats {
    uint64_t connections, accepted, refused_total, refused_address, dropped_slow, bad_heads;
};
void http_front_get_stats(const struct http_front *front, struct http_front_stats *ret_stats);

/* The request. */
const struct http_head *http_request_head(const struct http_request *request);
struct arena *http_request_arena(struct http_request *request);  /* freed after done() */
const char *http_request_id(const struct http_request *request); /* 16 upper-case hex digits */
/* x-amz-id-2, as every reply has it: opaque text that follows from the request's id. */
#define HTTP_ID2_ROOM 33 /* 32 characters and a NUL */
void http_request_id2(const struct http_request *request, char ret_text[HTTP_ID2_ROOM]);
const char *http_request_peer(const struct http_request *request); /* address as text, no port */
bool http_request_is_tls(const struct http_request *request);

/* The client's connection is still there (looked up with poll, does not block). */
bool http_request_is_connected(const struct http_request *request);

/* The service's own state for this request; NULL at head(). */
void http_request_set_user(struct http_request *request, void *user);
void *http_request_user(const struct http_request *request);

/* What the log line shall say; static text. */
void http_request_note(struct http_request *request, const char *op, const char *error_code);

/* Known after the reply: in done(). */
int http_request_status(const struct http_request *request);
uint64_t http_request_bytes_in(const struct http_request *request);
uint64_t http_request_bytes_out(const struct http_request *request);
uint64_t http_request_elapsed_us(const struct http_request *request);

/* Build the reply: fields first, then exactly one of the three. Names and
 * values are copied; control bytes in a value are refused by sending 500. */
void http_reply_field(struct http_request *request, const char *name, struct bytes value);
void http_reply_field_str(struct http_request *request, const char *name, const char *value);

/* Forget the reply that was built, fields and all, before end() returns: another
 * one is built in its place. */
void http_reply_take_back(struct http_request *request);

/* A part of the reply could not be made for want of memory: 503 goes out in its place. */
void http_reply_no_memory(struct http_request *request);

/* Close the connection after this reply. */
void http_reply_close(struct http_request *request);

/* Reply with `content`, borrowed until done() (arena memory). For HEAD give
 * the content that GET would: only its length goes out. */
void http_reply_bytes(struct http_request *request, int status, struct bytes content);

/* Reply without a body to HEAD (or 304), with this Content-Length. */
void http_reply_length(struct http_request *request, int status, uint64_t content_length);

/* Fill `to` with the next bytes of the reply's body.
 *
 * offset   bytes delivered so far
 * returns  how many (1..room), or -1: the connection is cut, so the client sees a short body */
typedef ptrdiff_t (*http_read_fn)(void *ctx, uint64_t offset, uint8_t *to, size_t room);

#define HTTP_LENGTH_UNKNOWN UINT64_MAX /* chunked; read returns 0 at the end */

/* Reply with `content_length` bytes pulled from `read` on the connection's
 * thread, up to HTTP_STREAM_BLOCK at once. `ctx` is borrowed until done(). */
void http_reply_stream(struct http_request *request, int status, uint64_t content_length,
                       http_read_fn read, void *ctx);

#endif
