/* escape_test.c - BASE-ESCAPE-1, BASE-ESCAPE-2.
 *
 * Planted bugs that it caught: a backslash let through into a word; U+009B, which
 * terminals take for an escape and a bracket, let through. */
#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/attr.h"

static const enum escape_style styles[] = {ESCAPE_TO_WORD, ESCAPE_TO_LINE, ESCAPE_CONTROLS};

/* All of the text, escaped. It lies in memory of its own, for sanitizers to guard. */
static struct bytes show(struct bytes text, enum escape_style style)
{
    static uint8_t shown[256];
    char room[ESCAPE_ROOM];
    uint8_t *copy = malloc(text.len);
    size_t len = 0;
    assert_true(copy || text.len == 0);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    for (struct bytes rest = bytes_of(copy, text.len); rest.len > 0;) {
        const size_t before = rest.len;
        struct bytes piece = escape_next(&rest, style, room);
        assert_true(rest.len < before && piece.len > 0 && piece.len <= 4 * (before - rest.len));
        assert_true(len + piece.len <= sizeof(shown));
        memcpy(shown + len, piece.data, piece.len);
        len += piece.len;
    }
    free(copy);
    return bytes_of(shown, len);
}

static void assert_shown(struct bytes text, enum escape_style style, const char *expected)
{
    struct bytes shown = show(text, style);
    if (!bytes_equal_str(shown, expected))
        fail_msg("'%" BYTES_FMT "' is not '%s'", BYTES_ARG(shown), expected);
}

static void shows_what_the_style_lets_through(void **state UNUSED)
{
    const struct bytes text = BYTES_LIT("a b\\c\td\0\x7f\xc3\xa9\xc2\x9b\xc2\xa0\xff");
    assert_shown(text, ESCAPE_TO_WORD,
                 "a\\x20b\\\\c\\x09d\\x00\\x7f\\xc3\\xa9\\xc2\\x9b\\xc2\\xa0\\xff");
    assert_shown(text, ESCAPE_TO_LINE,
                 "a b\\\\c\\x09d\\x00\\x7f\\xc3\\xa9\\xc2\\x9b\\xc2\\xa0\\xff");
    assert_shown(text, ESCAPE_CONTROLS, "a b\\c\\x09d\\x00\\x7f\xc3\xa9\\xc2\\x9b\xc2\xa0\\xff");
    for (size_t i = 0; i < ARRAY_LEN(styles); i++)
        assert_shown(BYTES_LIT(""), styles[i], "");
}

/* Characters of every length, and what only looks like one. */
static void knows_characters(void **state UNUSED)
{
    assert_shown(BYTES_LIT("\xe2\x82\xac\xf0\x9f\x93\xa6!"), ESCAPE_CONTROLS,
                 "\xe2\x82\xac\xf0\x9f\x93\xa6!");
    assert_shown(BYTES_LIT("\xc3"), ESCAPE_CONTROLS, "\\xc3");
    assert_shown(BYTES_LIT("\xe2\x82"), ESCAPE_CONTROLS, "\\xe2\\x82");
    assert_shown(BYTES_LIT("\xe2\x82x"), ESCAPE_CONTROLS, "\\xe2\\x82x");
    assert_shown(BYTES_LIT("\xc0\x9b\xed\xa0\x80"), ESCAPE_CONTROLS, "\\xc0\\x9b\\xed\\xa0\\x80");
    assert_shown(BYTES_LIT("\x9b[2J"), ESCAPE_CONTROLS, "\\x9b[2J");
    assert_shown(BYTES_LIT("\xc2\x80\xc2\x9f"), ESCAPE_CONTROLS, "\\xc2\\x80\\xc2\\x9f");
    assert_shown(BYTES_LIT("\xc2"), ESCAPE_CONTROLS, "\\xc2");
}

/* Whether a terminal would take a part of it for a command: U+0080 to U+009F too. */
static bool has_control(struct bytes shown)
{
    for (size_t i = 0; i < shown.len; i++)
        if (shown.data[i] < ' ' || shown.data[i] == 0x7f ||
            (shown.data[i] == 0xc2 && shown.data[i + 1] < 0xa0))
            return true;
    return !bytes_is_utf8(shown);
}

/* BASE-ESCAPE-1: any two bytes, before and after plain ones. */
static void lets_no_control_through(void **state UNUSED)
{
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const uint8_t text[] = {'a', (uint8_t)(pair >> 8), (uint8_t)pair, 'b'};
        for (size_t i = 0; i < ARRAY_LEN(styles); i++)
            if (has_control(show(bytes_of(text, sizeof(text)), styles[i])))
                fail_msg("%04x in style %zu", pair, i);
    }
}

/* The text that is shown so, in place. */
static struct bytes read_back(struct bytes shown)
{
    uint8_t *to = (uint8_t *)(uintptr_t)shown.data, *begin = to;
    while (shown.len > 0) {
        size_t len = 1;
        if (shown.data[0] == '\\')
            len = shown.len > 1 && shown.data[1] == '\\' ? 2 : 4;
        assert_true(len <= shown.len);
        char digits[] = {(char)shown.data[len > 2 ? 2 : 0], (char)shown.data[len > 2 ? 3 : 0], 0};
        *to++ = len > 2 ? (uint8_t)strtoul(digits, NULL, 16) : shown.data[0];
        shown = bytes_from(shown, len);
    }
    return bytes_of(begin, (size_t)(to - begin));
}

/* BASE-ESCAPE-2 */
static void words_and_lines_read_back(void **state UNUSED)
{
    static const char tails[] = "\\x41\\";
    uint8_t text[2 + sizeof(tails)];
    memcpy(text + 2, tails, sizeof(tails));
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        text[0] = (uint8_t)(pair >> 8);
        text[1] = (uint8_t)pair;
        for (size_t i = 0; i < 2; i++) {
            struct bytes back = read_back(show(bytes_of(text, sizeof(text)), styles[i]));
            assert_true(bytes_equal(back, bytes_of(text, sizeof(text))));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_the_style_lets_through),
        cmocka_unit_test(knows_characters),
        cmocka_unit_test(lets_no_control_through),
        cmocka_unit_test(words_and_lines_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
