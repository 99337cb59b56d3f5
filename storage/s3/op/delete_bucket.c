/* delete_bucket.c - DeleteBucket: an empty one.
 *
 * Source    Amazon S3 API Reference, DeleteBucket. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"

enum err_code delete_bucket_run(struct call *call, struct err *err)
{
    if (bucket_delete(call->s3->store, call->bucket, call_user_id(call), err)) {
        call_detail(call, "BucketName", call->bucket_name);
        return err->code;
    }
    answer_empty(call, 204);
    return ERR_OK;
}
