/* err.c - filling a struct err; the names of the codes.
 *
 * Not here  logging: who ends a request or a command logs its error once.
 * Threads   any; each works on its own struct err. */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static const char *const code_names[ERR_CODES] = {
    [ERR_OK] = "ok",
    [ERR_INVALID] = "invalid",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_PRECONDITION] = "precondition",
    [ERR_DENIED] = "denied",
    [ERR_LIMIT] = "limit",
    [ERR_NO_MEMORY] = "no_memory",
    [ERR_NO_SPACE] = "no_space",
    [ERR_IO] = "io",
    [ERR_CORRUPT] = "corrupt",
    [ERR_READ_ONLY] = "read_only",
    [ERR_BUSY] = "busy",
    [ERR_TIMEOUT] = "timeout",
    [ERR_CLOSED] = "closed",
    [ERR_UNSUPPORTED] = "unsupported",
};

/* Where a cut went through a UTF-8 character, take the character away. */
static size_t whole_characters(const char *text, size_t len)
{
    size_t start = len;

    while (start > 0 && len - start < 3 && ((uint8_t)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (uint8_t)text[start - 1] >= 0xC0)
        start--;
    return bytes_is_utf8(bytes_of(text + start, len - start)) ? len : start;
}

/* Store a message as one line. It comes in the caller's own array, for its
 * arguments may point into err->msg. */
static void set_message(struct err *err, const char *text)
{
    size_t len = strnlen(text, sizeof(err->msg));

    if (len == sizeof(err->msg))
        len = whole_characters(text, len - 1);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        err->msg[i] = c < 0x20 || c == 0x7F ? '?' : (char)c;
    }
    err->msg[len] = '\0';
}

static void fill(struct err *err, enum err_code code, int reason, int sys, const char *at)
{
    err->code = code;
    err->reason = reason;
    err->sys = sys;
    err->at = at;
}

enum err_code err_set(struct err *err, enum err_code code, int reason, const char *at,
                      const char *format, ...)
{
    char text[sizeof(err->msg) + 1];
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fill(err, code, reason, 0, at);
    set_message(err, text);
    return code;
}

static enum err_code code_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case ENOMEM:
    case EMFILE: /* as memory: it passes, and nothing is broken */
    case ENFILE:
        return ERR_NO_MEMORY;
    default:
        return ERR_IO;
    }
}

enum err_code err_set_sys(struct err *err, int errno_value, const char *at, const char *format, ...)
{
    enum err_code code = code_of_errno(errno_value);
    const char *reason = strerrordesc_np(errno_value);
    char words[sizeof(err->msg) + 1];
    char text[2 * sizeof(err->msg)];
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    snprintf(text, sizeof(text), "%s: %s", words, reason ? reason : "unknown error");
    fill(err, code, 0, errno_value, at);
    set_message(err, text);
    return code;
}

enum err_code err_add(struct err *err, const char *format, ...)
{
    char words[sizeof(err->msg) + 1];
    char text[2 * sizeof(err->msg) + 2];
    va_list args;

    assert(err);
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    snprintf(text, sizeof(text), "%s: %s", words, err->msg);
    set_message(err, text);
    return err->code;
}

const char *err_code_name(enum err_code code)
{
    return (unsigned)code < ERR_CODES ? code_names[code] : "unknown";
}
