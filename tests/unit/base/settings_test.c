/* settings_test.c - BASE-SETTINGS-1 to BASE-SETTINGS-4, BASE-MEMORY-1.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "tests/unit/alloc_fail.h"

static const struct setting rows[] = {
    {"api", SETTING_TEXT, "127.0.0.1:9000", 0, 32, "ADDR:PORT", "Where to listen"},
    {"api.region", SETTING_TEXT, "", 0, 16, "", "Region"},
    {"http.idle_ms", SETTING_NUMBER, "120000", 1, 600000, "ms", "Idle time"},
    {"obj.reserve", SETTING_BYTES, "64M", 1048576, 1ull << 40, "bytes", "Kept free"},
    {"obj.max", SETTING_BYTES, "", 0, UINT64_MAX, "bytes", "Largest"},
    {"log.level", SETTING_CHOICE, "info", 0, 0, "debug|info|warn", "What to log"},
};

static struct arena arena;
static struct settings *settings;
static struct err err;

static int start(void **state UNUSED)
{
    arena_init(&arena, MIB(1));
    return settings_new(rows, ARRAY_LEN(rows), &arena, &settings, &err);
}

static int stop(void **state UNUSED)
{
    arena_done(&arena);
    return 0;
}

static enum err_code set(const char *name, const char *value)
{
    return settings_set(settings, bytes_of_str(name), bytes_of_str(value), &err);
}

static void starts_with_the_defaults(void **state UNUSED)
{
    assert_string_equal(settings_text(settings, "api"), "127.0.0.1:9000");
    assert_string_equal(settings_text(settings, "api.region"), "");
    assert_int_equal(settings_u64(settings, "http.idle_ms"), 120000);
    assert_int_equal(settings_u64(settings, "obj.reserve"), MIB(64));
    assert_int_equal(settings_u64(settings, "obj.max"), 0);
    assert_string_equal(settings_text(settings, "log.level"), "info");
}

/* BASE-SETTINGS-1 */
static void takes_what_its_row_allows(void **state UNUSED)
{
    static const struct {
        const char *name, *value;
        uint64_t number;
    } good[] = {
        {"http.idle_ms", "1", 1},
        {"http.idle_ms", "600000", 600000},
        {"obj.reserve", "1M", 1048576},
        {"obj.reserve", "1024K", 1048576},
        {"obj.reserve", "1048576", 1048576},
        {"obj.reserve", "1T", 1ull << 40},
        {"obj.max", "18446744073709551615", UINT64_MAX},
        {"obj.max", "16777215T", 16777215ull << 40},
        {"obj.max", "3G", 3ull << 30},
        {"obj.max", "", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(set(good[i].name, good[i].value), ERR_OK);
        assert_true(settings_u64(settings, good[i].name) == good[i].number);
        assert_string_equal(settings_text(settings, good[i].name), good[i].value);
    }
    assert_int_equal(set("api.region", "0123456789abcdef"), ERR_OK);
    assert_int_equal(set("api.region", ""), ERR_OK);
    assert_string_equal(settings_text(settings, "api.region"), "");
    assert_int_equal(set("log.level", "warn"), ERR_OK);
}

/* BASE-SETTINGS-1 */
static void refuses_the_rest(void **state UNUSED)
{
    static const char *const bad[][2] = {
        {"http.idle_ms", "0"},
        {"http.idle_ms", "600001"},
        {"http.idle_ms", ""},
        {"http.idle_ms", "-1"},
        {"http.idle_ms", "1s"},
        {"http.idle_ms", "1K"},
        {"http.idle_ms", " 1"},
        {"obj.reserve", "1048575"},
        {"obj.reserve", "1023K"},
        {"obj.reserve", "2T"},
        {"obj.reserve", "1m"},
        {"obj.reserve", "1MB"},
        {"obj.reserve", "M"},
        {"obj.reserve", "1.5M"},
        {"obj.max", "16777216T"},
        {"obj.max", "18446744073709551616"},
        {"obj.max", "99999999999999T"},
        {"log.level", "inf"},
        {"log.level", "debug|info"},
        {"log.level", "INFO"},
        {"log.level", ""},
        {"api.region", "0123456789abcdefg"},
        {"api.region", "a\tb"},
        {"api.region", "a\x7F"},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (set(bad[i][0], bad[i][1]) != ERR_INVALID)
            fail_msg("%s = '%s'", bad[i][0], bad[i][1]);
        assert_non_null(strstr(err.msg, bad[i][0]));
    }
    assert_int_equal(settings_set(settings, BYTES_LIT("api"), BYTES_LIT("a\0b"), &err),
                     ERR_INVALID);
    starts_with_the_defaults(NULL);
}

static void says_what_is_allowed(void **state UNUSED)
{
    set("http.idle_ms", "x");
    assert_string_equal(err.msg, "'http.idle_ms' takes a number from 1 to 600000, in ms");
    set("log.level", "x");
    assert_string_equal(err.msg, "'log.level' takes one of debug|info|warn");
    set("api.region", "01234567890123456");
    assert_string_equal(err.msg, "'api.region' takes at most 16 characters");
}

/* BASE-SETTINGS-2 */
static void names_the_nearest(void **state UNUSED)
{
    static const char *const near[][2] = {{"api.regoin", "api.region"},
                                          {"apiregion", "api.region"},
                                          {"http.idle", "http.idle_ms"},
                                          {"log.levels", "log.level"},
                                          {"ap", "api"}};
    char longest[300];

    for (size_t i = 0; i < ARRAY_LEN(near); i++) {
        char expected[100];
        snprintf(expected, sizeof(expected), "no setting '%s'; did you mean '%s'?", near[i][0],
                 near[i][1]);
        assert_int_equal(set(near[i][0], "x"), ERR_NOT_FOUND);
        assert_string_equal(err.msg, expected);
    }
    assert_int_equal(set("zzzzzz", "x"), ERR_NOT_FOUND);
    assert_string_equal(err.msg, "no setting 'zzzzzz'");
    assert_int_equal(set("", "x"), ERR_NOT_FOUND);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(set(longest, "x"), ERR_NOT_FOUND);
}

static enum err_code read_content(struct bytes content)
{
    char path[] = "/tmp/settings_test-XXXXXX";
    enum err_code code;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(file_write_at(fd, content, 0, &err), ERR_OK);
    close(fd);
    code = settings_read_file(settings, path, &err);
    unlink(path);
    return code;
}

/* BASE-SETTINGS-3 */
static void reads_files(void **state UNUSED)
{
    assert_int_equal(read_content(BYTES_LIT("# first\r\n"
                                            "\n"
                                            "api.region=here\r\n"
                                            "  http.idle_ms \t=  7  # seven\n"
                                            "api = a#b=c\n"
                                            "log.level = debug\n"
                                            "log.level = warn\n"
                                            "   # obj.max = x\n"
                                            "obj.max =# nothing\n"
                                            "obj.max =\n"
                                            "obj.reserve = 2M")),
                     ERR_INVALID); /* "# nothing" touches the '=' and is a value */
    assert_non_null(strstr(err.msg, ":9: 'obj.max' takes bytes"));
    assert_string_equal(settings_text(settings, "api.region"), "here");
    assert_int_equal(settings_u64(settings, "http.idle_ms"), 7);
    assert_string_equal(settings_text(settings, "api"), "a#b=c");
    assert_string_equal(settings_text(settings, "log.level"), "warn");
    assert_int_equal(read_content(bytes_of(NULL, 0)), ERR_OK);
    assert_int_equal(read_content(BYTES_LIT("obj.reserve = 2M")), ERR_OK);
    assert_int_equal(settings_u64(settings, "obj.reserve"), MIB(2));
}

/* BASE-SETTINGS-3 */
static void names_file_and_line(void **state UNUSED)
{
    static uint8_t large[SETTINGS_FILE_MAX + 1];

    assert_int_equal(read_content(BYTES_LIT("\n\nregion\n")), ERR_INVALID);
    assert_non_null(strstr(err.msg, "/tmp/settings_test-"));
    assert_non_null(strstr(err.msg, ":3: expected 'name = value'"));
    assert_int_equal(read_content(BYTES_LIT("api.regio = x\n")), ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, ":1: no setting 'api.regio'; did you mean 'api.region'?"));
    assert_int_equal(read_content(BYTES_LIT("= x\n")), ERR_NOT_FOUND);
    assert_int_equal(read_content(BYTES_LIT("api = a\0b\n")), ERR_INVALID);
    assert_int_equal(settings_read_file(settings, "/tmp/settings_test/no", &err), ERR_NOT_FOUND);
    assert_int_equal(read_content(bytes_of(large, sizeof(large))), ERR_LIMIT);
}

