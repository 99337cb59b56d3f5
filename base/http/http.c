/* http.c - the front as its owner sees it: start, stop, numbers.
 *
 * Owns      struct http_front and what hangs on it.
 * Not here  libmicrohttpd (mhd.c), accepting (listen.c), requests (request.c).
 * Threads   start, stop and free belong to one thread; the rest is for any. */
#include "base/http/http.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/http/conn.h"
#include "base/http/front.h"
#include "base/http/listen.h"
#include "base/http/mhd.h"
#include "base/limits.h"

static uint64_t or_default(uint32_t value, uint64_t fallback)
{
    return value > 0 ? value : fallback;
}

static struct watch_limits limits_of(const struct http_options *options)
{
    return (struct watch_limits){
        .head_ms = or_default(options->head_ms, HTTP_HEAD_MS),
        .idle_ms = or_default(options->idle_ms, HTTP_IDLE_MS),
        .body_ms = or_default(options->body_window_ms, HTTP_BODY_WINDOW_MS),
        .discard_ms = or_default(options->discard_ms, HTTP_DISCARD_MS),
        .rate_min = HTTP_BODY_RATE_MIN,
    };
}

static void init_locks(struct http_front *front)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&front->lock, NULL);
    pthread_cond_init(&front->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct http_front *make(const struct http_options *options,
                               const struct http_service *service)
{
    struct http_front *front = calloc(1, sizeof(*front));
    if (!front)
        return NULL;
    front->service = *service;
    front->limits = limits_of(options);
    front->tls = options->tls_cert.len > 0 || options->tls_key.len > 0;
    front->listen_fd = front->wake_fd = front->spare_fd = -1;
    init_locks(front);
    if (!caps_init(&front->caps, options->connections_max, options->connections_per_address_max)) {
        http_front_free(front);
        return NULL;
    }
    return front;
}

static enum err_code start(struct http_front *front, const char *address,
                           const struct http_options *options, struct err *err)
{
    if (getrandom(&front->id_seed, sizeof(front->id_seed), 0) != sizeof(front->id_seed))
        return err_fail(err, ERR_IO, "no random bytes");
    if (listen_open(front, address, err) != ERR_OK || mhd_start(front, options, err) != ERR_OK)
        return err->code;
    if (watch_start(front, err) != ERR_OK || listen_start(front, err) != ERR_OK)
        return err->code;
    return ERR_OK;
}

enum err_code http_front_start(const char *address, const struct http_options *options,
                               const struct http_service *service, struct http_front **ret_front,
                               struct err *err)
{
    struct err own; /* `err` may be NULL */
    struct err *told = err ? err : &own;
    struct http_front *front = make(options, service);
    if (!front)
        return err_fail(told, ERR_NO_MEMORY, "HTTP front");
    enum err_code code = start(front, address, options, told);
    if (code != ERR_OK) {
        http_front_free(front);
        return code;
    }
    *ret_front = front;
    return ERR_OK;
}

const char *http_front_address(const struct http_front *front)
{
    return front->address;
}

void http_front_stop(struct http_front *front, uint32_t grace_ms)
{
    atomic_store(&front->stopping, true);
    listen_stop(front);
    conn_drop_all(front, false);
    conn_wait_none(front, grace_ms);
    conn_drop_all(front, true);
    if (front->mhd)
        mhd_stop(front->mhd);
    watch_stop(front);
    listen_close(front);
}

void http_front_free(struct http_front *front)
{
    if (!front)
        return;
    http_front_stop(front, 0);
    mhd_free(front->mhd);
    conn_forget_all(front);
    caps_done(&front->caps);
    pthread_cond_destroy(&front->changed);
    pthread_mutex_destroy(&front->lock);
    free(front);
}

void http_front_get_stats(const struct http_front *front, struct http_front_stats *ret_stats)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&front->lock;
    pthread_mutex_lock(lock);
    uint64_t connections = front->caps.all;
    pthread_mutex_unlock(lock);
    *ret_stats = (struct http_front_stats){
        .connections = connections,
        .accepted = metrics_get(&front->accepted),
        .refused_total = metrics_get(&front->refused_total),
        .refused_address = metrics_get(&front->refused_address),
        .dropped_slow = metrics_get(&front->dropped_slow),
        .bad_heads = metrics_get(&front->bad_heads),
    };
}
