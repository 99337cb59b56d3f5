/* gate.h - a gate that many pass at once, and that one can shut when nobody is inside.
 *
 * The store is closed and opened again behind it after a full disk. Who shuts
 * it waits for those inside only for a stated time, and then opens it again:
 * so a thread that is inside and wants in a second time is delayed, never stuck.
 *
 * Threads   any; at most one shuts it at a time. */
#ifndef STORAGE_KV_GATE_H
#define STORAGE_KV_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    atomic_uint_fast32_t inside; /* entries not left yet */
    atomic_bool is_shut;
    pthread_mutex_t lock; /* guards the waiting on `changed` alone */
    pthread_cond_t changed;
};

void gate_init(struct gate *gate);
void gate_done(struct gate *gate);

/* Go in; waits while the gate is shut. May be left by another thread. */
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* Keep newcomers out and wait until everybody has left.
 *
 * wait_ms  0 = look once
 * returns  true: shut, nobody inside, until gate_open(); false: open as before */
bool gate_shut(struct gate *gate, uint32_t wait_ms);
void gate_open(struct gate *gate);

#endif
