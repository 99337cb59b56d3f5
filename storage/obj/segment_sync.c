/* segment_sync.c - see segment_sync.h. */
#include "storage/obj/segment_sync.h"

#include <errno.h>
#include <unistd.h>

void segment_sync_init(struct segment_sync *sync)
{
    *sync = (struct segment_sync){0};
    pthread_mutex_init(&sync->lock, NULL);
    pthread_cond_init(&sync->ended, NULL);
}

void segment_sync_done(struct segment_sync *sync)
{
    pthread_cond_destroy(&sync->ended);
    pthread_mutex_destroy(&sync->lock);
}

static void lead(struct segment_sync *sync, int fd)
{
    uint64_t round = ++sync->started;
    pthread_mutex_unlock(&sync->lock);
    int failed = fdatasync(fd) == 0 ? 0 : errno;
    pthread_mutex_lock(&sync->lock);
    if (failed && sync->failed.code == ERR_OK)
        (void)err_fail_sys(&sync->failed, failed, "sync of a segment");
    sync->finished = round;
    pthread_cond_broadcast(&sync->ended);
}

enum err_code segment_sync_round(struct segment_sync *sync, int fd, bool *ret_led, struct err *err)
{
    pthread_mutex_lock(&sync->lock);
    const uint64_t mine = sync->started + 1;
    while (sync->finished < mine && sync->failed.code == ERR_OK) {
        if (sync->started == sync->finished) {
            lead(sync, fd);
            *ret_led = true;
        } else {
            pthread_cond_wait(&sync->ended, &sync->lock);
        }
    }
    enum err_code rc = sync->failed.code;
    if (rc != ERR_OK)
        *err = sync->failed;
    pthread_mutex_unlock(&sync->lock);
    return rc;
}
