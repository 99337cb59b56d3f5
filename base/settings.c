/* settings.c - one table of settings: reading files and flags, checking values.
 *
 * Owns      the values, in the caller's arena.
 * Not here  the rows, and the help text (settings_help.c).
 * Threads   one, at start; reading what was set, any. */
#include "base/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"

#define NAME_MAX_LEN 64 /* bytes of a setting's name; longer ones are not compared for nearness */

struct setting_value {
    const char *text; /* as typed; "" = not set */
    uint64_t number;  /* SETTING_NUMBER, SETTING_BYTES; 0 = not set */
};

struct settings {
    const struct setting *rows;
    size_t count;
    struct arena *arena;
    struct setting_value *values; /* one a row */
};

static enum err_code check_text(const struct setting *row, struct bytes text,
                                uint64_t *ret_number UNUSED, struct err *err)
{
    if (text.len > row->max)
        return err_fail(err, ERR_INVALID, "'%s' takes at most %" PRIu64 " characters", row->name,
                        row->max);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7F)
            return err_fail(err, ERR_INVALID, "'%s' takes no control characters", row->name);
    }
    return ERR_OK;
}

static enum err_code check_number(const struct setting *row, struct bytes text,
                                  uint64_t *ret_number, struct err *err)
{
    uint64_t number;

    if (bytes_to_u64(text, row->max, &number) && number >= row->min) {
        *ret_number = number;
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "'%s' takes a number from %" PRIu64 " to %" PRIu64 "%s%s",
                    row->name, row->min, row->max, *row->unit ? ", in " : "", row->unit);
}

/* The power of two that a suffix stands for, and the text without it. */
static unsigned take_suffix(struct bytes *text)
{
    static const char suffixes[] = "KMGT";
    const char *found = NULL;

    if (text->len > 0)
        found = memchr(suffixes, text->data[text->len - 1], sizeof(suffixes) - 1);
    if (!found)
        return 0;
    text->len--;
    return 10 * (unsigned)(found - suffixes + 1);
}

static enum err_code check_bytes(const struct setting *row, struct bytes text, uint64_t *ret_number,
                                 struct err *err)
{
    unsigned shift = take_suffix(&text);
    uint64_t number;

    if (bytes_to_u64(text, row->max >> shift, &number) && number << shift >= row->min) {
        *ret_number = number << shift;
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID,
                    "'%s' takes bytes from %" PRIu64 " to %" PRIu64 ", or with K, M, G, T behind",
                    row->name, row->min, row->max);
}

static enum err_code check_choice(const struct setting *row, struct bytes text,
                                  uint64_t *ret_number UNUSED, struct err *err)
{
    struct bytes rest = bytes_of_str(row->unit), choice;

    while (rest.len > 0) {
        bytes_cut(&rest, '|', &choice);
        if (bytes_equal(choice, text))
            return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "'%s' takes one of %s", row->name, row->unit);
}

typedef enum err_code check_fn(const struct setting *row, struct bytes text, uint64_t *ret_number,
                               struct err *err);

static check_fn *const checks[] = {
    [SETTING_TEXT] = check_text,
    [SETTING_NUMBER] = check_number,
    [SETTING_BYTES] = check_bytes,
    [SETTING_CHOICE] = check_choice,
};

static enum err_code store(struct settings *settings, size_t row_at, struct bytes text,
                           struct err *err)
{
    const struct setting *row = &settings->rows[row_at];
    struct setting_value value = {.text = ""};
    bool may_be_empty = row->type == SETTING_TEXT || !*row->fallback;
    enum err_code code = ERR_OK;

    if (text.len > 0 || !may_be_empty)
        code = checks[row->type](row, text, &value.number, err);
    if (code)
        return code;
    value.text = arena_str(settings->arena, text);
    if (!value.text)
        return err_fail(err, ERR_NO_MEMORY, "setting '%s'", row->name);
    settings->values[row_at] = value;
    return ERR_OK;
}

enum err_code settings_new(const struct setting *rows, size_t count, struct arena *arena,
                           struct settings **ret_settings, struct err *err)
{
    struct settings *settings = arena_alloc(arena, sizeof(*settings));
    struct setting_value *values = arena_alloc(arena, count * sizeof(*values));

    if (!settings || !values)
        return err_fail(err, ERR_NO_MEMORY, "starting with the default settings");
    *settings = (struct settings){.rows = rows, .count = count, .arena = arena, .values = values};
    for (size_t i = 0; i < count; i++) {
        enum err_code code = store(settings, i, bytes_of_str(rows[i].fallback), err);
        assert(code != ERR_INVALID); /* a default that its own row forbids */
        if (code)
            return code;
    }
    *ret_settings = settings;
    return ERR_OK;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* How many characters must be added, dropped or changed to make b of a
 * (Levenshtein, 1966); SIZE_MAX where one is too long to be compared. */
static size_t distance(struct bytes a, struct bytes b)
{
    size_t row[NAME_MAX_LEN + 1];

    if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            size_t above = row[j + 1];
            size_t changed = corner + (a.data[i] != b.data[j]);
            row[j + 1] = least(changed, above + 1, row[j] + 1);
            corner = above;
        }
    }
    return row[b.len];
}

