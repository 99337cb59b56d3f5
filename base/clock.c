/* clock.c - the machine's clocks, the hybrid stamp, dates as text.
 *
 * Not here  the C library's calendar: gmtime_r takes a lock that all threads
 *           share, strptime and strftime ask the locale.
 * Threads   any.
 * Source    RFC 9110 section 5.6.7 (HTTP date), ISO 8601, proleptic Gregorian calendar. */
#include "base/clock.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"

#define DAY_MS          86400000ull
#define MS_MAX          253402300799999ull /* 9999-12-31T23:59:59.999Z */
#define DAYS_400_YEARS  146097u
#define HYBRID_MS_MAX   ((1ull << 48) - 1)
#define HYBRID_MS_SHIFT 16

static const char weekdays[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static uint64_t read_ms(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t system_mono_ms(void *ctx UNUSED)
{
    return read_ms(CLOCK_MONOTONIC);
}

static uint64_t system_unix_ms(void *ctx UNUSED)
{
    return read_ms(CLOCK_REALTIME);
}

const struct clock *clock_system(void)
{
    static const struct clock machine = {.mono_ms = system_mono_ms, .unix_ms = system_unix_ms};

    return &machine;
}

uint64_t clock_mono_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_hybrid_next(uint64_t last, uint64_t now_unix_ms)
{
    uint64_t wall_ms = now_unix_ms < HYBRID_MS_MAX ? now_unix_ms : HYBRID_MS_MAX;
    uint64_t wall = wall_ms << HYBRID_MS_SHIFT;

    return wall > last ? wall : last + 1;
}

/* A moment taken apart. In a pattern the digit '0' + part stands for each of
 * its decimal places, and every other character for itself. */
enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MILLI, PARTS };

#define PATTERN_ISO   "0000-11-22T33:44:55"
#define PATTERN_BASIC "00001122T334455Z"
#define PATTERN_HTTP  "___, 22 ___ 0000 33:44:55 GMT"
#define PATTERN_ZONE  "___, 22 ___ 0000 33:44:55 +"
#define WEEKDAY_AT    0 /* where the names stand in the HTTP patterns */
#define MONTH_AT      8
#define NAME_LEN      3

/* Days before the first day of a year, 1..10000. */
static unsigned days_before_year(unsigned year)
{
    unsigned past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400;
}

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (unsigned)(month == 2 && is_leap(year));
}

static unsigned days_since_1970(const unsigned part[PARTS])
{
    unsigned days = days_before_year(part[YEAR]) - days_before_year(1970) + part[DAY] - 1;

    for (unsigned month = 1; month < part[MONTH]; month++)
        days += month_days(part[YEAR], month);
    return days;
}

/* Turn days since 1970 into year, month and day. */
static void split_days(unsigned days, unsigned part[PARTS])
{
    unsigned past = days + days_before_year(1970);
    unsigned year = (unsigned)((uint64_t)past * 400 / DAYS_400_YEARS); /* never too late */

    while (days_before_year(year + 1) <= past)
        year++;
    past -= days_before_year(year);
    part[YEAR] = year;
    part[MONTH] = 1;
    while (past >= month_days(year, part[MONTH]))
        past -= month_days(year, part[MONTH]++);
    part[DAY] = past + 1;
}

static void split(uint64_t unix_ms, unsigned part[PARTS])
{
    unsigned second = (unsigned)(unix_ms % DAY_MS / 1000);

    split_days((unsigned)(unix_ms / DAY_MS), part);
    part[HOUR] = second / 3600;
    part[MINUTE] = second / 60 % 60;
    part[SECOND] = second % 60;
    part[MILLI] = (unsigned)(unix_ms % 1000);
}

static bool is_part(char c)
{
    return c >= '0' && c < '0' + PARTS;
}

/* Write `pattern` with its places filled in; uses `part` up. */
static void fill_in(const char *pattern, unsigned part[PARTS], char *ret_text)
{
    size_t len = strlen(pattern);

    ret_text[len] = '\0';
    while (len-- > 0) {
        char c = pattern[len];
        ret_text[len] = c;
        if (is_part(c)) {
            ret_text[len] = (char)('0' + part[c - '0'] % 10);
            part[c - '0'] /= 10;
        }
    }
}

