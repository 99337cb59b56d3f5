/* checksum_test.c - names, values and rules of checksums. */
#include "storage/s3/checksum.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SHA256_B64 "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" /* of "hello" */
#define SHA1_B64   "qvTGHdzF6KLavt4PO0gs2a6pQ00="
#define CRC32_B64  "NhCmhg=="

static const enum hash_kind kinds[] = {HASH_SHA1, HASH_SHA256, HASH_CRC32, HASH_CRC32C,
                                       HASH_CRC64NVME};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        enum hash_kind kind = HASH_MD5;
        assert_true(checksum_of_name(bytes_of_str(checksum_name(kinds[i])), &kind));
        assert_int_equal(kind, kinds[i]);
        kind = HASH_MD5;
        assert_true(checksum_of_header(bytes_of_str(checksum_header(kinds[i])), &kind));
        assert_int_equal(kind, kinds[i]);
        assert_string_equal(checksum_element(kinds[i]) + strlen("Checksum"),
                            checksum_name(kinds[i]));
    }
    assert_string_equal(checksum_name(HASH_CRC64NVME), "CRC64NVME");
    assert_string_equal(checksum_header(HASH_CRC32C), "x-amz-checksum-crc32c");
    assert_string_equal(checksum_type_name(true), "COMPOSITE");
    assert_string_equal(checksum_type_name(false), "FULL_OBJECT");
}

static void test_names_that_are_none(void **state)
{
    static const char *const names[] = {"", "MD5", "CRC", "CRC32D", "CRC32 ", "SHA-256", "SHA512"};
    static const char *const headers[] = {"",
                                          "x-amz-checksum-",
                                          "x-amz-checksum-md5",
                                          "x-amz-checksum-type",
                                          "x-amz-checksum-crc32x",
                                          "amz-checksum-crc32",
                                          "crc32"};
    enum hash_kind kind;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_false(checksum_of_name(bytes_of_str(names[i]), &kind));
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_false(checksum_of_header(bytes_of_str(headers[i]), &kind));
    assert_true(checksum_of_name(BYTES_LIT("sha256"), &kind));
}

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct record_checksum checksum = {.present = true, .kind = kinds[i]};
        struct hash_value back;
        char text[CHECKSUM_TEXT_MAX];
        checksum.value = hash_once(kinds[i], BYTES_LIT("hello"));
        checksum_text(&checksum, 5, text);
        assert_true(checksum_parse(kinds[i], bytes_of_str(text), &back));
        assert_int_equal(back.len, checksum.value.len);
        assert_memory_equal(back.data, checksum.value.data, back.len);
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            if (hash_len(kinds[k]) != back.len)
                assert_false(checksum_parse(kinds[k], bytes_of_str(text), &back));
    }
}

