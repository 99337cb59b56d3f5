/* caps.c - counts by address in a table twice as large as the cap on all, so
 * that it never fills and probes stay short.
 *
 * Threads   guarded by the front's lock. */
#include "base/http/caps.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct caps_slot {
    uint8_t key[16];
    uint32_t count; /* 0 = free */
};

int caps_init(struct caps *caps, uint32_t all_max, uint32_t peer_max)
{
    size_t room = 16;
    while (room < (size_t)all_max * 2)
        room *= 2;
    *caps = (struct caps){.all_max = all_max, .peer_max = peer_max, .mask = room - 1};
    caps->slots = calloc(room, sizeof(*caps->slots));
    return caps->slots != NULL;
}

void caps_done(struct caps *caps)
{
    free(caps->slots);
    caps->slots = NULL;
}

struct caps_peer caps_peer_of(const struct sockaddr *address)
{
    struct caps_peer peer = {0};
    struct in6_addr ip = IN6ADDR_ANY_INIT;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
        memcpy(ip.s6_addr + 12, &v4->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        ip = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    }
    bool mapped = IN6_IS_ADDR_V4MAPPED(&ip);
    peer.loopback = IN6_IS_ADDR_LOOPBACK(&ip) || (mapped && ip.s6_addr[12] == 127);
    memcpy(peer.key, ip.s6_addr, mapped ? 16 : 8);
    return peer;
}

static size_t home_of(const struct caps *caps, const uint8_t key[16])
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < 16; i++)
        hash = (hash ^ key[i]) * 0x100000001b3;
    return (size_t)(hash ^ hash >> 32) & caps->mask;
}

/* The slot of that key, or the free one where it belongs. */
static size_t find(const struct caps *caps, const uint8_t key[16])
{
    size_t at = home_of(caps, key);
    while (caps->slots[at].count > 0 && memcmp(caps->slots[at].key, key, 16) != 0)
        at = (at + 1) & caps->mask;
    return at;
}

enum caps_verdict caps_take(struct caps *caps, const struct caps_peer *peer)
{
    if (caps->all >= caps->all_max)
        return CAPS_FULL;
    if (!peer->loopback) {
        struct caps_slot *slot = &caps->slots[find(caps, peer->key)];
        if (slot->count >= caps->peer_max)
            return CAPS_PEER_FULL;
        memcpy(slot->key, peer->key, sizeof(slot->key));
        slot->count++;
    }
    caps->all++;
    if (caps->all > caps->high)
        caps->high = caps->all;
    return CAPS_FREE;
}

/* Close the gap at `hole`: move back every later one whose home is not beyond it. */
static void close_gap(struct caps *caps, size_t hole)
{
    size_t at = (hole + 1) & caps->mask;
    for (; caps->slots[at].count > 0; at = (at + 1) & caps->mask) {
        size_t home = home_of(caps, caps->slots[at].key);
        if (((at - home) & caps->mask) < ((at - hole) & caps->mask))
            continue;
        caps->slots[hole] = caps->slots[at];
        caps->slots[at].count = 0;
        hole = at;
    }
}

void caps_give(struct caps *caps, const struct caps_peer *peer)
{
    assert(caps->all > 0);
    caps->all--;
    if (peer->loopback)
        return;
    size_t at = find(caps, peer->key);
    assert(caps->slots[at].count > 0);
    if (--caps->slots[at].count == 0)
        close_gap(caps, at);
}

bool caps_is_ebb(struct caps *caps)
{
    if (caps->high < CAPS_EBB_MIN || caps->all > caps->high / 2)
        return false;
    caps->high = caps->all;
    return true;
}
