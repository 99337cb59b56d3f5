/* clock_test.c - BASE-CLOCK-1, BASE-CLOCK-2, BASE-CLOCK-3. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"

#define MS_MAX 253402300799999ull

static void the_machine_has_clocks(void **state UNUSED)
{
    const struct clock *clock = clock_system();
    uint64_t before_ns = clock_mono_ns(), before_ms = clock_mono_ms(clock);

    assert_true(clock_unix_ms(clock) > 1700000000000ull);
    assert_true(clock_mono_ms(clock) >= before_ms);
    assert_true(clock_mono_ns() >= before_ns);
    assert_true(before_ms - before_ns / 1000000 <= 1000);
}

static void formats(void **state UNUSED)
{
    static const struct {
        uint64_t unix_ms;
        const char *iso, *http;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {951782399999, "2000-02-28T23:59:59.999Z", "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1795515379007, "2026-11-24T10:16:19.007Z", "Tue, 24 Nov 2026 10:16:19 GMT"},
        {MS_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {UINT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    char text[CLOCK_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        clock_format_iso(rows[i].unix_ms, text);
        assert_string_equal(text, rows[i].iso);
        clock_format_http(rows[i].unix_ms, text);
        assert_string_equal(text, rows[i].http);
    }
}

static uint64_t parse(const char *text)
{
    uint64_t unix_ms = 1;

    if (clock_parse(text, strlen(text), &unix_ms) != 0)
        fail_msg("%s", text);
    return unix_ms;
}

/* BASE-CLOCK-1: each day from 1970 to 9999, against the C library, both ways. */
static void every_day_reads_back_as_written(void **state UNUSED)
{
    for (uint64_t day = 0; day <= MS_MAX / 86400000; day++) {
        uint64_t unix_ms = day * 86400000 + day * 7919 % 86400 * 1000;
        time_t seconds = (time_t)(unix_ms / 1000);
        char text[CLOCK_TEXT_MAX], expected[CLOCK_TEXT_MAX];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        clock_format_http(unix_ms, text);
        assert_string_equal(text, expected);
        assert_true(parse(text) == unix_ms);
        clock_format_iso(unix_ms + 123, text);
        assert_true(parse(text) == unix_ms + 123);
        strftime(expected, sizeof(expected), "%Y%m%dT%H%M%SZ", &tm);
        assert_true(parse(expected) == unix_ms);
    }
}

static void reads_what_clients_send(void **state UNUSED)
{
    const uint64_t second = 1795515379000;

    assert_true(parse("20261124T101619Z") == second);
    assert_true(parse("2026-11-24T10:16:19Z") == second);
    assert_true(parse("2026-11-24T10:16:19.5Z") == second + 500);
    assert_true(parse("2026-11-24T10:16:19.05Z") == second + 50);
    assert_true(parse("2026-11-24T10:16:19.123456789Z") == second + 123);
    assert_true(parse("Tue, 24 Nov 2026 10:16:19 GMT") == second);
    assert_true(parse("Tue, 24 Nov 2026 10:16:19 +0000") == second);
}

