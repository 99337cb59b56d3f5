/* rocks_error.c - RocksDB's errors, which are text, as ours. */
#include "storage/kv/rocks_error.h"

#include <stdlib.h>

#include "base/bytes.h"

/* The first row that is found wins. A sync that ran out of space may leave a
 * complete record behind: it is unknown what survives, so that is ERR_IO. */
static const struct {
    const char *text;
    enum err_code code;
} rows[] = {
    {"lock hold by current process", ERR_BUSY},
    {"LOCK: Resource temporarily unavailable", ERR_BUSY},
    {"Corruption: ", ERR_CORRUPT},
    {"While fdatasync", ERR_IO},
    {"While fsync", ERR_IO},
    {"No space left on device", ERR_NO_SPACE},
    {"Disk quota exceeded", ERR_NO_SPACE},
};

static enum err_code code_of(const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strstr(message, rows[i].text))
            return rows[i].code;
    return ERR_IO;
}

static bool is_numbered(struct bytes name, struct bytes ending)
{
    uint64_t number;
    return bytes_ends_with(name, ending) &&
           bytes_to_u64(bytes_first(name, name.len - ending.len), UINT64_MAX, &number);
}

static bool is_table(struct bytes name)
{
    /* RocksDB looks for a table that is gone under its older ending, too. */
    return is_numbered(name, BYTES_LIT(".sst")) || is_numbered(name, BYTES_LIT(".ldb"));
}

static bool is_other_file(struct bytes name)
{
    return is_numbered(name, BYTES_LIT(".log")) || is_numbered(name, BYTES_LIT(".dbtmp")) ||
           bytes_starts_with(name, BYTES_LIT("MANIFEST-")) ||
           bytes_starts_with(name, BYTES_LIT("OPTIONS-")) ||
           bytes_equal(name, BYTES_LIT("CURRENT")) || bytes_equal(name, BYTES_LIT("IDENTITY"));
}

/* The first word of a message that is such a file's name; empty where none is. */
static struct bytes first_word(const char *message, bool (*is_file)(struct bytes name))
{
    static const char between[] = " :;,/'\"()";
    for (const char *at = message + strspn(message, between); *at; at += strspn(at, between)) {
        struct bytes word = bytes_of(at, strcspn(at, between));
        if (word.data[word.len - 1] == '.')
            word.len--; /* the end of a sentence */
        if (is_file(word))
            return word;
        at += strcspn(at, between);
    }
    return (struct bytes){0};
}

/* The name of the file a message tells of; empty where it names none. Where one
 * is a table, that is it: behind it the manifest is suspected, which names it. */
static struct bytes file_named_in(const char *message)
{
    struct bytes table = first_word(message, is_table);
    return table.len ? table : first_word(message, is_other_file);
}

bool rocks_error_names_table(const char *message)
{
    return first_word(message, is_table).len > 0;
}

enum err_code rocks_error(struct err *err, const char *message, const char *doing)
{
    enum err_code code = code_of(message);
    struct bytes file = file_named_in(message);
    if (code == ERR_BUSY)
        return err_fail(err, code, "%s: it is open already, here or in another process", doing);
    if (file.len) /* first, because paths are long and messages short */
        return err_fail(err, code, "%s: file '%" BYTES_FMT "': %s", doing, BYTES_ARG(file),
                        message);
    return err_fail(err, code, "%s: %s", doing, message);
}

enum err_code rocks_error_take(struct err *err, char *message, const char *doing)
{
    enum err_code code = rocks_error(err, message, doing);
    free(message);
    return code;
}
