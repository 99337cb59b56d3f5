/* wal.c - tells what a power cut did to the write-ahead log from what rot did.
 *
 *   good records ... | start of the last record | damage ... end of file
 *                    ^ cut here, if everything behind the damage can belong to
 *                      that one record:
 *     - fragments that are whole continue a record, none begins one;
 *     - fragments that are not have sectors of zeros, or the file ends in them.
 *   Else it is rot, and the store does not open. */
#include "storage/kv/wal.h"

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
#include "base/file.h"
#include "base/hash.h"

#define BLOCK_BYTES  32768
#define HEADER_BYTES 7
#define SECTOR_BYTES 512

enum fragment_type { NOT_A_FRAGMENT, FULL, FIRST, MIDDLE, LAST };

enum verdict { CLEAN, TORN, ROTTEN };

struct log {
    int fd;
    uint64_t size;     /* bytes in the file */
    uint64_t at;       /* where the block in memory begins */
    size_t len;        /* bytes of it that are there */
    size_t pos;        /* in the block */
    uint64_t good_end; /* behind the last whole record */
    uint8_t *block;
};

static void close_log(struct log *log)
{
    free(log->block);
    close(log->fd);
}

static enum err_code open_log(const char *path, struct log *ret_log, struct err *err)
{
    struct stat st;
    struct log log = {.fd = open(path, O_RDWR | O_CLOEXEC)};
    if (log.fd < 0)
        return err_fail_sys(err, errno, "open '%s'", path);
    enum err_code code = ERR_OK;
    log.block = malloc(BLOCK_BYTES);
    if (!log.block)
        code = err_fail(err, ERR_NO_MEMORY, "no memory to read a log");
    else if (fstat(log.fd, &st) != 0)
        code = err_fail_sys(err, errno, "stat '%s'", path);
    else
        log.size = (uint64_t)st.st_size;
    if (code)
        close_log(&log);
    else
        *ret_log = log;
    return code;
}

static bool is_last_block(const struct log *log)
{
    return log->at + log->len == log->size;
}

static enum err_code load_block(struct log *log, uint64_t at, struct err *err)
{
    uint64_t left = log->size - at;
    log->at = at;
    log->pos = 0;
    log->len = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
    return file_read_at(log->fd, log->block, log->len, at, err);
}

static enum err_code next_block(struct log *log, struct err *err)
{
    return load_block(log, log->at + log->len, err);
}

/* ---- fragments ---- */

static uint32_t stored_crc(const uint8_t *head)
{
    return head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
}

static size_t stored_len(const uint8_t *head)
{
    return head[4] | (size_t)head[5] << 8;
}

/* The checksum of type and payload, `len` bytes in all, as RocksDB stores it. */
static uint32_t masked_crc(const uint8_t *type, size_t len)
{
    uint32_t crc = hash_crc32c(0, bytes_of(type, len));
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

/* Kinds that later versions add stand alone and carry no data. */
static enum fragment_type type_of(uint8_t stored)
{
    return stored > LAST ? FULL : (enum fragment_type)stored;
}

/* The fragment at `pos` of the block, if a whole one stands there; its end. */
static enum fragment_type fragment_at(const struct log *log, size_t pos, size_t *ret_end)
{
    if (pos + HEADER_BYTES > log->len)
        return NOT_A_FRAGMENT;
    const uint8_t *head = log->block + pos;
    size_t len = stored_len(head);
    if (!head[6] || pos + HEADER_BYTES + len > log->len)
        return NOT_A_FRAGMENT;
    if (stored_crc(head) != masked_crc(head + 6, 1 + len))
        return NOT_A_FRAGMENT;
    *ret_end = pos + HEADER_BYTES + len;
    return type_of(head[6]);
}

/* Whether the rest of the block holds no fragment: it is used up, or padding. */
static bool is_block_done(const struct log *log)
{
    return log->pos == log->len || log->pos + HEADER_BYTES > BLOCK_BYTES;
}

/* Read whole records up to the damage; the block and `pos` stand there.
 *
 * ret_clean  whether there is no damage */
static enum err_code skip_good(struct log *log, bool *ret_clean, struct err *err)
{
    bool in_record = false;
    enum err_code code = load_block(log, 0, err);
    while (!code) {
        size_t end = 0;
        if (is_block_done(log)) {
            if (is_last_block(log))
                break;
            code = next_block(log, err);
            continue;
        }
        enum fragment_type type = fragment_at(log, log->pos, &end);
        bool begins = type == FULL || type == FIRST;
        if (type == NOT_A_FRAGMENT || begins == in_record)
            break;
        in_record = type == FIRST || type == MIDDLE;
        log->pos = end;
        if (!in_record)
            log->good_end = log->at + end;
    }
    *ret_clean = !in_record && is_last_block(log) && is_block_done(log);
    return code;
}

/* ---- what the damage is ---- */

static bool is_zero(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i])
            return false;
    return true;
}

