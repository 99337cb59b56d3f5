/* commit.c - the committer: one thread that writes for everybody.
 *
 *   commit() ── waiter ──> queue ──> thread: take a group, number it, one
 *      ^                             write with one sync, wake everybody
 *      └────────── result ──────────────┘
 *
 *           a write fails otherwise, or a file is damaged again
 *   OPEN ─────────────────────────────────────────────────────> READ_ONLY
 *    │ ├─────── disk full ──────> FULL ──────┐
 *    │ └─ a file is damaged ──> DAMAGED ─────┤ reopen each second
 *    └<───────────────── ok ─────────────────┘
 *
 * Owns      the numbers and the group's array; a waiter lives on its caller's
 *           stack, and belongs to the thread from the queue until its semaphore is posted.
 * Threads   `lock` is a leaf and is not held while the store writes. */
#include "storage/kv/commit.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/limits.h"
#include "base/log.h"

#define GROUP_OPS       1024 /* operations of a group of several batches */
#define REOPEN_EVERY_MS 1000 /* while the disk is full */

struct waiter {
    struct commit_batch *batch;
    struct waiter *next;
    struct err err;
    enum err_code code;
    sem_t done;
};

enum state { OPEN, FULL, DAMAGED, READ_ONLY };

struct condition {
    enum state state;
    struct err why; /* of a state other than OPEN */
};

struct committer {
    struct kv *kv;
    const struct clock *clock;
    pthread_t thread;
    struct committer_stats stats;
    atomic_uint_fast64_t durable_seq; /* written by the thread under `lock` */

    pthread_mutex_t lock;
    pthread_cond_t work; /* the thread waits for it */
    pthread_cond_t news; /* durable_seq rose, a watcher left, or it stops */
    struct waiter *first, *last;
    unsigned watchers; /* threads in committer_wait */
    bool stopping;
    struct condition condition;

    /* The thread's own. */
    struct kv_op *ops;
    size_t ops_room, ops_count;
    uint64_t last_seq, last_stamp;
    uint64_t reopen_at_ms;
    bool was_damaged; /* it helps only once */
};

/* ---- the thread ---- */

static void finish(struct waiter *waiter, enum err_code code, const struct err *err)
{
    waiter->code = code;
    if (code)
        waiter->err = *err;
    sem_post(&waiter->done); /* the waiter is gone after this */
}

static void finish_all(struct waiter *group, enum err_code code, const struct err *err)
{
    while (group) {
        struct waiter *next = group->next;
        finish(group, code, err);
        group = next;
    }
}

/* Take waiters from the queue until the group is full; the first always. */
static struct waiter *take_group(struct committer *committer, size_t *ret_bytes)
{
    struct waiter *group = committer->first, *end = group;
    size_t ops = group->batch->count;
    *ret_bytes = group->batch->bytes;
    while (end->next && ops + end->next->batch->count <= GROUP_OPS &&
           *ret_bytes + end->next->batch->bytes <= KV_GROUP_BYTES_MAX) {
        end = end->next;
        ops += end->batch->count;
        *ret_bytes += end->batch->bytes;
    }
    committer->first = end->next;
    end->next = NULL;
    return group;
}

/* Give the batch the next numbers, as many as it asks for. */
static void number(struct committer *committer, struct commit_batch *batch)
{
    uint64_t stamp = clock_hybrid_next(committer->last_stamp, clock_unix_ms(committer->clock));
    uint32_t taken = commit_batch_number(batch, committer->last_seq + 1, stamp);
    batch->ret_seq = committer->last_seq + (taken > 0);
    batch->ret_stamp = taken ? stamp : committer->last_stamp;
    committer->last_seq += taken;
    if (taken)
        committer->last_stamp = stamp + taken - 1;
}

/* Number the batches and lay all operations into one array. */
static enum err_code gather(struct committer *committer, struct waiter *group, struct err *err)
{
    committer->ops_count = 0;
    if (group->batch->count > committer->ops_room) { /* a large batch comes alone */
        struct kv_op *ops = realloc(committer->ops, group->batch->count * sizeof *committer->ops);
        if (!ops)
            return err_fail(err, ERR_NO_MEMORY, "no memory for a batch of %zu operations",
                            group->batch->count);
        committer->ops = ops;
        committer->ops_room = group->batch->count;
    }
    for (; group; group = group->next) {
        number(committer, group->batch);
        for (size_t i = 0; i < group->batch->count; i++)
            committer->ops[committer->ops_count++] = group->batch->ops[i].op;
    }
    return ERR_OK;
}

