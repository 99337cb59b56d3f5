/* audit_s3.h - S3 requests into the audit log: changes of buckets one by one,
 * refusals and rot counted (audit_repeat.h).
 *
 *     s3:CreateBucket  s3:DeleteBucket  s3:PutBucketVersioning  …  auth:refused  rot:read
 *
 * Not here  reads, writes and deletes of objects: the log line of each request tells of
 *           those, and of deletes the change log, in the commit of the delete.
 * Threads   any. */
#ifndef APPLIANCE_AUDIT_S3_H
#define APPLIANCE_AUDIT_S3_H

#include "appliance/audit_repeat.h"
#include "storage/s3/s3.h"

struct audit_s3 {
    struct audit *audit; /* borrowed, as the next */
    struct audit_repeat *repeat;
    struct s3_audit calls; /* made by audit_s3_init: for s3_options */
};

/* to  audit and repeat are set; must not be moved afterwards */
void audit_s3_init(struct audit_s3 *to);

#endif
