/* hold_test.c - what is held is not freed (OBJ-HOLD).
 *
 * Planted bug that it caught: a hold that began while something was freed. */
#include "storage/obj/hold.h"

#include "tests/unit/storage/obj/obj_fixture.h"

/* OBJ-HOLD-1: nobody frees while somebody holds, however many do. */
static void test_frees_wait(void **state)
{
    struct hold hold;
    (void)state;
    hold_init(&hold);
    assert_true(hold_free_begin(&hold));
    assert_true(hold_free_begin(&hold));
    hold_free_end(&hold);
    hold_free_end(&hold);
    hold_begin(&hold);
    hold_begin(&hold);
    assert_false(hold_free_begin(&hold));
    hold_end(&hold);
    assert_false(hold_free_begin(&hold));
    hold_end(&hold);
    assert_true(hold_free_begin(&hold));
    hold_free_end(&hold);
    hold_done(&hold);
}

static void *hold_it(void *ctx)
{
    hold_begin(ctx);
    return NULL;
}

/* OBJ-HOLD-1: who begins to hold waits for what is being freed, and lets nothing new begin. */
static void test_hold_waits(void **state)
{
    struct hold hold;
    pthread_t thread;
    (void)state;
    hold_init(&hold);
    assert_true(hold_free_begin(&hold));
    assert_int_equal(pthread_create(&thread, NULL, hold_it, &hold), 0);
    bool may = true;
    for (int i = 0; i < 1000 && may; i++) {
        usleep(1000);
        may = hold_free_begin(&hold);
        if (may)
            hold_free_end(&hold);
    }
    assert_false(may);
    assert_int_not_equal(pthread_tryjoin_np(thread, NULL), 0);
    hold_free_end(&hold);
    assert_int_equal(pthread_join(thread, NULL), 0);
    hold_end(&hold);
    hold_done(&hold);
}

static uint64_t live_bytes(struct fixture *f)
{
    struct segments_stats stats;
    segments_get_stats(f->store->segments, &stats);
    return stats.live_bytes;
}

/* OBJ-HOLD-1: the sweeper keeps to it, and goes on afterwards. */
static void test_sweeper(void **state)
{
    struct fixture *f = *state;
    put(f, "large", MIB(1), 1);
    hold_begin(&f->store->hold);
    delete_key(f, "large");
    put(f, "later", KIB(300), 2); /* a commit, so that the sweeper had its turn */
    usleep(300000);
    assert_int_equal(live_bytes(f), MIB(1) + KIB(300));
    assert_int_equal(count_tag(f, TAG_FREE), 1);
    hold_end(&f->store->hold);
    sweep_wake(f->store);
    wait_live(f, KIB(300));
    assert_int_equal(count_tag(f, TAG_FREE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_frees_wait),
                                       cmocka_unit_test(test_hold_waits), TEST(test_sweeper)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