static void set_state(struct committer *committer, enum state state, const struct err *why)
{
    pthread_mutex_lock(&committer->lock);
    if (committer->condition.state != READ_ONLY)
        committer->condition = (struct condition){state, *why};
    pthread_mutex_unlock(&committer->lock);
}

static void publish(struct committer *committer)
{
    pthread_mutex_lock(&committer->lock);
    atomic_store_explicit(&committer->durable_seq, committer->last_seq, memory_order_release);
    if (committer->watchers)
        pthread_cond_broadcast(&committer->news);
    pthread_mutex_unlock(&committer->lock);
}

static enum state state_after(const struct committer *committer, enum err_code code)
{
    if (code == ERR_NO_SPACE)
        return FULL;
    return code == ERR_CORRUPT && !committer->was_damaged ? DAMAGED : READ_ONLY;
}

static enum err_code write_ops(struct committer *committer, struct err *err)
{
    if (committer->ops_count == 0)
        return ERR_OK;
    uint64_t start_ns = clock_mono_ns();
    enum err_code code =
        committer->kv->calls->write(committer->kv, committer->ops, committer->ops_count, true, err);
    metrics_observe_us(&committer->stats.write_time, (clock_mono_ns() - start_ns) / 1000);
    metrics_add(&committer->stats.groups, 1);
    if (code)
        set_state(committer, state_after(committer, code), err);
    return code;
}

static enum err_code refuse(const struct condition *condition, struct err *err)
{
    if (condition->state == FULL)
        return err_fail(err, ERR_NO_SPACE, "%s", condition->why.msg);
    if (condition->state != OPEN)
        return err_fail(err, ERR_READ_ONLY, "writes are refused since: %s", condition->why.msg);
    return ERR_OK;
}

/* After a full disk or a damaged file: try to become writable, once a second at most. */
static void reopen(struct committer *committer, struct condition *condition)
{
    struct err err = {0};
    if (clock_mono_ms(committer->clock) < committer->reopen_at_ms)
        return;
    enum err_code code = committer->kv->calls->reopen(committer->kv, &err);
    if (!code && condition->state == DAMAGED) {
        committer->was_damaged = true;
        metrics_add(&committer->stats.damaged, 1);
        log_error("commit", "goes on without merging files", &condition->why);
    }
    if (!code)
        condition->state = OPEN;
    else if (code != ERR_BUSY)
        condition->why = err;
    committer->reopen_at_ms = clock_mono_ms(committer->clock) + REOPEN_EVERY_MS;
    set_state(committer, condition->state, &condition->why);
}

static void count(struct committer *committer, const struct waiter *group, size_t bytes)
{
    uint64_t batches = 0;
    for (; group; group = group->next)
        batches++;
    metrics_add(&committer->stats.batches, batches);
    metrics_add(&committer->stats.bytes, bytes);
}

static void commit_group(struct committer *committer, struct waiter *group, size_t bytes,
                         const struct condition *condition)
{
    struct err err = {0};
    enum err_code code = refuse(condition, &err);
    if (!code)
        code = gather(committer, group, &err);
    if (!code)
        code = write_ops(committer, &err);
    if (!code) {
        count(committer, group, bytes);
        publish(committer);
    }
    finish_all(group, code, &err);
}

/* Wait for work, or for the time to reopen the store. */
static void wait_for_work(struct committer *committer)
{
    if (committer->condition.state == FULL || committer->condition.state == DAMAGED) {
        struct timespec deadline = deadline_after(REOPEN_EVERY_MS);
        pthread_cond_timedwait(&committer->work, &committer->lock, &deadline);
    } else {
        pthread_cond_wait(&committer->work, &committer->lock);
    }
}

