/* object_tagging.c - GetObjectTagging, PutObjectTagging, DeleteObjectTagging.
 *
 * Source    Amazon S3 API Reference, the same. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/tag_set.h"

/* A version that is not there, or is a delete marker, has no tags. */
static enum err_code fail_missing(struct call *call, struct object_version version, struct err *err)
{
    call_detail(call, "Key", call->key);
    if (err->reason == STORE_DELETE_MARKER && version.kind != VERSION_LATEST)
        return s3_fail(err, S3_METHOD_NOT_ALLOWED);
    return err->code;
}

static enum err_code set(struct call *call, const struct record_pairs *tags, int status,
                         struct err *err)
{
    struct object_version version;
    struct record_object object;
    if (call_version(call, &version, err))
        return err->code;
    if (object_set_tags(call->s3->store, call->bucket, call->key, version, tags, call->arena,
                        &object, err))
        return fail_missing(call, version, err);
    answer_version(call, &object);
    answer_empty(call, status);
    return ERR_OK;
}

enum err_code get_object_tagging_run(struct call *call, struct err *err)
{
    struct object_version version;
    struct record_object object;
    if (call_version(call, &version, err))
        return err->code;
    if (object_head(call->s3->store, call->bucket, call->key, version, call->arena, &object, err))
        return fail_missing(call, version, err);
    answer_version(call, &object);
    tag_set_write(&call->out, &object.tags);
    return answer_document(call, err);
}

enum err_code put_object_tagging_run(struct call *call, struct err *err)
{
    struct record_pairs tags;
    return tag_set_read(call, S3_TAGS_MAX, &tags, err) ? err->code : set(call, &tags, 200, err);
}

enum err_code delete_object_tagging_run(struct call *call, struct err *err)
{
    const struct record_pairs none = {NULL, 0};
    return set(call, &none, 204, err);
}
