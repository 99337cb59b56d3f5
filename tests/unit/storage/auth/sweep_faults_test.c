/* sweep_faults_test.c - every failure, one at a time (AUTH-FAULT): for each
 * public function the 1st allocation fails, then the 2nd, … until none does;
 * the same for reads, steps of iterators and commits of the ordered store, and
 * for rows that rotted. What failed says so, proves nothing, stores nothing, and
 * works again once the fault is gone.
 *
 * Planted bugs that it caught: a batch committed although a row's packing had
 * run out of memory (a key without its user); refuse() that took a store which
 * cannot be read for a wrong signature; an iterator's end taken for the last key.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/auth_rows.h"
#include "storage/auth/key_cache.h"
#include "tests/unit/arena_fail.h"
#include "tests/unit/storage/auth/fixture.h"

#define DAY_MS (24 * 60 * MINUTE_MS)

/* One public function, called once. */
struct step {
    const char *name;
    void (*prepare)(struct fixture *f); /* without faults; may be NULL */
    enum err_code (*run)(struct fixture *f, struct arena *arena);
    enum err_code wanted; /* without a fault */
};

static struct bytes session_key, session_secret, session_token; /* of prepare_session() */

static void prepare_session(struct fixture *f)
{
    assert_int_equal(auth_session_create(f->auth, BYTES_LIT("alice"), 60, &f->arena, &session_key,
                                         &session_secret, &session_token, &f->err),
                     ERR_OK);
}

static enum err_code run_open(struct fixture *f, struct arena *arena UNUSED)
{
    struct auth *auth = NULL;
    enum err_code code =
        auth_open(&f->fake->kv, f->committer, &f->clock, fixture_box_key, &auth, &f->err);
    assert_true((code == ERR_OK) == (auth != NULL));
    alloc_fail_disarm(); /* what auth_close cannot write behind is let go */
    auth_close(auth);
    return code;
}

static enum err_code create(struct fixture *f, struct arena *arena, const char *user)
{
    const struct auth_key_request wanted = {.user = bytes_of_str(user)};
    struct auth_key key;
    struct bytes secret;
    return auth_key_create(f->auth, &wanted, arena, &key, &secret, &f->err);
}

static enum err_code run_create(struct fixture *f, struct arena *arena)
{
    return create(f, arena, "dave");
}

static enum err_code run_create_second(struct fixture *f, struct arena *arena)
{
    return create(f, arena, "alice");
}

static enum err_code run_list(struct fixture *f, struct arena *arena)
{
    struct auth_key *keys;
    size_t count;
    enum err_code code = auth_key_list(f->auth, arena, &keys, &count, &f->err);
    if (code == ERR_OK)
        assert_int_equal(count, 20);
    return code;
}

static void prepare_keys(struct fixture *f)
{
    for (int i = 1; i < 20; i++)
        assert_int_equal(create(f, &f->arena, "alice"), ERR_OK);
}

static enum err_code run_disable(struct fixture *f, struct arena *arena UNUSED)
{
    return auth_key_disable(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err);
}

static enum err_code run_delete(struct fixture *f, struct arena *arena UNUSED)
{
    return auth_key_delete(f->auth, BYTES_LIT(EXAMPLE_KEY), NULL, &f->err);
}

static enum err_code run_session(struct fixture *f, struct arena *arena)
{
    struct bytes key, secret, token;
    return auth_session_create(f->auth, BYTES_LIT("alice"), 60, arena, &key, &secret, &token,
                               &f->err);
}

static void prepare_old_sessions(struct fixture *f)
{
    for (int i = 0; i < 3; i++)
        prepare_session(f);
    f->now_unix_ms += 2 * DAY_MS;
}

static enum err_code run_session_sweep(struct fixture *f, struct arena *arena UNUSED)
{
    return auth_session_sweep(f->auth, &f->err);
}