static void test_texts(void **state)
{
    static const struct {
        enum hash_kind kind;
        bool composite;
        uint32_t parts;
        const char *text;
    } rows[] = {
        {HASH_CRC32, false, 0, CRC32_B64},
        {HASH_CRC32, false, 7, CRC32_B64},
        {HASH_CRC32, true, 7, CRC32_B64 "-7"},
        {HASH_SHA1, false, 0, SHA1_B64},
        {HASH_SHA256, true, UINT32_MAX, SHA256_B64 "-4294967295"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record_checksum checksum = {true, rows[i].composite, rows[i].kind,
                                           hash_once(rows[i].kind, BYTES_LIT("hello"))};
        char text[CHECKSUM_TEXT_MAX];
        checksum_text(&checksum, rows[i].parts, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_values_that_are_none(void **state)
{
    static const char *const texts[] = {
        "",          "NhCmhg",   "NhCmhg=", "NhCmhg===", "NhCmhh==",   " NhCmhg==",
        "NhCmhg== ", "NhCm_g==", "AAAA",    "AAAAAAA=",  "NhCmhg==-1", "\"NhCmhg==\""};
    struct hash_value value = {.len = 99};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (checksum_parse(HASH_CRC32, bytes_of_str(texts[i]), &value) || value.len != 99)
            fail_msg("'%s'", texts[i]);
}

#define FIELDS_MAX 4
struct field_text {
    const char *name, *value;
};

static struct http_head make_head(const struct field_text texts[FIELDS_MAX],
                                  struct http_field fields[FIELDS_MAX])
{
    struct http_head head = {.fields = fields, .field_count = 0};
    for (size_t i = 0; i < FIELDS_MAX && texts[i].name; i++) {
        fields[i].name = bytes_of_str(texts[i].name);
        fields[i].value = bytes_of_str(texts[i].value);
        head.field_count++;
    }
    return head;
}

#define CRC32  "x-amz-checksum-crc32"
#define SHA256 "x-amz-checksum-sha256"
#define SDK    "x-amz-sdk-checksum-algorithm"
#define TRAIL  "x-amz-trailer"

static const struct {
    struct field_text fields[FIELDS_MAX];
    int error; /* 0 = fine */
    bool declared, in_trailer;
    enum hash_kind kind;
    bool expected, md5;
} requests[] = {
    {{{"host", "x"}}, 0, false, false, 0, false, false},
    /* boto3 over http, and with a trailer over https */
    {{{CRC32, CRC32_B64}, {SDK, "CRC32"}}, 0, true, false, HASH_CRC32, true, false},
    {{{TRAIL, CRC32}, {SDK, "CRC32"}}, 0, true, true, HASH_CRC32, false, false},
    {{{SHA256, SHA256_B64}}, 0, true, false, HASH_SHA256, true, false},
    {{{"x-amz-checksum-crc64nvme", "AAAAAAAAAAA="}}, 0, true, false, HASH_CRC64NVME, true, false},
    {{{TRAIL, " X-Amz-Checksum-CRC32 , x-amz-trailer-signature"}},
     0,
     true,
     true,
     HASH_CRC32,
     false,
     false},
    {{{CRC32, CRC32_B64}, {SDK, "crc32"}}, 0, true, false, HASH_CRC32, true, false},
    {{{"content-md5", "XUFAKrxLKna5cZ2REBfFkg=="}}, 0, false, false, 0, false, true},
    {{{"content-md5", "XUFAKrxLKna5cZ2REBfFkg=="}, {CRC32, CRC32_B64}},
     0,
     true,
     false,
     HASH_CRC32,
     true,
     true},
    /* these are about objects, not bodies */
    {{{"x-amz-checksum-mode", "ENABLED"},
      {"x-amz-checksum-algorithm", "CRC32"},
      {"x-amz-checksum-type", "COMPOSITE"}},
     0,
     false,
     false,
     0,
     false,
     false},
    /* conflicts */
    {{{CRC32, CRC32_B64}, {SHA256, SHA256_B64}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, CRC32_B64}, {CRC32, CRC32_B64}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, CRC32_B64}, {TRAIL, CRC32}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, CRC32_B64}, {TRAIL, SHA256}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{TRAIL, CRC32 "," SHA256}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, CRC32_B64}, {SDK, "SHA256"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{TRAIL, CRC32}, {SDK, "SHA256"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{SDK, "CRC32"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    /* malformed, unknown */
    {{{CRC32, ""}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, SHA256_B64}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, "x"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{CRC32, CRC32_B64 "-1"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{SDK, "MD4"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{TRAIL, "x-amz-meta-a"}}, S3_INVALID_REQUEST, 0, 0, 0, 0, 0},
    {{{"x-amz-checksum-xxhash64", "AAAAAAAAAAA="}}, S3_NOT_IMPLEMENTED, 0, 0, 0, 0, 0},
    {{{"content-md5", ""}}, S3_INVALID_DIGEST, 0, 0, 0, 0, 0},
    {{{"content-md5", CRC32_B64}}, S3_INVALID_DIGEST, 0, 0, 0, 0, 0},
    {{{"content-md5", "5d41402abc4b2a76b9719d911017c592"}}, S3_INVALID_DIGEST, 0, 0, 0, 0, 0},
};

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct http_field fields[FIELDS_MAX];
        struct http_head head = make_head(requests[i].fields, fields);
        struct checksum_request request = {.declared = false};
        struct err err = {0};
        enum err_code code = checksum_read(&head, &request, &err);
        if (err.reason != requests[i].error || (code == ERR_OK) != (requests[i].error == 0))
            fail_msg("row %zu: %d %s", i, err.reason, err.msg);
        if (request.declared != requests[i].declared ||
            request.in_trailer != requests[i].in_trailer || request.kind != requests[i].kind ||
            (request.expected.len > 0) != requests[i].expected ||
            (request.md5.len > 0) != requests[i].md5)
            fail_msg("row %zu", i);
    }
}

static const struct {
    bool in_trailer;
    struct field_text fields[FIELDS_MAX];
    int error;
} trailers[] = {
    {true, {{CRC32, CRC32_B64}}, 0},
    {false, {{NULL, NULL}}, 0},
    {true, {{NULL, NULL}}, S3_INCOMPLETE_BODY},
    {true, {{CRC32, ""}}, S3_INVALID_REQUEST},
    {true, {{CRC32, "x"}}, S3_INVALID_REQUEST},
    {true, {{SHA256, SHA256_B64}}, S3_INVALID_REQUEST},
    {true, {{CRC32, CRC32_B64}, {SHA256, SHA256_B64}}, S3_INVALID_REQUEST},
    {true, {{CRC32, CRC32_B64}, {CRC32, CRC32_B64}}, S3_INVALID_REQUEST},
    {true, {{CRC32, CRC32_B64}, {"other", "x"}}, S3_INVALID_REQUEST},
    {false, {{CRC32, CRC32_B64}}, S3_INVALID_REQUEST},
};

static void test_trailers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trailers); i++) {
        struct checksum_request request = {.declared = trailers[i].in_trailer,
                                           .in_trailer = trailers[i].in_trailer,
                                           .kind = HASH_CRC32};
        struct record_pair items[FIELDS_MAX];
        struct record_pairs trailer = {items, 0};
        struct err err = {0};
        for (size_t k = 0; k < FIELDS_MAX && trailers[i].fields[k].name; k++)
            items[trailer.count++] =
                (struct record_pair){bytes_of_str(trailers[i].fields[k].name),
                                     bytes_of_str(trailers[i].fields[k].value)};
        enum err_code code = checksum_take_trailer(&request, &trailer, &err);
        if (err.reason != trailers[i].error || (code == ERR_OK) != (trailers[i].error == 0))
            fail_msg("row %zu: %d %s", i, err.reason, err.msg);
        if (code == ERR_OK)
            assert_int_equal(request.expected.len, trailers[i].in_trailer ? 4 : 0);
    }
}

static void test_verify(void **state)
{
    struct hash_value none = {.len = 0}, a = hash_once(HASH_CRC32, BYTES_LIT("a")),
                      b = hash_once(HASH_CRC32, BYTES_LIT("b"));
    struct err err = {0};
    (void)state;
    assert_int_equal(checksum_verify(HASH_CRC32, &none, &a, &err), ERR_OK);
    assert_int_equal(checksum_verify(HASH_CRC32, &a, &a, &err), ERR_OK);
    assert_int_not_equal(checksum_verify(HASH_CRC32, &a, &b, &err), ERR_OK);
    assert_int_equal(err.reason, S3_BAD_DIGEST);
    assert_non_null(strstr(err.msg, "CRC32"));
    assert_int_not_equal(checksum_verify(HASH_MD5, &a, &b, &err), ERR_OK);
    assert_non_null(strstr(err.msg, "Content-MD5"));
}

#define ALGORITHM "x-amz-checksum-algorithm"
#define TYPE      "x-amz-checksum-type"

static const struct {
    const char *algorithm, *type;
    int error;
    struct checksum_policy policy;
} policies[] = {
    {NULL, NULL, 0, {false, 0, false}},
    {"CRC32", NULL, 0, {true, HASH_CRC32, true}},
    {"CRC32C", NULL, 0, {true, HASH_CRC32C, true}},
    {"CRC64NVME", NULL, 0, {true, HASH_CRC64NVME, false}},
    {"SHA1", NULL, 0, {true, HASH_SHA1, true}},
    {"SHA256", NULL, 0, {true, HASH_SHA256, true}},
    {"CRC32", "FULL_OBJECT", 0, {true, HASH_CRC32, false}},
    {"CRC32", "COMPOSITE", 0, {true, HASH_CRC32, true}},
    {"CRC32C", "FULL_OBJECT", 0, {true, HASH_CRC32C, false}},
    {"CRC64NVME", "FULL_OBJECT", 0, {true, HASH_CRC64NVME, false}},
    {"SHA256", "COMPOSITE", 0, {true, HASH_SHA256, true}},
    {"CRC64NVME", "COMPOSITE", S3_INVALID_REQUEST, {0}},
    {"SHA1", "FULL_OBJECT", S3_INVALID_REQUEST, {0}},
    {"SHA256", "FULL_OBJECT", S3_INVALID_REQUEST, {0}},
    {"CRC32", "OTHER", S3_INVALID_REQUEST, {0}},
    {"CRC32", "", S3_INVALID_REQUEST, {0}},
    {"MD5", NULL, S3_INVALID_REQUEST, {0}},
    {"", NULL, S3_INVALID_REQUEST, {0}},
    {NULL, "FULL_OBJECT", S3_INVALID_REQUEST, {0}},
};

static void test_policies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct field_text texts[FIELDS_MAX] = {{"host", "x"}};
        struct http_field fields[FIELDS_MAX];
        struct checksum_policy policy = {0};
        struct err err = {0};
        size_t count = 1;
        if (policies[i].algorithm)
            texts[count++] = (struct field_text){ALGORITHM, policies[i].algorithm};
        if (policies[i].type)
            texts[count++] = (struct field_text){TYPE, policies[i].type};
        struct http_head head = make_head(texts, fields);
        enum err_code code = checksum_read_policy(&head, &policy, &err);
        if (err.reason != policies[i].error || (code == ERR_OK) != (policies[i].error == 0))
            fail_msg("row %zu: %d %s", i, err.reason, err.msg);
        if (policy.declared != policies[i].policy.declared ||
            policy.kind != policies[i].policy.kind ||
            policy.composite != policies[i].policy.composite)
            fail_msg("row %zu", i);
    }
}