/* BASE-CLOCK-2 */
static void refuses_everything_else(void **state UNUSED)
{
    static const char *const texts[] = {
        "",
        "Z",
        "2026-11-24",
        "2026-11-24T10:16:19",
        "2026-11-24T10:16:19+00:00",
        "2026-11-24T10:16:19.Z",
        "2026-11-24T10:16:19.1234567890Z",
        "2026-11-24T10:16:19.1 Z",
        "2026-11-24T10:16:19.-1Z",
        "2026-11-24 10:16:19Z",
        "2026-11-24t10:16:19z",
        " 2026-11-24T10:16:19Z",
        "2026-11-24T10:16:19Z ",
        "2026-13-24T10:16:19Z",
        "2026-00-24T10:16:19Z",
        "2026-11-31T10:16:19Z",
        "2026-11-00T10:16:19Z",
        "2026-02-29T10:16:19Z",
        "2100-02-29T10:16:19Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T10:60:19Z",
        "2026-11-24T10:16:60Z",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "12026-11-24T10:16:19Z",
        "2026-1-24T10:16:19Z",
        "+026-11-24T10:16:19Z",
        "20261124T101619",
        "20261124T101619z",
        "20261124101619Z",
        "2026112xT101619Z",
        "Tue, 24 Nov 2026 10:16:19 UTC",
        "Tue, 24 Nov 2026 10:16:19 +0100",
        "Tue, 24 Nov 2026 10:16:19 -0000",
        "Tue, 24 Nov 2026 10:16:19",
        "Tue 24 Nov 2026 10:16:19 GMT ",
        "Xyz, 24 Nov 2026 10:16:19 GMT",
        "Tue, 24 nov 2026 10:16:19 GMT",
        "Tue, 24 Xov 2026 10:16:19 GMT",
        "Tue,  4 Nov 2026 10:16:19 GMT",
        "Tuesday, 24-Nov-26 10:16:19 GMT",
        "Tue Nov 24 10:16:19 2026",
        "1795515379",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        uint64_t unix_ms = 42;
        if (clock_parse(texts[i], strlen(texts[i]), &unix_ms) != -1 || unix_ms != 42)
            fail_msg("'%s'", texts[i]);
    }
}

/* BASE-CLOCK-2: no byte changed, dropped or added makes it read past the end,
 * and a NUL inside is no end. */
static void refuses_each_changed_byte(void **state UNUSED)
{
    static const char *const texts[] = {"20261124T101619Z", "2026-11-24T10:16:19.123Z",
                                        "Tue, 24 Nov 2026 10:16:19 GMT"};

    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        size_t len = strlen(texts[t]);
        for (size_t i = 0; i < len; i++) {
            char text[CLOCK_TEXT_MAX];
            uint64_t unix_ms;
            memcpy(text, texts[t], len);
            text[i] = '\0';
            assert_int_equal(clock_parse(text, len, &unix_ms), -1);
            assert_int_equal(clock_parse(texts[t], i, &unix_ms), -1);
        }
    }
}

/* BASE-CLOCK-3 */
static void hybrid_stamps_rise(void **state UNUSED)
{
    const uint64_t now = 1795515379000;
    uint64_t stamp = clock_hybrid_next(0, now);

    assert_true(stamp == now << 16);
    assert_true(clock_hybrid_next(stamp, now) == stamp + 1);
    assert_true(clock_hybrid_next(stamp, now - 5000) == stamp + 1);
    assert_true(clock_hybrid_next(stamp, now + 1) == (now + 1) << 16);
    assert_true(clock_hybrid_next(stamp | 0xFFFF, now) == (now + 1) << 16);
    assert_true(clock_hybrid_next(stamp | 0xFFFF, now + 1) == ((now + 1) << 16) + 0);
    assert_true(clock_hybrid_next((now + 1) << 16, now + 1) == ((now + 1) << 16) + 1);
    assert_true(clock_hybrid_next(0, UINT64_MAX) == ((1ull << 48) - 1) << 16);
}

/* BASE-CLOCK-3: over a wall clock that leaps and falls back. */
static void hybrid_stamps_rise_over_any_wall_clock(void **state UNUSED)
{
    uint64_t stamp = 0, wall = 1795515379000, seed = 1;

    for (int i = 0; i < 300000; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        wall += (seed >> 33) % 2001 - 1000;
        uint64_t next = clock_hybrid_next(stamp, wall);
        assert_true(next > stamp);
        assert_true(next >= wall << 16);
        stamp = next;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machine_has_clocks),
        cmocka_unit_test(formats),
        cmocka_unit_test(every_day_reads_back_as_written),
        cmocka_unit_test(reads_what_clients_send),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(refuses_each_changed_byte),
        cmocka_unit_test(hybrid_stamps_rise),
        cmocka_unit_test(hybrid_stamps_rise_over_any_wall_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
