/* log.h - one line an event, in logfmt, on stderr:
 *     t=2026-11-24T10:16:19.123Z lvl=info mod=http req=0f3a… op=PutObject rc=200 ms=3 msg="…"
 *
 * Functions that return errors do not log; the loop that ends a request, a
 * command or a background round logs once. Never keys, bodies or tokens.
 * Control bytes, quotes and non-ASCII in values are escaped, so a client cannot forge a line.
 *
 * Threads   any; a line is never split or mixed with another. log_behind_*: one. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped; the default is LOG_INFO. */
void log_set_level(enum log_level level);

/* Read a level's name ("debug", "info", "warn", "error"); -1 where it is none. */
int log_level_parse(const char *name);

#define LOG_BEHIND_MS 100 /* a line below LOG_WARN waits at most so long */

/* From now on gather lines below LOG_WARN and write many at once, from a thread:
 * a busy server's line a request would else be a system call a request. A line
 * of LOG_WARN or above takes what was gathered along, at once and in order. A
 * process that is killed loses the last LOG_BEHIND_MS of what was gathered.
 *
 * errors  ERR_NO_MEMORY, ERR_IO: lines are written one by one, as before */
MUST_USE enum err_code log_behind_start(struct err *err);

/* Write what was gathered; from now on lines are written one by one. */
void log_behind_stop(void);

/* A line being written; on the stack, at most LOG_LINE_MAX bytes, cut there. */
#define LOG_LINE_MAX 1024
struct log_line {
    char text[LOG_LINE_MAX];
    size_t len;
    bool on;  /* not dropped for its level */
    bool now; /* LOG_WARN and above: not gathered */
    bool cut; /* full: what comes after does not show */
};

/* Write a line: log_begin, any number of fields, log_end.
 *     struct log_line l;
 *     log_begin(&l, LOG_INFO, "http");
 *     log_str(&l, "op", "PutObject");
 *     log_u64(&l, "ms", 3);
 *     log_end(&l); */
void log_begin(struct log_line *line, enum log_level level, const char *module);
void log_str(struct log_line *line, const char *name, const char *value);
void log_bytes(struct log_line *line, const char *name, struct bytes value);
void log_u64(struct log_line *line, const char *name, uint64_t value);
void log_end(struct log_line *line);

/* A line with nothing but a message. */
void log_message(enum log_level level, const char *module, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* A line about an error: rc (its code's name), at, errno, msg. */
void log_error(const char *module, const char *what, const struct err *err);

#endif
