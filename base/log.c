/* log.c - one line an event, in logfmt, on stderr.
 *
 * Owns      the level.
 * Threads   any.
 * Source    the logfmt convention: name=value, values with anything unusual in quotes. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log_behind.h"

#define TAIL 2 /* bytes kept back for a closing quote and the line end */

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

static atomic_int least_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

int log_level_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

static bool fits(const struct log_line *line, size_t len)
{
    return line->len + len <= sizeof(line->text) - TAIL;
}

/* Append all of it or nothing, so that an escape is never cut in two. */
static void put(struct log_line *line, const char *text, size_t len)
{
    if (line->cut || !fits(line, len)) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_str(struct log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_name(struct log_line *line, const char *name)
{
    if (line->len > 0)
        put_str(line, " ");
    put_str(line, name);
    put_str(line, "=");
}

static bool is_plain(uint8_t c)
{
    return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '=';
}

static bool all_plain(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!is_plain(value.data[i]))
            return false;
    }
    return value.len > 0;
}

static void put_escaped(struct log_line *line, uint8_t c)
{
    char text[5];

    if (is_plain(c) || c == ' ' || c == '=')
        put(line, (const char *)&c, 1);
    else if (c == '"' || c == '\\')
        put(line, (const char[]){'\\', (char)c}, 2);
    else
        put(line, text, (size_t)snprintf(text, sizeof(text), "\\x%02x", c));
}

/* As much of the value as there is room for, whole escapes, in quotes. */
static void put_quoted(struct log_line *line, struct bytes value)
{
    put(line, "\"", 1);
    if (line->cut)
        return;
    for (size_t i = 0; i < value.len && !line->cut; i++)
        put_escaped(line, value.data[i]);
    line->text[line->len++] = '"'; /* the tail has room for it */
}

static void put_value(struct log_line *line, struct bytes value)
{
    if (all_plain(value) && fits(line, value.len))
        put(line, (const char *)value.data, value.len);
    else
        put_quoted(line, value);
}

void log_bytes(struct log_line *line, const char *name, struct bytes value)
{
    size_t before = line->len;

    if (!line->on || line->cut)
        return;
    put_name(line, name);
    if (!line->cut)
        put_value(line, value);
    if (line->cut && line->text[line->len - 1] != '"')
        line->len = before; /* not even the value's first quote fitted */
}

void log_str(struct log_line *line, const char *name, const char *value)
{
    log_bytes(line, name, bytes_of_str(value));
}

/* A number is there as a whole or not at all. */
void log_u64(struct log_line *line, const char *name, uint64_t value)
{
    size_t before = line->len;
    char text[CODEC_DECIMAL_MAX + 1];

    if (!line->on || line->cut)
        return;
    put_name(line, name);
    put(line, text, codec_decimal(value, text));
    if (line->cut)
        line->len = before;
}

void log_begin(struct log_line *line, enum log_level level, const char *module)
{
    char now[CLOCK_TEXT_MAX];

    line->len = 0;
    line->cut = false;
    line->on = (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
    line->now = level >= LOG_WARN;
    if (!line->on)
        return;
    clock_format_iso(clock_unix_ms(clock_system()), now);
    log_str(line, "t", now);
    log_str(line, "lvl", level_names[level]);
    log_str(line, "mod", module);
}

void log_end(struct log_line *line)
{
    if (!line->on)
        return;
    line->text[line->len++] = '\n';
    log_behind_write(bytes_of(line->text, line->len), line->now);
}

void log_message(enum log_level level, const char *module, const char *format, ...)
{
    char text[LOG_LINE_MAX];
    struct log_line line;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_begin(&line, level, module);
    log_str(&line, "msg", text);
    log_end(&line);
}

void log_error(const char *module, const char *what, const struct err *err)
{
    struct log_line line;

    log_begin(&line, LOG_ERROR, module);
    log_str(&line, "op", what);
    log_str(&line, "rc", err_code_name(err->code));
    log_str(&line, "at", err->at);
    if (err->sys)
        log_u64(&line, "errno", (uint64_t)err->sys);
    log_str(&line, "msg", err->msg);
    log_end(&line);
}
