/* delete_object.c - DeleteObject: a version, or the latest as the bucket's
 * versioning has it. What is not there is deleted with success.
 *
 * Source    Amazon S3 API Reference, DeleteObject. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/writing.h"

enum err_code delete_object_run(struct call *call, struct err *err)
{
    struct condition condition = condition_of(&call->head);
    struct object_delete request = {.key = call->key, .user = call_user_id(call)};
    struct object_deleted deleted;
    writing_condition(&condition, &request.condition);
    if (call_version(call, &request.version, err) ||
        object_delete(call->s3->store, call->bucket, &request, call->arena, &deleted, err))
        return err->code;
    if (deleted.is_marker)
        http_reply_field_str(call->http, "x-amz-delete-marker", "true");
    if (deleted.has_version)
        http_reply_field_str(call->http, "x-amz-version-id", deleted.version_id);
    answer_empty(call, 204);
    return ERR_OK;
}
