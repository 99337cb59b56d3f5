/* log_test.c - BASE-LOG-1, BASE-LOG-2, BASE-LOG-3. What goes to stderr is caught here.
 *
 * LINK: -Wl,--wrap=write
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

static pthread_mutex_t caught_lock = PTHREAD_MUTEX_INITIALIZER; /* while a thread writes behind */
static char caught[4096];
static size_t caught_len;
static int writes, interruptions;

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fd != STDERR_FILENO)
        return __real_write(fd, data, len);
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    pthread_mutex_lock(&caught_lock);
    assert_true(caught_len + len < sizeof(caught));
    memcpy(caught + caught_len, data, len);
    caught_len += len;
    caught[caught_len] = '\0';
    writes++;
    pthread_mutex_unlock(&caught_lock);
    return (ssize_t)len;
}

static int start(void **state UNUSED)
{
    caught_len = 0;
    caught[0] = '\0';
    writes = 0;
    log_set_level(LOG_INFO);
    return 0;
}

/* What was written behind "t=... ", whose form is checked. */
static const char *line(void)
{
    static const char form[] = "t=dddd-dd-ddTdd:dd:dd.dddZ ";

    assert_true(caught_len > strlen(form));
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == 'd')
            assert_in_range(caught[i], '0', '9');
        else
            assert_int_equal(caught[i], form[i]);
    }
    return caught + strlen(form);
}

static void writes_fields(void **state UNUSED)
{
    struct log_line l;

    log_begin(&l, LOG_INFO, "http");
    log_str(&l, "op", "PutObject");
    log_u64(&l, "ms", 3);
    log_u64(&l, "big", UINT64_MAX);
    log_bytes(&l, "key", BYTES_LIT("a/b"));
    log_end(&l);
    assert_string_equal(line(),
                        "lvl=info mod=http op=PutObject ms=3 big=18446744073709551615 key=a/b\n");
    assert_int_equal(writes, 1);
}

static void drops_lines_below_the_level(void **state UNUSED)
{
    log_message(LOG_DEBUG, "m", "x");
    assert_int_equal(writes, 0);
    log_set_level(LOG_DEBUG);
    log_message(LOG_DEBUG, "m", "x");
    assert_string_equal(line(), "lvl=debug mod=m msg=x\n");
    log_set_level(LOG_ERROR);
    log_message(LOG_WARN, "m", "x");
    assert_int_equal(writes, 1);
}

static void reads_levels(void **state UNUSED)
{
    assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
    assert_int_equal(log_level_parse("error"), LOG_ERROR);
    assert_int_equal(log_level_parse("Info"), -1);
    assert_int_equal(log_level_parse(""), -1);
}

/* BASE-LOG-1 */
static void escapes_what_could_forge(void **state UNUSED)
{
    struct log_line l;

    log_begin(&l, LOG_INFO, "m");
    log_str(&l, "a", "two words");
    log_str(&l, "b", "x\nt=1 lvl=error");
    log_str(&l, "c", "q\"\\");
    log_str(&l, "d", "\xC3\xA9");
    log_str(&l, "e", "");
    log_str(&l, "f", NULL);
    log_str(&l, "g", "k=v");
    log_bytes(&l, "h", BYTES_LIT("\0\x7F\x1B"));
    log_end(&l);
    assert_string_equal(line(), "lvl=info mod=m a=\"two words\" b=\"x\\x0at=1 lvl=error\" "
                                "c=\"q\\\"\\\\\" d=\"\\xc3\\xa9\" e=\"\" f=\"\" g=\"k=v\" "
                                "h=\"\\x00\\x7f\\x1b\"\n");
}

/* BASE-LOG-1: for every byte, one line, printable, its quotes in pairs. */
static void no_byte_breaks_the_line(void **state UNUSED)
{
    for (int c = 0; c < 256; c++) {
        uint8_t value[3] = {'a', (uint8_t)c, 'b'};
        struct log_line l;
        int quotes = 0;

        start(NULL);
        log_begin(&l, LOG_INFO, "m");
        log_bytes(&l, "v", bytes_of(value, 3));
        log_end(&l);
        for (size_t i = 0; i + 1 < caught_len; i++) {
            assert_in_range(caught[i], ' ', '~');
            quotes += caught[i] == '"' && caught[i - 1] != '\\';
        }
        assert_int_equal(caught[caught_len - 1], '\n');
        assert_int_equal(quotes % 2, 0);
    }
}

/* BASE-LOG-2: values around the length at which a line is full, with and
 * without escapes. */
