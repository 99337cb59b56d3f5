/* sigv4.h - AWS Signature Version 4, in the Authorization header and in the query.
 *
 * Not here  the canonical request (canonical.h), pieces of a body (sign_chunk.c).
 * Threads   any.
 * Source    AWS General Reference, "Signing AWS API requests"; Amazon S3 API
 *           Reference, "Authenticating Requests (AWS Signature Version 4)". */
#ifndef STORAGE_AUTH_SIGV4_H
#define STORAGE_AUTH_SIGV4_H

#include "storage/auth/proof.h"

#define SIGV4_DATE_LEN 16 /* 20261124T101619Z */

/* Write a moment in the form that version 4 signs. */
void sigv4_format_date(uint64_t unix_ms, char ret_date[SIGV4_DATE_LEN + 1]);

/* Date, scope and hash of the canonical request, as they are signed.
 *
 * scope    "20261124/us-east-1/s3/aws4_request"
 * returns  arena memory; data is NULL when memory is out */
struct bytes sigv4_string_to_sign(struct arena *arena, struct bytes date, struct bytes scope,
                                  struct bytes canonical);

/* errors  those of sign_authenticate */
MUST_USE enum err_code sigv4_header(struct proof *proof);
MUST_USE enum err_code sigv4_query(struct proof *proof);

#endif
