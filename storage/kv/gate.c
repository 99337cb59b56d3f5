/* gate.c - a gate that many pass at once, and that one can shut when nobody is inside.
 *
 * Passing costs two atomic operations; the lock is for those who wait.
 *
 * Why it is safe: an entry is counted before the gate is looked at, and the
 * gate is marked before the entries are looked at (both sequentially
 * consistent), so of two that meet at least one sees the other. */
#include "storage/kv/gate.h"

#include "base/deadline.h"

void gate_init(struct gate *gate)
{
    deadline_cond_init(&gate->changed);
    pthread_mutex_init(&gate->lock, NULL);
    atomic_init(&gate->inside, 0);
    atomic_init(&gate->is_shut, false);
}

void gate_done(struct gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
}

void gate_leave(struct gate *gate)
{
    if (atomic_fetch_sub(&gate->inside, 1) != 1 || !atomic_load(&gate->is_shut))
        return;
    pthread_mutex_lock(&gate->lock);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void gate_enter(struct gate *gate)
{
    atomic_fetch_add(&gate->inside, 1);
    while (atomic_load(&gate->is_shut)) {
        gate_leave(gate);
        pthread_mutex_lock(&gate->lock);
        while (atomic_load(&gate->is_shut))
            pthread_cond_wait(&gate->changed, &gate->lock);
        pthread_mutex_unlock(&gate->lock);
        atomic_fetch_add(&gate->inside, 1);
    }
}

bool gate_shut(struct gate *gate, uint32_t wait_ms)
{
    struct timespec deadline = deadline_after(wait_ms);
    int late = 0;
    pthread_mutex_lock(&gate->lock);
    atomic_store(&gate->is_shut, true);
    while (atomic_load(&gate->inside) != 0 && !late)
        late = pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline);
    bool empty = atomic_load(&gate->inside) == 0;
    pthread_mutex_unlock(&gate->lock);
    if (!empty)
        gate_open(gate);
    return empty;
}

void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    atomic_store(&gate->is_shut, false);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}
