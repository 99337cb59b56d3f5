/* put_object.c - PutObject: bytes become an object, all or nothing.
 *
 * Source    Amazon S3 API Reference, PutObject. */
#include "storage/s3/answer.h"
#include "storage/s3/content.h"
#include "storage/s3/op/op.h"
#include "storage/s3/writing.h"

struct put {
    struct object_put request;
    struct condition condition;
};

enum err_code put_object_begin(struct call *call, struct err *err)
{
    struct put *put = arena_alloc(call->arena, sizeof(*put));
    if (!put)
        return err_fail(err, ERR_NO_MEMORY, "put");
    call->state = put;
    put->request.key = call->key;
    put->request.operation = CHANGE_OBJECT_PUT;
    put->condition = condition_of(&call->head);
    writing_condition(&put->condition, &put->request.condition);
    if (content_read(call, &put->request.object, err))
        return err->code;
    return writing_check_early(call, &put->request.condition, err);
}

enum err_code put_object_run(struct call *call, struct err *err)
{
    struct put *put = call->state;
    struct record_object object;
    memcpy(put->request.object.etag, call->intake.md5, RECORD_ETAG_LEN);
    put->request.object.checksum = call->intake.kept;
    put->request.body = TAKE(call->intake.writer);
    if (object_put(call->s3->store, call->bucket, &put->request, call->arena, &object, err))
        return err->code;
    answer_etag(call, &object);
    answer_version(call, &object);
    answer_checksum(call, &object);
    answer_empty(call, 200);
    return ERR_OK;
}
