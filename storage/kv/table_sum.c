/* table_sum.c - see table_sum.h.
 *
 * A record of the manifest is a row of fields: a tag, and values that follow
 * from it, v a number (varint), s a string (its length, a varint, before it).
 * The field of a new table ends in more fields, two of which are its checksum
 * and the checksum's name. Of what is not known here nothing is concluded. */
#include "storage/kv/table_sum.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/hash.h"
#include "storage/kv/manifest.h"

#define PIECE_BYTES    MIB(1)
#define ALIGN_BYTES    4096
#define TAG_NEW_TABLE  103
#define TAG_IGNORABLE  (1 << 13) /* from here on: a string */
#define FIELD_END      1
#define FIELD_SUM      7
#define FIELD_SUM_NAME 8
#define SUM_NAME       "FileChecksumCrc32c"

static const struct {
    uint64_t tag;
    const char *values;
} fields[] = {
    {1, "s"},   /* comparator */
    {2, "v"},   /* log */
    {3, "v"},   /* next file */
    {4, "v"},   /* last sequence number */
    {5, "vs"},  /* where compaction goes on */
    {6, "vv"},  /* a table that is gone */
    {9, "v"},   /* log before */
    {10, "v"},  /* oldest log that is needed */
    {200, "v"}, /* family */
    {201, "s"}, /* new family */
    {202, ""},  /* family that is gone */
    {203, "v"}, /* highest family */
    {300, "v"}, /* of a group that counts as one */
};

/* What a table is to be. */
struct sum {
    uint64_t number;
    uint64_t bytes;
    uint32_t crc;
};

struct sums {
    struct sum *list;
    size_t count, room;
};

/* ---- what the manifest says ---- */

