/* auth_session_test.c - sessions: made for a user, ended, swept.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bug it caught: the sweep taking sessions that have only just ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/auth/fixture.h"

#define DAY_MS (24 * 60 * MINUTE_MS)

static enum err_code create(struct fixture *f, const char *user, uint32_t seconds,
                            struct bytes *ret_access_key)
{
    struct bytes secret, token;
    return auth_session_create(f->auth, bytes_of_str(user), seconds, &f->arena, ret_access_key,
                               &secret, &token, &f->err);
}

static bool is_known(struct fixture *f, struct bytes access_key)
{
    struct auth_secret secret;
    bool found;
    assert_int_equal(auth_secret_find(f->auth, access_key, &secret, &found, &f->err), ERR_OK);
    return found;
}

/* AUTH-SESSION-1 */
static void sessions_act_as_their_user(void **state)
{
    struct fixture *f = *state;
    struct bytes access_key, secret, token;
    struct auth_secret found;
    bool is_found;
    assert_int_equal(auth_session_create(f->auth, BYTES_LIT("alice"), 60, &f->arena, &access_key,
                                         &secret, &token, &f->err),
                     ERR_OK);
    assert_int_equal(access_key.len, 20);
    assert_int_equal(token.len, 64);
    assert_int_equal(auth_secret_find(f->auth, access_key, &found, &is_found, &f->err), ERR_OK);
    assert_true(is_found && found.is_session);
    assert_string_equal(found.key.user, "alice");
    assert_string_equal(found.secret, text(f, secret));
    assert_int_equal(found.expires_unix_ms, EXAMPLE_NOW + 60000);
    struct hash_value sha256 = hash_once(HASH_SHA256, token);
    assert_memory_equal(found.token_sha256, sha256.data, 32);
}

static void input_is_checked(void **state)
{
    struct fixture *f = *state;
    struct bytes key;
    assert_int_equal(create(f, "nobody", 60, &key), ERR_NOT_FOUND);
    assert_int_equal(create(f, "alice", 0, &key), ERR_INVALID);
    assert_int_equal(create(f, "alice", AUTH_SESSION_SECONDS_MAX + 1, &key), ERR_INVALID);
    assert_int_equal(create(f, "alice", AUTH_SESSION_SECONDS_MAX, &key), ERR_OK);
}

/* AUTH-SESSION-3 */
static void sessions_are_swept_a_day_after_their_end(void **state)
{
    struct fixture *f = *state;
    struct bytes first, second;
    assert_int_equal(create(f, "alice", 60, &first), ERR_OK);
    assert_int_equal(create(f, "alice", 3600, &second), ERR_OK);
    f->now_unix_ms = EXAMPLE_NOW + 60000 + DAY_MS;
    assert_int_equal(auth_session_sweep(f->auth, &f->err), ERR_OK);
    assert_true(is_known(f, first));
    f->now_unix_ms++;
    assert_int_equal(auth_session_sweep(f->auth, &f->err), ERR_OK);
    assert_false(is_known(f, first));
    assert_true(is_known(f, second));
    size_t writes = f->fake->writes;
    assert_int_equal(auth_session_sweep(f->auth, &f->err), ERR_OK); /* nothing to do */
    assert_int_equal(f->fake->writes, writes);
}

/* AUTH-SESSION-3: any number of rows, in rounds. */
static void sweeps_go_in_rounds(void **state)
{
    struct fixture *f = *state;
    struct bytes key;
    int rounds = 0;
    for (int i = 0; i < 1100; i++)
        assert_int_equal(create(f, "alice", 1, &key), ERR_OK);
    f->now_unix_ms += 2 * DAY_MS;
    for (size_t writes = 0; writes != f->fake->writes; rounds++) {
        writes = f->fake->writes;
        assert_int_equal(auth_session_sweep(f->auth, &f->err), ERR_OK);
    }
    assert_int_equal(rounds, 3); /* 1000, 100, none */
    assert_false(is_known(f, key));
}

static bool make_session(void *ctx)
{
    struct fixture *f = ctx;
    struct bytes access_key, secret, token;
    struct arena arena;
    arena_init(&arena, MIB(1));
    enum err_code code = auth_session_create(f->auth, BYTES_LIT("alice"), 1, &arena, &access_key,
                                             &secret, &token, &f->err);
    arena_done(&arena);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static bool sweep(void *ctx)
{
    struct fixture *f = ctx;
    enum err_code code = auth_session_sweep(f->auth, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    assert_true(alloc_fail_sweep(make_session, f) > 0);
    f->now_unix_ms += 2 * DAY_MS;
    assert_true(alloc_fail_sweep(sweep, f) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_act_as_their_user),
        TEST(input_is_checked),
        TEST(sessions_are_swept_a_day_after_their_end),
        TEST(sweeps_go_in_rounds),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