static enum err_code find(struct fixture *f, struct bytes access_key, bool wanted)
{
    struct auth_secret secret;
    bool found;
    enum err_code code = auth_secret_find(f->auth, access_key, &secret, &found, &f->err);
    if (code == ERR_OK)
        assert_int_equal(found, wanted);
    return code;
}

static enum err_code run_find_key(struct fixture *f, struct arena *arena UNUSED)
{
    return find(f, BYTES_LIT(EXAMPLE_KEY), true);
}

static enum err_code run_find_session(struct fixture *f, struct arena *arena UNUSED)
{
    return find(f, session_key, true);
}

static enum err_code run_find_nobody(struct fixture *f, struct arena *arena UNUSED)
{
    return find(f, BYTES_LIT("AKIANOBODY"), false);
}

static void prepare_use(struct fixture *f)
{
    auth_key_used(f->auth, BYTES_LIT(EXAMPLE_KEY));
}

static enum err_code run_flush(struct fixture *f, struct arena *arena UNUSED)
{
    return auth_flush_last_used(f->auth, &f->err);
}

static enum err_code run_user_name(struct fixture *f, struct arena *arena UNUSED)
{
    char name[AUTH_USER_NAME_MAX + 1];
    return auth_user_name(f->auth, BYTES_LIT("nobody"), name, &f->err);
}

/* Signed requests. */

static void prepare_v4_header(struct fixture *f)
{
    plain_request(f, "GET", "/bkt/key?a=%20b&versionId=1", EMPTY_SHA256);
    sign_header(f, &example_signer, "/bkt/key", "a=%20b&versionId=1", SIGNED_PLAIN);
}

static void prepare_v4_query(struct fixture *f)
{
    presign(f, &example_signer, "GET", "/bkt/k%20y", presign_query(f, &example_signer, "60"));
}

static void prepare_v4_session(struct fixture *f)
{
    prepare_session(f);
    const struct signer signer = {text(f, session_key), text(f, session_secret), EXAMPLE_DATE,
                                  "us-east-1", "s3"};
    const char *credential = presign_query(f, &signer, "60");
    size_t before = (size_t)(strstr(credential, "&X-Amz-SignedHeaders") - credential);
    presign(f, &signer, "GET", "/bkt/key",
            (const char *)arena_printf(&f->arena,
                                       "%.*s&X-Amz-Security-Token=%s&X-Amz-SignedHeaders=host",
                                       (int)before, credential, text(f, session_token))
                .data);
}

static void prepare_other_service(struct fixture *f)
{
    struct signer lambda = example_signer;
    lambda.service = "lambda";
    plain_request(f, "GET", "/2015-03-31/../functions/", EMPTY_SHA256);
    sign_header(f, &lambda, "/functions/", "", SIGNED_PLAIN);
}

