/* sign_test.c - the one door: which form of credential, which service, and
 * that nothing is let through by accident.
 *
 * Planted bugs it caught: header and query credentials, the header taken; two
 * Authorization fields, the first taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/sign.h"
#include "tests/unit/storage/auth/fixture.h"

/* AUTH-SIGN-17, ACC-34 */
static void no_credential_is_anonymous(void **state)
{
    struct fixture *f = *state;
    request(f, "GET", "/bkt/key?list-type=2");
    field(f, "host", "h");
    assert_accepted(f, SIGN_ANONYMOUS);
    assert_string_equal(f->result.key.user, "");
    assert_string_equal(f->result.key.access_key, "");
    assert_string_equal(f->result.service, "s3");
    field(f, "x-amz-content-sha256", "nonsense");
    assert_refused(f, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER);
}

/* AUTH-SIGN-17, ACC-24 */
static void two_credentials_are_refused(void **state)
{
    static const char *const queries[] = {
        "X-Amz-Signature=0",  "X-Amz-Credential=a", "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "Signature=x",        "AWSAccessKeyId=a",   "X-Amz-Signature",
        "%58-Amz-Signature=0"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        plain_request(f, "GET", joined(f, "/bkt/key?", queries[i]), EMPTY_SHA256);
        sign_header(f, &example_signer, "/bkt/key", queries[i], SIGNED_PLAIN);
        assert_refused(f, ERR_INVALID, SIGN_TWO_CREDENTIALS);
        set_field(f, "authorization", "AWS a:b");
        assert_refused(f, ERR_INVALID, SIGN_TWO_CREDENTIALS);
    }
    request(f, "GET", "/?X-Amz-Signature=0&Signature=x");
    field(f, "host", "h");
    assert_refused(f, ERR_INVALID, SIGN_TWO_CREDENTIALS);
}

static void two_authorization_fields_are_refused(void **state)
{
    struct fixture *f = *state;
    plain_request(f, "GET", "/bkt/key", EMPTY_SHA256);
    sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
    assert_accepted(f, SIGN_V4_HEADER);
    field(f, "authorization", text(f, http_head_find(&f->head, "authorization")));
    assert_refused(f, ERR_INVALID, SIGN_TWO_CREDENTIALS);
}

/* Names in the query count exactly; others are ordinary parameters. */
static void parameters_that_look_alike_are_no_credential(void **state)
{
    struct fixture *f = *state;
    request(f, "GET", "/?x-amz-signature=0&signature=1&X-Amz-SignatureX=2&Expires=3");
    field(f, "host", "h");
    assert_accepted(f, SIGN_ANONYMOUS);
}

/* AUTH-SIGN-2: the same door for other services, signed in their way. */
static void other_services_sign_their_way(void **state)
{
    struct fixture *f = *state;
    struct signer signer = example_signer;
    signer.service = "lambda";
    request(f, "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda");
    field(f, "host", "h");
    field(f, "x-amz-date", EXAMPLE_DATE);
    sign_header(f, &signer, "/2015-03-31/functions/arn%253Aaws%253Alambda", "", "host;x-amz-date");
    assert_accepted(f, SIGN_V4_HEADER);
    assert_string_equal(f->result.service, "lambda");
    assert_int_equal(f->result.payload, SIGN_PAYLOAD_HASH); /* of nothing: a body is checked */
    assert_int_equal(f->result.payload_sha256[0], 0xe3);
    f->rules.service = BYTES_LIT("s3");
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
}

static const struct {
    const char *query, *authorization, *service;
} services[] = {
    {"", NULL, "s3"},
    {"", "AWS a:b", "s3"},
    {"",
     "AWS4-HMAC-SHA256 Credential=a/20130524/r/lambda/aws4_request, SignedHeaders=host, "
     "Signature=x",
     "lambda"},
    {"", "AWS4-HMAC-SHA256 SignedHeaders=host,Signature=x,Credential=a/20130524/r/sts/aws4_request",
     "sts"},
    {"", "AWS4-HMAC-SHA256 Credential=a/20130524/r/a-name-longer-than-the-room/aws4_request",
     "a-name-longer-t"},
    {"", "AWS4-HMAC-SHA256 Credential=a/b", "s3"},
    {"", "AWS4-HMAC-SHA256 Credential=a/b/c//aws4_request", "s3"},
    {"", "AWS4-HMAC-SHA256 ", "s3"},
    {"X-Amz-Credential=a%2F20130524%2fr%2Flambda%2Faws4_request", NULL, "lambda"},
    {"x=1&X-Amz-Credential=a/20130524/r/lambda/aws4_request", NULL, "lambda"},
    {"X-Amz-Credential=%", NULL, "s3"},
    {"X-Amz-Credential=a%2", NULL, "s3"},
    {"X-Amz-Credential", NULL, "s3"},
};

/* AUTH-SIGN-18 */
static void the_service_is_taken_from_the_scope(void **state)
{
    struct fixture *f = *state;
    char service[16];
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        request(f, "GET", joined(f, "/?", services[i].query));
        if (services[i].authorization)
            field(f, "authorization", services[i].authorization);
        sign_service_of(&f->head, service);
        assert_string_equal(service, services[i].service);
    }
    char *long_query = arena_alloc(&f->arena, 2001);
    memset(long_query, '/', 2000);
    request(f, "GET", joined(f, "/?X-Amz-Credential=", long_query));
    sign_service_of(&f->head, service);
    assert_string_equal(service, "s3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_credential_is_anonymous),
        TEST(two_credentials_are_refused),
        TEST(two_authorization_fields_are_refused),
        TEST(parameters_that_look_alike_are_no_credential),
        TEST(other_services_sign_their_way),
        TEST(the_service_is_taken_from_the_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
