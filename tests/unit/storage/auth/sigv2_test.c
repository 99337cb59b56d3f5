/* sigv2_test.c - version 2: Amazon's published examples, presigned URLs as boto3
 * makes them, and what must be refused.
 *
 * Planted bugs it caught: a sub-resource missing in the table; x-amz-* in the
 * query not signed; a presigned URL without its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/storage/auth/fixture.h"

#define EXAMPLE_2007 1175024202000ull /* Tue, 27 Mar 2007 19:36:42 GMT */

struct example {
    const char *method, *host, *target;
    const char *fields[12][2];
    const char *signature;
};

/* Amazon S3 Developer Guide, "Signing and authenticating REST requests". */
static const struct example examples[] = {
    {"GET",
     "johnsmith.s3.amazonaws.com",
     "/photos/puppy.jpg",
     {{"date", "Tue, 27 Mar 2007 19:36:42 +0000"}},
     "bWq2s1WEIj+Ydj0vQ697zp+IXMU="},
    {"PUT",
     "johnsmith.s3.amazonaws.com",
     "/photos/puppy.jpg",
     {{"content-type", "image/jpeg"},
      {"content-length", "94328"},
      {"date", "Tue, 27 Mar 2007 21:15:45 +0000"}},
     "MyyxeRY7whkBe+bq8fHCL/2kKUg="},
    {"GET",
     "johnsmith.s3.amazonaws.com",
     "/?prefix=photos&max-keys=50&marker=puppy",
     {{"date", "Tue, 27 Mar 2007 19:42:41 +0000"}},
     "htDYFYduRNen8P9ZfE/s9SuKy0U="},
    {"GET",
     "johnsmith.s3.amazonaws.com",
     "/?acl",
     {{"date", "Tue, 27 Mar 2007 19:44:46 +0000"}},
     "c2WLPFtWHVgbEmeEG93a4cG37dM="},
    {"PUT",
     "static.johnsmith.net.s3.amazonaws.com",
     "/db-backup.dat.gz",
     {{"date", "Tue, 27 Mar 2007 21:06:08 +0000"},
      {"x-amz-acl", "public-read"},
      {"content-type", "application/x-download"},
      {"content-md5", "4gJE4saaMU4BqNR0kLY+lw=="},
      {"x-amz-meta-reviewedby", "joe@johnsmith.net"},
      {"x-amz-meta-reviewedby", "jane@johnsmith.net"},
      {"x-amz-meta-filechecksum", "0x02661779"},
      {"x-amz-meta-checksumalgorithm", "crc32"},
      {"content-encoding", "gzip"}},
     "ilyl83RwaSoYIEdixDQcA4OnAnc="},
    {"GET",
     "s3.amazonaws.com",
     "/",
     {{"date", "Wed, 28 Mar 2007 01:29:59 +0000"}},
     "qGdzdERIC03wnaRNKh6OqZehG9s="},
    {"GET",
     "s3.amazonaws.com",
     "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
     {{"date", "Wed, 28 Mar 2007 01:49:49 +0000"}},
     "DNEZGsoieTZ92F3bUfSPQcbGmlM="},
};

static const char *put_example(struct fixture *f, const struct example *e)
{
    const char *date = NULL;
    request(f, e->method, e->target);
    field(f, "host", e->host);
    for (size_t i = 0; e->fields[i][0]; i++) {
        field(f, e->fields[i][0], e->fields[i][1]);
        if (strcmp(e->fields[i][0], "date") == 0)
            date = e->fields[i][1];
    }
    field(f, "authorization", joined(f, "AWS " EXAMPLE_KEY ":", e->signature));
    return date;
}

static void set_now(struct fixture *f, const char *date)
{
    assert_int_equal(clock_parse(date, strlen(date), &f->now_unix_ms), 0);
}

/* AUTH-SIGN-13 */
static void published_examples_are_accepted(void **state)
{
    struct fixture *f = *state;
    f->rules.domain = BYTES_LIT("s3.amazonaws.com");
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        set_now(f, put_example(f, &examples[i]));
        assert_accepted(f, SIGN_V2_HEADER);
        assert_string_equal(f->result.key.user, "alice");
        assert_string_equal(f->result.service, "s3");
    }
}

