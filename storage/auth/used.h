/* used.h - when keys were used, until it is written behind.
 *
 * Owns      at most AUTH_USED_MAX access keys, in memory.
 * Not here  the rows (auth_key.c).
 * Threads   any; one lock. */
#ifndef STORAGE_AUTH_USED_H
#define STORAGE_AUTH_USED_H

#include "base/bytes.h"
#include "base/limits.h"

struct used; /* opaque: used.c */

/* NULL when memory is out. */
struct used *used_new(void);
void used_free(struct used *used); /* NULL is allowed */

/* Remember the time, where it is the latest; an access key too many is passed over. */
void used_mark(struct used *used, struct bytes access_key, uint64_t unix_ms);

/* The time remembered, 0 without. */
uint64_t used_get(struct used *used, struct bytes access_key);

struct used_entry {
    char access_key[AUTH_KEY_ID_MAX];
    size_t len; /* bytes; 0 = free */
    uint64_t unix_ms;
};

/* Take all of them out; they are forgotten here.
 *
 * returns  how many, at most AUTH_USED_MAX */
size_t used_take(struct used *used, struct used_entry ret_entries[AUTH_USED_MAX]);

#endif
