/* fixture.h - what tests of storage/auth stand on: a fake store, the real
 * committer, a clock that the test owns, one key; requests put together by
 * hand, and a signer that shares no code with the one under test.
 *
 * Include once in a program, after cmocka.h. */
#ifndef TESTS_UNIT_STORAGE_AUTH_FIXTURE_H
#define TESTS_UNIT_STORAGE_AUTH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "storage/auth/sign.h"
#include "tests/unit/storage/kv/fake_kv.h"

/* The examples of Amazon's documents use these. */
#define EXAMPLE_KEY    "AKIAIOSFODNN7EXAMPLE"
#define EXAMPLE_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define EXAMPLE_DATE   "20130524T000000Z"
#define EXAMPLE_NOW    1369353600000ull /* the same */
#define EMPTY_SHA256   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define MINUTE_MS 60000ull

struct fixture {
    struct fake_kv *fake;
    struct committer *committer;
    struct auth *auth;
    uint64_t now_unix_ms;
    struct clock clock;
    struct sign_rules rules;
    struct arena arena;
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_head head;
    struct sign_result result;
    struct err err;
};

UNUSED static uint64_t fixture_now(void *ctx)
{
    return ((struct fixture *)ctx)->now_unix_ms;
}

UNUSED static const uint8_t fixture_box_key[SEAL_KEY_LEN] = {1, 2, 3};

UNUSED static void fixture_open_auth(struct fixture *f)
{
    assert_int_equal(
        auth_open(&f->fake->kv, f->committer, &f->clock, fixture_box_key, &f->auth, &f->err),
        ERR_OK);
}

UNUSED static void fixture_add_key(struct fixture *f, const char *user, const char *access_key,
                                   const char *secret)
{
    struct auth_key key;
    struct bytes told;
    const struct auth_key_request request = {bytes_of_str(user), bytes_of_str(access_key),
                                             bytes_of_str(secret), NULL};
    assert_int_equal(auth_key_create(f->auth, &request, &f->arena, &key, &told, &f->err), ERR_OK);
}

UNUSED static int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->fake = fake_kv_new();
    f->now_unix_ms = EXAMPLE_NOW;
    f->clock = (struct clock){fixture_now, fixture_now, f};
    f->rules.clock = &f->clock;
    arena_init(&f->arena, HTTP_ARENA_MAX);
    assert_int_equal(seal_start(&f->err), ERR_OK);
    assert_int_equal(committer_start(&f->fake->kv, &f->clock, 0, 0, &f->committer, &f->err),
                     ERR_OK);
    fixture_open_auth(f);
    fixture_add_key(f, "alice", EXAMPLE_KEY, EXAMPLE_SECRET);
    *state = f;
    return 0;
}

UNUSED static int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    auth_close(f->auth);
    committer_stop(f->committer);
    fake_kv_free(f->fake);
    arena_done(&f->arena);
    free(f);
    return 0;
}

/* Begin a request; `target` may hold what http_head_set_target refuses. */
UNUSED static void request(struct fixture *f, const char *method, const char *target)
{
    struct bytes rest = bytes_of_str(target);
    f->head = (struct http_head){
        .method = bytes_of_str(method), .target = bytes_of_str(target), .fields = f->fields};
    if (bytes_cut(&rest, '?', &f->head.path))
        f->head.query = rest;
}

UNUSED static void field(struct fixture *f, const char *name, const char *value)
{
    f->fields[f->head.field_count++] =
        (struct http_field){bytes_of_str(name), bytes_trim(bytes_of_str(value))};
}

/* Replace the value of a field that is there. */
UNUSED static void set_field(struct fixture *f, const char *name, const char *value)
{
    for (size_t i = 0; i < f->head.field_count; i++)
        if (bytes_equal_str(f->fields[i].name, name)) {
            f->fields[i].value = bytes_of_str(value);
            return;
        }
    fail_msg("no field %s", name);
}

UNUSED static void drop_last_field(struct fixture *f)
{
    f->head.field_count--;
}

UNUSED static enum err_code authenticate(struct fixture *f)
{
    memset(&f->err, 0, sizeof(f->err));
    return sign_authenticate(f->auth, &f->rules, &f->head, &f->arena, &f->result, &f->err);
}

#define assert_accepted(f, wanted_mode)                                                            \
    do {                                                                                           \
        if (authenticate(f) != ERR_OK)                                                             \
            fail_msg("refused: %s", (f)->err.msg);                                                 \
        assert_int_equal((f)->result.mode, (wanted_mode));                                         \
    } while (0)

#define assert_refused(f, wanted_code, wanted_reason)                                              \
    do {                                                                                           \
        assert_int_equal(authenticate(f), (wanted_code));                                          \
        assert_int_equal((f)->err.reason, (wanted_reason));                                        \
        assert_int_equal((f)->result.mode, SIGN_DENIED);                                           \
    } while (0)

UNUSED static const char *text(struct fixture *f, struct bytes b)
{
    return arena_str(&f->arena, b);
}

UNUSED static const char *joined(struct fixture *f, const char *a, const char *b)
{
    return (const char *)arena_printf(&f->arena, "%s%s", a, b).data;
}

/* The independent signer. */

UNUSED static void signer_hex(const uint8_t *data, size_t len, char *ret_hex)
{
    for (size_t i = 0; i < len; i++)
        sprintf(ret_hex + 2 * i, "%02x", data[i]);
}

