/* sign_chunk_test.c - the chain of signatures over a body's pieces: Amazon's
 * published example, chains of an independent signer, and every break of one.
 *
 * Planted bugs it caught: the chain moved on by a wrong signature; the trailer
 * signed as a piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/sign.h"
#include "tests/unit/storage/auth/fixture.h"

#define STREAM       "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define STREAM_TRAIL "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

static void put_hash(struct fixture *f, const char *data, size_t len, uint8_t ret_sha256[32])
{
    (void)f;
    EVP_Digest(data, len, ret_sha256, NULL, EVP_sha256(), NULL);
}

static enum err_code chunk(struct fixture *f, const char *data, const char *signature)
{
    uint8_t sha256[32];
    put_hash(f, data, strlen(data), sha256);
    return sign_check_chunk(&f->result, sha256, bytes_of_str(signature), &f->err);
}

static enum err_code trailer(struct fixture *f, const char *lines, const char *signature)
{
    uint8_t sha256[32];
    put_hash(f, lines, strlen(lines), sha256);
    return sign_check_trailer(&f->result, sha256, bytes_of_str(signature), &f->err);
}

/* Amazon S3 API Reference, "Example: PUT object in multiple chunks". */
static void open_example(struct fixture *f)
{
    request(f, "PUT", "/examplebucket/chunkObject.txt");
    field(f, "host", "s3.amazonaws.com");
    field(f, "content-encoding", "aws-chunked");
    field(f, "content-length", "66824");
    field(f, "x-amz-content-sha256", STREAM);
    field(f, "x-amz-date", EXAMPLE_DATE);
    field(f, "x-amz-decoded-content-length", "66560");
    field(f, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    field(f, "authorization",
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
          "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
          "x-amz-decoded-content-length;x-amz-storage-class,"
          "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    assert_accepted(f, SIGN_V4_HEADER);
}

static enum err_code example_chunk(struct fixture *f, size_t len, const char *signature)
{
    uint8_t sha256[32];
    char *data = arena_alloc(&f->arena, len);
    memset(data, 'a', len);
    put_hash(f, data, len, sha256);
    return sign_check_chunk(&f->result, sha256, bytes_of_str(signature), &f->err);
}

/* AUTH-SIGN-15 */
static void published_example_is_accepted(void **state)
{
    struct fixture *f = *state;
    open_example(f);
    assert_int_equal(
        example_chunk(f, 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        ERR_OK);
    assert_int_equal(
        example_chunk(f, 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        ERR_OK);
    assert_int_equal(
        example_chunk(f, 0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ERR_OK);
}

/* The independent signer of pieces. */
static const char *sign_piece(struct fixture *f, const char *kind, const char *previous,
                              const char *data)
{
    uint8_t key[32];
    bool is_trailer = strcmp(kind, "TRAILER") == 0;
    struct bytes to_sign =
        arena_printf(&f->arena,
                     "AWS4-HMAC-SHA256-%s\n" EXAMPLE_DATE "\n20130524/us-east-1/s3/aws4_request\n"
                     "%s\n%s%s",
                     kind, previous, is_trailer ? "" : EMPTY_SHA256 "\n", signer_sha256(f, data));
    signer_key(&example_signer, key);
    return signer_hmac_hex(f, key, (const char *)to_sign.data);
}

static const char *open_stream(struct fixture *f, const char *payload)
{
    plain_request(f, "PUT", "/bkt/key", payload);
    sign_header(f, &example_signer, "/bkt/key", "", SIGNED_PLAIN);
    assert_accepted(f, SIGN_V4_HEADER);
    return arena_str(&f->arena, bytes_of_str(f->result.signature));
}

/* AUTH-SIGN-15, ACC-26: wrong at piece k, for every k. */
static void wrong_piece_is_refused_wherever_it_is(void **state)
{
    static const char *const pieces[] = {"one", "two", "three", "four", ""};
    struct fixture *f = *state;
    for (size_t bad = 0; bad <= ARRAY_LEN(pieces); bad++) {
        const char *previous = open_stream(f, STREAM);
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            const char *signature = sign_piece(f, "PAYLOAD", previous, pieces[k]);
            if (k == bad) {
                assert_int_equal(chunk(f, "other", signature), ERR_DENIED);
                assert_int_equal(f->err.reason, SIGN_MISMATCH);
            }
            /* The refusal did not move the chain on. */
            assert_int_equal(chunk(f, pieces[k], signature), ERR_OK);
            previous = signature;
        }
    }
}

/* AUTH-SIGN-15 */
static void pieces_cannot_be_left_out_repeated_or_swapped(void **state)
{
    struct fixture *f = *state;
    const char *seed = open_stream(f, STREAM);
    const char *first = sign_piece(f, "PAYLOAD", seed, "one");
    const char *second = sign_piece(f, "PAYLOAD", first, "two");
    assert_int_equal(chunk(f, "two", second), ERR_DENIED);
    assert_int_equal(chunk(f, "one", first), ERR_OK);
    assert_int_equal(chunk(f, "one", first), ERR_DENIED);
    assert_int_equal(chunk(f, "two", second), ERR_OK);
}

/* AUTH-SIGN-16 */
static void trailers_are_signed_after_the_last_piece(void **state)
{
    static const char lines[] = "x-amz-checksum-crc32c:sOO8/Q==\n";
    struct fixture *f = *state;
    const char *seed = open_stream(f, STREAM_TRAIL);
    const char *first = sign_piece(f, "PAYLOAD", seed, "one");
    const char *last = sign_piece(f, "PAYLOAD", first, "");
    const char *end = sign_piece(f, "TRAILER", last, lines);
    assert_int_equal(chunk(f, "one", first), ERR_OK);
    assert_int_equal(trailer(f, lines, end), ERR_DENIED); /* not yet */
    assert_int_equal(chunk(f, "", last), ERR_OK);
    assert_int_equal(trailer(f, "x-amz-checksum-crc32c:AAAAAA==\n", end), ERR_DENIED);
    assert_int_equal(trailer(f, lines, sign_piece(f, "PAYLOAD", last, lines)), ERR_DENIED);
    assert_int_equal(trailer(f, lines, end), ERR_OK);
}

static void signatures_of_other_shapes_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *good = sign_piece(f, "PAYLOAD", open_stream(f, STREAM), "one");
    assert_int_equal(chunk(f, "one", ""), ERR_DENIED);
    assert_int_equal(chunk(f, "one", joined(f, good, "0")), ERR_DENIED);
    assert_int_equal(chunk(f, "one", good + 1), ERR_DENIED);
    for (size_t i = 0; i < 64 * 8; i++) {
        char *flipped = arena_str(&f->arena, bytes_of_str(good));
        flipped[i / 8] ^= (char)(1 << i % 8);
        uint8_t sha256[32];
        put_hash(f, "one", 3, sha256);
        assert_int_equal(sign_check_chunk(&f->result, sha256, bytes_of(flipped, 64), &f->err),
                         ERR_DENIED);
    }
    assert_int_equal(chunk(f, "one", good), ERR_OK);
}

/* No chain was started: nothing is a right signature, and no key is handed out. */
static void other_requests_have_no_chain(void **state)
{
    static const uint8_t none[HASH_HMAC_LEN];
    static const char *const payloads[] = {EMPTY_SHA256, "UNSIGNED-PAYLOAD",
                                           "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        open_stream(f, payloads[i]);
        assert_memory_equal(f->result.signing_key, none, sizeof(none));
        struct bytes to_sign =
            arena_printf(&f->arena, "AWS4-HMAC-SHA256-PAYLOAD\n\n\n\n" EMPTY_SHA256 "\n%s",
                         signer_sha256(f, "one"));
        assert_int_equal(chunk(f, "one", signer_hmac_hex(f, none, (const char *)to_sign.data)),
                         ERR_DENIED);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(published_example_is_accepted),
        TEST(wrong_piece_is_refused_wherever_it_is),
        TEST(pieces_cannot_be_left_out_repeated_or_swapped),
        TEST(trailers_are_signed_after_the_last_piece),
        TEST(signatures_of_other_shapes_are_refused),
        TEST(other_requests_have_no_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