static const struct {
    bool composite;
    struct field_text fields[FIELDS_MAX];
    int error;
    bool present;
} objects[] = {
    {true, {{NULL, NULL}}, 0, false},
    {true, {{CRC32, CRC32_B64 "-3"}}, 0, true},
    {true, {{CRC32, CRC32_B64}}, 0, true},
    {false, {{CRC32, CRC32_B64}}, 0, true},
    {false, {{CRC32, CRC32_B64}, {TYPE, "FULL_OBJECT"}}, 0, true},
    {false, {{TYPE, "FULL_OBJECT"}}, 0, false},
    {true, {{CRC32, CRC32_B64 "-4"}}, S3_INVALID_REQUEST, false},
    {true, {{CRC32, CRC32_B64 "-"}}, S3_INVALID_REQUEST, false},
    {true, {{CRC32, "-3"}}, S3_INVALID_REQUEST, false},
    {false, {{CRC32, CRC32_B64 "-3"}}, S3_INVALID_REQUEST, false},
    {false, {{CRC32, CRC32_B64}, {TYPE, "COMPOSITE"}}, S3_INVALID_REQUEST, false},
    {false, {{CRC32, CRC32_B64}, {TYPE, "x"}}, S3_INVALID_REQUEST, false},
    {false, {{CRC32, CRC32_B64}, {SHA256, SHA256_B64}}, S3_INVALID_REQUEST, false},
    {false, {{SHA256, SHA256_B64}}, S3_BAD_DIGEST, false},
    {false, {{"x-amz-checksum-other", "x"}}, S3_NOT_IMPLEMENTED, false},
};