/* Whether a sector from `pos` on was never written. The first may have been
 * begun by the record before; less than a header of it proves nothing. */
static bool has_unwritten_sector(const struct log *log, size_t pos)
{
    while (pos < log->len) {
        size_t end = (pos / SECTOR_BYTES + 1) * SECTOR_BYTES;
        if (end > log->len)
            end = log->len;
        if (end - pos >= HEADER_BYTES && is_zero(log->block + pos, end - pos))
            return true;
        pos = end;
    }
    return false;
}

/* Whether a record begins anywhere from `pos` on: lengths cannot be trusted there. */
static bool has_record_start(const struct log *log, size_t pos)
{
    for (size_t end; pos + HEADER_BYTES <= log->len; pos++) {
        uint8_t type = log->block[pos + 6];
        if ((type == FULL || type == FIRST) && fragment_at(log, pos, &end))
            return true;
    }
    return false;
}

/* Whether the file ends within the fragment at `pos`. Its length may lie: if
 * what is there is whole without it, it was not cut. */
static bool is_cut_by_end(const struct log *log)
{
    size_t left = log->len - log->pos;
    if (!is_last_block(log) || log->len == BLOCK_BYTES)
        return false;
    if (left < HEADER_BYTES)
        return true;
    const uint8_t *head = log->block + log->pos;
    return head[6] >= FULL && head[6] <= LAST && stored_len(head) > left - HEADER_BYTES &&
           stored_crc(head) != masked_crc(head + 6, left - 6);
}

/* Whether the rest of the block can be what a power cut left of one record. */
static bool is_torn_block(struct log *log)
{
    size_t end = 0;
    enum fragment_type type;
    while ((type = fragment_at(log, log->pos, &end)) == MIDDLE || type == LAST)
        log->pos = end;
    if (is_block_done(log))
        return true;
    if (type != NOT_A_FRAGMENT || has_record_start(log, log->pos))
        return false;
    return is_cut_by_end(log) || has_unwritten_sector(log, log->pos);
}

static enum err_code judge(struct log *log, enum verdict *ret_verdict, struct err *err)
{
    bool clean = false;
    enum err_code code = skip_good(log, &clean, err);
    bool torn = !code && !clean && is_torn_block(log);
    while (torn && !is_last_block(log)) {
        code = next_block(log, err);
        torn = !code && is_torn_block(log);
    }
    *ret_verdict = clean ? CLEAN : torn ? TORN : ROTTEN;
    return code;
}

/* ---- the logs of a folder ---- */

static enum err_code cut(const struct log *log, struct err *err)
{
    if (ftruncate(log->fd, (off_t)log->good_end) != 0 || fsync(log->fd) != 0)
        return err_fail_sys(err, errno, "cut the log at %llu", (unsigned long long)log->good_end);
    return ERR_OK;
}

/* An older log's torn end is RocksDB's to judge: it knows whether it needs that log. */
static enum err_code check_log(const char *dir, const char *name, bool is_newest, struct err *err)
{
    char path[PATH_MAX];
    struct log log;
    enum verdict verdict;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return err_fail(err, ERR_INVALID, "the path of '%s' is too long", name);
    enum err_code code = open_log(path, &log, err);
    if (code)
        return code;
    code = judge(&log, &verdict, err);
    if (!code && verdict == ROTTEN)
        code = err_fail(err, ERR_CORRUPT, "file '%s' is damaged behind byte %llu", name,
                        (unsigned long long)log.good_end);
    else if (!code && verdict == TORN && is_newest)
        code = cut(&log, err);
    close_log(&log);
    return code;
}

/* The number in a name like 000012.log; 0 where it is no log's. */
static uint64_t log_number(const char *name)
{
    uint64_t number = 0;
    struct bytes b = bytes_of_str(name);
    if (!bytes_ends_with(b, BYTES_LIT(".log")) ||
        !bytes_to_u64(bytes_first(b, b.len - 4), UINT64_MAX, &number))
        return 0;
    return number;
}

static uint64_t newest_log(DIR *entries)
{
    uint64_t newest = 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        if (log_number(entry->d_name) > newest)
            newest = log_number(entry->d_name);
    rewinddir(entries);
    return newest;
}

enum err_code wal_check(const char *dir, struct err *err)
{
    enum err_code code = ERR_OK;
    DIR *entries = opendir(dir);
    if (!entries)
        return err_fail_sys(err, errno, "open '%s'", dir);
    uint64_t newest = newest_log(entries);
    for (struct dirent *entry; !code && (entry = readdir(entries));) {
        uint64_t number = log_number(entry->d_name);
        if (number)
            code = check_log(dir, entry->d_name, number == newest, err);
    }
    closedir(entries);
    return code;
}
