/* compact_faults_test.c - every failure while a segment is emptied, one at a time
 * (OBJ-COMPACT-4, OBJ-FAULT-1, -2, -4): the 1st allocation fails, then the 2nd, …
 * until none does; the same for each call on a file and each commit. After it and
 * a restart every body is there, byte for byte; once all is deleted nothing is left.
 *
 * Planted bug that it caught: space that is given back although the commit that names
 * it may have happened.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "tests/unit/storage/obj/faults.h"

#define LEN MIB(1) /* four fill a segment */

static const char *const names[] = {"a", "b", "c", "d"};

/* Half of the first segment is alive: one more delete makes it sparse. */
static struct fixture *start(void)
{
    fixture_compaction = (struct store_compaction){.below_percent = 50};
    struct fixture *f = fixture_new();
    for (uint32_t i = 0; i < 4; i++)
        put(f, names[i], LEN, i);
    put(f, "next", LEN, 9);
    delete_key(f, "a");
    delete_key(f, "b");
    wait_swept(f);
    return f;
}

/* Wait until "d" moved and its old place is free, or something failed. */
static void wait_done(struct fixture *f)
{
    const struct store_stats *stats = store_stats(f->store);
    struct err err;
    for (int i = 0; i < 100; i++) {
        if (metrics_get(&stats->compact_errors) || metrics_get(&stats->sweep_errors) ||
            store_health(f->store, &err) != ERR_OK)
            break;
        if (metrics_get(&stats->bodies_moved) && count_tag(f, TAG_FREE) == 0)
            break;
        usleep(5000);
    }
}

static void delete_if_there(struct fixture *f, const char *key)
{
    struct err err;
    struct object_deleted deleted;
    assert_ok(delete_version(f, key, (struct object_version){0}, &deleted, &err));
}

static void check_after(struct fixture *f)
{
    struct err err;
    fixture_restart(f);
    assert_ok(get(f, "d", LEN, 3, &err));
    assert_ok(get(f, "next", LEN, 9, &err));
    delete_if_there(f, "c");
    wait_swept(f);
    assert_ok(get(f, "d", LEN, 3, &err));
    delete_key(f, "d");
    delete_key(f, "next");
    fixture_restart(f); /* what a failed write left goes at the start */
    assert_nothing_left(f);
    fixture_free(f);
}

static bool compact_with_fault(const struct fault *fault, long nth)
{
    struct fixture *f = start();
    struct err err;
    struct object_deleted deleted;
    fault->arm(f, nth);
    enum err_code rc = delete_version(f, "c", (struct object_version){0}, &deleted, &err);
    if (rc == ERR_OK)
        wait_done(f);
    bool hit = fault->disarm(f);
    if (!hit)
        assert_int_equal(metrics_get(&store_stats(f->store)->bodies_moved), 1);
    check_after(f);
    return hit;
}

static void test_allocations(void **state UNUSED)
{
    assert_true(fault_each(&fault_allocations[0], compact_with_fault) > 2);
}

static void test_files(void **state UNUSED)
{
    assert_true(fault_each(&fault_files[0], compact_with_fault) > 2);
    assert_true(fault_each(&fault_full_disk, compact_with_fault) > 2);
}

static void test_commits(void **state UNUSED)
{
    assert_true(fault_each(&fault_commits[0], compact_with_fault) > 2);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
