/* writing.h - conditional writes: If-Match and If-None-Match of a request, as the
 * store asks for them under the key's lock.
 *
 * Threads   the request's.
 * Source    Amazon S3 user guide, "Conditional requests"; s3.md 15. */
#ifndef STORAGE_S3_WRITING_H
#define STORAGE_S3_WRITING_H

#include "storage/s3/call.h"
#include "storage/s3/condition.h"

/* What the store shall check before it changes call's key.
 *
 * condition      borrowed until the change is done
 * ret_condition  check is NULL where the condition is empty */
void writing_condition(const struct condition *condition, struct object_condition *ret_condition);

/* Look before the body is asked for: what fails now need not be sent.
 *
 * errors  S3_PRECONDITION_FAILED, S3_NO_SUCH_KEY; those of object_head() but for what is not there
 */
MUST_USE enum err_code
writing_check_early(struct call *call, const struct object_condition *condition, struct err *err);

#endif
