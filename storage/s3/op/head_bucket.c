/* head_bucket.c - HeadBucket: is it there, and may I.
 *
 * Source    Amazon S3 API Reference, HeadBucket. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/region.h"

enum err_code head_bucket_run(struct call *call, struct err *err)
{
    (void)err;
    http_reply_field(call->http, "x-amz-bucket-region", region_of_bucket(call));
    http_reply_field_str(call->http, "x-amz-access-point-alias", "false");
    answer_empty(call, 200);
    return ERR_OK;
}
