/* err.h - the one error type: by value, on the caller's stack.
 *
 * A function that can fail returns enum err_code and fills a struct err that
 * its caller owns. Setting it twice leaks nothing, and it can say "out of
 * memory". Return at once; add words, not new errors, on the way up.
 *
 * Threads   a struct err belongs to one thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

enum err_code {
    ERR_OK = 0,
    ERR_INVALID,      /* the caller's input is wrong; nothing changed */
    ERR_NOT_FOUND,    /* the named thing is not there */
    ERR_EXISTS,       /* the named thing is there already, or not empty */
    ERR_PRECONDITION, /* a condition the caller set does not hold */
    ERR_DENIED,       /* the caller may not */
    ERR_LIMIT,        /* a named cap was reached */
    ERR_NO_MEMORY,
    ERR_NO_SPACE,  /* the disk is full, or past its high-water mark */
    ERR_IO,        /* the disk or the network failed */
    ERR_CORRUPT,   /* stored bytes are not what was stored */
    ERR_READ_ONLY, /* the store refuses writes since a write failed */
    ERR_BUSY,      /* somebody else holds it; try again later */
    ERR_TIMEOUT,
    ERR_CLOSED,      /* the peer is gone, or we are shutting down */
    ERR_UNSUPPORTED, /* understood, and not built */
    ERR_CODES
};

struct err {
    enum err_code code; /* class, as returned; tells the caller what to do */
    int reason;         /* a module's own detail (its header lists them), 0 if none */
    int sys;            /* errno at the failure, 0 if none */
    const char *at;     /* "file.c:line", static */
    char msg[160];      /* one line, no secrets, names in single quotes */
};

#define ERR_STRING2(x) #x
#define ERR_STRING(x)  ERR_STRING2(x)
#define ERR_AT         __FILE__ ":" ERR_STRING(__LINE__)

/* Fill `err` and return `code`, so that a failure is one line:
 *     return err_fail(err, ERR_NOT_FOUND, "bucket '%s'", name);
 * err_fail_reason adds the module's detail, err_fail_sys errno and its text
 * (ENOSPC and EDQUOT become ERR_NO_SPACE, ENOMEM, EMFILE and ENFILE ERR_NO_MEMORY). */
#define err_fail(err, code, ...) err_set((err), (code), 0, ERR_AT, __VA_ARGS__)
#define err_fail_reason(err, code, reason, ...)                                                    \
    err_set((err), (code), (reason), ERR_AT, __VA_ARGS__)
#define err_fail_sys(err, errno_value, ...) err_set_sys((err), (errno_value), ERR_AT, __VA_ARGS__)

/* Fill `err`; use the macros above.
 *
 * err      the caller's; NULL is allowed and only yields the code
 * at       static text
 * returns  `code` */
enum err_code err_set(struct err *err, enum err_code code, int reason, const char *at,
                      const char *format, ...) PRINTF_LIKE(5, 6);
enum err_code err_set_sys(struct err *err, int errno_value, const char *at, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Put words in front of the message on the way up: "words: message".
 *
 * err      one that was filled; not NULL
 * returns  err->code */
enum err_code err_add(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The name of a code, in lower case with '_' ("not_found"); static. */
const char *err_code_name(enum err_code code);

#endif
