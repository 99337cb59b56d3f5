/* sigv4_test.c - version 4: AWS's vectors and Amazon's published examples, and
 * everything that must be refused.
 *
 * Planted bugs it caught: the check for unsigned x-amz-* headers left out; skew
 * of 15 minutes compared on one side only; X-Amz-Expires of 0 let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/sigv4.h"
#include "tests/unit/storage/auth/fixture.h"
#include "tests/unit/storage/auth/vectors.h"

static void check_to_sign(struct fixture *f, const struct vector *v, const char *form)
{
    char file[64];
    const struct signer signer = {v->access_key, v->secret, "20150830T123600Z", "us-east-1",
                                  "service"};
    sprintf(file, "%s-canonical-request.txt", form);
    const char *canonical = vector_text(f, v, file);
    struct bytes to_sign =
        sigv4_string_to_sign(&f->arena, bytes_of_str(signer.date),
                             bytes_of_str(signer_scope(f, &signer)), bytes_of_str(canonical));
    sprintf(file, "%s-string-to-sign.txt", form);
    assert_string_equal(text(f, to_sign), vector_text(f, v, file));
    sprintf(file, "%s-signature.txt", form);
    assert_string_equal(signer_sign(f, &signer, canonical), vector_text(f, v, file));
}

/* What the door must say to the vector's signed request. */
static void check_door(struct fixture *f, const struct vector *v, const char *form,
                       enum sign_mode mode)
{
    char file[64];
    sprintf(file, "%s-signed-request.txt", form);
    vector_request(f, v, file);
    bool is_header = mode == SIGN_V4_HEADER;
    if (v->omits_token)
        assert_refused(f, ERR_DENIED, is_header ? SIGN_UNSIGNED_HEADER : SIGN_MISMATCH);
    else if (v->has_token) /* the signature is right, or it would not come to the token */
        assert_refused(f, ERR_INVALID, SIGN_BAD_TOKEN);
    else
        assert_accepted(f, mode);
}

static void check_vector(struct fixture *f, struct vector *v)
{
    check_to_sign(f, v, "header");
    check_to_sign(f, v, "query");
    if (!v->normalizes) /* no service is signed like that but S3, which has its own tests */
        return;
    check_door(f, v, "header", SIGN_V4_HEADER);
    if (!v->signs_body) /* a presigned body's hash is in no header */
        check_door(f, v, "query", SIGN_V4_QUERY);
}

