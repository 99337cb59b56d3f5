/* chunked_test.c - the aws-chunked decoder: what clients send, cut at every
 * place; the two examples of the S3 API Reference, signatures and all; hostile
 * framing; caps; allocations that fail.
 *
 * LINK: -Wl,--wrap=calloc,--wrap=malloc,--wrap=realloc
 */
#include "storage/s3/chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/limits.h"

#define UNKNOWN CHUNKED_LENGTH_UNKNOWN
#define SIG_A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SIG_B   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SIG_C   "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* The allocation that fails, counted down; 0 = none. */
static int fail_at;

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

/* What the sink saw. */
struct seen {
    struct buf payload;
    struct buf signatures; /* of chunks and trailer, one behind the other */
    struct buf digests;    /* of the same */
    size_t refuse_at;      /* fail at this chunk; 0 = none */
    size_t chunks;
};

static enum err_code on_data(void *ctx, struct bytes piece, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    assert_true(piece.len > 0);
    buf_append(&seen->payload, piece);
    return buf_ok(&seen->payload) ? ERR_OK : err_fail(err, seen->payload.failed, "sink");
}

static enum err_code on_chunk(void *ctx, const uint8_t sha256[32], struct bytes signature,
                              struct err *err)
{
    struct seen *seen = ctx;
    buf_append(&seen->signatures, signature);
    buf_append(&seen->digests, bytes_of(sha256, 32));
    if (!buf_ok(&seen->signatures) || !buf_ok(&seen->digests))
        return err_fail(err, ERR_NO_MEMORY, "sink");
    return ++seen->chunks == seen->refuse_at ? err_fail(err, ERR_DENIED, "no") : ERR_OK;
}

static void seen_init(struct seen *seen)
{
    *seen = (struct seen){.chunks = 0};
    buf_init(&seen->payload, MIB(1));
    buf_init(&seen->signatures, KIB(64));
    buf_init(&seen->digests, KIB(64));
}

static void seen_done(struct seen *seen)
{
    buf_done(&seen->payload);
    buf_done(&seen->signatures);
    buf_done(&seen->digests);
}

static struct chunked_options options_of(struct seen *seen, bool is_signed, bool has_trailer,
                                         uint64_t decoded_len)
{
    return (struct chunked_options){.is_signed = is_signed,
                                    .has_trailer = has_trailer,
                                    .decoded_len = decoded_len,
                                    .sink = {on_data, on_chunk, on_chunk, seen}};
}

/* Push in pieces of `step` bytes, then finish. */
static enum err_code feed(struct chunked *chunked, struct bytes wire, size_t step, struct err *err)
{
    enum err_code code = chunked_push(chunked, bytes_of(NULL, 0), err);
    for (size_t at = 0; code == ERR_OK && at < wire.len; at += step)
        code = chunked_push(chunked, bytes_first(bytes_from(wire, at), step), err);
    return code ? code : chunked_finish(chunked, err);
}

struct good {
    const char *wire;
    bool is_signed, has_trailer;
    uint64_t decoded_len;
    const char *payload, *trailer; /* trailer: "name=value;" each */
    const char *signatures;
};

