/* attr.h - the few compiler attributes and scope helpers of the house.
 *
 * AUTO(type) x = ...   releases x with type##_auto() at the end of the scope
 * TAKE(p)              hands p out: yields its value and leaves NULL behind
 *
 * Never AUTO in code that runs under lua_pcall: longjmp skips cleanups. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_USE                       __attribute__((warn_unused_result))
#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))
#define UNUSED                         __attribute__((unused))

/* A release function for AUTO: void name_auto(type **p). To be released is use enough. */
#define AUTO(name) __attribute__((cleanup(name##_auto), unused))

/* Define name_auto(), the scope release of a pointer `type *` freed by `release`. */
#define AUTO_DEFINE(name, type, release)                                                           \
    UNUSED static inline void name##_auto(type **p)                                                \
    {                                                                                              \
        if (*p)                                                                                    \
            release(*p);                                                                           \
    }

#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) take_value = (p);                                                            \
        (p) = NULL;                                                                                \
        take_value;                                                                                \
    })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
