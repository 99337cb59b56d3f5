/* create_bucket.c - CreateBucket.
 *
 * Source    Amazon S3 API Reference, CreateBucket. */
#include <stdio.h>

#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/region.h"
#include "storage/s3/xml_read.h"

#define LOCATION_MAX 65 /* '/', a bucket's name of 63, NUL */

enum err_code create_bucket_begin(struct call *call, struct err *err)
{
    if (bucket_name_ok(call->bucket_name))
        return ERR_OK;
    call_detail(call, "BucketName", call->bucket_name);
    return s3_fail(err, S3_INVALID_BUCKET_NAME);
}

/* LocationConstraint: where the service has a region, that one or none. */
static enum err_code check_region(struct call *call, struct bytes region, struct err *err)
{
    struct bytes ours = call->s3->options.region;
    if (region.len == 0)
        return ERR_OK;
    call_detail(call, "LocationConstraint", region);
    if (!region_name_ok(region))
        return s3_fail(err, S3_INVALID_LOCATION);
    if (ours.len == 0 || bytes_equal(region, ours))
        return ERR_OK;
    return s3_fail_because(err, S3_ILLEGAL_LOCATION,
                           "The %" BYTES_FMT " location constraint is incompatible for the region "
                           "specific endpoint this request was sent to.",
                           BYTES_ARG(region));
}

static enum err_code read_document(struct call *call, struct bytes *ret_region, struct err *err)
{
    static const char *const not_built[] = {"Location", "Bucket", "Tags"};
    const struct xml_node *root;
    *ret_region = bytes_of(NULL, 0);
    if (call->document.len == 0)
        return ERR_OK;
    if (xml_read(buf_bytes(&call->document), "CreateBucketConfiguration", call->arena, &root, err))
        return err->code;
    for (size_t i = 0; i < ARRAY_LEN(not_built); i++)
        if (xml_read_child(root, not_built[i]))
            return s3_fail_because(err, S3_NOT_IMPLEMENTED,
                                   "CreateBucketConfiguration with %s is not implemented",
                                   not_built[i]);
    *ret_region = bytes_trim(xml_read_text(root, "LocationConstraint"));
    return check_region(call, *ret_region, err);
}

/* The name is taken: by whom? */
static enum err_code fail_taken(struct call *call, struct err *err)
{
    AUTO(bucket) struct bucket *bucket = NULL;
    call_detail(call, "BucketName", call->bucket_name);
    if (!bucket_acquire(call->s3->store, call->bucket_name, &bucket, err) &&
        bytes_equal(bucket_info(bucket).owner, call_user_id(call)))
        return s3_fail(err, S3_BUCKET_YOURS);
    return s3_fail(err, S3_BUCKET_EXISTS);
}

enum err_code create_bucket_run(struct call *call, struct err *err)
{
    struct bytes region;
    char location[LOCATION_MAX];
    if (read_document(call, &region, err))
        return err->code;
    if (bucket_create(call->s3->store, call->bucket_name, call_user_id(call), region, err)) {
        if (err->code == ERR_LIMIT)
            return s3_fail(err, S3_TOO_MANY_BUCKETS);
        return err->code == ERR_EXISTS ? fail_taken(call, err) : err->code;
    }
    snprintf(location, sizeof(location), "/%" BYTES_FMT, BYTES_ARG(call->bucket_name));
    http_reply_field_str(call->http, "Location", location);
    answer_empty(call, 200);
    return ERR_OK;
}
