/* metadata_test.c - x-amz-meta- fields in and out. */
#include "storage/s3/metadata.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"

static struct http_field fields[] = {
    {BYTES_LIT("host"), BYTES_LIT("x")},
    {BYTES_LIT("x-amz-meta-a"), BYTES_LIT("1")},
    {BYTES_LIT("x-amz-meta-b"), BYTES_LIT("")},
    {BYTES_LIT("x-amz-meta-a"), BYTES_LIT("2")},
    {BYTES_LIT("x-amz-metadata-directive"), BYTES_LIT("COPY")},
    {BYTES_LIT("x-amz-meta-c-d"), BYTES_LIT("\xc3\xa9")},
    {BYTES_LIT("x-amz-meta-a"), BYTES_LIT("3")},
};
static const struct http_head head = {.fields = fields, .field_count = ARRAY_LEN(fields)};

static void test_collect(void **state)
{
    struct arena arena;
    struct record_pairs pairs;
    struct err err = {0};
    (void)state;
    arena_init(&arena, KIB(64));
    assert_int_equal(metadata_read(&head, &arena, &pairs, &err), ERR_OK);
    assert_int_equal(pairs.count, 3);
    assert_true(bytes_equal_str(pairs.items[0].name, "a"));
    assert_true(bytes_equal_str(pairs.items[0].value, "1,2,3"));
    assert_true(bytes_equal_str(pairs.items[1].name, "b"));
    assert_int_equal(pairs.items[1].value.len, 0);
    assert_true(bytes_equal_str(pairs.items[2].name, "c-d"));
    assert_true(bytes_equal_str(pairs.items[2].value, "\xc3\xa9"));
    arena_done(&arena);
}

static enum err_code read_one(struct bytes name, struct bytes value, struct err *err)
{
    struct http_field field = {name, value};
    struct http_head one = {.fields = &field, .field_count = 1};
    struct arena arena;
    struct record_pairs pairs;
    enum err_code code;
    *err = (struct err){.code = ERR_OK};
    arena_init(&arena, KIB(64));
    code = metadata_read(&one, &arena, &pairs, err);
    arena_done(&arena);
    return code;
}

static void test_none(void **state)
{
    struct http_head none = {.fields = fields, .field_count = 1};
    struct arena arena;
    struct record_pairs pairs;
    struct err err = {0};
    (void)state;
    arena_init(&arena, 0);
    assert_int_equal(metadata_read(&none, &arena, &pairs, &err), ERR_OK);
    assert_int_equal(pairs.count, 0);
    arena_done(&arena);
}

static void test_limits(void **state)
{
    static uint8_t value[S3_METADATA_MAX];
    struct bytes name = BYTES_LIT("x-amz-meta-ab");
    struct err err;
    (void)state;
    memset(value, 'v', sizeof(value));
    assert_int_equal(read_one(name, bytes_of(value, S3_METADATA_MAX - 2), &err), ERR_OK);
    assert_int_not_equal(read_one(name, bytes_of(value, S3_METADATA_MAX - 1), &err), ERR_OK);
    assert_int_equal(err.reason, S3_METADATA_TOO_LARGE);
    assert_int_not_equal(read_one(BYTES_LIT("x-amz-meta-"), BYTES_LIT("x"), &err), ERR_OK);
    assert_int_equal(err.reason, S3_INVALID_ARGUMENT);
    assert_int_not_equal(read_one(name, BYTES_LIT("caf\xe9"), &err), ERR_OK);
    assert_int_equal(err.reason, S3_INVALID_ARGUMENT);
}

static void test_reply(void **state)
{
    static const struct {
        const char *value, *reply;
    } rows[] = {
        {"", ""},
        {"plain ~", "plain ~"},
        {"=?UTF-8?B?w6k=?=", "=?UTF-8?B?w6k=?="},
        {"\xc3\xa9", "=?UTF-8?B?w6k=?="},
        {"caf\xc3\xa9", "=?UTF-8?B?Y2Fmw6k=?="},
        {"\xf0\x9f\x98\x80", "=?UTF-8?B?8J+YgA==?="},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena, KIB(64));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!bytes_equal_str(metadata_reply_value(bytes_of_str(rows[i].value), &arena),
                             rows[i].reply))
            fail_msg("'%s'", rows[i].value);
    arena_done(&arena);
}

static void test_out_of_memory(void **state)
{
    enum err_code code;
    size_t max = 0;
    struct arena arena;
    (void)state;
    do {
        struct record_pairs pairs;
        struct err err = {0};
        arena_init(&arena, max++);
        code = metadata_read(&head, &arena, &pairs, &err);
        assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
        arena_done(&arena);
    } while (code != ERR_OK);
    assert_true(max > 20);
    arena_init(&arena, 4);
    assert_null(metadata_reply_value(BYTES_LIT("\xc3\xa9"), &arena).data);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_collect),       cmocka_unit_test(test_none),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