static void prepare_chunked(struct fixture *f)
{
    plain_request(f, "PUT", "/bkt/key", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
}

/* The key is known from the request before it, so the refusal reads it once more. */
static void prepare_wrong(struct fixture *f)
{
    struct signer wrong = example_signer;
    wrong.secret = "not the secret at all";
    prepare_v4_header(f);
    assert_accepted(f, SIGN_V4_HEADER);
    plain_request(f, "GET", "/bkt/key", EMPTY_SHA256);
    sign_header(f, &wrong, "/bkt/key", "", SIGNED_PLAIN);
}

static const char *sign_v2(struct fixture *f, const char *to_sign)
{
    uint8_t mac[20];
    char *base64 = arena_alloc(&f->arena, 32);
    HMAC(EVP_sha1(), EXAMPLE_SECRET, (int)strlen(EXAMPLE_SECRET), (const uint8_t *)to_sign,
         strlen(to_sign), mac, NULL);
    EVP_EncodeBlock((uint8_t *)base64, mac, sizeof(mac));
    return base64;
}

static void prepare_v2_header(struct fixture *f)
{
    request(f, "PUT", "/bkt?tagging");
    field(f, "host", "127.0.0.1:9000");
    field(f, "x-amz-date", EXAMPLE_DATE);
    field(f, "x-amz-meta-a", "b");
    field(f, "authorization",
          joined(
              f, "AWS " EXAMPLE_KEY ":",
              sign_v2(f, "PUT\n\n\n\nx-amz-date:" EXAMPLE_DATE "\nx-amz-meta-a:b\n/bkt/?tagging")));
}

/* Base64 in a query. */
static const char *encoded(struct fixture *f, const char *base64)
{
    char *to = arena_alloc(&f->arena, 3 * strlen(base64) + 1);
    for (size_t i = 0, len = 0; base64[i]; i++)
        len += (size_t)sprintf(to + len, strchr("+/=", base64[i]) ? "%%%02X" : "%c", base64[i]);
    return to;
}

static void prepare_v2_query(struct fixture *f)
{
    const char *expires = "1369353660"; /* a minute after EXAMPLE_NOW */
    struct bytes to_sign =
        arena_printf(&f->arena, "GET\n\n\n%s\nx-amz-meta-a:b c\n/bkt/key?versionId=1 2", expires);
    struct bytes target =
        arena_printf(&f->arena,
                     "/bkt/key?AWSAccessKeyId=" EXAMPLE_KEY
                     "&Expires=%s&Signature=%s&X-Amz-Meta-A=b%%20c&versionId=1%%202",
                     expires, encoded(f, sign_v2(f, (const char *)to_sign.data)));
    request(f, "GET", (const char *)target.data);
    field(f, "host", "127.0.0.1:9000");
}

static void prepare_anonymous(struct fixture *f)
{
    request(f, "GET", "/bkt/key?a=%20");
    field(f, "host", "127.0.0.1:9000");
}

static enum err_code run_authenticate(struct fixture *f, struct arena *arena)
{
    enum err_code code =
        sign_authenticate(f->auth, &f->rules, &f->head, arena, &f->result, &f->err);
    assert_true((code == ERR_OK) == (f->result.mode != SIGN_DENIED));
    if (code != ERR_OK)
        assert_int_equal(f->result.key.user[0], 0);
    return code;
}

static const struct step steps[] = {
    {"open", NULL, run_open, ERR_OK},
    {"create, user and key", NULL, run_create, ERR_OK},
    {"create, a second key", NULL, run_create_second, ERR_OK},
    {"list", prepare_keys, run_list, ERR_OK},
    {"disable", NULL, run_disable, ERR_OK},
    {"delete", NULL, run_delete, ERR_OK},
    {"session", NULL, run_session, ERR_OK},
    {"sweep sessions", prepare_old_sessions, run_session_sweep, ERR_OK},
    {"find a key", NULL, run_find_key, ERR_OK},
    {"find a session", prepare_session, run_find_session, ERR_OK},
    {"find nobody", NULL, run_find_nobody, ERR_OK},
    {"write behind", prepare_use, run_flush, ERR_OK},
    {"name of an id", NULL, run_user_name, ERR_NOT_FOUND},
    {"version 4, header", prepare_v4_header, run_authenticate, ERR_OK},
    {"version 4, query", prepare_v4_query, run_authenticate, ERR_OK},
    {"version 4, session", prepare_v4_session, run_authenticate, ERR_OK},
    {"version 4, other service", prepare_other_service, run_authenticate, ERR_OK},
    {"version 4, pieces", prepare_chunked, run_authenticate, ERR_OK},
    {"version 4, wrong", prepare_wrong, run_authenticate, ERR_DENIED},
    {"version 2, header", prepare_v2_header, run_authenticate, ERR_OK},
    {"version 2, query", prepare_v2_query, run_authenticate, ERR_OK},
    {"anonymous", prepare_anonymous, run_authenticate, ERR_OK},
};

static enum err_code run_once(const struct step *step, struct fixture *f)
{
    struct arena arena;
    arena_init(&arena, MIB(1));
    memset(&f->err, 0, sizeof(f->err));
    enum err_code code = step->run(f, &arena);
    arena_done(&arena);
    assert_int_equal(f->err.code, code);
    return code;
}

struct fault {
    void (*arm)(struct fixture *f, long nth);
    bool (*disarm)(struct fixture *f);
    enum err_code code; /* that it must end in */
    bool heals;         /* the step works once it is over */
};

/* One step with its N-th fault. returns  whether there was one */
static bool run_faulty(const struct step *step, const struct fault *fault, long nth)
{
    void *state;
    fixture_setup(&state);
    struct fixture *f = state;
    if (step->prepare)
        step->prepare(f);
    size_t rows = fake_kv_count(f->fake, KV_META);
    fault->arm(f, nth);
    enum err_code code = run_once(step, f);
    bool hit = fault->disarm(f);
    enum err_code wanted = hit ? fault->code : step->wanted;
    if (code != wanted)
        fail_msg("%s, fault %ld: %s: %s at %s", step->name, nth, err_code_name(code), f->err.msg,
                 f->err.at);
    if (hit)
        assert_int_equal(fake_kv_count(f->fake, KV_META), rows);
    if (hit && fault->heals)
        assert_int_equal(run_once(step, f), step->wanted);
    fixture_teardown(&state);
    return hit;
}

/* returns  how many faults there were, over all steps */
static long sweep(const struct fault *fault)
{
    long total = 0;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        for (long nth = 1; run_faulty(&steps[i], fault, nth); nth++)
            total++;
    print_message("%ld faults\n", total);
    return total;
}

static void arm_alloc(struct fixture *f UNUSED, long nth)
{
    alloc_fail_arm(nth);
}

static bool disarm_alloc(struct fixture *f UNUSED)
{
    return alloc_fail_disarm();
}

static void arm_alloc_from(struct fixture *f UNUSED, long nth)
{
    alloc_fail_arm_from(nth);
}

/* AUTH-FAULT-1: that one, and that one and all after it. */
static void test_allocations(void **state UNUSED)
{
    assert_true(sweep(&(struct fault){arm_alloc_from, disarm_alloc, ERR_NO_MEMORY, true}) > 100);
    assert_true(sweep(&(struct fault){arm_alloc, disarm_alloc, ERR_NO_MEMORY, true}) > 100);
}

static void arm_read(struct fixture *f, long nth)
{
    f->fake->fail_read = (unsigned)nth;
}

static bool disarm_read(struct fixture *f)
{
    bool hit = f->fake->fail_read == 0;
    f->fake->fail_read = 0;
    return hit;
}

static void arm_iter(struct fixture *f, long nth)
{
    f->fake->fail_iter = (unsigned)nth;
}

static bool disarm_iter(struct fixture *f)
{
    bool hit = f->fake->fail_iter == 0;
    f->fake->fail_iter = 0;
    return hit;
}

/* AUTH-FAULT-2 */
static void test_reads(void **state UNUSED)
{
    assert_true(sweep(&(struct fault){arm_read, disarm_read, ERR_IO, true}) > 20);
    assert_true(sweep(&(struct fault){arm_iter, disarm_iter, ERR_IO, true}) > 20);
}

static void arm_write(struct fixture *f, long nth)
{
    f->fake->fail_write = (unsigned)nth;
}

static bool disarm_write(struct fixture *f)
{
    bool hit = f->fake->fail_write == 0;
    f->fake->fail_write = 0;
    return hit;
}

/* AUTH-FAULT-3 */
static void test_commits(void **state UNUSED)
{
    assert_true(sweep(&(struct fault){arm_write, disarm_write, ERR_IO, false}) >= 6);
}

/* Rows that no version of this program wrote. */

static void set_row(struct fixture *f, enum kv_tag tag, struct bytes name,
                    const ProtobufCMessage *message)
{
    struct auth_rows_key key = auth_rows_key(tag, name);
    uint8_t row[2048] = {AUTH_ROWS_FORMAT};
    assert_true(protobuf_c_message_get_packed_size(message) < sizeof(row));
    size_t len = 1 + protobuf_c_message_pack(message, row + 1);
    fake_kv_set(f->fake, KV_META, auth_rows_key_bytes(&key), bytes_of(row, len));
}

static char few[] = "0123", many[300]; /* fewer and more characters than any field takes */

static void rot_user_id(struct fixture *f)
{
    Valise__Auth__User row = VALISE__AUTH__USER__INIT;
    row.user_id = few;
    set_row(f, TAG_USER, BYTES_LIT("alice"), &row.base);
}

static void rot_key_user(struct fixture *f)
{
    Valise__Auth__AccessKey row = VALISE__AUTH__ACCESS_KEY__INIT;
    row.user = many;
    set_row(f, TAG_ACCESS_KEY, BYTES_LIT(EXAMPLE_KEY), &row.base);
}

/* Sealed as it should be, but too long. */
static void rot_secret(struct fixture *f)
{
    Valise__Auth__AccessKey row = VALISE__AUTH__ACCESS_KEY__INIT;
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, BYTES_LIT(EXAMPLE_KEY));
    struct bytes sealed;
    assert_int_equal(seal_close(fixture_box_key, auth_rows_key_bytes(&key), bytes_of_str(many),
                                &f->arena, &sealed, &f->err),
                     ERR_OK);
    row.secret = (ProtobufCBinaryData){sealed.len, (uint8_t *)sealed.data};
    set_row(f, TAG_ACCESS_KEY, BYTES_LIT(EXAMPLE_KEY), &row.base);
}

