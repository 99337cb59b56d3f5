/* names_test.c - keys byte for byte, whatever they look like; where requests
 * and copies go. */
#include "storage/s3/names.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/limits.h"

static const struct {
    const char *path, *host, *domain;
    int error;
    const char *bucket, *key;
} places[] = {
    {"/", "127.0.0.1:9000", "", 0, "", ""},
    {"/b", "127.0.0.1:9000", "", 0, "b", ""},
    {"/b/", "127.0.0.1:9000", "", 0, "b", ""},
    {"/b/k", "127.0.0.1:9000", "", 0, "b", "k"},
    {"/b//k", "127.0.0.1:9000", "", 0, "b", "/k"},
    {"/b//", "127.0.0.1:9000", "", 0, "b", "/"},
    {"/b/a//c/", "127.0.0.1:9000", "", 0, "b", "a//c/"},
    {"/b/../x", "127.0.0.1:9000", "", 0, "b", "../x"},
    {"/b/..%2fx", "127.0.0.1:9000", "", 0, "b", "../x"},
    {"/b/.", "127.0.0.1:9000", "", 0, "b", "."},
    {"/b/%2F", "127.0.0.1:9000", "", 0, "b", "/"},
    {"/b/a+b%2Bc%20d", "127.0.0.1:9000", "", 0, "b", "a+b+c d"},
    {"/b/%25%0A%C3%A9%F0%9F%98%80", "127.0.0.1:9000", "", 0, "b", "%\n\xc3\xa9\xf0\x9f\x98\x80"},
    {"/a.b.c/k", "127.0.0.1:9000", "", 0, "a.b.c", "k"},
    {"/b%2Fk", "127.0.0.1:9000", "", 0, "b/k", ""},
    /* virtual hosts */
    {"/k", "b.s3.local", "s3.local", 0, "b", "k"},
    {"/", "b.s3.local", "s3.local", 0, "b", ""},
    {"/k", "b.s3.local:9000", "s3.local", 0, "b", "k"},
    {"/k", "B.S3.LOCAL", "s3.local", 0, "B", "k"},
    {"/a//k", "b.c.s3.local", "s3.local", 0, "b.c", "a//k"},
    {"//k", "b.s3.local", "s3.local", 0, "b", "/k"},
    {"/b/k", "s3.local", "s3.local", 0, "b", "k"},
    {"/b/k", "s3.local:9000", "s3.local", 0, "b", "k"},
    {"/b/k", "xs3.local", "s3.local", 0, "b", "k"},
    {"/b/k", ".s3.local", "s3.local", 0, "b", "k"},
    {"/b/k", "10.0.0.1", "s3.local", 0, "b", "k"},
    {"/b/k", "", "s3.local", 0, "b", "k"},
    {"/b/k", "x.s3.local", "", 0, "b", "k"},
    /* none */
    {"", "h", "", S3_INVALID_URI, NULL, NULL},
    {"b/k", "h", "", S3_INVALID_URI, NULL, NULL},
    {"*", "h", "", S3_INVALID_URI, NULL, NULL},
    {"//k", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b/%", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b/%zz", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b/a%00b", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b%00/a", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b/%FF", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b/%C0%AF", "h", "", S3_INVALID_URI, NULL, NULL},
    {"/b/%ED%A0%80", "h", "", S3_INVALID_URI, NULL, NULL},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct arena arena;
        struct err err = {0};
        struct names_place place;
        arena_init(&arena, KIB(64));
        enum err_code code =
            names_locate(bytes_of_str(places[i].path), bytes_of_str(places[i].host),
                         bytes_of_str(places[i].domain), &arena, &place, &err);
        if (err.reason != places[i].error || (code == ERR_OK) != (places[i].error == 0))
            fail_msg("'%s': %d", places[i].path, err.reason);
        if (code == ERR_OK && (!bytes_equal_str(place.bucket, places[i].bucket) ||
                               !bytes_equal_str(place.key, places[i].key)))
            fail_msg("'%s' at '%s'", places[i].path, places[i].host);
        arena_done(&arena);
    }
}

