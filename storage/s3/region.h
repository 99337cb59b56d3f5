/* region.h - the region a bucket says it is in.
 *
 * Threads   pure.
 * Source    Amazon S3 API Reference, CreateBucket, GetBucketLocation. */
#ifndef STORAGE_S3_REGION_H
#define STORAGE_S3_REGION_H

#include "storage/s3/call.h"

#define REGION_DEFAULT "us-east-1"

/* A name such as eu-central-1: 1..REGION_MAX of A-Z a-z 0-9 -. */
#define REGION_MAX 31
bool region_name_ok(struct bytes name);

/* `region` of a bucket: as it was made, else the service's, else REGION_DEFAULT. */
struct bytes region_or_default(const struct call *call, struct bytes region);

/* The same of the call's bucket. */
struct bytes region_of_bucket(const struct call *call);

#endif
