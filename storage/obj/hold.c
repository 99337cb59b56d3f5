/* hold.c - see hold.h. */
#include "storage/obj/hold.h"

void hold_init(struct hold *hold)
{
    pthread_mutex_init(&hold->lock, NULL);
    pthread_cond_init(&hold->idle, NULL);
    hold->holders = hold->freeing = 0;
}

void hold_done(struct hold *hold)
{
    pthread_cond_destroy(&hold->idle);
    pthread_mutex_destroy(&hold->lock);
}

/* Counted before the wait, so that who frees one thing after the other lets it in. */
void hold_begin(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    hold->holders++;
    while (hold->freeing)
        pthread_cond_wait(&hold->idle, &hold->lock);
    pthread_mutex_unlock(&hold->lock);
}

void hold_end(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    hold->holders--;
    pthread_mutex_unlock(&hold->lock);
}

bool hold_is_held(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    bool held = hold->holders > 0;
    pthread_mutex_unlock(&hold->lock);
    return held;
}

bool hold_free_begin(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    bool may = hold->holders == 0;
    hold->freeing += may;
    pthread_mutex_unlock(&hold->lock);
    return may;
}

void hold_free_end(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    hold->freeing--;
    if (hold->freeing == 0)
        pthread_cond_broadcast(&hold->idle);
    pthread_mutex_unlock(&hold->lock);
}