static const struct good goods[] = {
    /* boto3 */
    {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", false, true, 5, "hello",
     "x-amz-checksum-crc32=NhCmhg==;", ""},
    {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", false, true, UNKNOWN, "hello",
     "x-amz-checksum-crc32=NhCmhg==;", ""},
    /* spaces around the colon, capitals, the last CR LF missing */
    {"5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32 \t: NhCmhg== \r\n", false, true, 5, "hello",
     "x-amz-checksum-crc32=NhCmhg==;", ""},
    {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\n\r\n\r\n", false, true, 5, "hello",
     "x-amz-checksum-crc32=NhCmhg==;", ""},
    /* a blank line in front of the trailer */
    {"5\r\nhello\r\n0\r\n\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", false, true, 5, "hello",
     "x-amz-checksum-crc32=NhCmhg==;", ""},
    /* several fields, an empty value, a value with a colon */
    {"0\r\na:1\r\nb:\r\nc:x:y\r\n\r\n", false, true, 0, "", "a=1;b=;c=x:y;", ""},
    /* no trailer where one may be */
    {"1\r\nx\r\n0\r\n\r\n", false, true, 1, "x", "", ""},
    {"1\r\nx\r\n0\r\n", false, true, 1, "x", "", ""},
    {"0\r\n\r\n", false, false, 0, "", "", ""},
    /* sizes: either case, leading zeros, an extension */
    {"A\r\n0123456789\r\n000000000000000a\r\n0123456789\r\n0;x=\"y\"\r\n\r\n", false, true, 20,
     "01234567890123456789", "", ""},
    /* signed */
    {"5;chunk-signature=" SIG_A "\r\nhello\r\n0;chunk-signature=" SIG_B "\r\n\r\n", true, false, 5,
     "hello", "", SIG_A SIG_B},
    {"5;chunk-signature=" SIG_A "\r\nhello\r\n0;chunk-signature=" SIG_B "\r\n", true, false, 5,
     "hello", "", SIG_A SIG_B},
    {"1;chunk-signature=" SIG_A "\r\nx\r\n0;chunk-signature=" SIG_B "\r\n"
     "x-amz-checksum-crc32:jNyeAw==\r\nx-amz-trailer-signature:" SIG_C "\r\n\r\n",
     true, true, 1, "x", "x-amz-checksum-crc32=jNyeAw==;", SIG_A SIG_B SIG_C},
    /* the API Reference ends fields with \n\r\n */
    {"1;chunk-signature=" SIG_A "\r\nx\r\n0;chunk-signature=" SIG_B "\r\n"
     "x-amz-checksum-crc32:jNyeAw==\n\r\nx-amz-trailer-signature:" SIG_C "\r\n\r\n",
     true, true, 1, "x", "x-amz-checksum-crc32=jNyeAw==;", SIG_A SIG_B SIG_C},
};

static void check_good(const struct good *row, size_t step)
{
    struct err err = {0};
    struct seen seen;
    struct chunked *chunked;
    struct buf trailer;
    seen_init(&seen);
    buf_init(&trailer, KIB(16));
    struct chunked_options options =
        options_of(&seen, row->is_signed, row->has_trailer, row->decoded_len);
    assert_int_equal(chunked_new(&options, &chunked, &err), ERR_OK);
    if (feed(chunked, bytes_of_str(row->wire), step, &err))
        fail_msg("step %zu of '%s': %s", step, row->wire, err.msg);
    for (size_t i = 0; i < chunked_trailer(chunked)->count; i++) {
        const struct record_pair *field = &chunked_trailer(chunked)->items[i];
        buf_printf(&trailer, "%" BYTES_FMT "=%" BYTES_FMT ";", BYTES_ARG(field->name),
                   BYTES_ARG(field->value));
    }
    assert_true(bytes_equal_str(buf_bytes(&seen.payload), row->payload));
    assert_true(bytes_equal_str(buf_bytes(&trailer), row->trailer));
    assert_true(bytes_equal_str(buf_bytes(&seen.signatures), row->signatures));
    assert_int_equal(chunked_decoded(chunked), strlen(row->payload));
    chunked_free(chunked);
    buf_done(&trailer);
    seen_done(&seen);
}

static void test_good_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goods); i++)
        for (size_t step = 1; step <= strlen(goods[i].wire); step++)
            check_good(&goods[i], step);
}

struct bad {
    const char *wire;
    bool is_signed, has_trailer;
    uint64_t decoded_len;
    enum s3_error error;
};

