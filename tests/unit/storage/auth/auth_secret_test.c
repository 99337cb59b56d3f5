/* auth_secret_test.c - the secret of a key; rows that were changed on disk.
 *
 * Planted bug it caught: a disabled key found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/auth_rows.h"
#include "tests/unit/storage/auth/fixture.h"

static enum err_code find(struct fixture *f, const char *access_key, struct auth_secret *ret_secret,
                          bool *ret_found)
{
    return auth_secret_find(f->auth, bytes_of_str(access_key), ret_secret, ret_found, &f->err);
}

static void secrets_are_found(void **state)
{
    struct fixture *f = *state;
    struct auth_secret secret;
    bool found;
    assert_int_equal(find(f, EXAMPLE_KEY, &secret, &found), ERR_OK);
    assert_true(found);
    assert_false(secret.is_session);
    assert_string_equal(secret.secret, EXAMPLE_SECRET);
    assert_string_equal(secret.key.user, "alice");
    assert_int_equal(secret.key.created_unix_ms, EXAMPLE_NOW);
    assert_true(secret.key.enabled);
}

/* AUTH-SIGN-10 */
static void unknown_keys_get_a_made_up_secret(void **state)
{
    struct fixture *f = *state;
    struct auth_secret secret;
    bool found = true;
    char longest[400];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const char *const names[] = {"nobody", "", longest, "a/b", "alice"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(find(f, names[i], &secret, &found), ERR_OK);
        assert_false(found);
        assert_int_equal(strlen(secret.secret), 40);
        assert_string_equal(secret.key.user, "");
    }
    assert_int_equal(auth_key_disable(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    assert_int_equal(find(f, EXAMPLE_KEY, &secret, &found), ERR_OK);
    assert_false(found);
    assert_string_not_equal(secret.secret, EXAMPLE_SECRET);
}

static struct bytes read_row(struct fixture *f, const char *name)
{
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, bytes_of_str(name));
    struct kv_value value;
    assert_int_equal(kv_get(&f->fake->kv, KV_META, auth_rows_key_bytes(&key), &value, &f->err),
                     ERR_OK);
    struct bytes copy = arena_copy(&f->arena, value.bytes);
    kv_value_free(&f->fake->kv, &value);
    return copy;
}

static void write_row(struct fixture *f, enum kv_tag tag, const char *name, struct bytes row)
{
    struct auth_rows_key key = auth_rows_key(tag, bytes_of_str(name));
    struct commit_batch batch;
    commit_batch_init(&batch, &f->arena);
    commit_put(&batch, KV_META, auth_rows_key_bytes(&key), row);
    assert_int_equal(commit(f->committer, &batch, &f->err), ERR_OK);
}

/* AUTH-KEY-2: a secret opens in its own row alone. */
static void moved_secrets_do_not_open(void **state)
{
    struct fixture *f = *state;
    struct auth_secret secret;
    bool found;
    write_row(f, TAG_ACCESS_KEY, "OTHER", read_row(f, EXAMPLE_KEY));
    assert_int_equal(find(f, "OTHER", &secret, &found), ERR_CORRUPT);
    assert_int_equal(find(f, EXAMPLE_KEY, &secret, &found), ERR_OK);
}

/* Every byte of the row flipped: never a wrong secret, never a crash. */
static void changed_rows_are_noticed(void **state)
{
    struct fixture *f = *state;
    struct bytes row = read_row(f, EXAMPLE_KEY);
    for (size_t i = 0; i < row.len * 8; i++) {
        struct auth_secret secret;
        bool found;
        uint8_t *flipped = (uint8_t *)arena_str(&f->arena, row);
        flipped[i / 8] ^= (uint8_t)(1 << i % 8);
        write_row(f, TAG_ACCESS_KEY, EXAMPLE_KEY, bytes_of(flipped, row.len));
        enum err_code code = find(f, EXAMPLE_KEY, &secret, &found);
        if (code == ERR_OK && found)
            assert_string_equal(secret.secret, EXAMPLE_SECRET);
        else
            assert_true(code == ERR_OK || code == ERR_CORRUPT);
    }
    for (size_t len = 0; len < row.len; len++) {
        struct auth_secret secret;
        bool found = false;
        write_row(f, TAG_ACCESS_KEY, EXAMPLE_KEY, bytes_of(row.data, len));
        enum err_code code = find(f, EXAMPLE_KEY, &secret, &found);
        assert_true(code == ERR_CORRUPT || found);
    }
}

static void rows_of_other_formats_are_refused(void **state)
{
    struct fixture *f = *state;
    struct auth_secret secret;
    bool found;
    write_row(f, TAG_SESSION, "VS1", BYTES_LIT(""));
    assert_int_equal(find(f, "VS1", &secret, &found), ERR_CORRUPT);
    write_row(f, TAG_SESSION, "VS1", BYTES_LIT("\2"));
    assert_int_equal(find(f, "VS1", &secret, &found), ERR_CORRUPT);
    write_row(f, TAG_SESSION, "VS1", BYTES_LIT("\1")); /* an empty session: no token */
    assert_int_equal(find(f, "VS1", &secret, &found), ERR_CORRUPT);
}

/* The rows of one box are of no use to another. */
static void another_box_s_key_opens_nothing(void **state)
{
    static const uint8_t other_key[SEAL_KEY_LEN] = {9};
    struct fixture *f = *state;
    struct auth_secret secret;
    bool found;
    auth_close(f->auth);
    assert_int_equal(auth_open(&f->fake->kv, f->committer, &f->clock, other_key, &f->auth, &f->err),
                     ERR_OK);
    assert_int_equal(find(f, EXAMPLE_KEY, &secret, &found), ERR_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secrets_are_found),
        TEST(unknown_keys_get_a_made_up_secret),
        TEST(moved_secrets_do_not_open),
        TEST(changed_rows_are_noticed),
        TEST(rows_of_other_formats_are_refused),
        TEST(another_box_s_key_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
