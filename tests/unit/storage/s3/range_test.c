/* range_test.c - ranges of objects, well-formed and not. */
#include "storage/s3/range.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define W RANGE_WHOLE
#define P RANGE_PART
#define U RANGE_UNSATISFIABLE

static const struct {
    const char *field;
    uint64_t size;
    enum range_kind kind;
    uint64_t first, len;
} rows[] = {
    {NULL, 10, W, 0, 10},
    {"", 10, W, 0, 10},
    {"bytes=0-0", 10, P, 0, 1},
    {"bytes=0-9", 10, P, 0, 10},
    {"bytes=0-10", 10, P, 0, 10},
    {"bytes=2-5", 10, P, 2, 4},
    {"bytes=9-9", 10, P, 9, 1},
    {"bytes=9-", 10, P, 9, 1},
    {"bytes=0-", 10, P, 0, 10},
    {"Bytes=0-", 10, P, 0, 10},
    {"bytes=10-", 10, U, 0, 0},
    {"bytes=10-20", 10, U, 0, 0},
    {"bytes=-1", 10, P, 9, 1},
    {"bytes=-10", 10, P, 0, 10},
    {"bytes=-11", 10, P, 0, 10},
    {"bytes=-0", 10, U, 0, 0},
    {"bytes=0-", 0, U, 0, 0},
    {"bytes=0-0", 0, U, 0, 0},
    {"bytes=-5", 0, U, 0, 0},
    {"bytes=-0", 0, U, 0, 0},
    {"bytes=000000000000000000000000002-3", 10, P, 2, 2},
    /* numbers that do not fit lie behind any object */
    {"bytes=0-99999999999999999999999999", 10, P, 0, 10},
    {"bytes=99999999999999999999999999-", 10, U, 0, 0},
    {"bytes=-99999999999999999999999999", 10, P, 0, 10},
    {"bytes=18446744073709551615-18446744073709551615", 10, U, 0, 0},
    {"bytes=0-18446744073709551615", UINT64_MAX, P, 0, UINT64_MAX},
    {"bytes=18446744073709551614-", UINT64_MAX, P, UINT64_MAX - 1, 1},
    {"bytes=-18446744073709551615", UINT64_MAX, P, 0, UINT64_MAX},
    /* malformed or several: the whole object */
    {"bytes=5-2", 10, W, 0, 10},
    {"bytes=", 10, W, 0, 10},
    {"bytes=-", 10, W, 0, 10},
    {"bytes=1", 10, W, 0, 10},
    {"bytes=a-b", 10, W, 0, 10},
    {"bytes=1-b", 10, W, 0, 10},
    {"bytes=--1", 10, W, 0, 10},
    {"bytes=1--2", 10, W, 0, 10},
    {"bytes=+1-2", 10, W, 0, 10},
    {"bytes= 1-2", 10, W, 0, 10},
    {"bytes=1 -2", 10, W, 0, 10},
    {"bytes=0x1-2", 10, W, 0, 10},
    {"bytes 1-2", 10, W, 0, 10},
    {"bytes=0-1,3-4", 10, W, 0, 10},
    {"bytes=0-1,", 10, W, 0, 10},
    {"items=0-1", 10, W, 0, 10},
    {"0-1", 10, W, 0, 10},
    {"bytes", 0, W, 0, 0},
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct range range = range_read(bytes_of_str(rows[i].field), rows[i].size);
        if (range.kind != rows[i].kind || range.first != rows[i].first || range.len != rows[i].len)
            fail_msg("'%s' of %llu: %d, %llu, %llu", rows[i].field,
                     (unsigned long long)rows[i].size, range.kind, (unsigned long long)range.first,
                     (unsigned long long)range.len);
    }
}

static const struct {
    const char *field;
    bool ok;
    uint64_t first, last;
} copies[] = {
    {"bytes=0-0", true, 0, 0},
    {"bytes=5-20", true, 5, 20},
    {"bytes=0-18446744073709551614", true, 0, UINT64_MAX - 1},
    {"bytes=0-18446744073709551615", false, 0, 0},
    {"bytes=6-5", false, 0, 0},
    {"bytes=0-", false, 0, 0},
    {"bytes=-5", false, 0, 0},
    {"bytes=0-1,2-3", false, 0, 0},
    {"0-1", false, 0, 0},
    {"", false, 0, 0},
    {NULL, false, 0, 0},
};

static void test_copies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
        uint64_t first = 77, last = 77;
        bool ok = range_read_copy(bytes_of_str(copies[i].field), &first, &last);
        if (ok != copies[i].ok || first != (ok ? copies[i].first : 77) ||
            last != (ok ? copies[i].last : 77))
            fail_msg("'%s'", copies[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
