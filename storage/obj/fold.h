/* fold.h - what a listing folds: the part of a key up to the first delimiter
 * behind the prefix.
 *
 * Threads   values.
 * Source    Amazon S3 API Reference, ListObjectsV2, CommonPrefixes. */
#ifndef STORAGE_OBJ_FOLD_H
#define STORAGE_OBJ_FOLD_H

#include "base/bytes.h"

/* The folded prefix of `key`; empty where it is listed by itself. `key` begins
 * with `prefix`. */
static inline struct bytes fold_of(struct bytes key, struct bytes prefix, struct bytes delimiter)
{
    if (delimiter.len == 0)
        return (struct bytes){0};
    ptrdiff_t at = bytes_find_bytes(bytes_from(key, prefix.len), delimiter);
    return at < 0 ? (struct bytes){0} : bytes_first(key, prefix.len + (size_t)at + delimiter.len);
}

/* Whether `key` is itself what keys are folded to: a page that ended with it
 * goes on behind all that begins so. */
static inline bool fold_is_prefix(struct bytes key, struct bytes prefix, struct bytes delimiter)
{
    return bytes_starts_with(key, prefix) && key.len > prefix.len &&
           fold_of(key, prefix, delimiter).len == key.len;
}

#endif
