/* sigv2.h - signature version 2, in the Authorization header and in the query:
 * what boto3 presigns with by default.
 *
 * Threads   any.
 * Source    Amazon S3 Developer Guide, "Signing and authenticating REST requests (AWS
 *           signature version 2)". */
#ifndef STORAGE_AUTH_SIGV2_H
#define STORAGE_AUTH_SIGV2_H

#include "storage/auth/proof.h"

/* errors  those of sign_authenticate */
MUST_USE enum err_code sigv2_header(struct proof *proof);
MUST_USE enum err_code sigv2_query(struct proof *proof);

#endif
