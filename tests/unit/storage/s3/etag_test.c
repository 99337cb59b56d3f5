/* etag_test.c - entity tags, there and back. */
#include "storage/s3/etag.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff"

static const uint8_t etag[RECORD_ETAG_LEN] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                              0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static void test_text(void **state)
{
    static const struct {
        uint32_t parts;
        const char *text;
    } rows[] = {{0, "\"" HEX "\""},
                {1, "\"" HEX "-1\""},
                {10000, "\"" HEX "-10000\""},
                {UINT32_MAX, "\"" HEX "-4294967295\""}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[ETAG_TEXT_MAX];
        uint8_t back[RECORD_ETAG_LEN];
        uint32_t parts;
        etag_text(etag, rows[i].parts, text);
        assert_string_equal(text, rows[i].text);
        assert_true(etag_parse(bytes_of_str(text), back, &parts));
        assert_memory_equal(back, etag, sizeof(etag));
        assert_int_equal(parts, rows[i].parts);
    }
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t parts;
    } rows[] = {
        {HEX, true, 0},
        {" \"" HEX "\" ", true, 0},
        {"00112233445566778899AABBCCDDEEFF", true, 0},
        {HEX "-3", true, 3},
        {"", false, 0},
        {"\"", false, 0},
        {"\"\"", false, 0},
        {"\"" HEX, false, 0},
        {HEX "\"", false, 0},
        {HEX "0", false, 0},
        {HEX "00", false, 0},
        {HEX "-", false, 0},
        {HEX "-0", false, 0},
        {HEX "-x", false, 0},
        {HEX "--1", false, 0},
        {HEX "-1-1", false, 0},
        {HEX "-4294967296", false, 0},
        {"g0112233445566778899aabbccddeeff", false, 0},
        {"W/\"" HEX "\"", false, 0},
        {"*", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t back[RECORD_ETAG_LEN];
        uint32_t parts = 0;
        if (etag_parse(bytes_of_str(rows[i].text), back, &parts) != rows[i].ok ||
            parts != rows[i].parts)
            fail_msg("'%s'", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