static bool take_number(struct bytes *from, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && from->len; shift += 7) {
        uint8_t byte = from->data[0];
        *from = bytes_from(*from, 1);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

static bool take_string(struct bytes *from, struct bytes *ret_string)
{
    uint64_t len;
    if (!take_number(from, &len) || len > from->len)
        return false;
    *ret_string = bytes_first(*from, (size_t)len);
    *from = bytes_from(*from, (size_t)len);
    return true;
}

static bool skip_values(struct bytes *from, const char *values)
{
    uint64_t number;
    struct bytes string;
    for (; *values; values++)
        if (*values == 'v' ? !take_number(from, &number) : !take_string(from, &string))
            return false;
    return true;
}

static bool skip_field(struct bytes *from, uint64_t tag)
{
    if (tag >= TAG_IGNORABLE)
        return skip_values(from, "s");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (fields[i].tag == tag)
            return skip_values(from, fields[i].values);
    return false;
}

/* The field of a new table.
 *
 * ret_known  whether it has a checksum that we know */
static bool take_table(struct bytes *from, struct sum *ret_sum, bool *ret_known)
{
    uint64_t level, tag;
    struct bytes value, crc = {0}, name = {0};
    if (!take_number(from, &level) || !take_number(from, &ret_sum->number) ||
        !take_number(from, &ret_sum->bytes) || !skip_values(from, "ssvv"))
        return false;
    for (;;) {
        if (!take_number(from, &tag))
            return false;
        if (tag == FIELD_END)
            break;
        if (!take_string(from, &value))
            return false;
        if (tag == FIELD_SUM)
            crc = value;
        else if (tag == FIELD_SUM_NAME)
            name = value;
    }
    *ret_known = crc.len == 4 && bytes_equal(name, BYTES_LIT(SUM_NAME));
    ret_sum->crc = *ret_known ? codec_get_u32be(crc.data) : 0;
    return true;
}

static enum err_code add_sum(struct sums *sums, const struct sum *sum, struct err *err)
{
    if (sums->count == sums->room) {
        size_t room = sums->room ? sums->room * 2 : 64;
        struct sum *list = realloc(sums->list, room * sizeof *list);
        if (!list)
            return err_fail(err, ERR_NO_MEMORY, "no memory for the tables' checksums");
        sums->list = list;
        sums->room = room;
    }
    sums->list[sums->count++] = *sum;
    return ERR_OK;
}

static enum err_code take_record(void *ctx, struct bytes record, struct err *err)
{
    uint64_t tag;
    bool known;
    enum err_code code = ERR_OK;
    while (!code && take_number(&record, &tag)) {
        struct sum sum;
        if (tag == TAG_NEW_TABLE) {
            if (!take_table(&record, &sum, &known))
                break;
            code = known ? add_sum(ctx, &sum, err) : ERR_OK;
        } else if (!skip_field(&record, tag)) {
            break;
        }
    }
    return code;
}

/* ---- what the disk says ---- */

/* Open it to be read past the cache, or through it where there is no other way. */
static enum err_code open_table(const char *dir, const char *name, int *ret_fd, struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return err_fail(err, ERR_INVALID, "the path of '%s' is too long", name);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (*ret_fd < 0 && errno == EINVAL)
        *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? err_fail_sys(err, errno, "open '%s'", name) : ERR_OK;
}

/* The checksum of a file's bytes, and how many there are. */
static enum err_code read_through(int fd, const char *name, uint8_t *piece, struct sum *ret_sum,
                                  struct err *err)
{
    *ret_sum = (struct sum){0};
    for (;;) {
        ssize_t len = pread(fd, piece, PIECE_BYTES, (off_t)ret_sum->bytes);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return err_fail_sys(err, errno, "read '%s'", name);
        ret_sum->crc = hash_crc32c(ret_sum->crc, bytes_of(piece, (size_t)len));
        ret_sum->bytes += (uint64_t)len;
        if ((size_t)len < PIECE_BYTES) /* the end: only there a direct read is short */
            return ERR_OK;
    }
}

static enum err_code check_table(const char *dir, const char *name, const struct sum *want,
                                 uint8_t *piece, struct err *err)
{
    int fd;
    struct sum is;
    enum err_code code = open_table(dir, name, &fd, err);
    if (code)
        return code;
    code = read_through(fd, name, piece, &is, err);
    close(fd);
    if (!code && (is.crc != want->crc || is.bytes != want->bytes))
        code = err_fail(err, ERR_CORRUPT, "file '%s' is damaged: its checksum is wrong", name);
    return code;
}

/* The number in a name like 000012.sst; false where it is no table's. */
static bool table_number(const char *name, uint64_t *ret_number)
{
    struct bytes b = bytes_of_str(name);
    return bytes_ends_with(b, BYTES_LIT(".sst")) &&
           bytes_to_u64(bytes_first(b, b.len - 4), UINT64_MAX, ret_number);
}

static const struct sum *find_sum(const struct sums *sums, uint64_t number)
{
    for (size_t i = 0; i < sums->count; i++)
        if (sums->list[i].number == number)
            return &sums->list[i];
    return NULL;
}

static enum err_code check_tables(const char *dir, const struct sums *sums, uint8_t *piece,
                                  struct err *err)
{
    DIR *entries = opendir(dir);
    enum err_code code = ERR_OK;
    if (!entries)
        return err_fail_sys(err, errno, "open '%s'", dir);
    for (struct dirent *entry; !code && (entry = readdir(entries));) {
        uint64_t number;
        if (!table_number(entry->d_name, &number))
            continue;
        const struct sum *sum = find_sum(sums, number);
        if (sum)
            code = check_table(dir, entry->d_name, sum, piece, err);
    }
    closedir(entries);
    return code;
}

enum err_code table_sum_check(const char *dir, struct err *err)
{
    struct sums sums = {0};
    uint8_t *piece = aligned_alloc(ALIGN_BYTES, PIECE_BYTES);
    enum err_code code = piece ? manifest_each(dir, take_record, &sums, err)
                               : err_fail(err, ERR_NO_MEMORY, "no memory to read tables");
    if (!code)
        code = check_tables(dir, &sums, piece, err);
    free(sums.list);
    free(piece);
    return code;
}
