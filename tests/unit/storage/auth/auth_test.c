/* auth_test.c - opening and closing, users by id, times of use written behind.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bug it caught: times written at every flush. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/auth/fixture.h"

static uint64_t last_used(struct fixture *f)
{
    struct auth_key *keys;
    size_t count;
    assert_int_equal(auth_key_list(f->auth, &f->arena, &keys, &count, &f->err), ERR_OK);
    assert_int_equal(count, 1);
    return keys[0].last_used_unix_ms;
}

static void use_at(struct fixture *f, uint64_t unix_ms)
{
    f->now_unix_ms = unix_ms;
    auth_key_used(f->auth, BYTES_LIT(EXAMPLE_KEY));
}

static void flush(struct fixture *f)
{
    assert_int_equal(auth_flush_last_used(f->auth, &f->err), ERR_OK);
}

/* AUTH-KEY-4 */
static void times_are_written_behind_once_a_minute(void **state)
{
    struct fixture *f = *state;
    size_t writes = f->fake->writes;
    use_at(f, EXAMPLE_NOW);
    assert_int_equal(f->fake->writes, writes); /* a request never waits for it */
    flush(f);
    assert_int_equal(f->fake->writes, ++writes);
    use_at(f, EXAMPLE_NOW + MINUTE_MS - 1);
    flush(f);
    assert_int_equal(f->fake->writes, writes);
    assert_int_equal(last_used(f), EXAMPLE_NOW);
    use_at(f, EXAMPLE_NOW + MINUTE_MS);
    flush(f);
    assert_int_equal(f->fake->writes, ++writes);
    flush(f);
    assert_int_equal(f->fake->writes, writes);
    assert_int_equal(last_used(f), EXAMPLE_NOW + MINUTE_MS);
}

/* AUTH-KEY-4 */
static void times_survive_a_close(void **state)
{
    struct fixture *f = *state;
    use_at(f, EXAMPLE_NOW + 5 * MINUTE_MS);
    auth_close(f->auth);
    fixture_open_auth(f);
    assert_int_equal(last_used(f), EXAMPLE_NOW + 5 * MINUTE_MS);
}

static void flushes_do_not_bring_deleted_keys_back(void **state)
{
    struct fixture *f = *state;
    struct auth_key *keys;
    size_t count;
    use_at(f, EXAMPLE_NOW + MINUTE_MS);
    assert_int_equal(auth_key_delete(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    flush(f);
    assert_int_equal(auth_key_list(f->auth, &f->arena, &keys, &count, &f->err), ERR_OK);
    assert_int_equal(count, 0);
}

static void flushes_do_not_enable_disabled_keys(void **state)
{
    struct fixture *f = *state;
    struct auth_secret secret;
    bool found;
    use_at(f, EXAMPLE_NOW + MINUTE_MS);
    assert_int_equal(auth_key_disable(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    flush(f);
    assert_int_equal(auth_secret_find(f->auth, BYTES_LIT(EXAMPLE_KEY), &secret, &found, &f->err),
                     ERR_OK);
    assert_false(found);
    assert_int_equal(last_used(f), EXAMPLE_NOW + MINUTE_MS);
}

static void failed_flushes_are_tried_again(void **state)
{
    struct fixture *f = *state;
    use_at(f, EXAMPLE_NOW);
    f->fake->fail_read = 1;
    assert_int_equal(auth_flush_last_used(f->auth, &f->err), ERR_IO);
    f->fake->fail_read = 0;
    flush(f);
    auth_close(f->auth);
    fixture_open_auth(f);
    assert_int_equal(last_used(f), EXAMPLE_NOW);
}

static void users_are_found_by_id(void **state)
{
    struct fixture *f = *state;
    char name[AUTH_USER_NAME_MAX + 1];
    struct auth_key key;
    struct bytes secret;
    const struct auth_key_request request = {.user = BYTES_LIT("zoe")};
    assert_int_equal(auth_key_create(f->auth, &request, &f->arena, &key, &secret, &f->err), ERR_OK);
    assert_int_equal(auth_user_name(f->auth, bytes_of_str(key.user_id), name, &f->err), ERR_OK);
    assert_string_equal(name, "zoe");
    assert_int_equal(auth_key_delete(f->auth, bytes_of_str(key.access_key), NULL, &f->err), ERR_OK);
    assert_int_equal(auth_user_name(f->auth, bytes_of_str(key.user_id), name, &f->err), ERR_OK);
    assert_int_equal(auth_user_name(f->auth, BYTES_LIT("0123"), name, &f->err), ERR_NOT_FOUND);
    f->fake->fail_read = 1;
    assert_int_equal(auth_user_name(f->auth, bytes_of_str(key.user_id), name, &f->err), ERR_IO);
    f->fake->fail_read = 0;
}

static bool open_and_close(void *ctx)
{
    struct fixture *f = ctx;
    struct auth *auth = NULL;
    enum err_code code =
        auth_open(&f->fake->kv, f->committer, &f->clock, fixture_box_key, &auth, &f->err);
    assert_true(code == ERR_OK || (code == ERR_NO_MEMORY && !auth));
    auth_close(auth);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    /* auth_close allocates too, to write behind; what fails there is let go. */
    for (long nth = 1;; nth++) {
        alloc_fail_arm(nth);
        open_and_close(f);
        if (!alloc_fail_disarm())
            break;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(times_are_written_behind_once_a_minute),
        TEST(times_survive_a_close),
        TEST(flushes_do_not_bring_deleted_keys_back),
        TEST(flushes_do_not_enable_disabled_keys),
        TEST(failed_flushes_are_tried_again),
        TEST(users_are_found_by_id),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
