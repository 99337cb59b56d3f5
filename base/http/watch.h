/* watch.h - deadlines for heads, bodies, replies and idle connections.
 *
 * A thread looks once in WATCH_TICK_MS at the kernel's counts of received and
 * acknowledged bytes, so a client that trickles a byte now and then gains
 * nothing, and the request path pays nothing. watch_judge() decides, purely;
 * the thread only gathers and acts.
 *
 * Owns      the watcher thread.
 * Not here  what a connection is for (request.c).
 * Threads   watch_judge is pure; start and stop belong to the front's owner. */
#ifndef BASE_HTTP_WATCH_H
#define BASE_HTTP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/http/phase.h"

struct http_front;

#define WATCH_TICK_MS 1000

struct watch_limits {
    uint64_t head_ms;    /* from a head's first byte to its last */
    uint64_t idle_ms;    /* without a request; and the window of a reply */
    uint64_t body_ms;    /* window over which a body's rate is averaged */
    uint64_t discard_ms; /* for throwing a refused body away */
    uint64_t rate_min;   /* bytes per second in a window */
};

/* What a look at a connection yields. */
struct watch_sample {
    uint64_t now_ms;
    uint64_t serial; /* requests begun so far */
    enum phase phase;
    bool working;      /* its thread is inside the service, not waiting for the client */
    bool unread;       /* bytes wait in the kernel: the client is not to blame */
    uint64_t received; /* bytes from the client since it connected */
    uint64_t acked;    /* bytes that it acknowledged */
};

/* What the watcher remembers between looks; owned by the watcher. */
struct watch_mark {
    uint64_t since_ms; /* begin of the state or window that is being measured */
    uint64_t last_ms;  /* the look before */
    uint64_t serial;
    enum phase phase;
    bool speaking;            /* a head has begun */
    uint64_t received, acked; /* at since_ms */
};

enum watch_verdict { WATCH_KEEP, WATCH_DROP_IDLE, WATCH_DROP_SLOW };

/* The mark of a connection that was accepted at `now_ms`. */
struct watch_mark watch_begin(uint64_t now_ms);

/* Decide about a connection, and update its mark. A head's begin is taken as
 * the look before its bytes showed, and its end as the look before the limit:
 * nobody gets more than the limit, and up to two ticks less. */
enum watch_verdict watch_judge(const struct watch_limits *limits, struct watch_mark *mark,
                               const struct watch_sample *sample);

/* Start the thread, and end it.
 *
 * errors  ERR_NO_MEMORY (no thread to be had) */
MUST_USE enum err_code watch_start(struct http_front *front, struct err *err);
void watch_stop(struct http_front *front);

#endif
