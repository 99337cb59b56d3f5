/* write_behind.c - see write_behind.h. */
#include "storage/obj/write_behind.h"

#include <stdlib.h>

#include "base/limits.h"

struct write_behind {
    struct segments *segments;
    pthread_mutex_t lock; /* all below, and what lines share */
    pthread_cond_t work;
    struct write_job *first, **end; /* jobs that wait for a thread */
    bool syncing;                   /* a thread syncs early: one is enough */
    bool stop;
    unsigned thread_count;
    pthread_t threads[WRITE_BEHIND_THREADS];
};

/* Where it fails the segment keeps the failure, and tells the last sync of it. */
static void sync_early(struct write_behind *behind, uint32_t segment)
{
    struct err kept;
    behind->syncing = true;
    pthread_mutex_unlock(&behind->lock);
    enum err_code rc = segment_sync(behind->segments, segment, &kept);
    (void)rc;
    pthread_mutex_lock(&behind->lock);
    behind->syncing = false;
}

static enum err_code write_unlocked(struct write_behind *behind, const struct write_job *job,
                                    struct err *err)
{
    pthread_mutex_unlock(&behind->lock);
    enum err_code rc = segment_write(behind->segments, job->segment, job->at, job->data, err);
    pthread_mutex_lock(&behind->lock);
    return rc;
}

static void run_job(struct write_behind *behind, struct write_job *job)
{
    struct write_line *line = job->line;
    const uint32_t segment = job->segment;
    struct err err;
    if (line->failed.code == ERR_OK && write_unlocked(behind, job, &err) != ERR_OK &&
        line->failed.code == ERR_OK)
        line->failed = err;
    line->unsynced += job->data.len;
    job->busy = false; /* from here on it may be put again */
    pthread_cond_signal(&line->moved);
    if (line->unsynced >= WRITE_BEHIND_SYNC_BYTES && !behind->syncing) {
        line->unsynced = 0;
        sync_early(behind, segment);
    }
    line->in_flight--;
    pthread_cond_signal(&line->moved);
}

static void *run(void *ctx)
{
    struct write_behind *behind = ctx;
    pthread_mutex_lock(&behind->lock);
    for (;;) {
        while (!behind->first && !behind->stop)
            pthread_cond_wait(&behind->work, &behind->lock);
        struct write_job *job = behind->first;
        if (!job)
            break;
        behind->first = job->next;
        if (!behind->first)
            behind->end = &behind->first;
        run_job(behind, job);
    }
    pthread_mutex_unlock(&behind->lock);
    return NULL;
}

static enum err_code start_threads(struct write_behind *behind, struct err *err)
{
    while (behind->thread_count < WRITE_BEHIND_THREADS) {
        int failed = pthread_create(&behind->threads[behind->thread_count], NULL, run, behind);
        if (failed)
            return err_fail_sys(err, failed, "thread that writes bodies");
        behind->thread_count++;
    }
    return ERR_OK;
}

enum err_code write_behind_new(struct segments *segments, struct write_behind **ret_behind,
                               struct err *err)
{
    struct write_behind *behind = calloc(1, sizeof(*behind));
    if (!behind)
        return err_fail(err, ERR_NO_MEMORY, "threads that write bodies");
    behind->segments = segments;
    behind->end = &behind->first;
    pthread_mutex_init(&behind->lock, NULL);
    pthread_cond_init(&behind->work, NULL);
    enum err_code rc = start_threads(behind, err);
    if (rc != ERR_OK) {
        write_behind_free(behind);
        return rc;
    }
    *ret_behind = behind;
    return ERR_OK;
}

void write_behind_free(struct write_behind *behind)
{
    if (!behind)
        return;
    pthread_mutex_lock(&behind->lock);
    behind->stop = true;
    pthread_cond_broadcast(&behind->work);
    pthread_mutex_unlock(&behind->lock);
    for (unsigned i = 0; i < behind->thread_count; i++)
        pthread_join(behind->threads[i], NULL);
    pthread_cond_destroy(&behind->work);
    pthread_mutex_destroy(&behind->lock);
    free(behind);
}

void write_line_init(struct write_line *line, struct write_behind *behind)
{
    *line = (struct write_line){.behind = behind};
    pthread_cond_init(&line->moved, NULL);
}

void write_line_put(struct write_line *line, struct write_job *job)
{
    struct write_behind *behind = line->behind;
    job->line = line;
    job->next = NULL;
    pthread_mutex_lock(&behind->lock);
    job->busy = true;
    line->in_flight++;
    *behind->end = job;
    behind->end = &job->next;
    pthread_cond_signal(&behind->work);
    pthread_mutex_unlock(&behind->lock);
}

enum err_code write_line_wait(struct write_line *line, const struct write_job *job, struct err *err)
{
    pthread_mutex_lock(&line->behind->lock);
    while (job ? job->busy : line->in_flight > 0)
        pthread_cond_wait(&line->moved, &line->behind->lock);
    enum err_code rc = line->failed.code;
    if (rc != ERR_OK)
        *err = line->failed;
    pthread_mutex_unlock(&line->behind->lock);
    return rc;
}

void write_line_done(struct write_line *line)
{
    struct err told;
    enum err_code rc = write_line_wait(line, NULL, &told);
    (void)rc;
    pthread_cond_destroy(&line->moved);
}
