/* settings_help.c - the rows of settings as help, wrapped for a terminal:
 *
 *   --http-idle-ms N          Close a connection without a request after this long
 *                             (1 to 600000 ms, default 120000)
 *
 * Threads   one, at start. */
#include "base/settings.h"

#include <inttypes.h>
#include <string.h>

#define INDENT  2
#define TEXT_AT 34 /* the column where sentences begin */
#define COLUMNS 100

/* Where the next character goes. */
struct pen {
    FILE *to;
    size_t column;
};

static void put(struct pen *pen, struct bytes text)
{
    fwrite(text.data, 1, text.len, pen->to);
    pen->column += text.len;
}

static void put_str(struct pen *pen, const char *text)
{
    put(pen, bytes_of_str(text));
}

static void new_line(struct pen *pen)
{
    put_str(pen, "\n");
    pen->column = 0;
}

static void move_to(struct pen *pen, size_t column)
{
    if (pen->column >= column)
        new_line(pen);
    while (pen->column < column)
        put_str(pen, " ");
}

/* Write words in the right-hand column, going on where the last call stopped. */
static void put_words(struct pen *pen, struct bytes text)
{
    struct bytes word;

    while (text.len > 0) {
        bytes_cut(&text, ' ', &word);
        if (pen->column + 1 + word.len > COLUMNS)
            move_to(pen, TEXT_AT);
        else if (pen->column > TEXT_AT)
            put_str(pen, " ");
        put(pen, word);
    }
}

/* What stands for the value in the left-hand column. */
static const char *placeholder(const struct setting *row)
{
    static const char *const names[] = {
        [SETTING_TEXT] = "TEXT", [SETTING_NUMBER] = "N", [SETTING_BYTES] = "BYTES"};
    bool speaks = row->type == SETTING_CHOICE || (row->type == SETTING_TEXT && *row->unit);

    return speaks ? row->unit : names[row->type];
}

static void put_flag(struct pen *pen, const struct setting *row)
{
    move_to(pen, INDENT);
    put_str(pen, "--");
    for (const char *c = row->name; *c; c++)
        put(pen, bytes_of(*c == '.' || *c == '_' ? "-" : c, 1));
    put_str(pen, " ");
    put_str(pen, placeholder(row));
}

/* A number of bytes as one would type it. */
static void format_bytes(uint64_t bytes, char *ret_text, size_t room)
{
    static const char *const suffixes[] = {"", "K", "M", "G", "T"};
    size_t i = 0;

    while (bytes > 0 && bytes % 1024 == 0 && i + 1 < ARRAY_LEN(suffixes)) {
        bytes /= 1024;
        i++;
    }
    snprintf(ret_text, room, "%" PRIu64 "%s", bytes, suffixes[i]);
}

/* What values are allowed; nothing where the placeholder says it all. */
static void format_range(const struct setting *row, char *ret_text, size_t room)
{
    char min[32], max[32];

    *ret_text = '\0';
    if (row->type == SETTING_NUMBER) {
        snprintf(ret_text, room, "%" PRIu64 " to %" PRIu64 "%s%s, ", row->min, row->max,
                 *row->unit ? " " : "", row->unit);
    } else if (row->type == SETTING_BYTES) {
        format_bytes(row->min, min, sizeof(min));
        format_bytes(row->max, max, sizeof(max));
        snprintf(ret_text, room, "%s to %s, ", min, max);
    }
}

static void put_row(struct pen *pen, const struct setting *row)
{
    char range[96], note[256];
    bool has_default = *row->fallback != '\0';

    format_range(row, range, sizeof(range));
    snprintf(note, sizeof(note), "(%s%s%s)", range, has_default ? "default " : "not set by default",
             row->fallback);
    put_flag(pen, row);
    if (pen->column + 2 > TEXT_AT)
        new_line(pen);
    move_to(pen, TEXT_AT);
    put_words(pen, bytes_of_str(row->help));
    put_words(pen, bytes_of_str(note));
    new_line(pen);
}

void settings_print_help(const struct setting *rows, size_t count, FILE *to)
{
    struct pen pen = {.to = to};

    for (size_t i = 0; i < count; i++)
        put_row(&pen, &rows[i]);
}