static const struct bad bads[] = {
    /* cut off */
    {"", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    {"5\r\nhel", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    {"5\r\nhello", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    {"5\r\nhello\r\n", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    {"5\r\nhello\r\n0", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    {"5\r\nhello\r\n0\r", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    {"1\r\nx\r\n0\r\nx-amz-checksum-crc32:NhC", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    /* another length than announced */
    {"5\r\nhello\r\n0\r\n\r\n", false, true, 4, S3_INCOMPLETE_BODY},
    {"5\r\nhello\r\n0\r\n\r\n", false, true, 6, S3_INCOMPLETE_BODY},
    {"2\r\nab\r\nffffffffffffffff\r\n", false, true, UNKNOWN, S3_INCOMPLETE_BODY},
    /* sizes */
    {"\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0x5\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"+5\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"-5\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {" 5\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5 \r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5_\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"g\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"\x15\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"00000000000000005\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5\r\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5;a\rb\r\nhello\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    /* ends of chunks */
    {"5\r\nhelloX\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5\r\nhello\n0\r\n\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"5\r\nhello\rX", false, true, UNKNOWN, S3_INVALID_REQUEST},
    /* trailers */
    {"0\r\nno colon\r\n\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\n:value\r\n\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\na b:value\r\n\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\na:b\x01\r\n\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\na:b\rc\r\n\r\n", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\na:b\r\n\r\nmore", false, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\na:b\r\n\r\n", false, false, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\n\r\n5\r\nhello\r\n", false, false, UNKNOWN, S3_INVALID_REQUEST},
    {"0\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:"
     "\r\n"
     "g:\r\nh:\r\n\r\n",
     false, true, UNKNOWN, S3_INVALID_REQUEST},
    /* signatures */
    {"5\r\nhello\r\n", true, false, UNKNOWN, S3_INVALID_REQUEST},
    {"5;chunk-signature=\r\nhello\r\n", true, false, UNKNOWN, S3_INVALID_REQUEST},
    {"5;chunk-signature=" SIG_A "a\r\nhello\r\n", true, false, UNKNOWN, S3_INVALID_REQUEST},
    {"5;Chunk-Signature=" SIG_A "\r\nhello\r\n", true, false, UNKNOWN, S3_INVALID_REQUEST},
    {"5;chunk-signature=g" SIG_A "\r\nhello\r\n", true, false, UNKNOWN, S3_INVALID_REQUEST},
    {"5; chunk-signature=" SIG_A "\r\nhello\r\n", true, false, UNKNOWN, S3_INVALID_REQUEST},
    {"0;chunk-signature=" SIG_A "\r\na:b\r\n\r\n", true, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0;chunk-signature=" SIG_A "\r\n\r\n", true, true, UNKNOWN, S3_INVALID_REQUEST},
    {"0;chunk-signature=" SIG_A "\r\nx-amz-trailer-signature:xyz\r\n\r\n", true, true, UNKNOWN,
     S3_INVALID_REQUEST},
    {"0;chunk-signature=" SIG_A "\r\nx-amz-trailer-signature:" SIG_B "\r\na:b\r\n\r\n", true, true,
     UNKNOWN, S3_INVALID_REQUEST},
    {"0;chunk-signature=" SIG_A "\r\nx-amz-trailer-signature:" SIG_B
     "\r\nx-amz-trailer-signature:" SIG_B "\r\n\r\n",
     true, true, UNKNOWN, S3_INVALID_REQUEST},
};

static enum err_code decode(struct bytes wire, bool is_signed, bool has_trailer,
                            uint64_t decoded_len, size_t step, struct err *err)
{
    struct seen seen;
    struct chunked *chunked = NULL;
    seen_init(&seen);
    struct chunked_options options = options_of(&seen, is_signed, has_trailer, decoded_len);
    enum err_code code = chunked_new(&options, &chunked, err);
    if (code == ERR_OK)
        code = feed(chunked, wire, step, err);
    chunked_free(chunked);
    seen_done(&seen);
    return code;
}

static void test_bad_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bads); i++)
        for (size_t step = 1; step <= 9; step++) {
            struct err err = {0};
            if (decode(bytes_of_str(bads[i].wire), bads[i].is_signed, bads[i].has_trailer,
                       bads[i].decoded_len, step, &err) == ERR_OK)
                fail_msg("accepted: '%s'", bads[i].wire);
            if (err.reason != (int)bads[i].error)
                fail_msg("'%s': %d, %s", bads[i].wire, err.reason, err.msg);
        }
}

/* A NUL where digits are expected ends nothing. */
static void test_nul_in_size(void **state)
{
    struct err err = {0};
    (void)state;
    assert_int_equal(decode(BYTES_LIT("5\0\r\nhello\r\n0\r\n\r\n"), false, true, UNKNOWN, 3, &err),
                     ERR_INVALID);
}

/* No more payload than announced reaches the sink, whatever the size line says. */
static void test_length_is_enforced_early(void **state)
{
    struct err err = {0};
    struct seen seen;
    struct chunked *chunked;
    (void)state;
    seen_init(&seen);
    struct chunked_options options = options_of(&seen, false, true, 3);
    assert_int_equal(chunked_new(&options, &chunked, &err), ERR_OK);
    assert_int_equal(chunked_push(chunked, BYTES_LIT("3\r\nabc\r\n1\r\n"), &err), ERR_INVALID);
    assert_int_equal(err.reason, S3_INCOMPLETE_BODY);
    assert_int_equal(seen.payload.len, 3);
    chunked_free(chunked);
    seen_done(&seen);
}

/* `count` bytes of `c` behind `before`. */
static enum err_code decode_long(const char *before, size_t count, char c, struct err *err)
{
    struct buf wire;
    enum err_code code;
    buf_init(&wire, MIB(1));
    buf_append_str(&wire, before);
    for (size_t i = 0; i < count; i++)
        buf_append_u8(&wire, (uint8_t)c);
    code = decode(buf_bytes(&wire), false, true, UNKNOWN, 1000, err);
    buf_done(&wire);
    return code;
}

static void test_caps(void **state)
{
    struct err err = {0};
    (void)state;
    /* within: cut off; above: refused at once */
    decode_long("5;", S3_CHUNK_LINE_MAX - 2, 'x', &err);
    assert_int_equal(err.reason, S3_INCOMPLETE_BODY);
    decode_long("5;", S3_CHUNK_LINE_MAX - 1, 'x', &err);
    assert_int_equal(err.reason, S3_INVALID_REQUEST);
    decode_long("0\r\n", S3_TRAILER_MAX, 'x', &err);
    assert_int_equal(err.reason, S3_INCOMPLETE_BODY);
    decode_long("0\r\n", S3_TRAILER_MAX + 1, 'x', &err);
    assert_int_equal(err.reason, S3_INVALID_REQUEST);
    assert_int_equal(decode_long("0\r\n", S3_TRAILER_MAX, '\n', &err), ERR_OK);
    assert_int_equal(decode_long("0\r\n", S3_TRAILER_MAX + 1, '\n', &err), ERR_INVALID);
    assert_int_equal(decode_long("0\r\na:b\r\n\r\n", S3_TRAILER_MAX, '\n', &err), ERR_INVALID);
}

static void test_sink_refuses(void **state)
{
    struct err err = {0};
    (void)state;
    for (size_t at = 1; at <= 3; at++) {
        struct seen seen;
        struct chunked *chunked;
        seen_init(&seen);
        seen.refuse_at = at;
        struct chunked_options options = options_of(&seen, true, true, UNKNOWN);
        assert_int_equal(chunked_new(&options, &chunked, &err), ERR_OK);
        assert_int_equal(feed(chunked, bytes_of_str(goods[12].wire), 5, &err), ERR_DENIED);
        assert_int_equal(seen.chunks, at);
        chunked_free(chunked);
        seen_done(&seen);
    }
}

static void test_out_of_memory(void **state)
{
    int n = 0;
    enum err_code code;
    (void)state;
    do {
        struct err err = {0};
        fail_at = ++n;
        code = decode(bytes_of_str(goods[12].wire), true, true, UNKNOWN, 7, &err);
        assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
        assert_int_equal(err.code, code);
    } while (code != ERR_OK);
    fail_at = 0;
    assert_true(n > 4);
}

/* The examples of the API Reference: 66,560 times 'a' in chunks of 64 KiB, and
 * the signatures that its secret key makes. */
#define REFERENCE_KEY   "AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define REFERENCE_SCOPE "20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
#define EMPTY_SHA256    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct reference {
    const char *seed, *chunks[3], *trailer, *trailer_signature;
};

static const struct reference references[] = {
    {"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
     {"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
     NULL,
     NULL},
    {"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
     {"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"},
     "x-amz-checksum-crc32c:sOO8/Q==",
     "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"},
};

struct chain {
    uint8_t key[HASH_HMAC_LEN];
    char last[65];
    size_t checked;
};

static void signing_key(uint8_t ret_key[HASH_HMAC_LEN])
{
    static const char *const steps[] = {"us-east-1", "s3", "aws4_request"};
    hash_hmac_sha256(BYTES_LIT(REFERENCE_KEY), BYTES_LIT("20130524"), ret_key);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint8_t next[HASH_HMAC_LEN];
        hash_hmac_sha256(bytes_of(ret_key, HASH_HMAC_LEN), bytes_of_str(steps[i]), next);
        memcpy(ret_key, next, sizeof(next));
    }
}

static enum err_code check_link(struct chain *chain, const char *kind, const char *middle,
                                const uint8_t sha256[32], struct bytes signature)
{
    char text[512], digest[65];
    uint8_t mac[HASH_HMAC_LEN];
    codec_hex(bytes_of(sha256, 32), digest);
    snprintf(text, sizeof(text), "%s\n" REFERENCE_SCOPE "%s\n%s%s", kind, chain->last, middle,
             digest);
    hash_hmac_sha256(bytes_of(chain->key, sizeof(chain->key)), bytes_of_str(text), mac);
    codec_hex(bytes_of(mac, sizeof(mac)), chain->last);
    chain->checked++;
    return bytes_equal_str(signature, chain->last) ? ERR_OK : ERR_DENIED;
}

static enum err_code check_chunk(void *ctx, const uint8_t sha256[32], struct bytes signature,
                                 struct err *err)
{
    (void)err;
    return check_link(ctx, "AWS4-HMAC-SHA256-PAYLOAD", EMPTY_SHA256 "\n", sha256, signature);
}

static enum err_code check_trailer(void *ctx, const uint8_t sha256[32], struct bytes signature,
                                   struct err *err)
{
    (void)err;
    return check_link(ctx, "AWS4-HMAC-SHA256-TRAILER", "", sha256, signature);
}

static enum err_code drop(void *ctx, struct bytes piece, struct err *err)
{
    (void)ctx, (void)piece, (void)err;
    return ERR_OK;
}

static void write_reference(const struct reference *reference, struct buf *to)
{
    static const size_t sizes[] = {65536, 1024, 0};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        buf_printf(to, "%zx;chunk-signature=%s\r\n", sizes[i], reference->chunks[i]);
        for (size_t n = 0; n < sizes[i]; n++)
            buf_append_u8(to, 'a');
        if (sizes[i] > 0)
            buf_append_str(to, "\r\n");
    }
    if (reference->trailer)
        buf_printf(to, "%s\n\r\nx-amz-trailer-signature:%s\r\n", reference->trailer,
                   reference->trailer_signature);
    buf_append_str(to, "\r\n");
}

static void test_reference_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        struct err err = {0};
        struct chain chain = {.checked = 0};
        struct chunked *chunked;
        struct buf wire;
        struct chunked_options options = {
            true, references[i].trailer != NULL, 66560, {drop, check_chunk, check_trailer, &chain}};
        signing_key(chain.key);
        strcpy(chain.last, references[i].seed);
        buf_init(&wire, MIB(1));
        write_reference(&references[i], &wire);
        assert_int_equal(chunked_new(&options, &chunked, &err), ERR_OK);
        assert_int_equal(feed(chunked, buf_bytes(&wire), 8191, &err), ERR_OK);
        assert_int_equal(chain.checked, references[i].trailer ? 4 : 3);
        chunked_free(chunked);
        buf_done(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_bodies),   cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_nul_in_size),   cmocka_unit_test(test_length_is_enforced_early),
        cmocka_unit_test(test_caps),          cmocka_unit_test(test_sink_refuses),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_reference_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
