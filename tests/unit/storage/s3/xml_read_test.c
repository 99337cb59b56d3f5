/* xml_read_test.c - request documents: what clients send, hostile documents
 * (within their caps of time and memory), memory that runs out. */
#include "storage/s3/xml_read.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"

#define NS "http://s3.amazonaws.com/doc/2006-03-01/"

static enum err_code read_str(struct arena *arena, const char *document, const char *root,
                              const struct xml_node **ret_root, struct err *err)
{
    *err = (struct err){.code = ERR_OK};
    return xml_read(bytes_of_str(document), root, arena, ret_root, err);
}

/* The tree as text: name(child,child) or name=text. */
static void dump(const struct xml_node *node, struct buf *to)
{
    buf_append(to, node->name);
    if (!node->first) {
        buf_append_u8(to, '=');
        buf_append(to, node->text);
        return;
    }
    buf_append_u8(to, '(');
    for (const struct xml_node *child = node->first; child; child = child->next) {
        dump(child, to);
        buf_append_u8(to, child->next ? ',' : ')');
    }
}

static const struct {
    const char *document, *tree;
} goods[] = {
    {"<R/>", "R="},
    {"<R></R>", "R="},
    {"<R>a</R>", "R=a"},
    {"<R> a\n</R>", "R= a\n"},
    {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R><A>1</A><A>2</A><B/></R>\n", "R(A=1,A=2,B=)"},
    {"<R xmlns=\"" NS "\"><A>1</A></R>", "R(A=1)"},
    {"<s3:R xmlns:s3=\"" NS "\"><s3:A>1</s3:A></s3:R>", "R(A=1)"},
    {"<R>\r\n  <A>\n    <B>x</B>\n  </A>\n</R>", "R(A(B=x))"},
    {"<R><A>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</A></R>", "R(A=<>&\"'A\xf0\x9f\x98\x80)"},
    {"<R><A>a<![CDATA[<b>&amp;]]>c</A></R>", "R(A=a<b>&amp;c)"},
    {"<R><A>a<!-- no -->b<?pi?>c</A></R>", "R(A=abc)"},
    {"<R a=\"1\" b='2'><A xsi:type=\"T\">x</A></R>", "R(A=x)"},
    {"\xef\xbb\xbf<R>\xc3\xa9</R>", "R=\xc3\xa9"},
    {"<R><a><b><c><d><e><f><g>8</g></f></e></d></c></b></a></R>", "R(a(b(c(d(e(f(g=8)))))))"},
    {"<R>\r\n</R>", "R=\n"},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
        struct arena arena;
        struct buf text;
        struct err err;
        const struct xml_node *root;
        arena_init(&arena, HTTP_ARENA_MAX);
        buf_init(&text, KIB(64));
        if (read_str(&arena, goods[i].document, "R", &root, &err))
            fail_msg("'%s': %s", goods[i].document, err.msg);
        dump(root, &text);
        if (!bytes_equal_str(buf_bytes(&text), goods[i].tree))
            fail_msg("'%s': %.*s", goods[i].document, (int)text.len, (char *)text.data);
        buf_done(&text);
        arena_done(&arena);
    }
}

static const char *const bads[] = {
    "",
    " ",
    "x",
    "<R>",
    "<R></S>",
    "<R/><R/>",
    "<R/>x",
    "<S/>",
    "<r/>",
    "<R>&nbsp;</R>",
    "<R>&#0;</R>",
    "<R>&#1;</R>",
    "<R>\x01</R>",
    "<R>\xff</R>",
    "<R>\xc0\x80</R>",
    "<R>\xed\xa0\x80</R>",
    "<R a=1/>",
    "<R a='1' a='2'/>",
    "<R>x<A/></R>",
    "<R><A/>x</R>",
    "<!DOCTYPE R><R/>",
    "<!DOCTYPE R SYSTEM \"file:///etc/passwd\"><R/>",
    "<!DOCTYPE R [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><R>&x;</R>",
    "<!DOCTYPE R [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><R>&b;</R>",
    "<!DOCTYPE R PUBLIC \"-//X\" \"http://127.0.0.1:1/\"><R/>",
    "<R><a><b><c><d><e><f><g><h>9</h></g></f></e></d></c></b></a></R>",
    "<?xml version=\"1.0\" encoding=\"UTF-16\"?><R>\xe9</R>",
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
        struct arena arena;
        struct err err;
        const struct xml_node *root = NULL;
        arena_init(&arena, HTTP_ARENA_MAX);
        if (read_str(&arena, bads[i], "R", &root, &err) == ERR_OK)
            fail_msg("accepted '%s'", bads[i]);
        if (err.reason != S3_MALFORMED_XML)
            fail_msg("'%s': %d %s", bads[i], err.reason, err.msg);
        assert_null(root);
        arena_done(&arena);
    }
}

