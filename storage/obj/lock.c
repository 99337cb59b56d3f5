/* lock.c - see lock.h. */
#include "storage/obj/lock.h"

#include <assert.h>

void locks_init(struct locks *locks)
{
    for (size_t i = 0; i < LOCK_STRIPES; i++)
        pthread_mutex_init(&locks->stripe[i], NULL);
}

void locks_done(struct locks *locks)
{
    for (size_t i = 0; i < LOCK_STRIPES; i++)
        pthread_mutex_destroy(&locks->stripe[i]);
}

/* FNV-1a: a bad spread costs time, never correctness. */
static unsigned stripe_of(const struct lock_key *key)
{
    uint32_t hash = 2166136261u ^ key->bucket;
    for (size_t i = 0; i < key->key.len; i++)
        hash = (hash ^ key->key.data[i]) * 16777619u;
    return (hash ^ hash >> 16) % LOCK_STRIPES;
}

void lock_keys(struct locks *locks, const struct lock_key *keys, size_t count,
               struct lock_held *ret_held)
{
    assert(count >= 1 && count <= LOCK_KEYS_MAX);
    unsigned a = stripe_of(&keys[0]);
    unsigned b = count == 2 ? stripe_of(&keys[1]) : a;
    ret_held->stripe[0] = a < b ? a : b;
    ret_held->stripe[1] = a < b ? b : a;
    ret_held->count = a == b ? 1 : 2;
    for (size_t i = 0; i < ret_held->count; i++)
        pthread_mutex_lock(&locks->stripe[ret_held->stripe[i]]);
}

void lock_release(struct locks *locks, const struct lock_held *held)
{
    for (size_t i = held->count; i > 0; i--)
        pthread_mutex_unlock(&locks->stripe[held->stripe[i - 1]]);
}

static bool is_held(const struct lock_many *held, unsigned stripe)
{
    return held->stripes[stripe / 64] >> stripe % 64 & 1;
}

void lock_many(struct locks *locks, const struct lock_key *keys, size_t count,
               struct lock_many *ret_held)
{
    *ret_held = (struct lock_many){0};
    for (size_t i = 0; i < count; i++) {
        unsigned stripe = stripe_of(&keys[i]);
        ret_held->stripes[stripe / 64] |= (uint64_t)1 << stripe % 64;
    }
    for (unsigned stripe = 0; stripe < LOCK_STRIPES; stripe++)
        if (is_held(ret_held, stripe))
            pthread_mutex_lock(&locks->stripe[stripe]);
}

void lock_many_release(struct locks *locks, const struct lock_many *held)
{
    for (unsigned stripe = 0; stripe < LOCK_STRIPES; stripe++)
        if (is_held(held, stripe))
            pthread_mutex_unlock(&locks->stripe[stripe]);
}
