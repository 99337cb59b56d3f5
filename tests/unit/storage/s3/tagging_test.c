/* tagging_test.c - tags in headers and in documents, and their limits. */
#include "storage/s3/tagging.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"

#define A16  "aaaaaaaaaaaaaaaa"
#define A128 A16 A16 A16 A16 A16 A16 A16 A16
#define E16                                                                                        \
    "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9"                                             \
    "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9"
#define E128 E16 E16 E16 E16 E16 E16 E16 E16

static const struct {
    const char *field;
    int error;
    const char *tags; /* "key=value;" each */
} headers[] = {
    {NULL, 0, ""},
    {"", 0, ""},
    {"&", 0, ""},
    {"a=1", 0, "a=1;"},
    {"a=1&b=2", 0, "a=1;b=2;"},
    {"a=&b", 0, "a=;b=;"},
    {"a=x=y", 0, "a=x=y;"},
    {"a+b=c%2Bd%20e", 0, "a b=c+d e;"},
    {"a%26b=%3D", S3_INVALID_TAG, NULL},
    {"k%3D+-._:/@=v", 0, "k= -._:/@=v;"},
    {"%C3%A9=%F0%9F%98%80", 0, "\xc3\xa9=\xf0\x9f\x98\x80;"},
    {"A=1&a=2", 0, "A=1;a=2;"},
    {"1=&2=&3=&4=&5=&6=&7=&8=&9=&10=", 0, "1=;2=;3=;4=;5=;6=;7=;8=;9=;10=;"},
    {"1=&2=&3=&4=&5=&6=&7=&8=&9=&10=&11=", S3_BAD_REQUEST, NULL},
    {A128 "=x", 0, A128 "=x;"},
    {A128 "a=x", S3_INVALID_TAG, NULL},
    {E128 "a=x", S3_INVALID_TAG, NULL},
    {"x=" A128 A128, 0, "x=" A128 A128 ";"},
    {"x=" A128 A128 "a", S3_INVALID_TAG, NULL},
    {"x=" E128 E128 "a", S3_INVALID_TAG, NULL},
    {"=x", S3_INVALID_TAG, NULL},
    {"a=1&a=2", S3_INVALID_TAG, NULL},
    {"a=1&%61=1", S3_INVALID_TAG, NULL},
    {"aws:a=1", S3_INVALID_TAG, NULL},
    {"AWS:a=1", S3_INVALID_TAG, NULL},
    {"aws%3Aa=1", S3_INVALID_TAG, NULL},
    {"aws=1", 0, "aws=1;"},
    {"a=%00", S3_INVALID_TAG, NULL},
    {"a=%0A", S3_INVALID_TAG, NULL},
    {"a=%3Cb%3E", S3_INVALID_TAG, NULL},
    {"a=%FF", S3_INVALID_TAG, NULL},
    {"%FF=a", S3_INVALID_TAG, NULL},
    {"a=%", S3_INVALID_ARGUMENT, NULL},
    {"%zz=a", S3_INVALID_ARGUMENT, NULL},
};

static void check_tags(const struct record_pairs *tags, const char *wanted, const char *input)
{
    struct buf text;
    buf_init(&text, KIB(16));
    for (size_t i = 0; i < tags->count; i++)
        buf_printf(&text, "%" BYTES_FMT "=%" BYTES_FMT ";", BYTES_ARG(tags->items[i].name),
                   BYTES_ARG(tags->items[i].value));
    if (!bytes_equal_str(buf_bytes(&text), wanted))
        fail_msg("'%s': %.*s", input, (int)text.len, (const char *)text.data);
    buf_done(&text);
}

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct arena arena;
        struct record_pairs tags = {NULL, 99};
        struct err err = {0};
        arena_init(&arena, KIB(64));
        enum err_code code =
            tagging_read_header(bytes_of_str(headers[i].field), &arena, &tags, &err);
        if (err.reason != headers[i].error || (code == ERR_OK) != (headers[i].error == 0))
            fail_msg("'%s': %d %s", headers[i].field, err.reason, err.msg);
        if (code == ERR_OK)
            check_tags(&tags, headers[i].tags, headers[i].field);
        else
            assert_int_equal(tags.count, 99);
        arena_done(&arena);
    }
}

#define DOCUMENT(tags)  "<Tagging><TagSet>" tags "</TagSet></Tagging>"
#define TAG(key, value) "<Tag><Key>" key "</Key><Value>" value "</Value></Tag>"

static const struct {
    const char *document;
    size_t max;
    int error;
    const char *tags;
} documents[] = {
    {DOCUMENT(""), 10, 0, ""},
    {DOCUMENT(TAG("a", "1") TAG("b", "")), 10, 0, "a=1;b=;"},
    {DOCUMENT(TAG("a", "1") TAG("b", "2")), 2, 0, "a=1;b=2;"},
    {DOCUMENT(TAG("a", "1") TAG("b", "2")), 1, S3_BAD_REQUEST, NULL},
    {DOCUMENT(TAG(" a ", " 1 ")), 10, 0, " a = 1 ;"},
    {DOCUMENT(TAG("a", "1") TAG("a", "2")), 10, S3_INVALID_TAG, NULL},
    {DOCUMENT(TAG("", "1")), 10, S3_INVALID_TAG, NULL},
    {DOCUMENT(TAG("aws:x", "1")), 10, S3_INVALID_TAG, NULL},
    {DOCUMENT(TAG("a", "&lt;")), 10, S3_INVALID_TAG, NULL},
    {DOCUMENT("<Tag><Key>a</Key></Tag>"), 10, S3_MALFORMED_XML, NULL},
    {DOCUMENT("<Tag><Value>a</Value></Tag>"), 10, S3_MALFORMED_XML, NULL},
    {DOCUMENT("<Other/>"), 10, S3_MALFORMED_XML, NULL},
    {"<Tagging/>", 10, S3_MALFORMED_XML, NULL},
};

static void test_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct arena arena;
        const struct xml_node *root;
        struct record_pairs tags;
        struct err err = {0};
        arena_init(&arena, KIB(64));
        assert_int_equal(
            xml_read(bytes_of_str(documents[i].document), "Tagging", &arena, &root, &err), ERR_OK);
        enum err_code code = tagging_read_xml(root, documents[i].max, &arena, &tags, &err);
        if (err.reason != documents[i].error || (code == ERR_OK) != (documents[i].error == 0))
            fail_msg("'%s': %d %s", documents[i].document, err.reason, err.msg);
        if (code == ERR_OK)
            check_tags(&tags, documents[i].tags, documents[i].document);
        arena_done(&arena);
    }
}

static void test_out_of_memory(void **state)
{
    enum err_code code;
    size_t max = 0;
    (void)state;
    do {
        struct arena arena;
        struct record_pairs tags;
        struct err err = {0};
        arena_init(&arena, max++);
        code = tagging_read_header(BYTES_LIT("a=1"), &arena, &tags, &err);
        assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
        arena_done(&arena);
    } while (code != ERR_OK);
    assert_true(max > S3_TAGS_MAX * sizeof(struct record_pair));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
