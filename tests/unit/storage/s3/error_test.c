/* error_test.c - the table of S3 errors is whole, and every failure becomes one of its rows.
 *
 * S3-ERROR-1. Planted and caught: a reason of the store that falls through to its class. */
#include "storage/s3/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/auth/sign.h"
#include "storage/obj/store.h"

static void every_row_is_whole(void **state)
{
    (void)state;
    for (int i = S3_ERROR_FIRST; i < S3_ERROR_END; i++) {
        const struct error_row *row = error_row((enum s3_error)i);
        assert_non_null(row->code);
        assert_true(row->code[0] >= 'A' && row->code[0] <= 'Z');
        assert_true(strlen(row->message) > 0);
        assert_true(row->status == 304 || (row->status >= 400 && row->status <= 599));
    }
}

static void no_code_stands_twice(void **state)
{
    (void)state;
    for (int i = S3_ERROR_FIRST; i < S3_ERROR_END; i++)
        for (int k = i + 1; k < S3_ERROR_END; k++)
            assert_string_not_equal(error_row((enum s3_error)i)->code,
                                    error_row((enum s3_error)k)->code);
}

static void every_class_of_failure_has_a_code(void **state)
{
    (void)state;
    for (int code = ERR_INVALID; code < ERR_CODES; code++) {
        struct err err = {.code = (enum err_code)code, .msg = "our insides"};
        enum s3_error error = error_of(&err);
        assert_in_range(error, S3_ERROR_FIRST, S3_ERROR_END - 1);
        assert_string_equal(error_message(&err), error_row(error)->message);
    }
}

static void every_reason_of_the_store_has_a_code(void **state)
{
    static const struct {
        enum store_reason reason;
        enum s3_error error;
    } expected[] = {
        {STORE_NO_BUCKET, S3_NO_SUCH_BUCKET},          {STORE_NO_KEY, S3_NO_SUCH_KEY},
        {STORE_NO_VERSION, S3_NO_SUCH_VERSION},        {STORE_NO_UPLOAD, S3_NO_SUCH_UPLOAD},
        {STORE_DELETE_MARKER, S3_NO_SUCH_KEY},         {STORE_BUCKET_EXISTS, S3_BUCKET_EXISTS},
        {STORE_BUCKET_NOT_EMPTY, S3_BUCKET_NOT_EMPTY}, {STORE_BAD_PART, S3_INVALID_PART},
        {STORE_PART_ORDER, S3_INVALID_PART_ORDER},     {STORE_PART_TOO_SMALL, S3_ENTITY_TOO_SMALL},
        {STORE_BAD_RANGE, S3_INVALID_ARGUMENT},        {STORE_BAD_CHECKSUM, S3_BAD_DIGEST},
        {STORE_BAD_LENGTH, S3_INVALID_REQUEST},
    };
    (void)state;
    assert_int_equal(ARRAY_LEN(expected), STORE_BAD_LENGTH);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct err err = {.code = ERR_IO, .reason = (int)expected[i].reason};
        assert_int_equal(error_of(&err), expected[i].error);
    }
}

static void every_reason_of_a_signature_is_translated(void **state)
{
    (void)state;
    for (int reason = SIGN_ACCESS_DENIED; reason <= SIGN_UNSIGNED_HEADER; reason++) {
        struct err err = {.code = ERR_DENIED, .reason = reason};
        assert_int_equal(error_from_sign(&err), ERR_DENIED);
        assert_in_range(err.reason, S3_ERROR_FIRST, S3_ERROR_END - 1);
        assert_in_range(error_row((enum s3_error)err.reason)->status, 400, 501);
    }
}

static void a_signature_refused_without_a_reason_is_denied(void **state)
{
    struct err err = {.code = ERR_DENIED};
    (void)state;
    error_from_sign(&err);
    assert_int_equal(error_of(&err), S3_ACCESS_DENIED);
}

static void own_words_replace_the_tables(void **state)
{
    struct err err;
    (void)state;
    s3_fail(&err, S3_INVALID_PART);
    assert_string_equal(error_message(&err), error_row(S3_INVALID_PART)->message);
    s3_fail_because(&err, S3_INVALID_ARGUMENT, "max-keys is %s", "odd");
    assert_string_equal(error_message(&err), "max-keys is odd");
    assert_int_equal(error_of(&err), S3_INVALID_ARGUMENT);
}

static void a_full_disk_is_507(void **state)
{
    struct err err = {.code = ERR_NO_SPACE};
    (void)state;
    assert_string_equal(error_row(error_of(&err))->code, "StorageFull");
    assert_int_equal(error_row(error_of(&err))->status, 507);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(no_code_stands_twice),
        cmocka_unit_test(every_class_of_failure_has_a_code),
        cmocka_unit_test(every_reason_of_the_store_has_a_code),
        cmocka_unit_test(every_reason_of_a_signature_is_translated),
        cmocka_unit_test(a_signature_refused_without_a_reason_is_denied),
        cmocka_unit_test(own_words_replace_the_tables),
        cmocka_unit_test(a_full_disk_is_507),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