void clock_format_iso(uint64_t unix_ms, char ret_text[CLOCK_TEXT_MAX])
{
    unsigned part[PARTS];

    split(unix_ms < MS_MAX ? unix_ms : MS_MAX, part);
    fill_in(PATTERN_ISO ".666Z", part, ret_text);
}

void clock_format_http(uint64_t unix_ms, char ret_text[CLOCK_TEXT_MAX])
{
    uint64_t shown_ms = unix_ms < MS_MAX ? unix_ms : MS_MAX;
    unsigned part[PARTS];
    unsigned month;

    split(shown_ms, part);
    month = part[MONTH];
    fill_in(PATTERN_HTTP, part, ret_text);
    memcpy(ret_text + WEEKDAY_AT, weekdays[shown_ms / DAY_MS % 7], NAME_LEN);
    memcpy(ret_text + MONTH_AT, months[month - 1], NAME_LEN);
}

/* Compare `text` with `pattern`, collecting the digits; '_' takes anything. */
static bool match(const char *pattern, const char *text, unsigned part[PARTS])
{
    for (; *pattern; pattern++, text++) {
        if (is_part(*pattern)) {
            if (*text < '0' || *text > '9')
                return false;
            unsigned *value = &part[*pattern - '0'];
            *value = *value * 10 + (unsigned)(*text - '0');
        } else if (*pattern != '_' && *pattern != *text) {
            return false;
        }
    }
    return true;
}

/* The index of the name at `text` among `count`, or -1. */
static int find_name(const char *text, const char (*names)[4], int count)
{
    for (int i = 0; i < count; i++) {
        if (memcmp(text, names[i], NAME_LEN) == 0)
            return i;
    }
    return -1;
}

/* Read "Z" or ".", 1 to 9 digits and "Z"; digits past the third do not count. */
static bool read_fraction(const char *text, size_t len, unsigned part[PARTS])
{
    unsigned weight = 100;

    if (len == 1)
        return text[0] == 'Z';
    if (len < 3 || len > 11 || text[0] != '.' || text[len - 1] != 'Z')
        return false;
    for (size_t i = 1; i < len - 1; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        part[MILLI] += (unsigned)(text[i] - '0') * weight;
        weight /= 10;
    }
    return true;
}

static bool read_iso(const char *text, size_t len, unsigned part[PARTS])
{
    size_t fixed = strlen(PATTERN_ISO);

    return len > fixed && match(PATTERN_ISO, text, part) &&
           read_fraction(text + fixed, len - fixed, part);
}

static bool read_basic(const char *text, size_t len, unsigned part[PARTS])
{
    return len == strlen(PATTERN_BASIC) && match(PATTERN_BASIC, text, part);
}

static bool read_http(const char *text, size_t len, unsigned part[PARTS])
{
    int month;

    if (len == strlen(PATTERN_HTTP)) {
        if (!match(PATTERN_HTTP, text, part))
            return false;
    } else if (len != strlen(PATTERN_ZONE) + 4 || !match(PATTERN_ZONE, text, part) ||
               memcmp(text + len - 4, "0000", 4) != 0) {
        return false;
    }
    month = find_name(text + MONTH_AT, months, (int)ARRAY_LEN(months));
    part[MONTH] = (unsigned)(month + 1);
    return month >= 0 && find_name(text + WEEKDAY_AT, weekdays, (int)ARRAY_LEN(weekdays)) >= 0;
}

static bool is_moment(const unsigned part[PARTS])
{
    return part[YEAR] >= 1970 && part[MONTH] >= 1 && part[MONTH] <= 12 && part[DAY] >= 1 &&
           part[DAY] <= month_days(part[YEAR], part[MONTH]) && part[HOUR] < 24 &&
           part[MINUTE] < 60 && part[SECOND] < 60;
}

int clock_parse(const char *text, size_t len, uint64_t *ret_unix_ms)
{
    static bool (*const readers[])(const char *, size_t, unsigned[PARTS]) = {read_basic, read_iso,
                                                                             read_http};

    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        unsigned part[PARTS] = {0};
        if (!readers[i](text, len, part))
            continue;
        if (!is_moment(part))
            return -1;
        *ret_unix_ms = days_since_1970(part) * DAY_MS + part[HOUR] * 3600000ull +
                       part[MINUTE] * 60000ull + part[SECOND] * 1000ull + part[MILLI];
        return 0;
    }
    return -1;
}