static void *run(void *arg)
{
    struct committer *committer = arg;
    pthread_mutex_lock(&committer->lock);
    while (committer->first || !committer->stopping) {
        if (!committer->first)
            wait_for_work(committer);
        struct condition condition = committer->condition;
        size_t bytes = 0;
        struct waiter *group = committer->first ? take_group(committer, &bytes) : NULL;
        pthread_mutex_unlock(&committer->lock);
        if (condition.state == FULL || condition.state == DAMAGED)
            reopen(committer, &condition);
        if (group)
            commit_group(committer, group, bytes, &condition);
        pthread_mutex_lock(&committer->lock);
    }
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

/* ---- the callers ---- */

/* Queue the waiter; false (its error is set) where it is refused at once. */
static bool enqueue(struct committer *committer, struct waiter *waiter)
{
    pthread_mutex_lock(&committer->lock);
    if (committer->stopping)
        waiter->code = err_fail(&waiter->err, ERR_CLOSED, "the store is closing");
    else if (committer->condition.state == READ_ONLY)
        waiter->code = refuse(&committer->condition, &waiter->err);
    bool queued = waiter->code == ERR_OK;
    if (queued) {
        if (committer->first)
            committer->last->next = waiter;
        else
            committer->first = waiter;
        committer->last = waiter;
        pthread_cond_signal(&committer->work);
    }
    pthread_mutex_unlock(&committer->lock);
    return queued;
}

enum err_code commit(struct committer *committer, struct commit_batch *batch, struct err *err)
{
    struct waiter waiter = {.batch = batch};
    if (batch->failed)
        return err_fail(err, batch->failed, "no memory for the batch");
    sem_init(&waiter.done, 0, 0);
    if (enqueue(committer, &waiter))
        while (sem_wait(&waiter.done) != 0)
            assert(errno == EINTR);
    sem_destroy(&waiter.done);
    if (waiter.code && err)
        *err = waiter.err;
    return waiter.code;
}

uint64_t committer_durable_seq(const struct committer *committer)
{
    return atomic_load_explicit(&committer->durable_seq, memory_order_acquire);
}

uint64_t committer_wait(struct committer *committer, uint64_t seq, uint32_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    int late = 0;
    pthread_mutex_lock(&committer->lock);
    committer->watchers++;
    while (committer_durable_seq(committer) <= seq && !committer->stopping && !late)
        late = pthread_cond_timedwait(&committer->news, &committer->lock, &deadline);
    committer->watchers--;
    if (committer->stopping)
        pthread_cond_broadcast(&committer->news);
    uint64_t durable_seq = committer_durable_seq(committer);
    pthread_mutex_unlock(&committer->lock);
    return durable_seq;
}

enum err_code committer_health(const struct committer *committer, struct err *err)
{
    struct committer *shared = (struct committer *)(uintptr_t)committer; /* for its lock */
    pthread_mutex_lock(&shared->lock);
    enum err_code code = refuse(&shared->condition, err);
    pthread_mutex_unlock(&shared->lock);
    return code;
}

void committer_poison(struct committer *committer, const struct err *why)
{
    set_state(committer, READ_ONLY, why);
}

const struct committer_stats *committer_stats(const struct committer *committer)
{
    return &committer->stats;
}

/* ---- start and stop ---- */

static void committer_free(struct committer *committer)
{
    pthread_cond_destroy(&committer->news);
    pthread_cond_destroy(&committer->work);
    pthread_mutex_destroy(&committer->lock);
    free(committer->ops);
    free(committer);
}

static struct committer *committer_new(void)
{
    struct committer *committer = calloc(1, sizeof *committer);
    if (!committer)
        return NULL;
    deadline_cond_init(&committer->work);
    deadline_cond_init(&committer->news);
    pthread_mutex_init(&committer->lock, NULL);
    committer->ops_room = GROUP_OPS;
    committer->ops = malloc(GROUP_OPS * sizeof *committer->ops);
    if (!committer->ops) {
        committer_free(committer);
        return NULL;
    }
    return committer;
}

enum err_code committer_start(struct kv *kv, const struct clock *clock, uint64_t last_seq,
                              uint64_t last_stamp, struct committer **ret_committer,
                              struct err *err)
{
    struct committer *committer = committer_new();
    if (!committer)
        return err_fail(err, ERR_NO_MEMORY, "no memory for the committer");
    committer->kv = kv;
    committer->clock = clock;
    committer->last_seq = last_seq;
    committer->last_stamp = last_stamp;
    atomic_init(&committer->durable_seq, last_seq);
    int failed = pthread_create(&committer->thread, NULL, run, committer);
    if (failed) {
        committer_free(committer);
        return err_fail_sys(err, failed, "cannot start the committer");
    }
    *ret_committer = committer;
    return ERR_OK;
}

void committer_stop(struct committer *committer)
{
    if (!committer)
        return;
    pthread_mutex_lock(&committer->lock);
    committer->stopping = true;
    pthread_cond_signal(&committer->work);
    pthread_cond_broadcast(&committer->news);
    while (committer->watchers)
        pthread_cond_wait(&committer->news, &committer->lock);
    pthread_mutex_unlock(&committer->lock);
    pthread_join(committer->thread, NULL);
    committer_free(committer);
}
