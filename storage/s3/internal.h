/* internal.h - struct s3: what every request of this service shares. Private to storage/s3.
 *
 * Threads   const after s3_new, but for the metrics, which are atomic. */
#ifndef STORAGE_S3_INTERNAL_H
#define STORAGE_S3_INTERNAL_H

#include "storage/s3/measure.h"
#include "storage/s3/s3.h"
#include "storage/s3/token.h"

struct s3 {
    struct store *store;
    struct auth *auth;
    struct s3_options options;
    struct http_service service;
    uint8_t token_key[TOKEN_KEY_LEN]; /* s3_options.token_key */
    struct measure *measure;
};

#endif
