/* auth_key_test.c - access keys: made, listed, disabled, deleted; what a bad
 * store, a bad input and a lack of memory do to them.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bugs it caught: a session's access key taken a second time; a key row
 * written without its user's row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/auth/fixture.h"

static enum err_code create(struct fixture *f, const char *user, const char *access_key,
                            const char *secret, struct auth_key *ret_key, struct bytes *ret_secret)
{
    const struct auth_key_request request = {bytes_of_str(user), bytes_of_str(access_key),
                                             bytes_of_str(secret), NULL};
    return auth_key_create(f->auth, &request, &f->arena, ret_key, ret_secret, &f->err);
}

static size_t list(struct fixture *f, struct auth_key **ret_keys)
{
    size_t count;
    assert_int_equal(auth_key_list(f->auth, &f->arena, ret_keys, &count, &f->err), ERR_OK);
    return count;
}

static bool is_known(struct fixture *f, const char *access_key)
{
    struct auth_secret secret;
    bool found;
    assert_int_equal(auth_secret_find(f->auth, bytes_of_str(access_key), &secret, &found, &f->err),
                     ERR_OK);
    return found;
}

/* AUTH-KEY-1 */
static void keys_are_made_with_their_user(void **state)
{
    struct fixture *f = *state;
    struct auth_key first, second;
    struct bytes secret;
    assert_int_equal(create(f, "bob", "", "", &first, &secret), ERR_OK);
    assert_int_equal(secret.len, 40);
    assert_int_equal(strlen(first.access_key), 20);
    assert_memory_equal(first.access_key, "VK", 2);
    assert_int_equal(strlen(first.user_id), AUTH_USER_ID_LEN);
    assert_int_equal(strspn(first.user_id, "0123456789abcdef"), AUTH_USER_ID_LEN);
    assert_int_equal(first.created_unix_ms, EXAMPLE_NOW);
    assert_int_equal(first.last_used_unix_ms, 0);
    assert_true(first.enabled);
    assert_int_equal(create(f, "bob", "BOB-2", "0123456789abcdef", &second, &secret), ERR_OK);
    assert_string_equal(second.user_id, first.user_id);
    assert_string_equal(text(f, secret), "0123456789abcdef");
    assert_string_not_equal(second.access_key, first.access_key);
}