/* AUTH-SIGN-1, ACC-18 */
static void vectors_give_their_signatures(void **state)
{
    struct fixture *f = *state;
    fixture_add_key(f, "alice", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    vectors_each(f, check_vector);
}

struct example {
    const char *method, *target;
    const char *fields[6][2];
    const char *payload, *signed_headers, *signature;
};

/* Amazon S3 API Reference, "Examples: Signature Calculations". */
static const struct example examples[] = {
    {"GET",
     "/test.txt",
     {{"range", "bytes=0-9"}},
     EMPTY_SHA256,
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT",
     "/test%24file.text",
     {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET",
     "/?lifecycle",
     {{0}},
     EMPTY_SHA256,
     SIGNED_PLAIN,
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET",
     "/?max-keys=2&prefix=J",
     {{0}},
     EMPTY_SHA256,
     SIGNED_PLAIN,
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static void put_example(struct fixture *f, const struct example *e)
{
    request(f, e->method, e->target);
    field(f, "host", "examplebucket.s3.amazonaws.com");
    for (size_t i = 0; i < 6 && e->fields[i][0]; i++)
        field(f, e->fields[i][0], e->fields[i][1]);
    field(f, "x-amz-content-sha256", e->payload);
    field(f, "x-amz-date", EXAMPLE_DATE);
    field(f, "authorization",
          (const char *)arena_printf(
              &f->arena,
              "AWS4-HMAC-SHA256 Credential=" EXAMPLE_KEY
              "/20130524/us-east-1/s3/aws4_request,SignedHeaders=%s,Signature=%s",
              e->signed_headers, e->signature)
              .data);
}

/* AUTH-SIGN-1 */
static void published_examples_are_accepted(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        put_example(f, &examples[i]);
        assert_accepted(f, SIGN_V4_HEADER);
        assert_int_equal(f->result.payload, SIGN_PAYLOAD_HASH);
        assert_string_equal(f->result.key.user, "alice");
        assert_string_equal(f->result.key.access_key, EXAMPLE_KEY);
        assert_string_equal(f->result.service, "s3");
        assert_string_equal(f->result.region, "us-east-1");
    }
}

/* AUTH-SIGN-1 */
static void published_presigned_url_is_accepted(void **state)
{
    struct fixture *f = *state;
    request(f, "GET",
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE"
            "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
            "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    field(f, "host", "examplebucket.s3.amazonaws.com");
    assert_accepted(f, SIGN_V4_QUERY);
    assert_int_equal(f->result.payload, SIGN_PAYLOAD_NONE);
    f->head.method = BYTES_LIT("HEAD"); /* signed for GET */
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

/* AUTH-SIGN-5, ACC-19: each bit of each byte of the scope, the signature and the date. */
static void one_flipped_bit_is_refused(void **state)
{
    struct fixture *f = *state;
    put_example(f, &examples[0]);
    for (size_t k = 0; k < f->head.field_count; k++) {
        struct bytes whole = f->fields[k].value;
        for (size_t i = 0; i < whole.len * 8; i++) {
            char *flipped = arena_str(&f->arena, whole);
            flipped[i / 8] ^= (char)(1 << i % 8);
            f->fields[k].value = bytes_of(flipped, whole.len);
            assert_int_not_equal(authenticate(f), ERR_OK);
            assert_int_equal(f->result.mode, SIGN_DENIED);
        }
        f->fields[k].value = whole;
        assert_accepted(f, SIGN_V4_HEADER);
    }
}

static void flip_in_authorization(struct fixture *f, const char *part)
{
    struct bytes whole = http_head_find(&f->head, "authorization");
    ptrdiff_t at = bytes_find_bytes(whole, bytes_of_str(part));
    assert_true(at >= 0);
    for (size_t i = 0; i < strlen(part) * 8; i++) {
        char *flipped = arena_str(&f->arena, whole);
        flipped[(size_t)at + i / 8] ^= (char)(1 << i % 8);
        f->fields[f->head.field_count - 1].value = bytes_of(flipped, whole.len);
        if (flipped[(size_t)at + i / 8] == ',') /* cuts the header anew: 400 */
            assert_int_equal(authenticate(f), ERR_INVALID);
        else
            assert_int_equal(authenticate(f), ERR_DENIED); /* 403 */
    }
    f->fields[f->head.field_count - 1].value = whole;
}

/* AUTH-SIGN-5, ACC-19 */
static void one_flipped_bit_in_a_component_is_403(void **state)
{
    struct fixture *f = *state;
    put_example(f, &examples[0]);
    flip_in_authorization(f, "/20130524/us-east-1/s3/aws4_request");
    flip_in_authorization(f, examples[0].signature);
    flip_in_authorization(f, EXAMPLE_KEY);
}

/* AUTH-SIGN-5 */
static void method_path_and_query_are_signed(void **state)
{
    struct fixture *f = *state;
    static const char *const targets[] = {"/bkt/key2?a=1", "/bkt/key?a=2",  "/bkt/key?a=1&b",
                                          "/bkt/key",      "/bkt//key?a=1", "/bkt/key/?a=1"};
    plain_request(f, "PUT", "/bkt/key?a=1", EMPTY_SHA256);
    sign_header(f, &example_signer, "/bkt/key", "a=1", SIGNED_PLAIN);
    assert_accepted(f, SIGN_V4_HEADER);
    f->head.method = BYTES_LIT("GET");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        plain_request(f, "PUT", "/bkt/key?a=1", EMPTY_SHA256);
        sign_header(f, &example_signer, "/bkt/key", "a=1", SIGNED_PLAIN);
        struct bytes rest = bytes_of_str(targets[i]);
        f->head.query = bytes_of(NULL, 0);
        if (bytes_cut(&rest, '?', &f->head.path))
            f->head.query = rest;
        assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    }
}

/* AUTH-SIGN-6, ACC-21 */
static void clocks_may_be_fifteen_minutes_apart(void **state)
{
    struct fixture *f = *state;
    plain_request(f, "GET", "/", EMPTY_SHA256);
    sign_header(f, &example_signer, "/", "", SIGNED_PLAIN);
    f->now_unix_ms = EXAMPLE_NOW + 14 * MINUTE_MS;
    assert_accepted(f, SIGN_V4_HEADER);
    f->now_unix_ms = EXAMPLE_NOW - 14 * MINUTE_MS;
    assert_accepted(f, SIGN_V4_HEADER);
    f->now_unix_ms = EXAMPLE_NOW + 16 * MINUTE_MS;
    assert_refused(f, ERR_DENIED, SIGN_SKEWED);
    f->now_unix_ms = EXAMPLE_NOW - 16 * MINUTE_MS;
    assert_refused(f, ERR_DENIED, SIGN_SKEWED);
    f->now_unix_ms = 0; /* a box that does not know the time */
    assert_refused(f, ERR_DENIED, SIGN_SKEWED);
}

/* AUTH-SIGN-6 */
static void date_header_does_without_x_amz_date(void **state)
{
    struct fixture *f = *state;
    request(f, "GET", "/");
    field(f, "date", "Fri, 24 May 2013 00:00:00 GMT");
    field(f, "host", "127.0.0.1:9000");
    field(f, "x-amz-content-sha256", EMPTY_SHA256);
    sign_header(f, &example_signer, "/", "", "date;host;x-amz-content-sha256");
    assert_accepted(f, SIGN_V4_HEADER);
    set_field(f, "date", "yesterday");
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
    set_field(f, "date", "Sat, 25 May 2013 00:00:00 GMT"); /* not the scope's day */
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

/* AUTH-SIGN-7, ACC-23 */
static void every_x_amz_header_must_be_signed(void **state)
{
    static const char *const names[] = {"x-amz-copy-source", "x-amz-acl", "x-amz-meta-a",
                                        "x-amz-tagging", "x-amz-new-thing"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        plain_request(f, "PUT", "/bkt/key", EMPTY_SHA256);
        sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
        field(f, names[i], "/other/secret");
        assert_refused(f, ERR_DENIED, SIGN_UNSIGNED_HEADER);
        presign(f, &example_signer, "PUT", "/bkt/key", presign_query(f, &example_signer, "60"));
        assert_accepted(f, SIGN_V4_QUERY);
        field(f, names[i], "/other/secret");
        assert_refused(f, ERR_DENIED, SIGN_UNSIGNED_HEADER);
    }
}

/* AUTH-SIGN-7, ACC-31 */
static void other_headers_may_be_unsigned(void **state)
{
    struct fixture *f = *state;
    plain_request(f, "PUT", "/bkt/key", EMPTY_SHA256);
    sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
    field(f, "content-type", "text/plain");
    field(f, "x-amzn-trace-id", "Root=1");
    assert_accepted(f, SIGN_V4_HEADER);
}

/* AUTH-SIGN-4, ACC-29 */
static void bad_header_lists_are_403(void **state)
{
    static const char *const lists[] = {
        "x-amz-content-sha256;x-amz-date", "host;host;x-amz-content-sha256;x-amz-date",
        "x-amz-date;host;x-amz-content-sha256", "", "host;x-amz-content-sha256;x-amz-date;"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        plain_request(f, "GET", "/", EMPTY_SHA256);
        sign_header(f, &example_signer, "/", "", lists[i]);
        assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
    }
    plain_request(f, "GET", "/", EMPTY_SHA256);
    sign_header(f, &example_signer, "/", "", "accept;" SIGNED_PLAIN); /* did not arrive */
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
}

/* AUTH-SIGN-3: a signed header that comes twice is signed joined. */
static void duplicate_headers_are_signed_joined(void **state)
{
    struct fixture *f = *state;
    plain_request(f, "PUT", "/bkt/key", EMPTY_SHA256);
    field(f, "x-amz-meta-a", "1,2");
    sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN ";x-amz-meta-a");
    set_field(f, "x-amz-meta-a", "1");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    field(f, "x-amz-meta-a", "2");
    assert_accepted(f, SIGN_V4_HEADER);
}

/* AUTH-SIGN-8, ACC-22 */
static void expiry_is_one_second_to_a_week(void **state)
{
    static const char *const bad[] = {"0", "-1", "604801", "x", "", "1.5", "99999999999999999999"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        presign(f, &example_signer, "GET", "/bkt/key", presign_query(f, &example_signer, bad[i]));
        assert_refused(f, ERR_INVALID, SIGN_MALFORMED_QUERY);
    }
    presign(f, &example_signer, "GET", "/bkt/key", presign_query(f, &example_signer, "604800"));
    assert_accepted(f, SIGN_V4_QUERY);
}

/* AUTH-SIGN-8, ACC-22 */
static void presigned_urls_end_and_begin(void **state)
{
    struct fixture *f = *state;
    presign(f, &example_signer, "GET", "/bkt/key", presign_query(f, &example_signer, "60"));
    f->now_unix_ms = EXAMPLE_NOW + 60000;
    assert_accepted(f, SIGN_V4_QUERY);
    f->now_unix_ms = EXAMPLE_NOW + 60001;
    assert_refused(f, ERR_DENIED, SIGN_EXPIRED);
    f->now_unix_ms = EXAMPLE_NOW - 14 * MINUTE_MS;
    assert_accepted(f, SIGN_V4_QUERY);
    f->now_unix_ms = EXAMPLE_NOW - 16 * MINUTE_MS;
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
}

/* AUTH-SIGN-8 */
static void presigned_parameters_are_needed_once(void **state)
{
    static const char *const names[] = {"X-Amz-Algorithm=AWS4-HMAC-SHA256&",
                                        "X-Amz-Date=20130524T000000Z&", "X-Amz-Expires=60&",
                                        "X-Amz-SignedHeaders=host&"};
    struct fixture *f = *state;
    const char *query = joined(f, presign_query(f, &example_signer, "60"), "&X-Amz-Signature=0");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct bytes whole = bytes_of_str(query);
        ptrdiff_t at = bytes_find_bytes(whole, bytes_of_str(names[i]));
        assert_true(at > 0 || i == 0);
        struct bytes missing =
            arena_printf(&f->arena, "/?%.*s%s", (int)at, query, query + at + strlen(names[i]));
        request(f, "GET", (const char *)missing.data);
        field(f, "host", "h");
        assert_refused(f, ERR_INVALID, SIGN_MALFORMED_QUERY);
        request(f, "GET", joined(f, joined(f, "/?", names[i]), query));
        field(f, "host", "h");
        assert_refused(f, ERR_INVALID, SIGN_MALFORMED_QUERY);
    }
}

/* AUTH-SIGN-8: extra headers may be query parameters; they are signed with the rest. */
static void presigned_headers_may_be_parameters(void **state)
{
    struct fixture *f = *state;
    presign(f, &example_signer, "PUT", "/bkt/key",
            joined(f, presign_query(f, &example_signer, "60"), "&x-amz-acl=private"));
    assert_accepted(f, SIGN_V4_QUERY);
}

/* AUTH-SIGN-9 */
static void region_is_checked_where_one_is_set(void **state)
{
    struct fixture *f = *state;
    f->rules.region = BYTES_LIT("eu-west-1");
    plain_request(f, "GET", "/", EMPTY_SHA256);
    sign_header(f, &example_signer, "/", "", SIGNED_PLAIN);
    assert_refused(f, ERR_INVALID, SIGN_WRONG_REGION);
    assert_string_equal(f->result.region, "us-east-1");
    f->rules.region = BYTES_LIT("us-east-1");
    assert_accepted(f, SIGN_V4_HEADER);
    f->rules.service = BYTES_LIT("s3");
    assert_accepted(f, SIGN_V4_HEADER);
    f->rules.service = BYTES_LIT("lambda");
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
}

static void malformed_headers_are_400_or_403(void **state)
{
    static const struct {
        const char *value;
        enum err_code code;
        enum sign_reason reason;
    } cases[] = {
        {"AWS4-HMAC-SHA256 ", ERR_INVALID, SIGN_MALFORMED_HEADER},
        {"AWS4-HMAC-SHA256 Credential=a", ERR_INVALID, SIGN_MALFORMED_HEADER},
        {"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=x, Signature=y", ERR_INVALID,
         SIGN_MALFORMED_HEADER},
        {"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=x, Other=y", ERR_INVALID,
         SIGN_MALFORMED_HEADER},
        {"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=x", ERR_DENIED,
         SIGN_ACCESS_DENIED},
        {"AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_request/x, SignedHeaders=host, "
         "Signature=x",
         ERR_DENIED, SIGN_ACCESS_DENIED},
        {"AWS4-HMAC-SHA256 Credential=/20130524/r/s3/aws4_request, SignedHeaders=host, "
         "Signature=x",
         ERR_DENIED, SIGN_ACCESS_DENIED},
        {"AWS4-HMAC-SHA256 Credential=a/20130524/region-name-that-is-longer-than-the-room/s3/"
         "aws4_request, SignedHeaders=host, Signature=x",
         ERR_DENIED, SIGN_ACCESS_DENIED},
        {"AWS4-HMAC-SHA256 Credential=a/2013/r/s3/aws4_request, SignedHeaders=host, Signature=x",
         ERR_DENIED, SIGN_ACCESS_DENIED},
        {"AWS4-ECDSA-P256-SHA256 Credential=a, SignedHeaders=host, Signature=x", ERR_UNSUPPORTED,
         SIGN_UNSUPPORTED},
        {"Bearer x", ERR_INVALID, SIGN_MALFORMED_HEADER},
        {"AWS4-HMAC-SHA256", ERR_INVALID, SIGN_MALFORMED_HEADER},
        {"", ERR_DENIED, SIGN_ACCESS_DENIED},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        plain_request(f, "GET", "/", EMPTY_SHA256);
        field(f, "authorization", cases[i].value);
        assert_refused(f, cases[i].code, cases[i].reason);
    }
}

static void ecdsa_in_the_query_is_501(void **state)
{
    struct fixture *f = *state;
    request(f, "GET",
            "/?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=a&X-Amz-Date=b"
            "&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=x");
    field(f, "host", "h");
    assert_refused(f, ERR_UNSUPPORTED, SIGN_UNSUPPORTED);
}

static void dates_are_written_as_signed(void **state)
{
    char date[SIGV4_DATE_LEN + 1];
    (void)state;
    sigv4_format_date(EXAMPLE_NOW, date);
    assert_string_equal(date, EXAMPLE_DATE);
    sigv4_format_date(EXAMPLE_NOW + 3723000, date);
    assert_string_equal(date, "20130524T010203Z");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vectors_give_their_signatures),
        TEST(published_examples_are_accepted),
        TEST(published_presigned_url_is_accepted),
        TEST(one_flipped_bit_is_refused),
        TEST(one_flipped_bit_in_a_component_is_403),
        TEST(method_path_and_query_are_signed),
        TEST(clocks_may_be_fifteen_minutes_apart),
        TEST(date_header_does_without_x_amz_date),
        TEST(every_x_amz_header_must_be_signed),
        TEST(other_headers_may_be_unsigned),
        TEST(bad_header_lists_are_403),
        TEST(duplicate_headers_are_signed_joined),
        TEST(expiry_is_one_second_to_a_week),
        TEST(presigned_urls_end_and_begin),
        TEST(presigned_parameters_are_needed_once),
        TEST(presigned_headers_may_be_parameters),
        TEST(region_is_checked_where_one_is_set),
        TEST(malformed_headers_are_400_or_403),
        TEST(ecdsa_in_the_query_is_501),
        TEST(dates_are_written_as_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
