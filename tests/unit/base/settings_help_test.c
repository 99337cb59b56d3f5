/* settings_help_test.c - BASE-SETTINGS-5. */
#include "base/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#define LONG_HELP                                                                                  \
    "Close a connection without a request after this long, so that clients that went away "        \
    "do not keep one of the connections that others wait for"

static const struct setting rows[] = {
    {"api", SETTING_TEXT, "127.0.0.1:9000", 0, 32, "ADDR:PORT", "Where to listen"},
    {"api.region", SETTING_TEXT, "", 0, 16, "", "Region"},
    {"http.idle_ms", SETTING_NUMBER, "120000", 1, 600000, "ms", LONG_HELP},
    {"obj.reserve", SETTING_BYTES, "64M", 1500, 1ull << 40, "bytes", "Kept free"},
    {"log.level_of_everything", SETTING_CHOICE, "info", 0, 0, "debug|info|warn", "What to log"},
    {"http.connections", SETTING_NUMBER, "9", 1, 10, "", "Connections"},
};

static const char expected[] =
    "  --api ADDR:PORT                 Where to listen (default 127.0.0.1:9000)\n"
    "  --api-region TEXT               Region (not set by default)\n"
    "  --http-idle-ms N                Close a connection without a request after this long, so "
    "that\n"
    "                                  clients that went away do not keep one of the connections "
    "that\n"
    "                                  others wait for (1 to 600000 ms, default 120000)\n"
    "  --obj-reserve BYTES             Kept free (1500 to 1T, default 64M)\n"
    "  --log-level-of-everything debug|info|warn\n"
    "                                  What to log (default info)\n"
    "  --http-connections N            Connections (1 to 10, default 9)\n";

/* BASE-SETTINGS-5 */
static void prints_every_row(void **state UNUSED)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    settings_print_help(rows, ARRAY_LEN(rows), to);
    fclose(to);
    assert_string_equal(text, expected);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prints_every_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
