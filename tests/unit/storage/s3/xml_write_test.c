/* xml_write_test.c - reply documents: form, escapes, bytes that are not text. */
#include "storage/s3/xml_write.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void test_document(void **state)
{
    static const char wanted[] =
        DECLARATION "<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><A>x</A><B><C>12</C>"
                    "<D>true</D><D>false</D><E a=\"1\"><F>2026-11-24T10:16:19.007Z</F></E></B>"
                    "<G></G><H>18446744073709551615</H></R>";
    struct xml_write xml;
    struct buf to;
    (void)state;
    buf_init(&to, KIB(4));
    xml_write_start(&xml, &to, "R", true);
    xml_write_str(&xml, "A", "x");
    xml_write_open(&xml, "B");
    xml_write_u64(&xml, "C", 12);
    xml_write_bool(&xml, "D", true);
    xml_write_bool(&xml, "D", false);
    xml_write_open_with(&xml, "E", " a=\"1\"");
    xml_write_time(&xml, "F", 1795515379007);
    xml_write_close(&xml);
    xml_write_close(&xml);
    xml_write_text(&xml, "G", bytes_of(NULL, 0));
    xml_write_u64(&xml, "H", UINT64_MAX);
    xml_write_end(&xml);
    assert_true(buf_ok(&to));
    assert_true(bytes_equal_str(buf_bytes(&to), wanted));
    buf_done(&to);
}

static void test_no_namespace(void **state)
{
    struct xml_write xml;
    struct buf to;
    (void)state;
    buf_init(&to, KIB(4));
    xml_write_start(&xml, &to, "Error", false);
    xml_write_open(&xml, "A");
    xml_write_open(&xml, "B");
    xml_write_end(&xml);
    assert_true(bytes_equal_str(buf_bytes(&to), DECLARATION "<Error><A><B></B></A></Error>"));
    buf_done(&to);
}

static const struct {
    struct bytes text;
    const char *xml;
} rows[] = {
    {BYTES_LIT(""), ""},
    {BYTES_LIT("plain"), "plain"},
    {BYTES_LIT("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&apos;&amp;&apos;&lt;/a&gt;"},
    {BYTES_LIT("a\rb\nc\td"), "a&#13;b\nc\td"},
    {BYTES_LIT("]]>"), "]]&gt;"},
    {BYTES_LIT("\x7f ~"), "\x7f ~"},
    {BYTES_LIT("\0\x01\x08\x0b\x0c\x0e\x1f"), "&#x0;&#x1;&#x8;&#xb;&#xc;&#xe;&#x1f;"},
    {BYTES_LIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"},
    {BYTES_LIT("\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf"), "\xef\xbf\xbd&#xFFFE;&#xFFFF;"},
    {BYTES_LIT("\x80"), "\xef\xbf\xbd"},
    {BYTES_LIT("\xc3"), "\xef\xbf\xbd"},
    {BYTES_LIT("\xc3<"), "\xef\xbf\xbd&lt;"},
    {BYTES_LIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {BYTES_LIT("\xf0\x9f\x98"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

static void test_escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xml_write xml;
        struct buf to;
        struct bytes got;
        buf_init(&to, KIB(4));
        xml_write_start(&xml, &to, "R", false);
        buf_clear(&to);
        xml_write_text(&xml, "K", rows[i].text);
        got = bytes_from(buf_bytes(&to), 3);
        got = bytes_first(got, got.len - 4);
        if (!bytes_equal_str(got, rows[i].xml))
            fail_msg("row %zu: %.*s", i, (int)got.len, (const char *)got.data);
        buf_done(&to);
    }
}

/* A full buffer is seen at the end, and nothing is written past it. */
static void test_cap(void **state)
{
    (void)state;
    for (size_t max = 0; max < 90; max++) {
        struct xml_write xml;
        struct buf to;
        buf_init(&to, max);
        xml_write_start(&xml, &to, "R", true);
        xml_write_str(&xml, "A", "<<<");
        xml_write_end(&xml);
        assert_false(buf_ok(&to));
        assert_int_equal(to.failed, ERR_LIMIT);
        buf_done(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_no_namespace),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