static const struct {
    const char *field;
    int error;
    const char *bucket, *key, *version;
} sources[] = {
    {"b/k", 0, "b", "k", NULL},
    {"/b/k", 0, "b", "k", NULL},
    {"/b/a/c", 0, "b", "a/c", NULL},
    {"/b//k", 0, "b", "/k", NULL},
    {"b/../k", 0, "b", "../k", NULL},
    {"b/a%20c+d%2Be", 0, "b", "a c+d+e", NULL},
    {"b%2Fk", 0, "b", "k", NULL},
    {"%2Fb%2Fa%2Fc", 0, "b", "a/c", NULL},
    {"b/k?versionId=null", 0, "b", "k", "null"},
    {"/b/k?versionId=0123456789abcdef01234567", 0, "b", "k", "0123456789abcdef01234567"},
    {"b/k%3FversionId=x", 0, "b", "k?versionId=x", NULL},
    {"b/k?versionId=x?versionId=y", 0, "b", "k?versionId=x", "y"},
    {"b/k?x", 0, "b", "k?x", NULL},
    {"b/\xc3\xa9", 0, "b", "\xc3\xa9", NULL},
    {"", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"/", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"/b", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"//k", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b?versionId=x", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/k?versionId=", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/k?versionId=%zz", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/%", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/%00", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/%FF", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
    {"b/\xff", S3_INVALID_ARGUMENT, NULL, NULL, NULL},
};

static void test_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        struct arena arena;
        struct err err = {0};
        struct names_source source;
        arena_init(&arena, KIB(64));
        enum err_code code =
            names_read_source(bytes_of_str(sources[i].field), &arena, &source, &err);
        if (err.reason != sources[i].error || (code == ERR_OK) != (sources[i].error == 0))
            fail_msg("'%s': %d", sources[i].field, err.reason);
        if (code == ERR_OK && (!bytes_equal_str(source.bucket, sources[i].bucket) ||
                               !bytes_equal_str(source.key, sources[i].key) ||
                               !bytes_equal_str(source.version_id, sources[i].version) ||
                               !source.version_id.data != !sources[i].version))
            fail_msg("'%s'", sources[i].field);
        arena_done(&arena);
    }
}

/* 1,024 bytes are a key, 1,025 are not: in a path, in a source, in a document. */
static void test_key_len(void **state)
{
    char path[3 + S3_KEY_MAX + 2] = "/b/";
    struct arena arena;
    struct names_place place;
    struct names_source source;
    (void)state;
    arena_init(&arena, KIB(64));
    memset(path + 3, 'k', S3_KEY_MAX + 1);
    for (size_t len = S3_KEY_MAX; len <= S3_KEY_MAX + 1; len++) {
        enum err_code wanted = len == S3_KEY_MAX ? ERR_OK : ERR_INVALID;
        struct err err = {0};
        struct bytes whole = bytes_of(path, 3 + len), none = bytes_of(NULL, 0);
        assert_int_equal(names_locate(whole, none, none, &arena, &place, &err), wanted);
        assert_int_equal(names_read_source(whole, &arena, &source, &err), wanted);
        assert_int_equal(names_check_key(bytes_from(whole, 3), &err), wanted);
        assert_int_equal(err.reason, wanted ? S3_KEY_TOO_LONG : 0);
    }
    arena_done(&arena);
}

static void test_keys(void **state)
{
    struct err err = {0};
    (void)state;
    assert_int_equal(names_check_key(BYTES_LIT("../\n\x7f\x01\xf0\x9f\x98\x80"), &err), ERR_OK);
    assert_int_equal(names_check_key(BYTES_LIT(""), &err), ERR_INVALID);
    assert_int_equal(names_check_key(BYTES_LIT("a\0b"), &err), ERR_INVALID);
    assert_int_equal(names_check_key(BYTES_LIT("\xff"), &err), ERR_INVALID);
    assert_int_equal(err.reason, S3_INVALID_ARGUMENT);
}

/* Every character of Unicode's first plane, there and back. */
static void test_round_trip(void **state)
{
    struct arena arena;
    struct bytes none = bytes_of(NULL, 0);
    (void)state;
    for (unsigned c = 1; c < 0x10000; c += c == 0xd7ff ? 0x801 : 1) {
        uint8_t key[3];
        size_t len = 0;
        struct names_place place;
        struct err err = {0};
        if (c < 0x80) {
            key[len++] = (uint8_t)c;
        } else if (c < 0x800) {
            key[len++] = (uint8_t)(0xc0 | c >> 6);
            key[len++] = (uint8_t)(0x80 | (c & 63));
        } else {
            key[len++] = (uint8_t)(0xe0 | c >> 12);
            key[len++] = (uint8_t)(0x80 | (c >> 6 & 63));
            key[len++] = (uint8_t)(0x80 | (c & 63));
        }
        arena_init(&arena, KIB(64));
        struct bytes encoded = codec_uri_encode(&arena, bytes_of(key, len), true);
        struct bytes path = arena_printf(&arena, "/b/%" BYTES_FMT, BYTES_ARG(encoded));
        assert_int_equal(names_locate(path, none, none, &arena, &place, &err), ERR_OK);
        assert_true(bytes_equal(place.key, bytes_of(key, len)));
        arena_done(&arena);
    }
}

static void test_out_of_memory(void **state)
{
    struct bytes none = bytes_of(NULL, 0);
    (void)state;
    for (size_t max = 0; max < 4; max++) {
        struct arena arena;
        struct names_place place;
        struct names_source source;
        struct err err = {0};
        arena_init(&arena, max);
        assert_int_equal(names_locate(BYTES_LIT("/bb/kk"), none, none, &arena, &place, &err),
                         ERR_NO_MEMORY);
        assert_int_equal(names_read_source(BYTES_LIT("bb/kk?versionId=x"), &arena, &source, &err),
                         ERR_NO_MEMORY);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),     cmocka_unit_test(test_sources),
        cmocka_unit_test(test_key_len),    cmocka_unit_test(test_keys),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