UNUSED static const char *signer_sha256(struct fixture *f, const char *data)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char *hex = arena_alloc(&f->arena, 65);
    EVP_Digest(data, strlen(data), digest, NULL, EVP_sha256(), NULL);
    signer_hex(digest, sizeof(digest), hex);
    return hex;
}

UNUSED static const char *signer_hmac_hex(struct fixture *f, const uint8_t key[32],
                                          const char *data)
{
    uint8_t mac[32];
    char *hex = arena_alloc(&f->arena, 65);
    HMAC(EVP_sha256(), key, 32, (const uint8_t *)data, strlen(data), mac, NULL);
    signer_hex(mac, sizeof(mac), hex);
    return hex;
}

struct signer {
    const char *access_key, *secret, *date, *region, *service;
};

UNUSED static const struct signer example_signer = {EXAMPLE_KEY, EXAMPLE_SECRET, EXAMPLE_DATE,
                                                    "us-east-1", "s3"};

UNUSED static void signer_key(const struct signer *signer, uint8_t ret_key[32])
{
    const char *steps[] = {signer->date, signer->region, signer->service, "aws4_request"};
    char first[200];
    uint8_t next[32];
    size_t key_len = (size_t)sprintf(first, "AWS4%s", signer->secret);
    const void *key = first;
    for (size_t i = 0; i < 4; i++) {
        size_t len = i == 0 ? 8 : strlen(steps[i]);
        HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)steps[i], len, next, NULL);
        memcpy(ret_key, next, 32);
        key = ret_key;
        key_len = 32;
    }
}

UNUSED static const char *signer_scope(struct fixture *f, const struct signer *signer)
{
    return (const char *)arena_printf(&f->arena, "%.8s/%s/%s/aws4_request", signer->date,
                                      signer->region, signer->service)
        .data;
}

/* Sign a canonical request that the test wrote. */
UNUSED static const char *signer_sign(struct fixture *f, const struct signer *signer,
                                      const char *canonical)
{
    uint8_t key[32];
    struct bytes to_sign = arena_printf(&f->arena, "AWS4-HMAC-SHA256\n%s\n%s\n%s", signer->date,
                                        signer_scope(f, signer), signer_sha256(f, canonical));
    signer_key(signer, key);
    return signer_hmac_hex(f, key, (const char *)to_sign.data);
}

/* Lines "name:value" of these headers, as they stand in the request. */
UNUSED static const char *signer_lines(struct fixture *f, const char *signed_headers)
{
    const char *lines = "";
    struct bytes name, rest = bytes_of_str(signed_headers);
    for (bool more = true; more;) {
        more = bytes_cut(&rest, ';', &name);
        const char *plain = text(f, name);
        lines = joined(f, lines,
                       (const char *)arena_printf(&f->arena, "%s:%s\n", plain,
                                                  text(f, http_head_find(&f->head, plain)))
                           .data);
    }
    return lines;
}

/* Sign the request at hand and add its Authorization field.
 *
 * path, query  canonical, as the test says */
UNUSED static void sign_header(struct fixture *f, const struct signer *signer, const char *path,
                               const char *query, const char *signed_headers)
{
    struct bytes payload = http_head_find(&f->head, "x-amz-content-sha256");
    struct bytes canonical =
        arena_printf(&f->arena, "%s\n%s\n%s\n%s\n%s\n%s", text(f, f->head.method), path, query,
                     signer_lines(f, signed_headers), signed_headers,
                     payload.data ? text(f, payload) : EMPTY_SHA256);
    struct bytes value =
        arena_printf(&f->arena, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                     signer->access_key, signer_scope(f, signer), signed_headers,
                     signer_sign(f, signer, (const char *)canonical.data));
    field(f, "authorization", (const char *)value.data);
}

#define SIGNED_PLAIN "host;x-amz-content-sha256;x-amz-date"

/* A request that is right in every way but for what the test does to it next. */
UNUSED static void plain_request(struct fixture *f, const char *method, const char *target,
                                 const char *payload)
{
    request(f, method, target);
    field(f, "host", "127.0.0.1:9000");
    field(f, "x-amz-content-sha256", payload);
    field(f, "x-amz-date", EXAMPLE_DATE);
}

/* Sign a query: `query` is canonical and holds everything but the signature. */
UNUSED static void presign(struct fixture *f, const struct signer *signer, const char *method,
                           const char *path, const char *query)
{
    struct bytes canonical =
        arena_printf(&f->arena, "%s\n%s\n%s\nhost:127.0.0.1:9000\n\nhost\nUNSIGNED-PAYLOAD", method,
                     path, query);
    struct bytes target = arena_printf(&f->arena, "%s?%s&X-Amz-Signature=%s", path, query,
                                       signer_sign(f, signer, (const char *)canonical.data));
    request(f, method, (const char *)target.data);
    field(f, "host", "127.0.0.1:9000");
}

/* The parameters of a presigned request, canonical. */
UNUSED static const char *presign_query(struct fixture *f, const struct signer *signer,
                                        const char *expires)
{
    return (const char *)arena_printf(
               &f->arena,
               "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s%%2F%.8s%%2F%s%%2F%s"
               "%%2Faws4_request&X-Amz-Date=%s&X-Amz-Expires=%s&X-Amz-SignedHeaders=host",
               signer->access_key, signer->date, signer->region, signer->service, signer->date,
               expires)
        .data;
}

#endif