static enum err_code take(char *first, char *second, int *ret_at, bool *ret_taken)
{
    char *argv[] = {(char *)"valise", first, second};

    *ret_at = 1;
    return settings_take_flag(settings, second ? 3 : 2, argv, ret_at, ret_taken, &err);
}

/* BASE-SETTINGS-4 */
static void takes_flags(void **state UNUSED)
{
    char region[] = "--api-region", here[] = "here", joined[] = "--http-idle-ms=5";
    char dash[] = "--api", minus[] = "-", empty[] = "--api-region=";
    bool taken;
    int at;

    assert_int_equal(take(region, here, &at, &taken), ERR_OK);
    assert_true(taken);
    assert_int_equal(at, 3);
    assert_string_equal(settings_text(settings, "api.region"), "here");
    assert_int_equal(take(joined, NULL, &at, &taken), ERR_OK);
    assert_true(taken);
    assert_int_equal(at, 2);
    assert_int_equal(settings_u64(settings, "http.idle_ms"), 5);
    assert_int_equal(take(dash, minus, &at, &taken), ERR_OK);
    assert_string_equal(settings_text(settings, "api"), "-");
    assert_int_equal(take(empty, here, &at, &taken), ERR_OK);
    assert_int_equal(at, 2);
    assert_string_equal(settings_text(settings, "api.region"), "");
}

