/* space_test.c - when the disk counts as full and when the reserve moves, from
 * numbers alone (BOX-FULL-1).
 *
 * Caught on purpose: a mark that forgets what the reserve lacks, so that giving
 * it up would end "full". */
#include "appliance/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/limits.h"

static const struct space_limits limits = {
    .reserve_bytes = MIB(64), .room_bytes = MIB(30), .full_percent = 95};

/* A disk of which `available_mib` are left, with `held_mib` held back. */
static struct space_now disk(uint64_t available_mib, uint64_t held_mib)
{
    return (struct space_now){.available_bytes = MIB(available_mib),
                              .reserve_bytes = MIB(held_mib)};
}

static enum space_advice decide(uint64_t size_mib, struct space_now *now)
{
    return space_decide(MIB(size_mib) - now->available_bytes, &limits, now);
}

static void plenty_of_room(void **state UNUSED)
{
    struct space_now now = disk(5000, 64);
    assert_int_equal(decide(10000, &now), SPACE_KEEP);
    assert_false(now.full);
    assert_false(now.low);
}

static void past_the_mark(void **state UNUSED)
{
    struct space_now at = disk(500, 64), below = disk(499, 64);
    (void)decide(10000, &at);
    (void)decide(10000, &below);
    assert_false(at.full);
    assert_true(below.full);
}

static void full_ends_with_some_room(void **state UNUSED)
{
    struct space_now little = disk(520, 64), enough = disk(570, 64);
    little.full = enough.full = true;
    (void)decide(10000, &little);
    (void)decide(10000, &enough);
    assert_true(little.full);
    assert_false(enough.full);
}

static void small_disk_has_a_floor(void **state UNUSED)
{
    struct space_now now = disk(15, 64);
    (void)decide(100, &now);
    assert_true(now.full);
}

static void full_means_the_same_without_the_reserve(void **state UNUSED)
{
    struct space_now held = disk(499, 64), half = disk(499 + 32, 32), given = disk(499 + 64, 0);
    (void)decide(10000, &held);
    (void)decide(10000, &half);
    (void)decide(10000, &given);
    assert_true(held.full);
    assert_true(half.full);
    assert_true(given.full);
}

static void reserve_is_given_at_the_second_low_look(void **state UNUSED)
{
    struct space_now now = disk(0, 64);
    assert_int_equal(decide(10000, &now), SPACE_KEEP);
    assert_int_equal(decide(10000, &now), SPACE_GIVE);
    now.available_bytes = MIB(30);
    assert_int_equal(decide(10000, &now), SPACE_KEEP);
    assert_true(now.full);
}

static void the_next_start_has_its_room(void **state UNUSED)
{
    struct space_now now = disk(0, 30);
    now.low = true;
    assert_int_equal(decide(10000, &now), SPACE_KEEP);
}

/* What was given must not be enough to take it again. */
static void reserve_does_not_flap(void **state UNUSED)
{
    struct space_now now = disk(30, 34);
    assert_int_equal(decide(10000, &now), SPACE_KEEP);
    now = disk(30 + 30 + 16, 34);
    assert_int_equal(decide(10000, &now), SPACE_TAKE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plenty_of_room),
        cmocka_unit_test(past_the_mark),
        cmocka_unit_test(full_ends_with_some_room),
        cmocka_unit_test(small_disk_has_a_floor),
        cmocka_unit_test(full_means_the_same_without_the_reserve),
        cmocka_unit_test(reserve_is_given_at_the_second_low_look),
        cmocka_unit_test(the_next_start_has_its_room),
        cmocka_unit_test(reserve_does_not_flap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