static void rot_session_token(struct fixture *f)
{
    Valise__Auth__Session row = VALISE__AUTH__SESSION__INIT;
    prepare_session(f);
    set_row(f, TAG_SESSION, session_key, &row.base);
}

static void rot_format(struct fixture *f)
{
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, BYTES_LIT(EXAMPLE_KEY));
    fake_kv_set(f->fake, KV_META, auth_rows_key_bytes(&key), BYTES_LIT("\x02"));
}

static void rot_message(struct fixture *f)
{
    struct auth_rows_key key = auth_rows_key(TAG_ACCESS_KEY, BYTES_LIT(EXAMPLE_KEY));
    fake_kv_set(f->fake, KV_META, auth_rows_key_bytes(&key), BYTES_LIT("\x01\x0a\x7f"));
}

/* The known key, and then its row rots: a wrong signature looks at the disk again. */
static void rot_behind_cache(struct fixture *f)
{
    prepare_wrong(f);
    rot_format(f);
}

static const struct step rotten[] = {
    {"a user's id", rot_user_id, run_create_second, ERR_CORRUPT},
    {"a key's user, listed", rot_key_user, run_list, ERR_CORRUPT},
    {"a key's user, found", rot_key_user, run_find_key, ERR_CORRUPT},
    {"a secret", rot_secret, run_find_key, ERR_CORRUPT},
    {"a session's token", rot_session_token, run_find_session, ERR_CORRUPT},
    {"a format, found", rot_format, run_find_key, ERR_CORRUPT},
    {"a format, listed", rot_format, run_list, ERR_CORRUPT},
    {"a message, disabled", rot_message, run_disable, ERR_CORRUPT},
    {"a message, listed", rot_message, run_list, ERR_CORRUPT},
    {"a key that was known", rot_behind_cache, run_authenticate, ERR_CORRUPT},
};

/* AUTH-FAULT-4 */
static void test_rot(void **state UNUSED)
{
    memset(many, 'a', sizeof(many) - 1);
    for (size_t i = 0; i < ARRAY_LEN(rotten); i++) {
        void *own;
        fixture_setup(&own);
        rotten[i].prepare(own);
        enum err_code code = run_once(&rotten[i], own);
        if (code != rotten[i].wanted)
            fail_msg("%s: %s", rotten[i].name, err_code_name(code));
        fixture_teardown(&own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_commits),
        cmocka_unit_test(test_rot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
