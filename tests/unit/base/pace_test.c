/* pace_test.c - BASE-PACE-1, BASE-PACE-2, BASE-PACE-3.
 *
 * Planted bugs that it caught: unused time made good without an end; the bytes under a
 * second's dropped when it is over. */
#include "base/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"

#define START_MS 123456789
#define RATE     MIB(8)
#define STEP     KIB(256) /* due in 31.25 ms */

/* Work at a rate, on a clock of its own. */
struct work {
    struct pace pace;
    uint64_t now_ms;
    uint64_t bytes; /* done */
};

static struct work begin(uint64_t rate)
{
    struct work work = {.now_ms = START_MS};
    pace_init(&work.pace, rate, work.now_ms);
    return work;
}

/* Work that takes `busy_ms`, then the wait for it. returns  that wait */
static uint32_t step(struct work *work, uint64_t bytes, uint64_t busy_ms)
{
    work->now_ms += busy_ms;
    work->bytes += bytes;
    uint32_t wait_ms = pace_wait_ms(&work->pace, bytes, work->now_ms);
    work->now_ms += wait_ms;
    return wait_ms;
}

static uint64_t elapsed_ms(const struct work *work)
{
    return work->now_ms - START_MS;
}

/* Steps of any size, pauses of any length, the same in every run. */
static uint64_t any(uint64_t below)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

/* BASE-PACE-1: between any two moments, and since the start without the second's bytes. */
static void never_exceeds_the_rate(void **state UNUSED)
{
    enum { STEPS = 1000 };
    static struct work at[STEPS];
    struct work work = begin(RATE);
    for (size_t i = 0; i < STEPS; i++) {
        step(&work, any(3) ? any(STEP) : any(3 * RATE), any(10) ? any(50) : any(5000));
        at[i] = work;
        assert_true(work.bytes <= RATE * (elapsed_ms(&work) + 1) / 1000);
        for (size_t k = 0; k < i; k++)
            if (work.bytes - at[k].bytes > RATE * (work.now_ms - at[k].now_ms + 1001) / 1000)
                fail_msg("too much between steps %zu and %zu", k, i);
    }
}

/* BASE-PACE-2: whatever the work itself takes, up to its share of the time. */
static void keeps_up_the_rate(void **state UNUSED)
{
    for (uint64_t busy_ms = 0; busy_ms <= 31; busy_ms++) {
        struct work work = begin(RATE);
        for (int i = 0; i < 3200; i++)
            step(&work, STEP, busy_ms);
        assert_int_equal(elapsed_ms(&work), 100000);
    }
}

/* BASE-PACE-2: stalls of up to a second are made good. */
static void makes_stalls_good(void **state UNUSED)
{
    struct work work = begin(RATE);
    for (int i = 0; i < 3200; i++)
        step(&work, STEP, i % 64 == 0 ? 1000 : 1);
    assert_int_equal(elapsed_ms(&work), 100000);
}

/* BASE-PACE-1: after a rest of any length a second's bytes go at once, and no more. */
static void rests_give_one_second(void **state UNUSED)
{
    static const uint64_t rests_ms[] = {1500, 60000, 3600000, 1ull << 40};
    for (size_t i = 0; i < ARRAY_LEN(rests_ms); i++) {
        struct work work = begin(RATE);
        for (int k = 0; k < 100; k++)
            step(&work, STEP, 0);
        work.now_ms += rests_ms[i];
        uint64_t before = work.bytes;
        while (step(&work, STEP, 0) == 0)
            ;
        assert_int_equal(work.bytes - before, RATE + STEP);
        assert_in_range(step(&work, STEP, 0), 31, 32);
    }
}

/* BASE-PACE-1: at the start there is nothing to make good. */
static void begins_without_credit(void **state UNUSED)
{
    struct work work = begin(RATE);
    assert_int_equal(step(&work, RATE, 0), 1000);
    assert_int_equal(step(&work, RATE / 2, 0), 500);
    assert_int_equal(step(&work, 0, 0), 0);
}

/* BASE-PACE-1: rates that do not divide a millisecond do not drift. */
static void odd_rates_do_not_drift(void **state UNUSED)
{
    static const uint64_t rates[] = {1, 3, 7, 999, 1001, 104729, TIB(1), UINT64_MAX / 1000};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct work work = begin(rates[i]);
        uint64_t piece = rates[i] < 7 ? 1 : rates[i] / 7;
        while (work.bytes < 20 * rates[i])
            step(&work, piece, 0);
        assert_int_equal(elapsed_ms(&work),
                         work.bytes / rates[i] * 1000 + work.bytes % rates[i] * 1000 / rates[i]);
    }
}

/* BASE-PACE-1: more than a second's bytes in one piece take as long as they are due. */
static void large_pieces_take_their_time(void **state UNUSED)
{
    struct work work = begin(1000);
    assert_int_equal(step(&work, 12345, 0), 12345);
    assert_int_equal(step(&work, 1, 0), 1);
    struct work slow = begin(1);
    assert_int_equal(step(&slow, GIB(1), 0), PACE_WAIT_MS_MAX);
    assert_int_equal(step(&slow, 1, 0), PACE_WAIT_MS_MAX); /* the rest is not forgotten */
}

/* BASE-PACE-3 */
static void no_rate_is_no_limit(void **state UNUSED)
{
    struct work work = begin(0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(step(&work, TIB(1), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_exceeds_the_rate),
        cmocka_unit_test(keeps_up_the_rate),
        cmocka_unit_test(makes_stalls_good),
        cmocka_unit_test(rests_give_one_second),
        cmocka_unit_test(begins_without_credit),
        cmocka_unit_test(odd_rates_do_not_drift),
        cmocka_unit_test(large_pieces_take_their_time),
        cmocka_unit_test(no_rate_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
