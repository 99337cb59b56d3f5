/* key_cache_test.c - keys in use: found, replaced, forgotten in time.
 *
 * Planted bug it caught: the generation not looked at in key_cache_add. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "storage/auth/key_cache.h"

static struct key_cache_entry entry_of(const char *user)
{
    struct key_cache_entry entry = {.signing_key = {1}};
    snprintf(entry.secret.key.user, sizeof(entry.secret.key.user), "%s", user);
    return entry;
}

static void entries_are_found_by_their_whole_id(void **state)
{
    struct key_cache *cache = key_cache_new();
    struct key_cache_entry entry = entry_of("alice"), found;
    uint64_t generation;
    (void)state;
    assert_false(key_cache_find(cache, BYTES_LIT("a/d/r/s3"), &found, &generation));
    key_cache_add(cache, BYTES_LIT("a/d/r/s3"), &entry, generation);
    assert_true(key_cache_find(cache, BYTES_LIT("a/d/r/s3"), &found, &generation));
    assert_string_equal(found.secret.key.user, "alice");
    assert_false(key_cache_find(cache, BYTES_LIT("a/d/r/s"), &found, &generation));
    assert_false(key_cache_find(cache, BYTES_LIT("a"), &found, &generation));
    key_cache_free(cache);
}

/* AUTH-KEY-3 */
static void what_was_read_before_a_change_is_not_kept(void **state)
{
    struct key_cache *cache = key_cache_new();
    struct key_cache_entry entry = entry_of("alice"), found;
    uint64_t before, generation;
    (void)state;
    assert_false(key_cache_find(cache, BYTES_LIT("a"), &found, &before));
    key_cache_forget(cache); /* the key was disabled in between */
    key_cache_add(cache, BYTES_LIT("a"), &entry, before);
    assert_false(key_cache_find(cache, BYTES_LIT("a"), &found, &generation));
    key_cache_add(cache, BYTES_LIT("a"), &entry, generation);
    assert_true(key_cache_find(cache, BYTES_LIT("a"), &found, &generation));
    key_cache_forget(cache);
    assert_false(key_cache_find(cache, BYTES_LIT("a"), &found, &generation));
    key_cache_free(cache);
}

static void old_entries_give_way(void **state)
{
    struct key_cache *cache = key_cache_new();
    struct key_cache_entry entry = entry_of("alice"), found;
    uint64_t generation = 0;
    size_t kept = 0;
    char id[16];
    (void)state;
    for (int i = 0; i < 10 * AUTH_CACHE_MAX; i++) {
        int len = snprintf(id, sizeof(id), "k%d", i);
        key_cache_add(cache, bytes_of(id, (size_t)len), &entry, generation);
        assert_true(key_cache_find(cache, bytes_of(id, (size_t)len), &found, &generation));
    }
    for (int i = 0; i < 10 * AUTH_CACHE_MAX; i++) {
        int len = snprintf(id, sizeof(id), "k%d", i);
        kept += key_cache_find(cache, bytes_of(id, (size_t)len), &found, &generation);
    }
    assert_in_range(kept, AUTH_CACHE_MAX / 2, AUTH_CACHE_MAX);
    key_cache_free(cache);
}

struct race {
    struct key_cache *cache;
    atomic_bool stop;
};

static void *use_cache(void *ctx)
{
    struct race *race = ctx;
    struct key_cache_entry entry = entry_of("alice"), found;
    uint64_t generation;
    while (!atomic_load(&race->stop)) {
        if (key_cache_find(race->cache, BYTES_LIT("a"), &found, &generation))
            assert_string_equal(found.secret.key.user, "alice"); /* never half an entry */
        else
            key_cache_add(race->cache, BYTES_LIT("a"), &entry, generation);
    }
    return NULL;
}

static void threads_may_use_it_together(void **state)
{
    struct race race = {.cache = key_cache_new()};
    pthread_t threads[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, use_cache, &race);
    for (int i = 0; i < 2000; i++)
        key_cache_forget(race.cache);
    atomic_store(&race.stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    key_cache_free(race.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_by_their_whole_id),
        cmocka_unit_test(what_was_read_before_a_change_is_not_kept),
        cmocka_unit_test(old_entries_give_way),
        cmocka_unit_test(threads_may_use_it_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
