/* caps.h - how many connections there are, in all and by peer address.
 *
 * Owns      one table, allocated once.
 * Not here  sockets; what happens to a connection above a cap (listen.c).
 * Threads   none of its own: the front's lock guards it. */
#ifndef BASE_HTTP_CAPS_H
#define BASE_HTTP_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

/* What is counted as one peer: an IPv4 address, or the /64 of an IPv6 address. */
struct caps_peer {
    uint8_t key[16]; /* IPv4 stands as ::ffff:a.b.c.d */
    bool loopback;   /* not counted by address */
};

struct caps_slot; /* private to caps.c */

struct caps {
    uint32_t all_max, peer_max;
    uint32_t all;            /* connections now */
    uint32_t high;           /* the most there were since the last ebb */
    struct caps_slot *slots; /* open addressing, linear probing */
    size_t mask;
};

enum caps_verdict { CAPS_FREE, CAPS_FULL, CAPS_PEER_FULL };

/* Start empty. The maxima are above 0; 0 is returned when memory is out. */
MUST_USE int caps_init(struct caps *caps, uint32_t all_max, uint32_t peer_max);
void caps_done(struct caps *caps);

/* The peer of a socket address (IPv4, IPv6; anything else is the peer of all zeros). */
struct caps_peer caps_peer_of(const struct sockaddr *address);

/* Count one more connection of `peer`, unless a cap is reached. */
enum caps_verdict caps_take(struct caps *caps, const struct caps_peer *peer);

/* Count one less; it must have been taken. */
void caps_give(struct caps *caps, const struct caps_peer *peer);

/* Whether half of many connections have gone since this was last true. */
#define CAPS_EBB_MIN 64 /* connections that are many */
bool caps_is_ebb(struct caps *caps);

#endif
