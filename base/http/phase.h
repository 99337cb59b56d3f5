/* phase.h - where a connection stands, as a pure table.
 *
 *            HEAD     REFUSE    REPLY     DRAIN     DONE    DROP
 *   IDLE     BODY     -         -         -         IDLE    DROPPED
 *   BODY     -        DISCARD   REPLY     DISCARD   IDLE    DROPPED
 *   DISCARD  -        DISCARD   REPLY     DISCARD   IDLE    DROPPED
 *   REPLY    -        -         REPLY     DISCARD   IDLE    DROPPED
 *   DROPPED  DROPPED in every case            ("-" cannot happen: DROPPED)
 *
 * Not here  sockets, clocks, locks: conn.c moves a connection through this table.
 * Threads   pure. */
#ifndef BASE_HTTP_PHASE_H
#define BASE_HTTP_PHASE_H

enum phase {
    PHASE_IDLE,    /* waiting for a head: new, or kept alive */
    PHASE_BODY,    /* the head is there; the body arrives */
    PHASE_DISCARD, /* what still arrives is thrown away */
    PHASE_REPLY,   /* the reply is being made or goes out */
    PHASE_DROPPED, /* the socket was shut down by a deadline or a stop */
    PHASES
};

enum phase_event {
    PHASE_ON_HEAD,   /* a head is complete */
    PHASE_ON_REFUSE, /* the service replied in mid-body */
    PHASE_ON_REPLY,  /* the request is complete or was answered by its head */
    PHASE_ON_DRAIN,  /* the reply went out, and body bytes still arrive */
    PHASE_ON_DONE,   /* the request is over */
    PHASE_ON_DROP,   /* a deadline passed, or the front stops */
    PHASE_EVENTS
};

/* The phase after `event`; total: every pair has one. */
enum phase phase_next(enum phase phase, enum phase_event event);

#endif
