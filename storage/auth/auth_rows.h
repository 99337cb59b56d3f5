/* auth_rows.h - rows of users, keys and sessions: their keys, packing and unpacking.
 *
 * Not here  what the rows mean (auth_key.c, auth_session.c), sealing.
 * Threads   pure functions. */
#ifndef STORAGE_AUTH_AUTH_ROWS_H
#define STORAGE_AUTH_AUTH_ROWS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "storage/auth/auth.pb-c.h"
#include "storage/kv/commit.h"
#include "storage/kv/tags.h"

#define AUTH_ROWS_FORMAT  1
#define AUTH_ROWS_KEY_MAX 256     /* bytes; longer names have no row */
#define AUTH_ROWS_MAX     KIB(64) /* bytes of memory to unpack one row */

/* A row's key: the tag, then the name. */
struct auth_rows_key {
    uint8_t data[AUTH_ROWS_KEY_MAX];
    size_t len; /* bytes */
};

struct auth_rows_key auth_rows_key(enum kv_tag tag, struct bytes name);

static inline struct bytes auth_rows_key_bytes(const struct auth_rows_key *key)
{
    return bytes_of(key->data, key->len);
}

/* Put a message under its key into the batch; spent memory is remembered there. */
void auth_rows_put(struct commit_batch *batch, const struct auth_rows_key *key,
                   const ProtobufCMessage *message);

/* Read one row.
 *
 * ret     arena memory: the message; NULL where there is no such row
 * errors  ERR_CORRUPT (not such a row, or of a newer format), ERR_NO_MEMORY, those of kv_find */
MUST_USE enum err_code auth_rows_find(struct kv *kv, struct arena *arena,
                                      const ProtobufCMessageDescriptor *type,
                                      const struct auth_rows_key *key, void **ret, struct err *err);

/* A walk over every row of a tag. */
struct auth_rows_walk {
    enum kv_tag tag;
    const ProtobufCMessageDescriptor *type;
    /* Look at one row; name and message are borrowed for the call. */
    enum err_code (*each)(void *ctx, struct bytes name, void *message, struct err *err);
    void *ctx;
};

/* Walk in order of names; stops where `each` fails.
 *
 * errors  those of the store, of auth_rows_find and of `each` */
MUST_USE enum err_code auth_rows_each(struct kv *kv, const struct auth_rows_walk *walk,
                                      struct err *err);

#endif
