/* witness.h - tells who keeps an audit log (struct s3_audit) what a request did:
 * changes of buckets, refusals, rot. Not every object: that is what the log line
 * of each request is for.
 *
 * Not here  what becomes of it.
 * Threads   the request's. */
#ifndef STORAGE_S3_WITNESS_H
#define STORAGE_S3_WITNESS_H

#include "storage/s3/call.h"

/* The operation was done and its reply is built, not sent. Tells where the row is
 * ROUTE_AUDITED.
 *
 * errors  the log's, ERR_NO_SPACE, ERR_READ_ONLY, ERR_IO …: the reply was taken back */
MUST_USE enum err_code witness_changed(struct call *call, struct err *err);

/* The request is answered with this error; tells where it is about who asks. */
void witness_failed(const struct call *call, enum s3_error error);

/* What was stored is damaged. */
void witness_rotten(const struct call *call);

#endif
