/* headers.h - which x-amz- headers this server knows: a table.
 *
 * A header that asks for something this server does not do is refused by name,
 * never passed over in silence; a value that asks for what is so anyway is fine.
 *
 * Threads   pure.
 * Source    Amazon S3 API Reference 2006-03-01, request headers of every action. */
#ifndef STORAGE_S3_HEADERS_H
#define STORAGE_S3_HEADERS_H

#include "base/http/head.h"
#include "storage/s3/error.h"

/* Look over the head's x-amz- fields.
 *
 * ret_name  on an error: the header's name, for the reply
 * errors    S3_NOT_IMPLEMENTED; S3_INVALID_ARGUMENT (a name kept for this server's own use) */
MUST_USE enum err_code headers_check(const struct http_head *head, struct bytes *ret_name,
                                     struct err *err);

#endif
