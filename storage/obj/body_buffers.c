/* body_buffers.c - the buffers that writers of large bodies fill.
 *
 * A slow client keeps its buffer for as long as its upload lasts, so a writer
 * never waits for one: above OBJ_BUFFERS the buffers are small instead.
 *
 * Threads   any. */
#include <stdlib.h>

#include "storage/obj/internal.h"

#define BUFFERS_KEPT 4 /* large buffers kept for the next writer */

struct body_buffers {
    pthread_mutex_t lock;
    unsigned in_use; /* large ones */
    unsigned kept_count;
    uint8_t *kept[BUFFERS_KEPT];
};

enum err_code body_buffers_new(struct body_buffers **ret_buffers, struct err *err)
{
    struct body_buffers *buffers = calloc(1, sizeof(*buffers));
    if (!buffers)
        return err_fail(err, ERR_NO_MEMORY, "write buffers");
    pthread_mutex_init(&buffers->lock, NULL);
    *ret_buffers = buffers;
    return ERR_OK;
}

void body_buffers_free(struct body_buffers *buffers)
{
    if (!buffers)
        return;
    for (unsigned i = 0; i < buffers->kept_count; i++)
        free(buffers->kept[i]);
    pthread_mutex_destroy(&buffers->lock);
    free(buffers);
}

uint8_t *body_buffers_take(struct body_buffers *buffers, size_t *ret_room, bool *ret_pooled)
{
    uint8_t *buffer = NULL;
    pthread_mutex_lock(&buffers->lock);
    *ret_pooled = buffers->in_use < OBJ_BUFFERS;
    if (*ret_pooled) {
        buffers->in_use++;
        if (buffers->kept_count)
            buffer = buffers->kept[--buffers->kept_count];
    }
    pthread_mutex_unlock(&buffers->lock);
    *ret_room = *ret_pooled ? OBJ_BUFFER_BYTES : OBJ_BUFFER_BYTES_CROWDED;
    return buffer ? buffer : aligned_alloc(SEGMENT_ALIGN, *ret_room);
}

void body_buffers_give(struct body_buffers *buffers, uint8_t *buffer, bool pooled)
{
    uint8_t *unwanted = buffer;
    if (pooled) {
        pthread_mutex_lock(&buffers->lock);
        buffers->in_use--;
        if (unwanted && buffers->kept_count < BUFFERS_KEPT)
            buffers->kept[buffers->kept_count++] = TAKE(unwanted);
        pthread_mutex_unlock(&buffers->lock);
    }
    free(unwanted);
}
