/* upload_age_test.c - how old uploads are while the wall clock jumps, and over
 * restarts (BOX-UPLOAD-1).
 *
 * Planted bugs that it caught: time that goes by the wall clock; marks that are
 * forgotten at a restart; the time of a run that is counted twice. */
#include "appliance/upload_age.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "appliance/rows.h"
#include "base/attr.h"
#include "tests/unit/storage/kv/fake_kv.h"

#define HOUR_MS (60 * 60 * 1000ULL)
#define DAY_MS  (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)
#define LIMIT   (7 * DAY_MS)

static uint64_t now_mono_ms, now_unix_ms;
static struct fake_kv *fake;
static struct committer *committer;

static uint64_t fake_mono_ms(void *ctx UNUSED)
{
    return now_mono_ms;
}

static uint64_t fake_unix_ms(void *ctx UNUSED)
{
    return now_unix_ms;
}

static const struct clock fake_clock = {.mono_ms = fake_mono_ms, .unix_ms = fake_unix_ms};

static int setup(void **state UNUSED)
{
    struct err err;
    now_mono_ms = 5000;
    now_unix_ms = 50 * YEAR_MS;
    fake = fake_kv_new();
    return committer_start(&fake->kv, clock_system(), 0, 0, &committer, &err);
}

static int teardown(void **state UNUSED)
{
    committer_stop(committer);
    fake_kv_free(fake);
    return 0;
}

static struct upload_age load(void)
{
    struct upload_age age;
    struct err err;
    assert_int_equal(upload_age_load(&age, &fake->kv, committer, &fake_clock, &err), ERR_OK);
    return age;
}

/* returns  below which id uploads are older than the limit */
static uint64_t count(struct upload_age *age, uint64_t next_id, uint64_t limit_ms)
{
    struct err err;
    uint64_t before = UINT64_MAX;
    assert_int_equal(upload_age_count(age, next_id, limit_ms, &before, &err), ERR_OK);
    return before;
}

static void run_for(struct upload_age *age, uint64_t ms, uint64_t next_id)
{
    for (uint64_t done = 0; done < ms; done += HOUR_MS) {
        now_mono_ms += HOUR_MS;
        now_unix_ms += HOUR_MS;
        (void)count(age, next_id, LIMIT);
    }
}

/* BOX-UPLOAD-1: an upload is old once the box ran for so long since, a little more at most. */
static void test_expires(void **state UNUSED)
{
    struct upload_age age = load();
    assert_int_equal(count(&age, 100, LIMIT), 0);
    run_for(&age, 6 * DAY_MS, 200);
    assert_int_equal(count(&age, 200, LIMIT), 0);
    run_for(&age, DAY_MS, 300);
    assert_int_equal(count(&age, 300, LIMIT), 100);
    run_for(&age, 6 * DAY_MS, 400);
    assert_int_equal(count(&age, 400, LIMIT), 200);
    run_for(&age, DAY_MS, 500);
    assert_int_equal(count(&age, 500, LIMIT), 300);
    assert_in_range(age.count, 2, UPLOAD_AGE_MARKS);
}

/* BOX-UPLOAD-1: a wall clock that jumps, ahead or back, makes no upload older or younger. */
static void test_wall_clock_jumps(void **state UNUSED)
{
    struct upload_age age = load();
    assert_int_equal(count(&age, 100, LIMIT), 0);
    now_unix_ms += 10 * YEAR_MS;
    assert_int_equal(count(&age, 200, LIMIT), 0);
    now_unix_ms = 0;
    run_for(&age, 6 * DAY_MS, 200);
    assert_int_equal(count(&age, 200, LIMIT), 0);
    run_for(&age, DAY_MS, 200);
    assert_int_equal(count(&age, 200, LIMIT), 100);
}

/* BOX-UPLOAD-1: age goes on after a restart, the time between does not count, nor what the
 * monotonic clock of another run says. */
static void test_restarts(void **state UNUSED)
{
    struct upload_age age = load();
    assert_int_equal(count(&age, 100, LIMIT), 0);
    run_for(&age, 4 * DAY_MS, 200);
    for (int i = 0; i < 5; i++) {
        now_mono_ms = i % 2 ? 3 : 20 * DAY_MS;
        now_unix_ms += YEAR_MS;
        age = load();
        assert_int_equal(count(&age, 300, LIMIT), 0);
        assert_int_equal(age.running_ms, 4 * DAY_MS);
    }
    run_for(&age, 3 * DAY_MS, 400);
    assert_int_equal(count(&age, 400, LIMIT), 100);
}

/* BOX-UPLOAD-1: another limit counts at once, and the marks stay few. */
static void test_other_limit(void **state UNUSED)
{
    struct upload_age age = load();
    for (uint64_t id = 1; id <= 100; id++) {
        (void)count(&age, id, 100 * DAY_MS);
        now_mono_ms += DAY_MS;
    }
    uint64_t before = count(&age, 101, 10 * DAY_MS);
    assert_in_range(before, 85, 91);
    for (uint64_t id = 102; id <= 300; id++) {
        (void)count(&age, id, DAY_MS);
        now_mono_ms += HOUR_MS;
    }
    assert_in_range(age.count, 1, UPLOAD_AGE_MARKS);
    (void)count(&age, 301, 3650 * DAY_MS);
    assert_in_range(age.count, 1, UPLOAD_AGE_MARKS);
}

/* A row that does not fit, as damage would make it, is told. */
static void test_damage(void **state UNUSED)
{
    struct upload_age age = load();
    struct err err;
    (void)count(&age, 100, LIMIT);
    struct arena arena;
    arena_init(&arena, 4096);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    /* format, running_ms = 1, one id, no time of it */
    commit_put(&batch, KV_META, BYTES_LIT("supload-age"), BYTES_LIT("\001\010\001\022\001\005"));
    assert_int_equal(commit(committer, &batch, &err), ERR_OK);
    arena_done(&arena);
    assert_int_equal(upload_age_load(&age, &fake->kv, committer, &fake_clock, &err), ERR_CORRUPT);
}

#define AGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {AGE_TEST(test_expires), AGE_TEST(test_wall_clock_jumps),
                                       AGE_TEST(test_restarts), AGE_TEST(test_other_limit),
                                       AGE_TEST(test_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