static void test_objects(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        const struct checksum_policy policy = {true, HASH_CRC32, objects[i].composite};
        struct http_field fields[FIELDS_MAX];
        struct http_head head = make_head(objects[i].fields, fields);
        struct record_checksum checksum = {.present = false};
        struct err err = {0};
        enum err_code code = checksum_read_object(&head, &policy, 3, &checksum, &err);
        if (err.reason != objects[i].error || (code == ERR_OK) != (objects[i].error == 0) ||
            checksum.present != objects[i].present)
            fail_msg("row %zu: %d %s", i, err.reason, err.msg);
        if (checksum.present) {
            assert_int_equal(checksum.kind, HASH_CRC32);
            assert_int_equal(checksum.composite, objects[i].composite);
            assert_int_equal(checksum.value.len, 4);
        }
    }
}

static void test_object_of_undeclared_upload(void **state)
{
    static const struct field_text good[FIELDS_MAX] = {
        {"x-amz-checksum-crc64nvme", "AAAAAAAAAAA="}};
    static const struct field_text bad[FIELDS_MAX] = {{CRC32, CRC32_B64}};
    const struct checksum_policy policy = {.declared = false};
    struct http_field fields[FIELDS_MAX];
    struct http_head head = make_head(good, fields);
    struct record_checksum checksum;
    struct err err = {0};
    (void)state;
    assert_int_equal(checksum_read_object(&head, &policy, 3, &checksum, &err), ERR_OK);
    assert_true(checksum.present && !checksum.composite && checksum.kind == HASH_CRC64NVME);
    head = make_head(bad, fields);
    assert_int_equal(checksum_read_object(&head, &policy, 3, &checksum, &err), ERR_INVALID);
    assert_int_equal(err.reason, S3_BAD_DIGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_values_that_are_none),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_object_of_undeclared_upload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