/* The independent signer of version 2: base64 of HMAC-SHA1 of a text that the test wrote. */
static const char *sign_v2(struct fixture *f, const char *to_sign)
{
    uint8_t mac[20];
    char *base64 = arena_alloc(&f->arena, 32);
    HMAC(EVP_sha1(), EXAMPLE_SECRET, (int)strlen(EXAMPLE_SECRET), (const uint8_t *)to_sign,
         strlen(to_sign), mac, NULL);
    EVP_EncodeBlock((uint8_t *)base64, mac, 20);
    return base64;
}

static const char *encoded(struct fixture *f, const char *plain)
{
    const char *result = "";
    for (; *plain; plain++)
        result = strchr("+/=", *plain)
                     ? (const char *)arena_printf(&f->arena, "%s%%%02X", result, *plain).data
                     : (const char *)arena_printf(&f->arena, "%s%c", result, *plain).data;
    return result;
}

/* path_query  "/bkt/key?" or "/bkt/key?x=y&" */
static void presigned(struct fixture *f, const char *method, const char *path_query,
                      const char *expires, const char *to_sign)
{
    request(f, method,
            (const char *)arena_printf(&f->arena,
                                       "%sAWSAccessKeyId=" EXAMPLE_KEY "&Signature=%s&Expires=%s",
                                       path_query, encoded(f, sign_v2(f, to_sign)), expires)
                .data);
    field(f, "host", "127.0.0.1:9000");
}

/* AUTH-SIGN-13: boto3's default. */
static void presigned_urls_are_accepted_until_they_end(void **state)
{
    struct fixture *f = *state;
    presigned(f, "GET", "/bkt/a%20key?", "1369353660", "GET\n\n\n1369353660\n/bkt/a%20key");
    assert_accepted(f, SIGN_V2_QUERY);
    assert_string_equal(f->result.key.access_key, EXAMPLE_KEY);
    f->now_unix_ms = EXAMPLE_NOW + 60000;
    assert_accepted(f, SIGN_V2_QUERY);
    f->now_unix_ms = EXAMPLE_NOW + 60001;
    assert_refused(f, ERR_DENIED, SIGN_EXPIRED);
    f->now_unix_ms = EXAMPLE_NOW;
    f->head.method = BYTES_LIT("HEAD");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    f->head.method = BYTES_LIT("GET");
    f->head.path = BYTES_LIT("/bkt/b%20key");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

static void raw_plus_in_a_signature_is_a_plus(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 64; i++) { /* until a signature has one */
        const char *path = (const char *)arena_printf(&f->arena, "/bkt/%d", i).data;
        const char *signature = sign_v2(f, joined(f, "GET\n\n\n1369353660\n", path));
        request(f, "GET",
                (const char *)arena_printf(
                    &f->arena, "%s?AWSAccessKeyId=" EXAMPLE_KEY "&Expires=1369353660&Signature=%s",
                    path, signature)
                    .data);
        field(f, "host", "h");
        assert_accepted(f, SIGN_V2_QUERY);
    }
}

/* AUTH-SIGN-13: sub-resources are signed, sorted and decoded; other parameters are not. */
static void sub_resources_are_signed(void **state)
{
    struct fixture *f = *state;
    presigned(f, "GET", "/bkt/key?versionId=a%2Bb&x-id=GetObject&response-content-type=a%2Fb&",
              "1369353660",
              "GET\n\n\n1369353660\n/bkt/key?response-content-type=a/b&versionId=a+b");
    assert_accepted(f, SIGN_V2_QUERY);
    presigned(f, "GET", "/bkt?delete=&prefix=x&", "1369353660",
              "GET\n\n\n1369353660\n/bkt?delete=");
    assert_accepted(f, SIGN_V2_QUERY);
}

