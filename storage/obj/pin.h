/* pin.h - bodies that readers hold, so that their holes are punched later.
 *
 *     reader: pin_take → read the body's row → read bytes → pin_drop
 *     sweeper: no reference left → pin_kill → delete the row, punch → pin_drop
 *
 * A reader whose pin is refused, or who finds no row, looks its object up again:
 * the record it had is gone. So no lock is held between lookup and read.
 *
 * Pins are numbered as they come, so that who moves a body (compact.c) can wait
 * for the readers that may still know its old place, and for no later ones.
 *
 * Threads   any. */
#ifndef STORAGE_OBJ_PIN_H
#define STORAGE_OBJ_PIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define PIN_SHARDS 64

struct pin {
    uint64_t body;
    uint64_t number; /* rises within a shard */
    bool dying;
    struct pin *next, **at;
};

struct pins {
    struct pin_shard {
        pthread_mutex_t lock;
        struct pin *first;
        uint64_t last_number;
    } shards[PIN_SHARDS];
};

void pins_init(struct pins *pins);
void pins_done(struct pins *pins);

/* Hold a body; `pin` is the caller's until pin_drop. returns  false: it is dying */
bool pin_take(struct pins *pins, struct pin *pin, uint64_t body);

/* Hold a body that something held already keeps alive (a part of a manifest): never refused. */
void pin_join(struct pins *pins, struct pin *pin, uint64_t body);

/* The number of the last pin so far among which one of this body would be. */
uint64_t pin_mark(struct pins *pins, uint64_t body);

/* Whether a reader holds the body since `mark` or longer. */
bool pin_held_since(struct pins *pins, uint64_t body, uint64_t mark);

/* Claim a body for deletion. returns  false: a reader holds it */
bool pin_kill(struct pins *pins, struct pin *pin, uint64_t body);

void pin_drop(struct pins *pins, struct pin *pin);

#endif
