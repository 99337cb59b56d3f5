/* used.c - a small open-addressing table of access keys.
 *
 * Entries go only all at once, so there is no deletion among probes. */
#include "storage/auth/used.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

#define SLOTS (2 * AUTH_USED_MAX)
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a power of two, so that probing wraps by a mask");

struct used {
    pthread_mutex_t lock; /* guards all of it */
    size_t count;
    struct used_entry slots[SLOTS];
};

struct used *used_new(void)
{
    struct used *used = calloc(1, sizeof(*used));
    if (used)
        pthread_mutex_init(&used->lock, NULL);
    return used;
}

void used_free(struct used *used)
{
    if (!used)
        return;
    pthread_mutex_destroy(&used->lock);
    free(used);
}

/* The slot of that key, or the free one where it would stand. */
static struct used_entry *find_slot(struct used *used, struct bytes access_key)
{
    for (uint32_t i = hash_crc32c(0, access_key);; i++) {
        struct used_entry *slot = &used->slots[i & (SLOTS - 1)];
        if (slot->len == 0 || bytes_equal(bytes_of(slot->access_key, slot->len), access_key))
            return slot;
    }
}

void used_mark(struct used *used, struct bytes access_key, uint64_t unix_ms)
{
    if (access_key.len == 0 || access_key.len > AUTH_KEY_ID_MAX)
        return;
    pthread_mutex_lock(&used->lock);
    struct used_entry *slot = find_slot(used, access_key);
    if (slot->len == 0 && used->count < AUTH_USED_MAX) {
        memcpy(slot->access_key, access_key.data, access_key.len);
        slot->len = access_key.len;
        used->count++;
    }
    if (slot->len > 0 && slot->unix_ms < unix_ms)
        slot->unix_ms = unix_ms;
    pthread_mutex_unlock(&used->lock);
}

uint64_t used_get(struct used *used, struct bytes access_key)
{
    pthread_mutex_lock(&used->lock);
    const struct used_entry *slot = find_slot(used, access_key);
    uint64_t unix_ms = slot->len > 0 ? slot->unix_ms : 0;
    pthread_mutex_unlock(&used->lock);
    return unix_ms;
}

size_t used_take(struct used *used, struct used_entry ret_entries[AUTH_USED_MAX])
{
    size_t taken = 0;
    pthread_mutex_lock(&used->lock);
    for (size_t i = 0; i < SLOTS; i++)
        if (used->slots[i].len > 0)
            ret_entries[taken++] = used->slots[i];
    memset(used->slots, 0, sizeof(used->slots));
    used->count = 0;
    pthread_mutex_unlock(&used->lock);
    return taken;
}