/* The row whose name is nearest; NULL where none is near. */
static const struct setting *nearest(const struct settings *settings, struct bytes name)
{
    size_t best = name.len / 2 + 1;
    const struct setting *found = NULL;

    for (size_t i = 0; i < settings->count; i++) {
        size_t away = distance(name, bytes_of_str(settings->rows[i].name));
        if (away < best) {
            best = away;
            found = &settings->rows[i];
        }
    }
    return found;
}

static enum err_code unknown(const struct settings *settings, struct bytes name, struct err *err)
{
    const struct setting *near = nearest(settings, name);
    struct bytes shown = bytes_first(name, NAME_MAX_LEN);

    if (!near)
        return err_fail(err, ERR_NOT_FOUND, "no setting '%" BYTES_FMT "'", BYTES_ARG(shown));
    return err_fail(err, ERR_NOT_FOUND, "no setting '%" BYTES_FMT "'; did you mean '%s'?",
                    BYTES_ARG(shown), near->name);
}

enum err_code settings_set(struct settings *settings, struct bytes name, struct bytes value,
                           struct err *err)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (bytes_equal_str(name, settings->rows[i].name))
            return store(settings, i, value, err);
    }
    return unknown(settings, name, err);
}

/* The line without its comment and the spaces around. */
static struct bytes strip(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        bool starts = i == 0 || line.data[i - 1] == ' ' || line.data[i - 1] == '\t';
        if (line.data[i] == '#' && starts)
            line.len = i;
    }
    if (bytes_ends_with(line, BYTES_LIT("\r")))
        line.len--;
    return bytes_trim(line);
}

static enum err_code read_line(struct settings *settings, struct bytes line, struct err *err)
{
    struct bytes value = strip(line), name;

    if (value.len == 0)
        return ERR_OK;
    if (!bytes_cut(&value, '=', &name))
        return err_fail(err, ERR_INVALID, "expected 'name = value'");
    return settings_set(settings, bytes_trim(name), bytes_trim(value), err);
}

enum err_code settings_read_file(struct settings *settings, const char *path, struct err *err)
{
    struct bytes rest, line;
    enum err_code code;

    code = file_read(path, SETTINGS_FILE_MAX, settings->arena, &rest, err);
    if (code)
        return code;
    for (size_t number = 1; rest.len > 0; number++) {
        bytes_cut(&rest, '\n', &line);
        code = read_line(settings, line, err);
        if (code)
            return err_add(err, "%s:%zu", path, number);
    }
    return ERR_OK;
}

/* Whether `flag` (without its dashes) is the name with '.' and '_' as '-'. */
static bool is_flag_of(struct bytes flag, const char *name)
{
    if (flag.len != strlen(name))
        return false;
    for (size_t i = 0; i < flag.len; i++) {
        char c = name[i] == '.' || name[i] == '_' ? '-' : name[i];
        if (flag.data[i] != (uint8_t)c)
            return false;
    }
    return true;
}

/* The row whose flag it is, or -1. */
static ptrdiff_t find_flag(const struct settings *settings, struct bytes flag)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (is_flag_of(flag, settings->rows[i].name))
            return (ptrdiff_t)i;
    }
    return -1;
}

enum err_code settings_take_flag(struct settings *settings, int argc, char **argv, int *at,
                                 bool *ret_taken, struct err *err)
{
    struct bytes value = bytes_of_str(argv[*at]), flag;
    bool has_value;
    ptrdiff_t row;

    *ret_taken = false;
    if (!bytes_starts_with(value, BYTES_LIT("--")))
        return ERR_OK;
    value = bytes_from(value, 2);
    has_value = bytes_cut(&value, '=', &flag);
    row = find_flag(settings, flag);
    if (row < 0)
        return ERR_OK;
    *ret_taken = true;
    if (!has_value && *at + 1 >= argc)
        return err_fail(err, ERR_INVALID, "'%s' needs a value", argv[*at]);
    if (!has_value)
        value = bytes_of_str(argv[++*at]);
    ++*at;
    return store(settings, (size_t)row, value, err);
}

static size_t find(const struct settings *settings, const char *name)
{
    size_t i = 0;

    while (i < settings->count && strcmp(settings->rows[i].name, name) != 0)
        i++;
    assert(i < settings->count);
    return i;
}

uint64_t settings_u64(const struct settings *settings, const char *name)
{
    size_t i = find(settings, name);

    assert(settings->rows[i].type == SETTING_NUMBER || settings->rows[i].type == SETTING_BYTES);
    return settings->values[i].number;
}

const char *settings_text(const struct settings *settings, const char *name)
{
    return settings->values[find(settings, name)].text;
}
