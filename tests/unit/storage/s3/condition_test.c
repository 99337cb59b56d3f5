/* condition_test.c - conditions: every pair of headers, for reads, copies and writes. */
#include "storage/s3/condition.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TAG    "00112233445566778899aabbccddeeff"
#define QUOTED "\"" TAG "\""
#define OTHER  "\"ffffffffffffffffffffffffffffffff\""
#define BEFORE "Tue, 24 Nov 2026 10:16:18 GMT"
#define SAME   "Tue, 24 Nov 2026 10:16:19 GMT"
#define AFTER  "Tue, 24 Nov 2026 10:16:20 GMT"

/* Changed in the middle of the second SAME. */
static const struct record_object object = {
    .etag = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
             0xee, 0xff},
    .modified_unix_ms = 1795515379500,
};

static struct condition make(const char *match, const char *none_match, const char *modified,
                             const char *unmodified)
{
    return (struct condition){bytes_of_str(match), bytes_of_str(none_match), bytes_of_str(modified),
                              bytes_of_str(unmodified)};
}

#define OK  CONDITION_PASS
#define NOT CONDITION_NOT_MODIFIED
#define NO  CONDITION_FAILED

static const struct {
    const char *match, *none_match, *modified_since, *unmodified_since;
    enum condition_verdict verdict;
} reads[] = {
    {NULL, NULL, NULL, NULL, OK},
    /* If-Match */
    {QUOTED, NULL, NULL, NULL, OK},
    {TAG, NULL, NULL, NULL, OK},
    {"*", NULL, NULL, NULL, OK},
    {OTHER, NULL, NULL, NULL, NO},
    {OTHER ", " QUOTED, NULL, NULL, NULL, OK},
    {OTHER "," TAG, NULL, NULL, NULL, OK},
    {" ,, " QUOTED " ,", NULL, NULL, NULL, OK},
    {OTHER ", " OTHER, NULL, NULL, NULL, NO},
    {"W/" QUOTED, NULL, NULL, NULL, NO},
    {"\"*\"", NULL, NULL, NULL, NO},
    {"", NULL, NULL, NULL, NO},
    {TAG "-1", NULL, NULL, NULL, NO},
    {"\"" TAG, NULL, NULL, NULL, NO},
    /* If-None-Match */
    {NULL, QUOTED, NULL, NULL, NOT},
    {NULL, TAG, NULL, NULL, NOT},
    {NULL, "W/" QUOTED, NULL, NULL, NOT},
    {NULL, "*", NULL, NULL, NOT},
    {NULL, OTHER, NULL, NULL, OK},
    {NULL, OTHER ",W/" QUOTED, NULL, NULL, NOT},
    {NULL, "", NULL, NULL, OK},
    /* If-Modified-Since */
    {NULL, NULL, BEFORE, NULL, OK},
    {NULL, NULL, SAME, NULL, NOT},
    {NULL, NULL, AFTER, NULL, NOT},
    {NULL, NULL, "yesterday", NULL, OK},
    {NULL, NULL, "", NULL, OK},
    /* If-Unmodified-Since */
    {NULL, NULL, NULL, BEFORE, NO},
    {NULL, NULL, NULL, SAME, OK},
    {NULL, NULL, NULL, AFTER, OK},
    {NULL, NULL, NULL, "yesterday", OK},
    /* tags win over dates */
    {QUOTED, NULL, NULL, BEFORE, OK},
    {OTHER, NULL, NULL, AFTER, NO},
    {NULL, QUOTED, BEFORE, NULL, NOT},
    {NULL, OTHER, AFTER, NULL, OK},
    /* 412 before 304 */
    {OTHER, QUOTED, NULL, NULL, NO},
    {QUOTED, QUOTED, NULL, NULL, NOT},
    {QUOTED, OTHER, NULL, NULL, OK},
    {NULL, NULL, AFTER, BEFORE, NO},
    {NULL, QUOTED, NULL, BEFORE, NO},
    {QUOTED, NULL, AFTER, NULL, NOT},
};

static void test_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        struct condition condition = make(reads[i].match, reads[i].none_match,
                                          reads[i].modified_since, reads[i].unmodified_since);
        enum condition_verdict copy = reads[i].verdict == OK ? OK : NO;
        if (condition_read(&condition, &object) != reads[i].verdict ||
            condition_copy(&condition, &object) != copy)
            fail_msg("row %zu", i);
        assert_int_equal(condition_is_empty(&condition), i == 0);
    }
}

