/* proof_test.c - what all signatures share: the body's header, unknown keys,
 * disabled keys, sessions and their tokens; running out of memory.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted bugs it caught: the verdict without is_known; a key cached before its
 * signature was compared; streaming bodies let through for presigned requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/key_cache.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/auth/fixture.h"

static void signed_request(struct fixture *f, const struct signer *signer)
{
    plain_request(f, "GET", "/bkt/key", EMPTY_SHA256);
    sign_header(f, signer, "/bkt/key", "", SIGNED_PLAIN);
}

/* AUTH-SIGN-10, ACC-20 */
static void unknown_key_and_wrong_signature_look_alike(void **state)
{
    struct fixture *f = *state;
    static const struct signer unknown = {"AKIANOBODY", EXAMPLE_SECRET, EXAMPLE_DATE, "us-east-1",
                                          "s3"};
    static const struct signer wrong = {EXAMPLE_KEY, "not the secret at all", EXAMPLE_DATE,
                                        "us-east-1", "s3"};
    struct err first;
    signed_request(f, &unknown);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    first = f->err;
    signed_request(f, &wrong);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    assert_string_equal(first.msg, f->err.msg);
    assert_string_equal(first.at, f->err.at);
}

/* AUTH-SIGN-10: not even who knew the made-up secret would come in. */
static void made_up_secret_opens_nothing(void **state)
{
    struct fixture *f = *state;
    struct signer unknown = {"AKIANOBODY", NULL, EXAMPLE_DATE, "us-east-1", "s3"};
    struct auth_secret secret;
    bool found;
    assert_int_equal(auth_secret_find(f->auth, BYTES_LIT("AKIANOBODY"), &secret, &found, &f->err),
                     ERR_OK);
    unknown.secret = secret.secret;
    signed_request(f, &unknown);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

/* AUTH-SIGN-10: whether the key is in the cache or not, a refusal reads the disk once. */
static void refusals_take_alike(void **state)
{
    struct fixture *f = *state;
    static const struct signer unknown = {"AKIANOBODY", EXAMPLE_SECRET, EXAMPLE_DATE, "us-east-1",
                                          "s3"};
    static const struct signer wrong = {EXAMPLE_KEY, "not the secret at all", EXAMPLE_DATE,
                                        "us-east-1", "s3"};
    signed_request(f, &unknown);
    size_t before = f->fake->reads;
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    assert_true(f->fake->reads > before);
    signed_request(f, &example_signer);
    assert_accepted(f, SIGN_V4_HEADER);
    before = f->fake->reads;
    assert_accepted(f, SIGN_V4_HEADER); /* from the cache */
    assert_int_equal(f->fake->reads, before);
    signed_request(f, &wrong);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    assert_int_equal(f->fake->reads, before + 1);
}

/* Nobody without the secret gets a key into the cache. */
static void wrong_signatures_are_not_cached(void **state)
{
    struct fixture *f = *state;
    struct key_cache_entry entry;
    uint64_t generation;
    static const struct signer wrong = {EXAMPLE_KEY, "not the secret at all", EXAMPLE_DATE,
                                        "us-east-1", "s3"};
    struct bytes id = BYTES_LIT(EXAMPLE_KEY "/20130524/us-east-1/s3");
    signed_request(f, &wrong);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    assert_string_equal(f->result.key.access_key, "");
    assert_string_equal(f->result.tried.access_key, EXAMPLE_KEY);
    assert_false(key_cache_find(auth_key_cache(f->auth), id, &entry, &generation));
    signed_request(f, &example_signer);
    assert_accepted(f, SIGN_V4_HEADER);
    assert_true(key_cache_find(auth_key_cache(f->auth), id, &entry, &generation));
    assert_string_equal(entry.secret.secret, ""); /* the signing key of a day is enough */
}

/* AUTH-KEY-3 */
static void disabled_and_deleted_keys_are_refused_at_once(void **state)
{
    struct fixture *f = *state;
    signed_request(f, &example_signer);
    assert_accepted(f, SIGN_V4_HEADER);
    assert_int_equal(auth_key_disable(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err), ERR_OK);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    assert_string_equal(f->result.tried.access_key, ""); /* no key of ours any more */
    fixture_add_key(f, "bob", "BOBSKEY", EXAMPLE_SECRET);
    struct signer bob = example_signer;
    bob.access_key = "BOBSKEY";
    signed_request(f, &bob);
    assert_accepted(f, SIGN_V4_HEADER);
    assert_int_equal(auth_key_delete(f->auth, BYTES_LIT("BOBSKEY"), NULL, &f->err), ERR_OK);
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    fixture_add_key(f, "eve", "BOBSKEY", "quite another secret");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

struct payload_case {
    const char *value;
    enum sign_payload payload;
    enum err_code code;
    enum sign_reason reason;
};

/* AUTH-SIGN-11 */
static void body_forms_are_known_or_refused(void **state)
{
    static const struct payload_case cases[] = {
        {EMPTY_SHA256, SIGN_PAYLOAD_HASH, ERR_OK, 0},
        {"UNSIGNED-PAYLOAD", SIGN_PAYLOAD_UNSIGNED, ERR_OK, 0},
        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SIGN_PAYLOAD_SIGNED_CHUNKS, ERR_OK, 0},
        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", SIGN_PAYLOAD_SIGNED_TRAILER, ERR_OK, 0},
        {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", SIGN_PAYLOAD_UNSIGNED_TRAILER, ERR_OK, 0},
        {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", 0, ERR_UNSUPPORTED, SIGN_UNSUPPORTED},
        {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", 0, ERR_UNSUPPORTED, SIGN_UNSUPPORTED},
        {"STREAMING-SOMETHING", 0, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER},
        {"unsigned-payload", 0, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER},
        {"", 0, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER},
        {"e3b0", 0, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        plain_request(f, "PUT", "/bkt/key", cases[i].value);
        sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
        if (cases[i].code != ERR_OK) {
            assert_refused(f, cases[i].code, cases[i].reason);
            continue;
        }
        assert_accepted(f, SIGN_V4_HEADER);
        assert_int_equal(f->result.payload, cases[i].payload);
    }
}

/* AUTH-SIGN-11 */
static void s3_header_needs_the_body_header(void **state)
{
    struct fixture *f = *state;
    request(f, "PUT", "/bkt/key");
    field(f, "host", "h");
    field(f, "x-amz-date", EXAMPLE_DATE);
    sign_header(f, &example_signer, "/bkt/key", "", "host;x-amz-date");
    assert_refused(f, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER);
    drop_last_field(f);
    field(f, "x-amz-content-sha256", EMPTY_SHA256);
    field(f, "x-amz-content-sha256", EMPTY_SHA256);
    sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
    assert_refused(f, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER);
}

/* AUTH-SIGN-12, ACC-25 */
static void streaming_bodies_need_a_header_of_version_4(void **state)
{
    static const char *const forms[] = {"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                                        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                                        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"};
    static const char *const methods[] = {"PUT", "POST"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(forms) * ARRAY_LEN(methods); i++) {
        const char *form = forms[i / 2], *method = methods[i % 2];
        plain_request(f, method, "/bkt/key", form); /* no credential */
        assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
        presign(f, &example_signer, method, "/bkt/key", /* in the query */
                presign_query(f, &example_signer, "60"));
        assert_accepted(f, SIGN_V4_QUERY);
        field(f, "x-amz-content-sha256", form);
        assert_refused(f, ERR_DENIED, SIGN_UNSIGNED_HEADER);
        const char *query = presign_query(f, &example_signer, "60");
        request(f, method,
                (const char *)arena_printf(
                    &f->arena, "/bkt/key?X-Amz-Content-Sha256=%s&%s&X-Amz-Signature=0", form, query)
                    .data);
        field(f, "host", "127.0.0.1:9000");
        assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
        plain_request(f, method, "/bkt/key", form); /* made up */
        sign_header(f, &example_signer, "/bkt/other", "", SIGNED_PLAIN);
        assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    }
}

struct session {
    struct bytes access_key, secret, token;
    struct signer signer;
};

static void open_session(struct fixture *f, struct session *ret_session)
{
    assert_int_equal(auth_session_create(f->auth, BYTES_LIT("alice"), 600, &f->arena,
                                         &ret_session->access_key, &ret_session->secret,
                                         &ret_session->token, &f->err),
                     ERR_OK);
    ret_session->signer =
        (struct signer){text(f, ret_session->access_key), text(f, ret_session->secret),
                        EXAMPLE_DATE, "us-east-1", "s3"};
}

static void session_request(struct fixture *f, const struct signer *signer, const char *token)
{
    plain_request(f, "GET", "/bkt/key", EMPTY_SHA256);
    field(f, "x-amz-security-token", token);
    sign_header(f, signer, "/bkt/key", "", SIGNED_PLAIN ";x-amz-security-token");
}

/* AUTH-SESSION-1 */
static void sessions_sign_with_their_token(void **state)
{
    struct fixture *f = *state;
    struct session session;
    open_session(f, &session);
    session_request(f, &session.signer, text(f, session.token));
    assert_accepted(f, SIGN_V4_HEADER);
    assert_true(f->result.is_session);
    assert_string_equal(f->result.key.user, "alice");
    presign(f, &session.signer, "GET", "/bkt/key",
            (const char *)arena_printf(
                &f->arena,
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s"
                "%%2F20130524%%2Fus-east-1%%2Fs3%%2Faws4_request&X-Amz-Date=" EXAMPLE_DATE
                "&X-Amz-Expires=60&X-Amz-Security-Token=%s"
                "&X-Amz-SignedHeaders=host",
                session.signer.access_key, text(f, session.token))
                .data);
    assert_accepted(f, SIGN_V4_QUERY);
}

/* AUTH-SESSION-2 */
static void tokens_must_be_the_session_s(void **state)
{
    struct fixture *f = *state;
    struct session session, other;
    open_session(f, &session);
    open_session(f, &other);
    signed_request(f, &session.signer);
    assert_refused(f, ERR_INVALID, SIGN_BAD_TOKEN);
    session_request(f, &session.signer, text(f, other.token));
    assert_refused(f, ERR_INVALID, SIGN_BAD_TOKEN);
    session_request(f, &session.signer, "");
    assert_refused(f, ERR_INVALID, SIGN_BAD_TOKEN);
    session_request(f, &example_signer, text(f, session.token)); /* no session's key */
    assert_refused(f, ERR_INVALID, SIGN_BAD_TOKEN);
    session_request(f, &session.signer, text(f, session.token));
    assert_accepted(f, SIGN_V4_HEADER);
    set_field(f, "x-amz-security-token", text(f, other.token)); /* signed, so: */
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

/* AUTH-SESSION-2 */
static void sessions_end(void **state)
{
    struct fixture *f = *state;
    struct session session;
    open_session(f, &session);
    session_request(f, &session.signer, text(f, session.token));
    f->now_unix_ms = EXAMPLE_NOW + 599999;
    assert_accepted(f, SIGN_V4_HEADER);
    f->now_unix_ms = EXAMPLE_NOW + 600000;
    assert_refused(f, ERR_INVALID, SIGN_EXPIRED_TOKEN);
}

/* AUTH-KEY-4 */
static void use_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct auth_key *keys;
    size_t count;
    signed_request(f, &example_signer);
    f->now_unix_ms += MINUTE_MS;
    assert_accepted(f, SIGN_V4_HEADER);
    assert_int_equal(auth_key_list(f->auth, &f->arena, &keys, &count, &f->err), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(keys[0].last_used_unix_ms, EXAMPLE_NOW + MINUTE_MS);
}

static void broken_store_is_no_permission(void **state)
{
    struct fixture *f = *state;
    signed_request(f, &example_signer);
    f->fake->fail_read = 1;
    assert_int_equal(authenticate(f), ERR_IO);
    assert_int_equal(f->result.mode, SIGN_DENIED);
    f->fake->fail_read = 0;
    assert_accepted(f, SIGN_V4_HEADER);
}

static bool authenticate_afresh(void *ctx)
{
    struct fixture *f = ctx;
    struct arena arena;
    arena_init(&arena, MIB(1));
    key_cache_forget(auth_key_cache(f->auth));
    enum err_code code =
        sign_authenticate(f->auth, &f->rules, &f->head, &arena, &f->result, &f->err);
    arena_done(&arena);
    assert_true(code == ERR_OK || (code == ERR_NO_MEMORY && f->result.mode == SIGN_DENIED));
    return code == ERR_OK;
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    signed_request(f, &example_signer);
    assert_true(alloc_fail_sweep(authenticate_afresh, f) > 1);
    presign(f, &example_signer, "GET", "/bkt/key", presign_query(f, &example_signer, "60"));
    assert_true(alloc_fail_sweep(authenticate_afresh, f) > 1);
}

/* The arena's cap instead: each allocation from it fails once. */
static void every_size_of_arena_is_handled(void **state)
{
    struct fixture *f = *state;
    enum err_code code = ERR_NO_MEMORY;
    presign(f, &example_signer, "GET", "/bkt/key", presign_query(f, &example_signer, "60"));
    for (size_t max = 0; code != ERR_OK; max += 8) {
        struct arena arena;
        arena_init(&arena, max);
        code = sign_authenticate(f->auth, &f->rules, &f->head, &arena, &f->result, &f->err);
        assert_true(code == ERR_OK || (code == ERR_NO_MEMORY && f->result.mode == SIGN_DENIED));
        arena_done(&arena);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unknown_key_and_wrong_signature_look_alike),
        TEST(made_up_secret_opens_nothing),
        TEST(refusals_take_alike),
        TEST(wrong_signatures_are_not_cached),
        TEST(disabled_and_deleted_keys_are_refused_at_once),
        TEST(body_forms_are_known_or_refused),
        TEST(s3_header_needs_the_body_header),
        TEST(streaming_bodies_need_a_header_of_version_4),
        TEST(sessions_sign_with_their_token),
        TEST(tokens_must_be_the_session_s),
        TEST(sessions_end),
        TEST(use_is_remembered),
        TEST(broken_store_is_no_permission),
        TEST(every_allocation_may_fail),
        TEST(every_size_of_arena_is_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
