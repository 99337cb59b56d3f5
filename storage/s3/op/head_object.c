/* head_object.c - HeadObject: what GetObject would say, without the body.
 *
 * Source    Amazon S3 API Reference, HeadObject. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/reading.h"

enum err_code head_object_run(struct call *call, struct err *err)
{
    struct record_object object;
    struct reading reading;
    if (reading_start(call, &reading, err))
        return err->code;
    if (object_head(call->s3->store, call->bucket, call->key, reading.version, call->arena, &object,
                    err))
        return reading_missing(call, &reading, &object, err);
    if (reading_settle(call, &object, &reading, err))
        return err->code;
    reading_send(call, &object, &reading);
    http_reply_length(call->http, reading.status, reading.len);
    return ERR_OK;
}