/* Expat would read these, and the text would outgrow the document. */
static void test_utf16_is_refused(void **state)
{
    static const struct bytes documents[] = {
        BYTES_LIT("\xff\xfe<\0R\0>\0\x00N\x00N\x00N<\0/\0R\0>\0"),
        BYTES_LIT("\xfe\xff\0<\0R\0/\0>"),
        BYTES_LIT("<\0R\0>\0\x00N\x00N\x00N<\0/\0R\0>\0"),
        BYTES_LIT("\0<\0R\0>N\x00N\x00N\x00\0<\0/\0R\0>"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct arena arena;
        struct err err = {0};
        const struct xml_node *root;
        arena_init(&arena, HTTP_ARENA_MAX);
        assert_int_equal(xml_read(documents[i], "R", &arena, &root, &err), ERR_INVALID);
        assert_int_equal(err.reason, S3_MALFORMED_XML);
        arena_done(&arena);
    }
}

static void test_access(void **state)
{
    struct arena arena;
    struct err err;
    const struct xml_node *root, *part;
    uint64_t number = 7;
    size_t count = 0;
    (void)state;
    arena_init(&arena, HTTP_ARENA_MAX);
    assert_int_equal(read_str(&arena,
                              "<R><P><N> 1 </N></P><Q/><P><N>x</N></P><P/><N>18446744073709551615"
                              "</N></R>",
                              "R", &root, &err),
                     ERR_OK);
    for (part = xml_read_child(root, "P"); part; part = xml_read_next(part))
        count++;
    assert_int_equal(count, 3);
    part = xml_read_child(root, "P");
    assert_true(xml_read_u64(part, "N", 10000, &number));
    assert_int_equal(number, 1);
    assert_false(xml_read_u64(part, "N", 0, &number));
    assert_false(xml_read_u64(xml_read_next(part), "N", 10000, &number));
    assert_true(xml_read_u64(root, "N", UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    assert_null(xml_read_child(root, "Z"));
    assert_null(xml_read_child(NULL, "Z"));
    assert_null(xml_read_text(root, "Z").data);
    assert_non_null(xml_read_text(root, "Q").data);
    assert_int_equal(xml_read_text(root, "Q").len, 0);
    assert_false(xml_read_u64(NULL, "Z", 10, &number));
    arena_done(&arena);
}

struct measured {
    enum err_code code;
    int reason;
    uint64_t ms;
    size_t used; /* bytes of arena */
};

/* Read `begin`, `middle` as often as it fits into `max` bytes or `count` times, `end`. */
static struct measured read_repeated(const char *begin, const char *middle, const char *end,
                                     size_t count, size_t max)
{
    struct measured measured;
    struct arena arena;
    struct buf document;
    struct err err = {0};
    const struct xml_node *root;
    uint64_t start;
    arena_init(&arena, MIB(64));
    buf_init(&document, MIB(8));
    buf_append_str(&document, begin);
    for (size_t i = 0; i < count && document.len + strlen(middle) + strlen(end) <= max; i++)
        buf_append_str(&document, middle);
    buf_append_str(&document, end);
    start = clock_mono_ms(clock_system());
    measured.code = xml_read(buf_bytes(&document), "R", &arena, &root, &err);
    measured.ms = clock_mono_ms(clock_system()) - start;
    measured.reason = err.reason;
    measured.used = arena.used;
    buf_done(&document);
    arena_done(&arena);
    return measured;
}

/* Times are generous here: sanitizers and loaded machines. */
#define QUICK_MS 400

static void test_complete_of_10000_parts(void **state)
{
    struct measured m = read_repeated(
        "<R xmlns=\"" NS "\">",
        "<Part><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><PartNumber>10000"
        "</PartNumber><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>",
        "</R>", S3_PARTS_MAX, S3_XML_MAX);
    (void)state;
    print_message("10,000 parts: %u ms, %zu KiB\n", (unsigned)m.ms, m.used / 1024);
    assert_int_equal(m.code, ERR_OK);
    assert_true(m.ms < QUICK_MS);
    assert_true(m.used < MIB(8));
}

static void test_hostile_sizes(void **state)
{
    static const struct {
        const char *begin, *middle, *end;
        enum err_code code;
    } rows[] = {
        {"<R>", "<a>", "</R>", ERR_INVALID},  /* deep */
        {"<R>", "<a/>", "</R>", ERR_INVALID}, /* many */
        {"<R>", "x", "</R>", ERR_OK},         /* long text */
        {"<R>", "&lt;", "</R>", ERR_OK},      /* many references */
        {"<R a='", "x", "'/>", ERR_OK},       /* a long attribute */
        {"<R><a", "a", "/></R>", ERR_OK},     /* a long name */
        {"<R>", "<!---->", "</R>", ERR_OK},   /* comments */
        {"<R><!--", "x", "--></R>", ERR_OK},  /* a long comment */
        {"<R>", "<a></a>", "", ERR_INVALID},  /* not closed */
        {"<!DOCTYPE R [", "<!ENTITY a 'b'>", "]><R/>", ERR_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct measured m =
            read_repeated(rows[i].begin, rows[i].middle, rows[i].end, SIZE_MAX, S3_XML_MAX);
        if (m.code != rows[i].code || m.ms >= QUICK_MS || m.used >= MIB(8))
            fail_msg("'%s': code %d, %u ms, %zu bytes", rows[i].middle, m.code, (unsigned)m.ms,
                     m.used);
    }
}

static void test_too_long(void **state)
{
    struct measured m = read_repeated("<R>", "x", "</R>", S3_XML_MAX, S3_XML_MAX + 1);
    (void)state;
    assert_int_equal(m.reason, S3_MAX_MESSAGE_LENGTH);
    assert_int_equal(m.used, 0);
}

static void test_out_of_memory(void **state)
{
    static const char *const documents[] = {"<R/>", "<R><A>text</A><B><C>more</C><D/></B></R>"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        enum err_code code;
        size_t max = 0;
        do {
            struct arena arena;
            struct err err;
            const struct xml_node *root;
            arena_init(&arena, max++);
            code = read_str(&arena, documents[i], "R", &root, &err);
            assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
            arena_done(&arena);
        } while (code != ERR_OK);
        assert_true(max > strlen(documents[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_utf16_is_refused),
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_complete_of_10000_parts),
        cmocka_unit_test(test_hostile_sizes),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
