/* front.h - what the files of base/http share: the front, its connections,
 * and a connection's request. Private to base/http.
 *
 * Owns      nothing by itself: http.c owns the front, conn.c the connections.
 * Threads   each field says who may touch it; "fixed" means set before the
 *           threads start and read by all. */
#ifndef BASE_HTTP_FRONT_H
#define BASE_HTTP_FRONT_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/http/caps.h"
#include "base/http/http.h"
#include "base/http/layout.h"
#include "base/http/phase.h"
#include "base/http/watch.h"
#include "base/metrics.h"

#define HTTP_REQUEST_ID_LEN 16

struct mhd; /* opaque: mhd.c */

enum reply_kind { REPLY_NONE, REPLY_BYTES, REPLY_LENGTH, REPLY_STREAM };

struct reply_field {
    struct reply_field *next;
    const char *name, *value; /* NUL-terminated, in the request's arena */
};

struct http_reply {
    enum reply_kind kind;
    int status;
    bool close; /* the connection, after this reply */
    int failed; /* status to send instead: a field could not be taken */
    struct reply_field *first, **end;
    struct bytes content; /* REPLY_BYTES */
    uint64_t length;      /* REPLY_LENGTH, REPLY_STREAM */
    http_read_fn read;    /* REPLY_STREAM */
    void *read_ctx;
};

/* Belongs to its connection's thread. */
struct http_request {
    struct http_conn *conn;
    struct http_head head;
    struct bytes target; /* raw, from the request line */
    struct layout layout;
    char id[HTTP_REQUEST_ID_LEN + 1];
    bool open;       /* between request line and done() */
    bool begun;      /* the head was handed over */
    bool misread;    /* the parser took the head for another one */
    bool seen;       /* the service's head() was called: done() is owed */
    bool discarding; /* the service replied in mid-body */
    bool drain;      /* body bytes may follow after the reply */
    void *user;
    const char *op, *error_code; /* static, for the log line */
    struct http_reply reply;
    uint64_t bytes_in, discarded, bytes_out;
    uint64_t start_ns, elapsed_us;
};

struct http_conn {
    struct http_front *front;         /* fixed */
    int fd;                           /* fixed; libmicrohttpd closes it after conn_closed() */
    struct caps_peer peer;            /* fixed */
    char peer_text[INET6_ADDRSTRLEN]; /* fixed */
    struct http_conn *next, *prev;    /* front->lock */
    struct watch_mark mark;           /* front->lock, the watcher's */
    atomic_uint_fast64_t word;        /* serial << 8 | phase: conn.c */
    atomic_bool working;              /* its thread is inside the service */
    struct arena arena;               /* its thread; reset after each request */
    uint64_t rested_ms;               /* its thread; 0: not yet. See conn_rest() */
    struct http_request request;      /* its thread */
};

struct http_front {
    struct http_service service;         /* fixed */
    struct watch_limits limits;          /* fixed */
    bool tls;                            /* fixed */
    struct mhd *mhd;                     /* fixed */
    int listen_fd, wake_fd;              /* fixed */
    int spare_fd;                        /* the acceptor's: given up to refuse when fds are out */
    char address[INET6_ADDRSTRLEN + 10]; /* fixed */
    pthread_t acceptor, watcher;
    bool has_acceptor, has_watcher; /* the owner's thread */
    atomic_bool stopping;
    uint64_t id_seed; /* fixed */
    atomic_uint_fast64_t ids;

    pthread_mutex_t lock;       /* a leaf: guards what follows */
    pthread_cond_t changed;     /* the last connection closed, or watch_over was set */
    struct http_conn *conns;    /* with a thread */
    struct http_conn *arriving; /* handed to libmicrohttpd, not yet taken up */
    struct caps caps;
    bool watch_over;

    struct metrics_counter accepted, refused_total, refused_address, dropped_slow, bad_heads;
};

#endif
