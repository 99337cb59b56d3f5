/* rows_test.c - the box's own rows: what is written is read, damage is told,
 * the time only moves forward (BOX-TIME-1), a foreign key is found out, the claim code is
 * not stored.
 *
 * Caught on purpose: a last-seen time that follows the clock back. */
#include "appliance/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "appliance/claim.h"
#include "appliance/last_seen.h"
#include "base/limits.h"
#include "tests/unit/storage/kv/fake_kv.h"

static uint64_t now_unix_ms;
static struct fake_kv *fake;
static struct committer *committer;

static uint64_t fake_unix_ms(void *ctx UNUSED)
{
    return now_unix_ms;
}

static uint64_t real_mono_ms(void *ctx UNUSED)
{
    return clock_mono_ms(clock_system());
}

static const struct clock fake_clock = {.mono_ms = real_mono_ms, .unix_ms = fake_unix_ms};

static int setup(void **state UNUSED)
{
    struct err err;
    now_unix_ms = 1000;
    fake = fake_kv_new();
    return committer_start(&fake->kv, &fake_clock, 0, 0, &committer, &err);
}

static int teardown(void **state UNUSED)
{
    committer_stop(committer);
    fake_kv_free(fake);
    return 0;
}

static struct last_seen load(void)
{
    struct last_seen seen;
    struct err err;
    assert_int_equal(last_seen_load(&seen, &fake->kv, committer, &fake_clock, &err), ERR_OK);
    return seen;
}

static void keep_at(struct last_seen *seen, uint64_t unix_ms)
{
    struct err err;
    now_unix_ms = unix_ms;
    assert_int_equal(last_seen_keep(seen, &err), ERR_OK);
}

static void a_new_box_was_never_seen(void **state UNUSED)
{
    struct last_seen seen = load();
    assert_int_equal(atomic_load(&seen.unix_ms), 0);
    assert_int_equal(last_seen_behind_ms(&seen), 0);
}

static void time_only_moves_forward(void **state UNUSED)
{
    struct last_seen seen = load();
    keep_at(&seen, 5000);
    keep_at(&seen, 3000);
    assert_int_equal(last_seen_behind_ms(&seen), 2000);
    struct last_seen again = load();
    assert_int_equal(atomic_load(&again.unix_ms), 5000);
    keep_at(&again, 6000);
    assert_int_equal(last_seen_behind_ms(&again), 0);
}

static void a_failed_write_moves_nothing(void **state UNUSED)
{
    struct last_seen seen = load();
    struct err err;
    fake->fail_write = 1;
    now_unix_ms = 5000;
    assert_int_equal(last_seen_keep(&seen, &err), ERR_IO);
    assert_int_equal(atomic_load(&seen.unix_ms), 0);
}

static void damaged_rows_are_told(void **state UNUSED)
{
    static const struct bytes rows[] = {BYTES_LIT(""), BYTES_LIT("\x02\x08\x01"),
                                        BYTES_LIT("\x01\x08"), BYTES_LIT("\x01\xff\xff\xff")};
    struct last_seen seen;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_kv_set(fake, KV_META, BYTES_LIT("slast-seen"), rows[i]);
        assert_int_equal(last_seen_load(&seen, &fake->kv, committer, &fake_clock, &err),
                         ERR_CORRUPT);
    }
}

static size_t read_settings(struct arena *arena, struct bytes **ret_rows)
{
    size_t count;
    struct err err;
    assert_int_equal(rows_get_settings(&fake->kv, arena, ret_rows, &count, &err), ERR_OK);
    return count;
}

static void settings_of_the_last_start_are_read(void **state UNUSED)
{
    static const struct bytes none[] = {BYTES_LIT(""), BYTES_LIT("\x02\x0a\x01x"),
                                        BYTES_LIT("\x01\x0a\xff")};
    const struct bytes rows[] = {BYTES_LIT("a=1"), BYTES_LIT("b="), BYTES_LIT("c=\n=x")};
    struct bytes *read;
    struct arena arena;
    struct commit_batch batch;
    struct err err;
    arena_init(&arena, MIB(1));
    assert_int_equal(read_settings(&arena, &read), 0);
    commit_batch_init(&batch, &arena);
    rows_add_settings(&batch, rows, ARRAY_LEN(rows));
    assert_int_equal(commit(committer, &batch, &err), ERR_OK);
    assert_int_equal(read_settings(&arena, &read), ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(bytes_equal(read[i], rows[i]));
    for (size_t i = 0; i < ARRAY_LEN(none); i++) { /* damaged: as if it were not there */
        fake_kv_set(fake, KV_META, BYTES_LIT("ssettings-seen"), none[i]);
        assert_int_equal(read_settings(&arena, &read), 0);
    }
    arena_done(&arena);
}

static void another_key_is_found_out(void **state UNUSED)
{
    uint8_t key[SEAL_KEY_LEN] = {1}, other[SEAL_KEY_LEN] = {2};
    struct err err;
    assert_int_equal(rows_check_key(&fake->kv, key, &err), ERR_CORRUPT);
    assert_int_equal(rows_put_key_check(committer, key, &err), ERR_OK);
    assert_int_equal(rows_check_key(&fake->kv, key, &err), ERR_OK);
    assert_int_equal(rows_check_key(&fake->kv, other, &err), ERR_CORRUPT);
}

static void claim_codes_look_right_and_differ(void **state UNUSED)
{
    char first[CLAIM_TEXT_LEN + 1], second[CLAIM_TEXT_LEN + 1];
    struct err err;
    assert_int_equal(claim_make(committer, 1, first, &err), ERR_OK);
    assert_int_equal(claim_make(committer, 1, second, &err), ERR_OK);
    assert_string_not_equal(first, second);
    assert_int_equal(strlen(first), CLAIM_TEXT_LEN);
    for (size_t i = 0; i < CLAIM_TEXT_LEN; i++) {
        if (i % 6 == 5)
            assert_int_equal(first[i], '-');
        else
            assert_non_null(strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", first[i]));
    }
}

static void the_claim_code_is_not_stored(void **state UNUSED)
{
    char code[CLAIM_TEXT_LEN + 1];
    struct err err;
    assert_int_equal(claim_make(committer, 1, code, &err), ERR_OK);
    struct kv_value value;
    assert_int_equal(kv_get(&fake->kv, KV_META, BYTES_LIT("sclaim"), &value, &err), ERR_OK);
    assert_true(bytes_find_bytes(value.bytes, bytes_of(code, 5)) < 0);
    kv_value_free(&fake->kv, &value);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_box_was_never_seen),     TEST(time_only_moves_forward),
        TEST(a_failed_write_moves_nothing), TEST(damaged_rows_are_told),
        TEST(another_key_is_found_out),     TEST(claim_codes_look_right_and_differ),
        TEST(the_claim_code_is_not_stored), TEST(settings_of_the_last_start_are_read),
    };
    struct err err;
    return seal_start(&err) == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
