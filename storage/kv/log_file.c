/* log_file.c - tells what a power cut did to a log of RocksDB's from what rot did.
 *
 *   good records ... | start of the last record | damage ... end of file
 *                    ^ cut here, if everything behind the damage can belong to
 *                      that one record, or to others of its group:
 *     - fragments that are whole continue a record; one begins only in the group;
 *     - fragments that are not have sectors of zeros, or the file ends in them.
 *   Else it is rot. */
#include "storage/kv/log_file.h"

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

/* A record that is put together from its fragments. */
struct gathering {
    log_file_fn each;
    void *ctx;
    uint8_t *data;
    size_t len, room;
};

struct log {
    int fd;
    uint64_t size;     /* bytes in the file */
    uint64_t at;       /* where the block in memory begins */
    size_t len;        /* bytes of it that are there */
    size_t pos;        /* in the block */
    uint64_t good_end; /* behind the last whole record */
    bool in_group;     /* what is behind good_end may be several records */
    uint8_t *block;
    struct gathering *gathering; /* NULL: nobody wants the records */
};

static void close_log(struct log *log)
{
    free(log->block);
    close(log->fd);
}

static enum err_code open_file(const char *dir, const char *name, int flags, int *ret_fd,
                               struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return err_fail(err, ERR_INVALID, "the path of '%s' is too long", name);
    *ret_fd = open(path, flags | O_CLOEXEC);
    return *ret_fd < 0 ? err_fail_sys(err, errno, "open '%s'", path) : ERR_OK;
}

static enum err_code open_log(const char *dir, const char *name, struct log *ret_log,
                              struct err *err)
{
    struct stat st;
    struct log log = {0};
    enum err_code code = open_file(dir, name, O_RDONLY, &log.fd, err);
    if (code)
        return code;
    log.block = malloc(BLOCK_BYTES);
    if (!log.block)
        code = err_fail(err, ERR_NO_MEMORY, "no memory to read a log");
    else if (fstat(log.fd, &st) != 0)
        code = err_fail_sys(err, errno, "stat '%s'", name);
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

static enum err_code append(struct gathering *gathering, struct bytes piece, struct err *err)
{
    size_t len = gathering->len + piece.len;
    if (len > LOG_FILE_RECORD_MAX)
        return err_fail(err, ERR_LIMIT, "a record of a log is too long");
    if (len > gathering->room) {
        uint8_t *data = realloc(gathering->data, 2 * len);
        if (!data)
            return err_fail(err, ERR_NO_MEMORY, "no memory for a record of a log");
        gathering->data = data;
        gathering->room = 2 * len;
    }
    if (piece.len)
        memcpy(gathering->data + gathering->len, piece.data, piece.len);
    gathering->len = len;
    return ERR_OK;
}

/* Take the fragment at `pos`; hand its record over where it ends it. */
static enum err_code gather(struct log *log, enum fragment_type type, size_t end, struct err *err)
{
    struct gathering *gathering = log->gathering;
    size_t from = log->pos + HEADER_BYTES;
    if (!gathering)
        return ERR_OK;
    enum err_code code = append(gathering, bytes_of(log->block + from, end - from), err);
    if (code || type == FIRST || type == MIDDLE)
        return code;
    struct bytes record = bytes_of(gathering->data, gathering->len);
    gathering->len = 0;
    return gathering->each(gathering->ctx, record, err);
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
        code = gather(log, type, end, err);
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

/* Whether a sector of [pos, until) was never written. The first may have been
 * begun by the record before; less than a header of it proves nothing. */
static bool has_unwritten_sector(const struct log *log, size_t pos, size_t until)
{
    while (pos < until) {
        size_t end = (pos / SECTOR_BYTES + 1) * SECTOR_BYTES;
        if (end > until && until < log->len)
            return false; /* written: a record begins in it */
        if (end > log->len)
            end = log->len;
        if (end - pos >= HEADER_BYTES && is_zero(log->block + pos, end - pos))
            return true;
        pos = end;
    }
    return false;
}

/* Where the next record from `pos` on begins, byte by byte: lengths cannot be
 * trusted there. The block's end where none does. */
static size_t next_record(const struct log *log, size_t pos)
{
    for (size_t end; pos + HEADER_BYTES <= log->len; pos++) {
        uint8_t type = log->block[pos + 6];
        if ((type == FULL || type == FIRST) && fragment_at(log, pos, &end))
            return pos;
    }
    return log->len;
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

static void skip_torn_group(struct log *log)
{
    size_t end = 0;
    enum fragment_type type;
    while ((type = fragment_at(log, log->pos, &end)) == MIDDLE || type == LAST ||
           (type != NOT_A_FRAGMENT && log->in_group))
        log->pos = end;
}

/* Whether the rest of the block can be what a power cut left of one group. */
static bool is_torn_block(struct log *log)
{
    skip_torn_group(log);
    if (is_block_done(log))
        return true;
    size_t record = next_record(log, log->pos);
    bool is_last = record == log->len;
    if (!is_last && !log->in_group)
        return false;
    return has_unwritten_sector(log, log->pos, record) || (is_last && is_cut_by_end(log));
}

static enum err_code judge(struct log *log, uint64_t group_bytes, enum log_file_state *ret_state,
                           struct err *err)
{
    bool clean = false;
    enum err_code code = skip_good(log, &clean, err);
    log->in_group = log->size - log->good_end <= group_bytes;
    bool torn = !code && !clean && is_torn_block(log);
    while (torn && !is_last_block(log)) {
        code = next_block(log, err);
        torn = !code && is_torn_block(log);
    }
    *ret_state = clean ? LOG_FILE_CLEAN : torn ? LOG_FILE_TORN : LOG_FILE_ROTTEN;
    return code;
}

/* ---- the whole ---- */

enum err_code log_file_judge(const char *dir, const char *name, uint64_t group_bytes,
                             struct log_file_finding *ret_finding, struct err *err)
{
    struct log log;
    struct log_file_finding finding = {0};
    enum err_code code = open_log(dir, name, &log, err);
    if (code)
        return code;
    code = judge(&log, group_bytes, &finding.state, err);
    finding.good_end = log.good_end;
    close_log(&log);
    if (!code)
        *ret_finding = finding;
    return code;
}

enum err_code log_file_each(const char *dir, const char *name, log_file_fn each, void *ctx,
                            struct err *err)
{
    struct log log;
    struct gathering gathering = {.each = each, .ctx = ctx};
    bool clean;
    enum err_code code = open_log(dir, name, &log, err);
    if (code)
        return code;
    log.gathering = &gathering;
    code = skip_good(&log, &clean, err);
    close_log(&log);
    free(gathering.data);
    return code;
}

enum err_code log_file_cut(const char *dir, const char *name, uint64_t at, struct err *err)
{
    int fd;
    enum err_code code = open_file(dir, name, O_WRONLY, &fd, err);
    if (code)
        return code;
    if (ftruncate(fd, (off_t)at) != 0 || fsync(fd) != 0)
        code = err_fail_sys(err, errno, "cut '%s' at %llu", name, (unsigned long long)at);
    close(fd);
    return code;
}

enum err_code log_file_rotten(const char *name, const struct log_file_finding *finding,
                              struct err *err)
{
    return err_fail(err, ERR_CORRUPT, "file '%s' is damaged behind byte %llu", name,
                    (unsigned long long)finding->good_end);
}
