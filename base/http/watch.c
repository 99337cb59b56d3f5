/* watch.c - gathers what the kernel knows of each connection, asks
 * watch_judge(), and shuts down the sockets of those that are too slow.
 *
 * Owns      the watcher thread.
 * Threads   the watcher walks the list under the front's lock, which also
 *           guards a connection's removal: a socket it shuts down is still ours.
 * Source    tcp(7) TCP_INFO, linux/tcp.h: tcpi_bytes_received, tcpi_bytes_acked. */
#include "base/http/watch.h"

#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/http/conn.h"

struct watch_mark watch_begin(uint64_t now_ms)
{
    return (struct watch_mark){.since_ms = now_ms, .last_ms = now_ms, .phase = PHASE_IDLE};
}

static void restart(struct watch_mark *mark, const struct watch_sample *sample)
{
    mark->since_ms = sample->now_ms;
    mark->serial = sample->serial;
    mark->phase = sample->phase;
    mark->speaking = false;
    mark->received = sample->received;
    mark->acked = sample->acked;
}

static enum watch_verdict judge_idle(const struct watch_limits *limits, struct watch_mark *mark,
                                     const struct watch_sample *sample)
{
    if (!mark->speaking && sample->received != mark->received) {
        bool late =
            sample->now_ms - mark->last_ms > 2 * WATCH_TICK_MS; /* the machine stood still */
        mark->speaking = true;
        mark->since_ms = late ? sample->now_ms : mark->last_ms;
    }
    uint64_t waited_ms = sample->now_ms - mark->since_ms;
    if (mark->speaking) /* the next look would come too late */
        return waited_ms + WATCH_TICK_MS > limits->head_ms ? WATCH_DROP_SLOW : WATCH_KEEP;
    return waited_ms >= limits->idle_ms ? WATCH_DROP_IDLE : WATCH_KEEP;
}

/* Over `window_ms` at least rate_min bytes a second must have moved. */
static enum watch_verdict judge_rate(const struct watch_limits *limits, uint64_t window_ms,
                                     uint64_t moved, struct watch_mark *mark,
                                     const struct watch_sample *sample)
{
    uint64_t waited_ms = sample->now_ms - mark->since_ms;
    if (waited_ms < window_ms)
        return WATCH_KEEP;
    if (moved * 1000 < limits->rate_min * waited_ms)
        return WATCH_DROP_SLOW;
    restart(mark, sample);
    return WATCH_KEEP;
}

static enum watch_verdict judge(const struct watch_limits *limits, struct watch_mark *mark,
                                const struct watch_sample *sample)
{
    if (sample->serial != mark->serial || sample->phase != mark->phase)
        restart(mark, sample);
    if (sample->phase == PHASE_IDLE)
        return judge_idle(limits, mark, sample);
    if (sample->phase == PHASE_DISCARD)
        return sample->now_ms - mark->since_ms >= limits->discard_ms ? WATCH_DROP_SLOW : WATCH_KEEP;
    if (sample->working || (sample->phase == PHASE_BODY && sample->unread))
        restart(mark, sample);
    if (sample->phase == PHASE_BODY)
        return judge_rate(limits, limits->body_ms, sample->received - mark->received, mark, sample);
    if (sample->phase == PHASE_REPLY)
        return judge_rate(limits, limits->idle_ms, sample->acked - mark->acked, mark, sample);
    return WATCH_KEEP;
}

enum watch_verdict watch_judge(const struct watch_limits *limits, struct watch_mark *mark,
                               const struct watch_sample *sample)
{
    enum watch_verdict verdict = judge(limits, mark, sample);
    mark->last_ms = sample->now_ms;
    return verdict;
}

/* False where the kernel does not tell (the connection is broken already). */
static bool take_sample(const struct http_conn *conn, uint64_t word, uint64_t now_ms,
                        struct watch_sample *ret_sample)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return false;
    int unread = 0;
    if (conn_phase(word) == PHASE_BODY && ioctl(conn->fd, FIONREAD, &unread) != 0)
        return false;
    *ret_sample = (struct watch_sample){
        .now_ms = now_ms,
        .serial = conn_serial(word),
        .phase = conn_phase(word),
        .working = atomic_load(&conn->working),
        .unread = unread > 0,
        .received = info.tcpi_bytes_received,
        .acked = info.tcpi_bytes_acked,
    };
    return true;
}

static void look_at(struct http_conn *conn, uint64_t now_ms)
{
    uint64_t word = atomic_load(&conn->word);
    struct watch_sample sample;
    if (conn_phase(word) == PHASE_DROPPED || !take_sample(conn, word, now_ms, &sample))
        return;
    enum watch_verdict verdict = watch_judge(&conn->front->limits, &conn->mark, &sample);
    if (verdict == WATCH_KEEP)
        return;
    bool owed = verdict == WATCH_DROP_SLOW && sample.phase <= PHASE_BODY;
    if (conn_drop(conn, word, owed) && verdict == WATCH_DROP_SLOW)
        metrics_add(&conn->front->dropped_slow, 1);
}

static void wait_until(struct http_front *front, uint64_t mono_ms)
{
    struct timespec until = {.tv_sec = (time_t)(mono_ms / 1000),
                             .tv_nsec = (long)(mono_ms % 1000) * 1000000};
    pthread_cond_timedwait(&front->changed, &front->lock, &until);
}

/* What connections used stays with malloc() when they have gone: give it back. */
static void give_back(struct http_front *front)
{
    pthread_mutex_unlock(&front->lock);
    malloc_trim(0);
    pthread_mutex_lock(&front->lock);
}

static void *run(void *ctx)
{
    struct http_front *front = ctx;
    uint64_t last_ms = clock_mono_ms(clock_system());
    pthread_mutex_lock(&front->lock);
    while (!front->watch_over) {
        wait_until(front, last_ms + WATCH_TICK_MS);
        uint64_t now_ms = clock_mono_ms(clock_system());
        if (now_ms - last_ms < WATCH_TICK_MS)
            continue; /* woken for something else */
        last_ms = now_ms;
        for (struct http_conn *conn = front->conns; conn; conn = conn->next)
            look_at(conn, now_ms);
        if (caps_is_ebb(&front->caps))
            give_back(front);
    }
    pthread_mutex_unlock(&front->lock);
    return NULL;
}

enum err_code watch_start(struct http_front *front, struct err *err)
{
    int failed = pthread_create(&front->watcher, NULL, run, front);
    if (failed)
        return err_fail_sys(err, failed, "watcher thread");
    front->has_watcher = true;
    return ERR_OK;
}

void watch_stop(struct http_front *front)
{
    if (!front->has_watcher)
        return;
    pthread_mutex_lock(&front->lock);
    front->watch_over = true;
    pthread_cond_broadcast(&front->changed);
    pthread_mutex_unlock(&front->lock);
    pthread_join(front->watcher, NULL);
    front->has_watcher = false;
}
