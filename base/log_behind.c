/* log_behind.c - lines gathered in memory and written by a thread (log.h).
 *
 * Owns      stderr.
 * Threads   any; `lock` is held over the write, so that lines keep their order:
 *           a reader of stderr that stands still holds the log up, as it does
 *           without this. */
#include "base/log_behind.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/limits.h"
#include "base/log.h"

static struct {
    pthread_mutex_t lock;    /* of the fields up to `text`; never held over a write */
    pthread_mutex_t writing; /* taken before `lock`: whoever writes to stderr holds it */
    pthread_cond_t wake;     /* it stops, or there is little room left */
    pthread_t thread;
    bool running, stop;
    size_t len;
    char text[KIB(64)];
    char out[KIB(64)]; /* what is being written; of who holds `writing` */
} behind = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .writing = PTHREAD_MUTEX_INITIALIZER,
            .wake = PTHREAD_COND_INITIALIZER};

static void write_out(const void *data, size_t len)
{
    for (const char *at = data; len > 0;) {
        ssize_t n = write(STDERR_FILENO, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody listens: a log line is no reason to fail */
        at += n;
        len -= (size_t)n;
    }
}

/* Write what was gathered, then `line`; both in order with what others write. */
static void flush(struct bytes line)
{
    pthread_mutex_lock(&behind.writing);
    pthread_mutex_lock(&behind.lock);
    size_t len = behind.len;
    memcpy(behind.out, behind.text, len);
    behind.len = 0;
    pthread_mutex_unlock(&behind.lock);
    write_out(behind.out, len);
    write_out(line.data, line.len);
    pthread_mutex_unlock(&behind.writing);
}

/* Keep the line for the thread; false where it must be written at once. */
static bool keep(struct bytes line)
{
    pthread_mutex_lock(&behind.lock);
    bool kept = behind.running && behind.len + line.len <= sizeof(behind.text);
    if (kept) {
        memcpy(behind.text + behind.len, line.data, line.len);
        behind.len += line.len;
    }
    size_t half = sizeof(behind.text) / 2, before = behind.len - (kept ? line.len : 0);
    bool wake = kept && (before == 0 || (before <= half && behind.len > half));
    pthread_mutex_unlock(&behind.lock);
    if (wake)
        pthread_cond_signal(&behind.wake);
    return kept;
}

void log_behind_write(struct bytes line, bool now)
{
    if (now || !keep(line))
        flush(line);
}

/* Wait for a line, then let more gather, for LOG_BEHIND_MS or until half of the
 * room is full. returns  false when it stops */
static bool gather(void)
{
    pthread_mutex_lock(&behind.lock);
    while (!behind.stop && behind.len == 0)
        pthread_cond_wait(&behind.wake, &behind.lock);
    const struct timespec until = deadline_after(LOG_BEHIND_MS);
    int late = 0;
    while (!behind.stop && !late && behind.len <= sizeof(behind.text) / 2)
        late = pthread_cond_clockwait(&behind.wake, &behind.lock, CLOCK_MONOTONIC, &until);
    bool stop = behind.stop;
    pthread_mutex_unlock(&behind.lock);
    return !stop;
}

static void *behind_thread(void *ctx)
{
    while (gather())
        flush((struct bytes){0});
    return ctx;
}

enum err_code log_behind_start(struct err *err)
{
    pthread_mutex_lock(&behind.lock);
    behind.stop = false;
    int failed = behind.running ? 0 : pthread_create(&behind.thread, NULL, behind_thread, NULL);
    behind.running = behind.running || failed == 0;
    pthread_mutex_unlock(&behind.lock);
    return failed ? err_fail_sys(err, failed, "thread of the log") : ERR_OK;
}

void log_behind_stop(void)
{
    pthread_mutex_lock(&behind.lock);
    bool running = behind.running;
    behind.stop = true;
    behind.running = false;
    pthread_cond_signal(&behind.wake);
    pthread_mutex_unlock(&behind.lock);
    flush((struct bytes){0});
    if (running)
        pthread_join(behind.thread, NULL);
}