/* BASE-SETTINGS-4 */
static void leaves_what_is_no_flag_of_a_setting(void **state UNUSED)
{
    static const char *const others[] = {"",       "-",      "--",           "--=x",
                                         "api",    "-api",   "--api.region", "--http-idle_ms",
                                         "--api-", "--apis", "--data",       "---api"};
    bool taken = true;
    int at;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char flag[32], value[] = "x";
        strcpy(flag, others[i]);
        assert_int_equal(take(flag, value, &at, &taken), ERR_OK);
        assert_false(taken);
        assert_int_equal(at, 1);
    }
}

/* BASE-SETTINGS-4 */
static void refuses_bad_flags(void **state UNUSED)
{
    char idle[] = "--http-idle-ms", bad[] = "x";
    bool taken;
    int at;

    assert_int_equal(take(idle, NULL, &at, &taken), ERR_INVALID);
    assert_string_equal(err.msg, "'--http-idle-ms' needs a value");
    assert_int_equal(take(idle, bad, &at, &taken), ERR_INVALID);
    assert_int_equal(settings_u64(settings, "http.idle_ms"), 120000);
}

/* BASE-MEMORY-1 */
static bool start_and_set(void *ctx UNUSED)
{
    static const char *const value = "0123456789abcdef";
    struct settings *own;
    struct arena small;
    enum err_code code;

    arena_init(&small, KIB(16));
    code = settings_new(rows, ARRAY_LEN(rows), &small, &own, &err);
    for (int i = 0; i < 400 && !code; i++)
        code = settings_set(own, BYTES_LIT("api.region"), bytes_of_str(value), &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    arena_done(&small);
    return code == ERR_OK;
}

static void survives_failing_allocations(void **state UNUSED)
{
    assert_true(alloc_fail_sweep(start_and_set, NULL) >= 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_with_the_defaults),
        TEST(takes_what_its_row_allows),
        TEST(refuses_the_rest),
        TEST(says_what_is_allowed),
        TEST(names_the_nearest),
        TEST(reads_files),
        TEST(names_file_and_line),
        TEST(takes_flags),
        TEST(leaves_what_is_no_flag_of_a_setting),
        TEST(refuses_bad_flags),
        TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
