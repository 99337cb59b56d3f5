/* pin.c - see pin.h. */
#include "storage/obj/pin.h"

#include <stddef.h>

void pins_init(struct pins *pins)
{
    for (size_t i = 0; i < PIN_SHARDS; i++) {
        pthread_mutex_init(&pins->shards[i].lock, NULL);
        pins->shards[i].first = NULL;
        pins->shards[i].last_number = 0;
    }
}

void pins_done(struct pins *pins)
{
    for (size_t i = 0; i < PIN_SHARDS; i++)
        pthread_mutex_destroy(&pins->shards[i].lock);
}

static struct pin_shard *shard_of(struct pins *pins, uint64_t body)
{
    return &pins->shards[body % PIN_SHARDS];
}

/* The shard's lock is held. */
static void enter(struct pin_shard *shard, struct pin *pin, uint64_t body, bool dying)
{
    *pin = (struct pin){.body = body,
                        .number = ++shard->last_number,
                        .dying = dying,
                        .next = shard->first,
                        .at = &shard->first};
    if (pin->next)
        pin->next->at = &pin->next;
    shard->first = pin;
}

/* Enter `pin` unless one that stands in its way is there. */
static bool enter_alone(struct pins *pins, struct pin *pin, uint64_t body, bool dying)
{
    struct pin_shard *shard = shard_of(pins, body);
    pthread_mutex_lock(&shard->lock);
    bool refused = false;
    for (struct pin *other = shard->first; other && !refused; other = other->next)
        refused = other->body == body && (dying || other->dying);
    if (!refused)
        enter(shard, pin, body, dying);
    pthread_mutex_unlock(&shard->lock);
    return !refused;
}

bool pin_take(struct pins *pins, struct pin *pin, uint64_t body)
{
    return enter_alone(pins, pin, body, false);
}

bool pin_kill(struct pins *pins, struct pin *pin, uint64_t body)
{
    return enter_alone(pins, pin, body, true);
}

void pin_join(struct pins *pins, struct pin *pin, uint64_t body)
{
    struct pin_shard *shard = shard_of(pins, body);
    pthread_mutex_lock(&shard->lock);
    enter(shard, pin, body, false);
    pthread_mutex_unlock(&shard->lock);
}

uint64_t pin_mark(struct pins *pins, uint64_t body)
{
    struct pin_shard *shard = shard_of(pins, body);
    pthread_mutex_lock(&shard->lock);
    uint64_t mark = shard->last_number;
    pthread_mutex_unlock(&shard->lock);
    return mark;
}

bool pin_held_since(struct pins *pins, uint64_t body, uint64_t mark)
{
    struct pin_shard *shard = shard_of(pins, body);
    pthread_mutex_lock(&shard->lock);
    bool held = false;
    for (struct pin *pin = shard->first; pin && !held; pin = pin->next)
        held = pin->body == body && !pin->dying && pin->number <= mark;
    pthread_mutex_unlock(&shard->lock);
    return held;
}

void pin_drop(struct pins *pins, struct pin *pin)
{
    struct pin_shard *shard = shard_of(pins, pin->body);
    pthread_mutex_lock(&shard->lock);
    *pin->at = pin->next;
    if (pin->next)
        pin->next->at = pin->at;
    pthread_mutex_unlock(&shard->lock);
}