static const struct {
    const char *match, *none_match;
    bool exists;
    enum condition_verdict verdict;
} writes[] = {
    {NULL, NULL, false, OK},
    {NULL, NULL, true, OK},
    {NULL, "*", false, OK},
    {NULL, "*", true, NO},
    {NULL, QUOTED, true, NO},
    {NULL, TAG, true, NO},
    {NULL, OTHER, true, OK},
    {NULL, OTHER, false, OK},
    {QUOTED, NULL, true, OK},
    {TAG, NULL, true, OK},
    {OTHER, NULL, true, NO},
    {"W/" QUOTED, NULL, true, NO},
    {"*", NULL, true, OK},
    {"", NULL, true, NO},
    {"*", NULL, false, CONDITION_NO_KEY},
    {QUOTED, NULL, false, CONDITION_NO_KEY},
    {QUOTED, "*", true, NO},
    {QUOTED, OTHER, true, OK},
};

static void test_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        /* dates do not matter */
        struct condition condition = make(writes[i].match, writes[i].none_match, AFTER, BEFORE);
        if (condition_write(&condition, writes[i].exists ? &object : NULL) != writes[i].verdict)
            fail_msg("row %zu", i);
    }
}

static void test_multipart_tag(void **state)
{
    struct record_object multipart = object;
    struct condition condition = make("\"" TAG "-12\"", NULL, NULL, NULL);
    (void)state;
    multipart.parts = 12;
    assert_int_equal(condition_read(&condition, &multipart), OK);
    condition.match = BYTES_LIT(QUOTED);
    assert_int_equal(condition_read(&condition, &multipart), NO);
}

static void test_if_range(void **state)
{
    static const struct {
        const char *field;
        bool counts;
    } rows[] = {
        {NULL, true},         {QUOTED, true}, {TAG, true},          {OTHER, false},
        {"W/" QUOTED, false}, {"*", false},   {SAME, true},         {BEFORE, false},
        {AFTER, false},       {"", false},    {"yesterday", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (condition_range(bytes_of_str(rows[i].field), &object) != rows[i].counts)
            fail_msg("'%s'", rows[i].field);
}

static void test_fields(void **state)
{
    struct http_field fields[] = {
        {BYTES_LIT("if-match"), BYTES_LIT("1")},
        {BYTES_LIT("if-none-match"), BYTES_LIT("2")},
        {BYTES_LIT("if-modified-since"), BYTES_LIT("3")},
        {BYTES_LIT("if-unmodified-since"), BYTES_LIT("4")},
        {BYTES_LIT("x-amz-copy-source-if-match"), BYTES_LIT("5")},
        {BYTES_LIT("x-amz-copy-source-if-none-match"), BYTES_LIT("6")},
        {BYTES_LIT("x-amz-copy-source-if-modified-since"), BYTES_LIT("7")},
        {BYTES_LIT("x-amz-copy-source-if-unmodified-since"), BYTES_LIT("8")},
    };
    struct http_head head = {.fields = fields, .field_count = 8};
    struct condition own = condition_of(&head), copy = condition_of_copy_source(&head);
    (void)state;
    assert_true(bytes_equal_str(own.match, "1"));
    assert_true(bytes_equal_str(own.none_match, "2"));
    assert_true(bytes_equal_str(own.modified_since, "3"));
    assert_true(bytes_equal_str(own.unmodified_since, "4"));
    assert_true(bytes_equal_str(copy.match, "5"));
    assert_true(bytes_equal_str(copy.none_match, "6"));
    assert_true(bytes_equal_str(copy.modified_since, "7"));
    assert_true(bytes_equal_str(copy.unmodified_since, "8"));
    head.field_count = 0;
    own = condition_of(&head);
    assert_true(condition_is_empty(&own));
}

static void test_errors(void **state)
{
    struct err err = {0};
    (void)state;
    assert_int_equal(condition_error(CONDITION_PASS, &err), ERR_OK);
    assert_int_not_equal(condition_error(CONDITION_NOT_MODIFIED, &err), ERR_OK);
    assert_int_equal(err.reason, S3_NOT_MODIFIED);
    assert_int_not_equal(condition_error(CONDITION_FAILED, &err), ERR_OK);
    assert_int_equal(err.reason, S3_PRECONDITION_FAILED);
    assert_int_not_equal(condition_error(CONDITION_NO_KEY, &err), ERR_OK);
    assert_int_equal(err.reason, S3_NO_SUCH_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),         cmocka_unit_test(test_writes),
        cmocka_unit_test(test_multipart_tag), cmocka_unit_test(test_if_range),
        cmocka_unit_test(test_fields),        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
