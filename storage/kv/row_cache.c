/* row_cache.c - see row_cache.h.
 *
 *     hash ──> shard (lock, rows by age) ──> slot ──> row ──> row ──> NULL
 *
 * Why a row is never out of date: a slot counts the writes that began on it and
 * those that have not ended. A reader puts in what it read only if none began
 * since it looked here and none was under way then; so all of its reading came
 * before a write, and that write takes the row out again, or after it.
 *
 * Threads   a shard's lock guards its slots and rows; `references` is atomic. */
#include "storage/kv/row_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"

#define SHARDS          16
#define BYTES_FOR_SLOT  512 /* of the cache: a record's row takes about as much */
#define SLOTS_MIN       SHARDS
#define SLOTS_MAX       (1u << 24)
#define CHAIN_MAX       8  /* rows in a slot, whatever keys somebody thinks up */
#define MALLOC_OVERHEAD 16 /* bytes, about */

struct row {
    struct row *next;          /* in its slot */
    struct row *newer, *older; /* in its shard */
    atomic_uint references;    /* the cache's, and each reader's */
    uint32_t hash;
    enum kv_family family;
    size_t key_len, value_len;
    uint8_t data[]; /* key, value */
};

struct slot {
    struct row *first;
    uint32_t writes;     /* begun, ever */
    uint32_t unfinished; /* of them */
};

struct shard {
    pthread_mutex_t lock;
    struct row *newest, *oldest;
    uint64_t bytes;
};

struct row_cache {
    struct shard shards[SHARDS];
    uint64_t shard_max; /* bytes of rows */
    uint32_t slot_mask;
    struct slot slots[];
};

struct row_cache *row_cache_new(uint64_t bytes)
{
    uint32_t slots = SLOTS_MIN;
    while (slots < bytes / BYTES_FOR_SLOT && slots < SLOTS_MAX)
        slots *= 2;
    struct row_cache *cache = calloc(1, sizeof(*cache) + slots * sizeof(struct slot));
    if (!cache)
        return NULL;
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    cache->slot_mask = slots - 1;
    cache->shard_max = bytes / SHARDS;
    return cache;
}

void row_cache_free(struct row_cache *cache)
{
    if (!cache)
        return;
    row_cache_clear(cache);
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&cache->shards[i].lock);
    free(cache);
}

static uint64_t size_of(const struct row *row)
{
    return sizeof(*row) + row->key_len + row->value_len + MALLOC_OVERHEAD;
}

static struct bytes key_of(const struct row *row)
{
    return bytes_of(row->data, row->key_len);
}

static struct shard *shard_of(struct row_cache *cache, uint32_t hash)
{
    return &cache->shards[hash % SHARDS];
}

static struct slot *slot_of(struct row_cache *cache, uint32_t hash)
{
    return &cache->slots[hash & cache->slot_mask];
}

static uint32_t hash_of(enum kv_family family, struct bytes key)
{
    return hash_crc32c((uint32_t)family, key);
}

static bool is_row(const struct row *row, uint32_t hash, enum kv_family family, struct bytes key)
{
    return row->hash == hash && row->family == family && bytes_equal(key_of(row), key);
}

/* ---- a shard's rows by age; its lock is held ---- */

static void age_unlink(struct shard *shard, struct row *row)
{
    *(row->newer ? &row->newer->older : &shard->newest) = row->older;
    *(row->older ? &row->older->newer : &shard->oldest) = row->newer;
}

static void age_link(struct shard *shard, struct row *row)
{
    row->newer = NULL;
    row->older = shard->newest;
    *(row->older ? &row->older->newer : &shard->oldest) = row;
    shard->newest = row;
}

static struct row *find(const struct slot *slot, uint32_t hash, enum kv_family family,
                        struct bytes key)
{
    struct row *row = slot->first;
    while (row && !is_row(row, hash, family, key))
        row = row->next;
    return row;
}

static bool has_room(const struct slot *slot)
{
    unsigned count = 0;
    for (const struct row *row = slot->first; row; row = row->next)
        count++;
    return count < CHAIN_MAX;
}

static void take_out(struct row_cache *cache, struct row *row)
{
    struct shard *shard = shard_of(cache, row->hash);
    struct slot *slot = slot_of(cache, row->hash);
    struct row **at = &slot->first;
    while (*at != row)
        at = &(*at)->next;
    *at = row->next;
    age_unlink(shard, row);
    shard->bytes -= size_of(row);
    row_release(row);
}

static void put_in(struct row_cache *cache, struct row *row)
{
    struct shard *shard = shard_of(cache, row->hash);
    struct slot *slot = slot_of(cache, row->hash);
    row->next = slot->first;
    slot->first = row;
    age_link(shard, row);
    shard->bytes += size_of(row);
    while (shard->bytes > cache->shard_max)
        take_out(cache, shard->oldest);
}