static void cuts_long_lines(void **state UNUSED)
{
    static const char *const units[] = {"x", " ", "\n", "\""};
    char value[2000];

    for (size_t u = 0; u < ARRAY_LEN(units); u++) {
        for (size_t len = 200; len < 1100; len++) {
            struct log_line l;
            start(NULL);
            memset(value, units[u][0], len);
            log_begin(&l, LOG_INFO, "m");
            log_bytes(&l, "v", bytes_of(value, len));
            log_u64(&l, "after", 123);
            log_end(&l);
            assert_int_equal(writes, 1);
            assert_in_range(caught_len, 200, LOG_LINE_MAX);
            assert_non_null(strstr(caught, " v="));
            assert_int_equal(caught[caught_len - 1], '\n');
            assert_true(strstr(caught, " after=123\n") || !strstr(caught, "after"));
            if (strstr(caught, "v=\""))
                assert_int_equal(caught[caught_len - (strstr(caught, "after") ? 12 : 2)], '"');
        }
    }
}

/* BASE-LOG-2 */
static void cuts_between_fields(void **state UNUSED)
{
    for (size_t len = 900; len < 1000; len++) {
        char value[1000];
        struct log_line l;
        start(NULL);
        memset(value, 'x', len);
        log_begin(&l, LOG_INFO, "m");
        log_bytes(&l, "v", bytes_of(value, len));
        log_str(&l, "name", "value");
        log_str(&l, "never", "");
        log_end(&l);
        assert_int_equal(caught[caught_len - 1], '\n');
        if (strstr(caught, " n"))
            assert_true(strstr(caught, " name=value") || strstr(caught, " name=\""));
    }
}

static void goes_on_after_an_interruption(void **state UNUSED)
{
    interruptions = 3;
    log_message(LOG_WARN, "m", "%d of %d", 1, 2);
    assert_string_equal(line(), "lvl=warn mod=m msg=\"1 of 2\"\n");
}

static void writes_errors(void **state UNUSED)
{
    struct err err;

    err_fail(&err, ERR_CORRUPT, "block 7");
    err.at = "f.c:1";
    log_error("obj", "scrub", &err);
    assert_string_equal(line(), "lvl=error mod=obj op=scrub rc=corrupt at=f.c:1 msg=\"block 7\"\n");
    start(NULL);
    err_fail_sys(&err, EIO, "w");
    err.at = "f.c:2";
    log_error("obj", "scrub", &err);
    assert_string_equal(line(), "lvl=error mod=obj op=scrub rc=io at=f.c:2 errno=5 "
                                "msg=\"w: Input/output error\"\n");
}

static bool has_caught(const char *text)
{
    pthread_mutex_lock(&caught_lock);
    bool found = strstr(caught, text) != NULL;
    pthread_mutex_unlock(&caught_lock);
    return found;
}

/* BASE-LOG-3: many lines, few writes; a warning is there when log_end returns. */
static void test_behind(void **state UNUSED)
{
    struct err err;

    assert_int_equal(log_behind_start(&err), ERR_OK);
    for (int i = 0; i < 20; i++)
        log_message(LOG_INFO, "m", "gathered %d", i);
    log_message(LOG_WARN, "m", "now");
    assert_true(writes < 10);
    assert_true(has_caught("\"gathered 19\"\nt="));
    assert_true(has_caught("msg=now\n"));
    log_message(LOG_INFO, "m", "later");
    for (int i = 0; i < 1000 && !has_caught("msg=later\n"); i++)
        usleep(LOG_BEHIND_MS * 100);
    assert_true(has_caught("msg=later\n"));
    log_message(LOG_INFO, "m", "last");
    log_behind_stop();
    assert_true(has_caught("msg=last\n"));
    log_message(LOG_INFO, "m", "after");
    assert_true(has_caught("msg=after\n"));
}

static int stop_behind(void **state UNUSED)
{
    log_behind_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_behind, start, stop_behind),
        cmocka_unit_test_setup(writes_fields, start),
        cmocka_unit_test_setup(drops_lines_below_the_level, start),
        cmocka_unit_test_setup(reads_levels, start),
        cmocka_unit_test_setup(escapes_what_could_forge, start),
        cmocka_unit_test_setup(no_byte_breaks_the_line, start),
        cmocka_unit_test_setup(cuts_long_lines, start),
        cmocka_unit_test_setup(cuts_between_fields, start),
        cmocka_unit_test_setup(goes_on_after_an_interruption, start),
        cmocka_unit_test_setup(writes_errors, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
