/* rocks_error.c - RocksDB's errors, which are text, as ours. */
#include "storage/kv/rocks_error.h"

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

static struct bytes name_behind(const char *slash)
{
    return bytes_of(slash + 1, strcspn(slash + 1, " :;,/"));
}

static bool is_table(struct bytes name)
{
    /* RocksDB looks for a table that is gone under its older ending, too. */
    return bytes_ends_with(name, BYTES_LIT(".sst")) || bytes_ends_with(name, BYTES_LIT(".ldb"));
}

/* The name of the file a message tells of; empty where it names none. Where one
 * is a table, that is it: behind it the manifest is suspected, which names it. */
static struct bytes file_named_in(const char *message)
{
    for (const char *slash = strchr(message, '/'); slash; slash = strchr(slash + 1, '/'))
        if (is_table(name_behind(slash)))
            return name_behind(slash);
    const char *last = strrchr(message, '/');
    return last ? name_behind(last) : (struct bytes){0};
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
