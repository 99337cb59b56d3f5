/* key_cache.c - a small set-associative memory of keys in use.
 *
 *     id --CRC32C--> shard (lock, WAYS entries, the next to be replaced)
 *
 * A reader that missed takes the generation before it reads the disk; who
 * changes a key commits, raises the generation and wipes, in this order. So
 * either the wipe comes after the reader's entry, or the reader's generation
 * is too old: a key that was disabled is never kept.
 *
 * Threads   `lock` guards its shard; the generation is atomic. */
#include "storage/auth/key_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SHARDS 16
#define WAYS   (AUTH_CACHE_MAX / SHARDS)

struct way {
    uint32_t hash;
    size_t id_len; /* bytes; 0 = free */
    uint8_t id[KEY_CACHE_ID_MAX];
    struct key_cache_entry entry;
};

struct shard {
    pthread_mutex_t lock;
    unsigned next; /* the way that is replaced next */
    struct way ways[WAYS];
};

struct key_cache {
    atomic_uint_fast64_t generation;
    struct shard shards[SHARDS];
};

struct key_cache *key_cache_new(void)
{
    struct key_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    return cache;
}

void key_cache_free(struct key_cache *cache)
{
    if (!cache)
        return;
    key_cache_forget(cache);
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&cache->shards[i].lock);
    free(cache);
}

static struct way *find_way(struct shard *shard, uint32_t hash, struct bytes id)
{
    for (unsigned i = 0; i < WAYS; i++) {
        struct way *way = &shard->ways[i];
        if (way->hash == hash && bytes_equal(bytes_of(way->id, way->id_len), id))
            return way;
    }
    return NULL;
}

bool key_cache_find(struct key_cache *cache, struct bytes id, struct key_cache_entry *ret_entry,
                    uint64_t *ret_generation)
{
    uint32_t hash = hash_crc32c(0, id);
    struct shard *shard = &cache->shards[hash % SHARDS];
    assert(id.len > 0);
    *ret_generation = atomic_load(&cache->generation);
    pthread_mutex_lock(&shard->lock);
    const struct way *way = find_way(shard, hash, id);
    if (way)
        *ret_entry = way->entry;
    pthread_mutex_unlock(&shard->lock);
    return way != NULL;
}

void key_cache_add(struct key_cache *cache, struct bytes id, const struct key_cache_entry *entry,
                   uint64_t generation)
{
    uint32_t hash = hash_crc32c(0, id);
    struct shard *shard = &cache->shards[hash % SHARDS];
    assert(id.len > 0 && id.len <= KEY_CACHE_ID_MAX);
    pthread_mutex_lock(&shard->lock);
    if (atomic_load(&cache->generation) == generation) {
        struct way *way = find_way(shard, hash, id);
        if (!way)
            way = &shard->ways[shard->next++ % WAYS];
        way->hash = hash;
        way->id_len = id.len;
        memcpy(way->id, id.data, id.len);
        way->entry = *entry;
    }
    pthread_mutex_unlock(&shard->lock);
}

void key_cache_forget(struct key_cache *cache)
{
    atomic_fetch_add(&cache->generation, 1);
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        seal_wipe(shard->ways, sizeof(shard->ways));
        pthread_mutex_unlock(&shard->lock);
    }
}
