/* abort_multipart_upload.c - AbortMultipartUpload: the upload is gone, its parts' space follows.
 *
 * Source    Amazon S3 API Reference, AbortMultipartUpload. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"

enum err_code abort_multipart_upload_run(struct call *call, struct err *err)
{
    if (upload_abort(call->s3->store, call->bucket, call->key, parts_upload_id(call), call->arena,
                     err))
        return parts_failed(call, err);
    answer_empty(call, 204);
    return ERR_OK;
}