/* AUTH-SIGN-14: what chooses an operation cannot be added to a presigned URL. */
static void nothing_can_be_added_to_a_presigned_url(void **state)
{
    static const char *const added[] = {"acl",
                                        "policy",
                                        "tagging",
                                        "versionId=1",
                                        "uploads",
                                        "uploadId=1",
                                        "encryption",
                                        "publicAccessBlock",
                                        "legal-hold",
                                        "retention",
                                        "object-lock",
                                        "ownershipControls",
                                        "attributes",
                                        "torrent",
                                        "versioning",
                                        "response-content-type=text%2Fhtml",
                                        "x-amz-acl=public-read",
                                        "X-Amz-Acl=public-read",
                                        "x-amz-copy-source=%2Fother%2Fkey"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(added); i++) {
        presigned(f, "PUT", (const char *)arena_printf(&f->arena, "/bkt/key?%s&", added[i]).data,
                  "1369353660", "PUT\n\n\n1369353660\n/bkt/key");
        assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
        presigned(f, "PUT", "/bkt/key?", "1369353660", "PUT\n\n\n1369353660\n/bkt/key");
        field(f, "x-amz-copy-source", "/other/key");
        assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    }
}

/* AUTH-SIGN-13: boto3 moves signed headers into the query. */
static void headers_may_have_moved_into_the_query(void **state)
{
    struct fixture *f = *state;
    presigned(f, "PUT", "/bkt/key?x-amz-meta-a=b%20c&content-type=text%2Fplain&x-amz-acl=private&",
              "1369353660",
              "PUT\n\ntext/plain\n1369353660\nx-amz-acl:private\nx-amz-meta-a:b c\n/bkt/key");
    assert_accepted(f, SIGN_V2_QUERY);
}

/* AUTH-SIGN-13: BUCKET.domain. */
static void virtual_hosts_are_signed_with_their_bucket(void **state)
{
    struct fixture *f = *state;
    presigned(f, "GET", "/key?", "1369353660", "GET\n\n\n1369353660\n/bkt/key");
    set_field(f, "host", "bkt.box.example:9000");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    f->rules.domain = BYTES_LIT("box.example");
    assert_accepted(f, SIGN_V2_QUERY);
    set_field(f, "host", "box.example:9000"); /* else the bucket "key" is listed */
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
    set_field(f, "host", "other.box.example");
    assert_refused(f, ERR_DENIED, SIGN_MISMATCH);
}

/* AUTH-SIGN-6 */
static void header_dates_may_be_fifteen_minutes_apart(void **state)
{
    struct fixture *f = *state;
    f->rules.domain = BYTES_LIT("s3.amazonaws.com");
    put_example(f, &examples[0]);
    f->now_unix_ms = EXAMPLE_2007 + 14 * MINUTE_MS;
    assert_accepted(f, SIGN_V2_HEADER);
    f->now_unix_ms = EXAMPLE_2007 + 16 * MINUTE_MS;
    assert_refused(f, ERR_DENIED, SIGN_SKEWED);
    f->now_unix_ms = EXAMPLE_2007;
    set_field(f, "date", "no date");
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
}

static void x_amz_date_takes_the_place_of_date(void **state)
{
    struct fixture *f = *state;
    request(f, "GET", "/bkt");
    field(f, "host", "h");
    field(f, "date", "Sat, 01 Jan 2000 00:00:00 GMT");
    field(f, "x-amz-date", "Fri, 24 May 2013 00:00:00 GMT");
    field(f, "authorization",
          joined(f, "AWS " EXAMPLE_KEY ":",
                 sign_v2(f, "GET\n\n\n\nx-amz-date:Fri, 24 May 2013 00:00:00 GMT\n/bkt")));
    assert_accepted(f, SIGN_V2_HEADER);
}

/* AUTH-SIGN-5 */
static void one_flipped_bit_is_refused(void **state)
{
    struct fixture *f = *state;
    f->rules.domain = BYTES_LIT("s3.amazonaws.com");
    set_now(f, put_example(f, &examples[0]));
    struct bytes whole = http_head_find(&f->head, "authorization");
    for (size_t i = 0; i < whole.len * 8; i++) {
        char *flipped = arena_str(&f->arena, whole);
        flipped[i / 8] ^= (char)(1 << i % 8);
        f->fields[f->head.field_count - 1].value = bytes_of(flipped, whole.len);
        assert_int_not_equal(authenticate(f), ERR_OK);
    }
}

