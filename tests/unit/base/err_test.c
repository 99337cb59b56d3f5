/* err_test.c - BASE-ERR-1, BASE-ERR-2. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

static void fills_every_field(void **state UNUSED)
{
    struct err err = {0};

    assert_int_equal(err_fail_reason(&err, ERR_NOT_FOUND, 7, "bucket '%s'", "b"), ERR_NOT_FOUND);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(err.reason, 7);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.msg, "bucket 'b'");
    assert_non_null(strstr(err.at, "err_test.c:"));
}

static void yields_the_code_alone_without_an_err(void **state UNUSED)
{
    assert_int_equal(err_fail(NULL, ERR_LIMIT, "x"), ERR_LIMIT);
    assert_int_equal(err_fail_sys(NULL, ENOSPC, "x"), ERR_NO_SPACE);
}

/* BASE-ERR-2 */
static void maps_errno(void **state UNUSED)
{
    static const struct {
        int sys;
        enum err_code code;
    } rows[] = {{ENOSPC, ERR_NO_SPACE},  {EDQUOT, ERR_NO_SPACE},  {ENOMEM, ERR_NO_MEMORY},
                {EMFILE, ERR_NO_MEMORY}, {ENFILE, ERR_NO_MEMORY}, {EIO, ERR_IO},
                {EROFS, ERR_IO},         {ENOENT, ERR_IO}};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(err_fail_sys(&err, rows[i].sys, "writing"), rows[i].code);
        assert_int_equal(err.sys, rows[i].sys);
    }
    err_fail_sys(&err, EIO, "writing '%s'", "f");
    assert_string_equal(err.msg, "writing 'f': Input/output error");
    err_fail_sys(&err, 123456, "writing");
    assert_string_equal(err.msg, "writing: unknown error");
}

static void adds_words_in_front(void **state UNUSED)
{
    struct err err;

    err_fail(&err, ERR_INVALID, "no number");
    assert_int_equal(err_add(&err, "file:%d", 3), ERR_INVALID);
    assert_string_equal(err.msg, "file:3: no number");
    assert_int_equal(err.code, ERR_INVALID);
}

static void takes_its_own_message_as_argument(void **state UNUSED)
{
    struct err err;

    err_fail(&err, ERR_IO, "inner");
    err_fail(&err, ERR_CORRUPT, "outer: %s", err.msg);
    assert_string_equal(err.msg, "outer: inner");
}

/* BASE-ERR-1 */
static void keeps_to_one_line(void **state UNUSED)
{
    struct err err;

    err_fail(&err, ERR_INVALID, "%s", "a\nb\x1b[0m\tc\x7f");
    assert_string_equal(err.msg, "a?b?[0m?c?");
}

/* BASE-ERR-1: whatever the offset of the cut in the characters. */
static void cuts_between_characters(void **state UNUSED)
{
    static const char *const characters[] = {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9A\xA2"};
    struct err err;

    for (size_t c = 0; c < ARRAY_LEN(characters); c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[400] = "";
            memset(text, '-', shift);
            while (strlen(text) < 300)
                strcat(text, characters[c]);
            err_fail(&err, ERR_INVALID, "%s", text);
            assert_true(bytes_is_utf8(bytes_of_str(err.msg)));
            assert_in_range(strlen(err.msg), sizeof(err.msg) - 4, sizeof(err.msg) - 1);
            assert_memory_equal(err.msg, text, strlen(err.msg));
        }
    }
}

static void cuts_long_words_that_are_added(void **state UNUSED)
{
    char words[500];
    struct err err;

    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    err_fail(&err, ERR_IO, "%s", words);
    err_add(&err, "%s", words);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void names_every_code(void **state UNUSED)
{
    for (int code = 0; code < ERR_CODES; code++)
        assert_non_null(err_code_name((enum err_code)code));
    assert_string_equal(err_code_name(ERR_NOT_FOUND), "not_found");
    assert_string_equal(err_code_name(ERR_CODES), "unknown");
    assert_string_equal(err_code_name((enum err_code) - 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_every_field),
        cmocka_unit_test(yields_the_code_alone_without_an_err),
        cmocka_unit_test(maps_errno),
        cmocka_unit_test(adds_words_in_front),
        cmocka_unit_test(takes_its_own_message_as_argument),
        cmocka_unit_test(keeps_to_one_line),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(cuts_long_words_that_are_added),
        cmocka_unit_test(names_every_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