/* ---- readers ---- */

bool row_cache_find(struct row_cache *cache, enum kv_family family, struct bytes key,
                    struct kv_value *ret_value, struct row_miss *ret_miss)
{
    uint32_t hash = hash_of(family, key);
    struct shard *shard = shard_of(cache, hash);
    const struct slot *slot = slot_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct row *row = find(slot, hash, family, key);
    if (row) {
        atomic_fetch_add(&row->references, 1);
        age_unlink(shard, row);
        age_link(shard, row);
    } else {
        *ret_miss = (struct row_miss){hash, slot->writes, slot->unfinished > 0};
    }
    pthread_mutex_unlock(&shard->lock);
    if (row)
        *ret_value = (struct kv_value){.bytes = bytes_of(row->data + row->key_len, row->value_len),
                                       .owner = row};
    return row != NULL;
}

static struct row *row_new(uint32_t hash, enum kv_family family, struct bytes key,
                           struct bytes value)
{
    struct row *row = malloc(sizeof(*row) + key.len + value.len);
    if (!row)
        return NULL;
    *row = (struct row){.hash = hash, .family = family, .key_len = key.len, .value_len = value.len};
    atomic_init(&row->references, 1);
    memcpy(row->data, key.data, key.len);
    if (value.len)
        memcpy(row->data + key.len, value.data, value.len);
    return row;
}

void row_cache_add(struct row_cache *cache, enum kv_family family, struct bytes key,
                   struct bytes value, const struct row_miss *miss)
{
    if (family == KV_CHANGES || value.len > ROW_CACHE_VALUE_MAX || miss->is_written)
        return;
    struct row *row = row_new(miss->hash, family, key, value);
    if (!row)
        return;
    struct shard *shard = shard_of(cache, miss->hash);
    const struct slot *slot = slot_of(cache, miss->hash);
    pthread_mutex_lock(&shard->lock);
    bool is_wanted =
        slot->writes == miss->writes && has_room(slot) && !find(slot, miss->hash, family, key);
    if (is_wanted)
        put_in(cache, row);
    pthread_mutex_unlock(&shard->lock);
    if (!is_wanted)
        row_release(row);
}

void row_release(struct row *row)
{
    if (atomic_fetch_sub(&row->references, 1) == 1)
        free(row);
}

/* ---- the writer ---- */

static void begin_at(struct row_cache *cache, const struct kv_op *op)
{
    uint32_t hash = hash_of(op->family, op->key);
    struct shard *shard = shard_of(cache, hash);
    struct slot *slot = slot_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    slot->writes++;
    slot->unfinished++;
    struct row *row = find(slot, hash, op->family, op->key);
    if (row)
        take_out(cache, row);
    pthread_mutex_unlock(&shard->lock);
}

static void end_at(struct row_cache *cache, const struct kv_op *op)
{
    uint32_t hash = hash_of(op->family, op->key);
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    slot_of(cache, hash)->unfinished--;
    pthread_mutex_unlock(&shard->lock);
}

/* A range may hold any row: all slots are written. */
static void begin_everywhere(struct row_cache *cache)
{
    for (uint32_t i = 0; i <= cache->slot_mask; i++) {
        struct shard *shard = shard_of(cache, i);
        struct slot *slot = &cache->slots[i];
        pthread_mutex_lock(&shard->lock);
        slot->writes++;
        slot->unfinished++;
        while (slot->first)
            take_out(cache, slot->first);
        pthread_mutex_unlock(&shard->lock);
    }
}

static void end_everywhere(struct row_cache *cache)
{
    for (uint32_t i = 0; i <= cache->slot_mask; i++) {
        struct shard *shard = shard_of(cache, i);
        pthread_mutex_lock(&shard->lock);
        cache->slots[i].unfinished--;
        pthread_mutex_unlock(&shard->lock);
    }
}

void row_cache_begin(struct row_cache *cache, const struct kv_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ops[i].family == KV_CHANGES)
            continue;
        if (ops[i].kind == KV_DELETE_RANGE)
            begin_everywhere(cache);
        else
            begin_at(cache, &ops[i]);
    }
}

void row_cache_end(struct row_cache *cache, const struct kv_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ops[i].family == KV_CHANGES)
            continue;
        if (ops[i].kind == KV_DELETE_RANGE)
            end_everywhere(cache);
        else
            end_at(cache, &ops[i]);
    }
}

/* ---- the whole ---- */

void row_cache_clear(struct row_cache *cache)
{
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        while (shard->oldest)
            take_out(cache, shard->oldest);
        pthread_mutex_unlock(&shard->lock);
    }
}

uint64_t row_cache_bytes(struct row_cache *cache)
{
    uint64_t bytes = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        bytes += shard->bytes;
        pthread_mutex_unlock(&shard->lock);
    }
    return bytes;
}