static void malformed_credentials_are_refused(void **state)
{
    static const char *const queries[] = {
        "/?Signature=x",
        "/?AWSAccessKeyId=a",
        "/?AWSAccessKeyId=a&Signature=x",
        "/?AWSAccessKeyId=a&Signature=x&Expires=-1",
        "/?AWSAccessKeyId=a&Signature=x&Expires=1e9",
        "/?AWSAccessKeyId=a&Signature=x&Signature=y&Expires=1369353660",
        "/?AWSAccessKeyId=&Signature=x&Expires=1369353660"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        request(f, "GET", queries[i]);
        field(f, "host", "h");
        assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
    }
    request(f, "GET", "/");
    field(f, "authorization", "AWS no-colon");
    assert_refused(f, ERR_INVALID, SIGN_MALFORMED_HEADER);
}

/* AUTH-SIGN-12, ACC-25 */
static void streaming_bodies_are_refused(void **state)
{
    struct fixture *f = *state;
    presigned(f, "PUT", "/bkt/key?", "1369353660",
              "PUT\n\n\n1369353660\nx-amz-content-sha256:STREAMING-UNSIGNED-PAYLOAD-TRAILER\n"
              "/bkt/key");
    field(f, "x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    assert_refused(f, ERR_DENIED, SIGN_ACCESS_DENIED);
}

/* AUTH-SESSION-1 */
static void sessions_sign_with_version_2_too(void **state)
{
    struct fixture *f = *state;
    struct bytes access_key, secret, token;
    uint8_t mac[20];
    char base64[32];
    assert_int_equal(auth_session_create(f->auth, BYTES_LIT("alice"), 60, &f->arena, &access_key,
                                         &secret, &token, &f->err),
                     ERR_OK);
    struct bytes to_sign = arena_printf(
        &f->arena, "GET\n\n\n1369353660\nx-amz-security-token:%s\n/bkt/key", text(f, token));
    HMAC(EVP_sha1(), secret.data, (int)secret.len, to_sign.data, to_sign.len, mac, NULL);
    EVP_EncodeBlock((uint8_t *)base64, mac, 20);
    request(f, "GET",
            (const char *)arena_printf(&f->arena,
                                       "/bkt/key?AWSAccessKeyId=%s&Signature=%s&Expires=1369353660"
                                       "&x-amz-security-token=%s",
                                       text(f, access_key), encoded(f, base64), text(f, token))
                .data);
    field(f, "host", "h");
    assert_accepted(f, SIGN_V2_QUERY);
    assert_true(f->result.is_session);
}

/* Each allocation from the arena fails once. */
static void every_size_of_arena_is_handled(void **state)
{
    struct fixture *f = *state;
    enum err_code code = ERR_NO_MEMORY;
    presigned(f, "PUT", "/bkt/key?x-amz-meta-a=b%20c&acl&", "1369353660",
              "PUT\n\n\n1369353660\nx-amz-meta-a:b c\n/bkt/key?acl");
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
        TEST(published_examples_are_accepted),
        TEST(presigned_urls_are_accepted_until_they_end),
        TEST(raw_plus_in_a_signature_is_a_plus),
        TEST(sub_resources_are_signed),
        TEST(nothing_can_be_added_to_a_presigned_url),
        TEST(headers_may_have_moved_into_the_query),
        TEST(virtual_hosts_are_signed_with_their_bucket),
        TEST(header_dates_may_be_fifteen_minutes_apart),
        TEST(x_amz_date_takes_the_place_of_date),
        TEST(one_flipped_bit_is_refused),
        TEST(malformed_credentials_are_refused),
        TEST(streaming_bodies_are_refused),
        TEST(sessions_sign_with_version_2_too),
        TEST(every_size_of_arena_is_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
