/* layout_test.c - heads as a lenient parser cuts them, in place, and what their
 * layout tells.
 * Planted bugs it caught: an end that may be nearer than the pieces; blanks
 * that were not looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include "base/attr.h"
#include "base/http/layout.h"

#define PIECES 8

/* What a parser shows of a head. */
struct parsed {
    char *method, *target, *version;
    struct bytes names[PIECES], values[PIECES];
    size_t count, head_len;
};

/* The next line of `*at`: cut at its LF, and at a CR before that. */
static char *next_line(char **at)
{
    char *line = *at;
    char *lf = rawmemchr(line, '\n');
    if (lf > line && lf[-1] == '\r')
        lf[-1] = 0;
    *lf = 0;
    *at = lf + 1;
    return line;
}

static char *cut(char *text, char at)
{
    char *found = strchr(text, at);
    assert_non_null(found);
    *found = 0;
    return found + 1;
}

/* As leniently as libmicrohttpd 0.9.75: a line without a first byte ends the head,
 * and one whose first byte is a colon becomes such a line. */
static struct parsed parse(char *head)
{
    char *at = head;
    struct parsed parsed = {.method = next_line(&at)};
    parsed.target = cut(parsed.method, ' ');
    while (*parsed.target == ' ')
        parsed.target++;
    char *space = memrchr(parsed.target, ' ', (size_t)(at - parsed.target));
    assert_non_null(space);
    *space = 0;
    parsed.version = space + 1;
    for (char *line = next_line(&at); *line; line = next_line(&at)) {
        char *value = cut(line, ':');
        value += strspn(value, " \t");
        if (!*line)
            break;
        parsed.names[parsed.count] = bytes_of_str(line);
        parsed.values[parsed.count++] = bytes_of_str(value);
    }
    parsed.head_len = (size_t)(at - head);
    return parsed;
}

static bool is_whole(const struct parsed *parsed)
{
    struct layout layout;
    layout_open(&layout, parsed->target);
    layout_begin(&layout, parsed->method, parsed->version, parsed->head_len);
    for (size_t i = 0; i < parsed->count; i++)
        layout_add(&layout, parsed->names[i], parsed->values[i]);
    return layout_is_whole(&layout);
}

static bool is_whole_head(const char *text, size_t len)
{
    char head[512];
    assert_true(len < sizeof(head));
    memcpy(head, text, len);
    head[len] = 0;
    struct parsed parsed = parse(head);
    return is_whole(&parsed);
}

static void heads_by_the_book(void **state)
{
    (void)state;
    static const char *const HEADS[] = {
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:a\r\nX-B: \t c d \t\r\nX-E:\r\nX-F:  \r\n\r\n",
        "PUT /x?a:b HTTP/1.0\r\nHost: [::1]:9\r\nContent-Length: 3\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(HEADS); i++)
        if (!is_whole_head(HEADS[i], strlen(HEADS[i])))
            fail_msg("%s", HEADS[i]);
}

/* HTTP-HEAD-1 ACC-7 */
static void heads_that_hide_something(void **state)
{
    (void)state;
#define START "GET /x HTTP/1.1\r\n"
#define END   "Host: a\r\n\r\n"
    static const struct bytes HEADS[] = {
        BYTES_LIT("GET  /x HTTP/1.1\r\n" END),    BYTES_LIT("GET /x\0y HTTP/1.1\r\n" END),
        BYTES_LIT("GET /x HTTP/1.1\n" END),       BYTES_LIT(START "X-A: b\n" END),
        BYTES_LIT(START "X-A: b\0\r\n" END),      BYTES_LIT(START "X-A: b\0c\r\n" END),
        BYTES_LIT(START "X-A:\0\r\n" END),        BYTES_LIT(START "X-A:\n" END),
        BYTES_LIT(START "X-A: b\r\n: c\r\n" END), BYTES_LIT(START "X-A: b\r\n:\r\n" END),
        BYTES_LIT(START "X-A: b\r\n\0\r\n" END),  BYTES_LIT(START "X-A: b\r\n\0c: d\r\n" END),
        BYTES_LIT(START ": c\r\n" END),           BYTES_LIT(START "Host: a\r\n\n"),
        BYTES_LIT(START "Host: a\n\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(HEADS); i++)
        if (is_whole_head((const char *)HEADS[i].data, HEADS[i].len))
            fail_msg("head %zu", i);
}

/* A parser that keeps its pieces elsewhere, or counts otherwise, is not believed. */
static void pieces_that_were_moved(void **state)
{
    (void)state;
    char head[] = "GET /x HTTP/1.1\r\nX-A: b\r\nX-C: d\r\n\r\n";
    const struct parsed parsed = parse(head);
    assert_true(is_whole(&parsed));
    struct parsed moved = parsed;
    char method[] = "GET", version[] = "HTTP/1.1", name[] = "X-A", value[] = "b";
    moved.method = method;
    assert_false(is_whole(&moved));
    moved = parsed;
    moved.version = version;
    assert_false(is_whole(&moved));
    moved = parsed;
    moved.names[0] = bytes_of_str(name);
    assert_false(is_whole(&moved));
    moved = parsed;
    moved.values[0] = bytes_of_str(value);
    assert_false(is_whole(&moved));
    moved = parsed;
    moved.values[0] = bytes_of(NULL, 0);
    assert_false(is_whole(&moved));
    moved = parsed;
    moved.values[1] = moved.values[0];
    assert_false(is_whole(&moved));
    for (size_t len = 0; len < 2 * parsed.head_len; len++) {
        moved = parsed;
        moved.head_len = len;
        assert_int_equal(is_whole(&moved), len == parsed.head_len);
    }
}

/* What stands between a name and its value may be blanks alone. */
static void bytes_between(void **state)
{
    (void)state;
    char head[] = "GET /x HTTP/1.1\r\nX-A:  b\r\n\r\n";
    struct parsed parsed = parse(head);
    assert_true(is_whole(&parsed));
    ((char *)(uintptr_t)parsed.values[0].data)[-1] = '!';
    assert_false(is_whole(&parsed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_by_the_book),
        cmocka_unit_test(heads_that_hide_something),
        cmocka_unit_test(pieces_that_were_moved),
        cmocka_unit_test(bytes_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