/* AUTH-KEY-1 */
static void input_is_checked(void **state)
{
    char longest[131];
    struct fixture *f = *state;
    struct auth_key key;
    struct bytes secret;
    memset(longest, 'a', sizeof(longest));
    longest[AUTH_KEY_ID_MAX + 1] = '\0';
    const char *const bad[][3] = {
        {"", "", ""},
        {"a b", "", ""},
        {"a/b", "", ""},
        {"m\xc3\xbcller", "", ""},
        {longest, "", ""},
        {"bob", "ab", ""},
        {"bob", "a/b", ""},
        {"bob", "a b", ""},
        {"bob", "a@b", ""},
        {"bob", longest, ""},
        {"bob", "", "fifteen chars.."},
        {"bob", "", "with a line feed\nin it"},
        {"bob", "", "not ASCII \xc3\xbc at all"},
        {"bob", "", longest},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(create(f, bad[i][0], bad[i][1], bad[i][2], &key, &secret), ERR_INVALID);
    longest[AUTH_KEY_ID_MAX] = '\0';
    assert_int_equal(
        create(f, longest + AUTH_KEY_ID_MAX - AUTH_USER_NAME_MAX, longest, longest, &key, &secret),
        ERR_OK);
    assert_true(is_known(f, longest));
    const struct auth_key_request request = {.user = BYTES_LIT("a\0b")};
    assert_int_equal(auth_key_create(f->auth, &request, &f->arena, &key, &secret, &f->err),
                     ERR_INVALID);
}

/* AUTH-KEY-1 */
static void access_keys_are_taken_once(void **state)
{
    struct fixture *f = *state;
    struct auth_key key;
    struct bytes secret, access_key, session_secret, token;
    assert_int_equal(create(f, "bob", EXAMPLE_KEY, "", &key, &secret), ERR_EXISTS);
    assert_int_equal(auth_session_create(f->auth, BYTES_LIT("alice"), 60, &f->arena, &access_key,
                                         &session_secret, &token, &f->err),
                     ERR_OK);
    assert_int_equal(create(f, "bob", text(f, access_key), "", &key, &secret), ERR_EXISTS);
}

/* AUTH-KEY-2 */
static void secrets_lie_sealed(void **state)
{
    struct fixture *f = *state;
    struct kv_iter *iter;
    struct kv *kv = &f->fake->kv;
    struct bytes key, value, whole = {0};
    size_t rows = 0;
    assert_int_equal(kv->calls->iter_open(kv, NULL, KV_META, whole, whole, &iter, &f->err), ERR_OK);
    for (; kv->calls->iter_at(iter, &key, &value); kv->calls->iter_next(iter)) {
        assert_int_equal(bytes_find_bytes(value, BYTES_LIT(EXAMPLE_SECRET)), -1);
        assert_int_equal(value.data[0], 1); /* format */
        rows++;
    }
    kv->calls->iter_close(iter);
    assert_int_equal(rows, 2); /* user, key */
}

/* AUTH-KEY-1 */
static void lists_are_sorted_by_user_then_key(void **state)
{
    struct fixture *f = *state;
    struct auth_key *keys;
    fixture_add_key(f, "bob", "AAA", EXAMPLE_SECRET);
    fixture_add_key(f, "alice", "ZZZ", EXAMPLE_SECRET);
    for (int i = 0; i < 40; i++)
        fixture_add_key(f, "carol", "", EXAMPLE_SECRET);
    assert_int_equal(list(f, &keys), 43);
    assert_string_equal(keys[0].access_key, EXAMPLE_KEY);
    assert_string_equal(keys[1].access_key, "ZZZ");
    assert_string_equal(keys[2].access_key, "AAA");
    for (int i = 4; i < 43; i++)
        assert_true(strcmp(keys[i - 1].access_key, keys[i].access_key) < 0);
}

static void lists_may_be_empty(void **state)
{
    struct fixture *f = *state;
    struct auth_key *keys;
    assert_int_equal(auth_key_delete(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    assert_int_equal(list(f, &keys), 0);
}

/* AUTH-KEY-3 */
static void keys_are_disabled_and_deleted(void **state)
{
    struct fixture *f = *state;
    struct auth_key *keys;
    assert_int_equal(auth_key_disable(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    assert_false(is_known(f, EXAMPLE_KEY));
    assert_int_equal(list(f, &keys), 1);
    assert_false(keys[0].enabled);
    assert_int_equal(auth_key_delete(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    assert_int_equal(auth_key_delete(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err),
                     ERR_NOT_FOUND);
    assert_int_equal(auth_key_disable(f->auth, BYTES_LIT("nobody"), NULL, &f->err), ERR_NOT_FOUND);
    assert_int_equal(auth_key_disable(f->auth, BYTES_LIT(""), NULL, &f->err), ERR_NOT_FOUND);
}

static void failed_commits_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct auth_key key;
    struct bytes secret;
    f->fake->fail_write = 1;
    assert_int_equal(create(f, "bob", "BOB", "", &key, &secret), ERR_IO);
    f->fake->fail_write = 0;
    assert_false(is_known(f, "BOB"));
    assert_true(is_known(f, EXAMPLE_KEY));
    assert_int_equal(auth_key_delete(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err),
                     ERR_READ_ONLY);
    assert_true(is_known(f, EXAMPLE_KEY));
}

/* All rows survive the box's own end. */
static void keys_are_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    auth_close(f->auth);
    fixture_open_auth(f);
    assert_true(is_known(f, EXAMPLE_KEY));
    assert_false(is_known(f, "nobody"));
}

static bool make_key(void *ctx)
{
    struct fixture *f = ctx;
    struct arena arena;
    struct auth_key key;
    struct bytes secret;
    arena_init(&arena, MIB(1));
    const struct auth_key_request request = {.user = BYTES_LIT("dave")};
    enum err_code code = auth_key_create(f->auth, &request, &arena, &key, &secret, &f->err);
    arena_done(&arena);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static bool disable_key(void *ctx)
{
    struct fixture *f = ctx;
    enum err_code code = auth_key_disable(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static bool list_keys(void *ctx)
{
    struct fixture *f = ctx;
    struct arena arena;
    struct auth_key *keys;
    size_t count;
    arena_init(&arena, MIB(1));
    enum err_code code = auth_key_list(f->auth, &arena, &keys, &count, &f->err);
    arena_done(&arena);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    assert_true(alloc_fail_sweep(make_key, *state) > 0);
    assert_true(alloc_fail_sweep(disable_key, *state) > 0);
    assert_true(alloc_fail_sweep(list_keys, *state) > 0);
}

struct witnessed {
    struct fixture *f;
    char access_key[AUTH_KEY_ID_MAX + 1], user[AUTH_USER_NAME_MAX + 1];
    bool fails;
    int calls;
};

static enum err_code see(void *ctx, const struct auth_key *key, struct commit_batch *batch,
                         struct err *err)
{
    struct witnessed *seen = ctx;
    seen->calls++;
    memcpy(seen->access_key, key->access_key, sizeof(seen->access_key));
    memcpy(seen->user, key->user, sizeof(seen->user));
    if (seen->fails)
        return err_fail(err, ERR_NO_SPACE, "the witness cannot write");
    commit_put(batch, KV_META, BYTES_LIT("witness"), bytes_of_str(key->access_key));
    return commit(seen->f->committer, batch, err);
}

/* A change of a key and what its witness adds are one commit, or none. */
static void a_witness_commits_with_the_change(void **state)
{
    struct fixture *f = *state;
    struct witnessed seen = {.f = f};
    const struct auth_witness witness = {see, &seen};
    const struct auth_key_request request = {.user = BYTES_LIT("dave"), .witness = &witness};
    struct auth_key key;
    struct bytes secret;
    size_t writes = f->fake->writes;
    assert_int_equal(auth_key_create(f->auth, &request, &f->arena, &key, &secret, &f->err), ERR_OK);
    assert_int_equal(f->fake->writes, writes + 1);
    assert_string_equal(seen.access_key, key.access_key);
    assert_string_equal(seen.user, "dave");
    struct bytes id = bytes_of_str(key.access_key);
    seen.fails = true;
    assert_int_equal(auth_key_disable(f->auth, id, &witness, &f->err), ERR_NO_SPACE);
    assert_int_equal(auth_key_delete(f->auth, id, &witness, &f->err), ERR_NO_SPACE);
    assert_true(is_known(f, key.access_key));
    seen.fails = false;
    assert_int_equal(auth_key_disable(f->auth, id, &witness, &f->err), ERR_OK);
    assert_false(is_known(f, key.access_key));
    assert_int_equal(auth_key_delete(f->auth, id, &witness, &f->err), ERR_OK);
    assert_string_equal(seen.user, "dave");
    assert_int_equal(auth_key_delete(f->auth, id, &witness, &f->err), ERR_NOT_FOUND);
    assert_int_equal(seen.calls, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_made_with_their_user),     TEST(input_is_checked),
        TEST(access_keys_are_taken_once),        TEST(secrets_lie_sealed),
        TEST(lists_are_sorted_by_user_then_key), TEST(lists_may_be_empty),
        TEST(keys_are_disabled_and_deleted),     TEST(failed_commits_change_nothing),
        TEST(keys_are_there_after_reopening),    TEST(every_allocation_may_fail),
        TEST(a_witness_commits_with_the_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
