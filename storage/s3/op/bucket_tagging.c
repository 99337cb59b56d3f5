/* bucket_tagging.c - GetBucketTagging, PutBucketTagging, DeleteBucketTagging.
 *
 * Source    Amazon S3 API Reference, the same. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/tag_set.h"

static enum err_code set(struct call *call, const struct record_pairs *tags, struct err *err)
{
    if (bucket_set_tags(call->s3->store, call->bucket, tags, call_user_id(call), err))
        return err->code;
    answer_empty(call, 204);
    return ERR_OK;
}

enum err_code get_bucket_tagging_run(struct call *call, struct err *err)
{
    struct record_pairs tags;
    if (bucket_get_tags(call->bucket, call->arena, &tags, err))
        return err->code;
    if (tags.count == 0) {
        call_detail(call, "BucketName", call->bucket_name);
        return s3_fail(err, S3_NO_SUCH_TAG_SET);
    }
    tag_set_write(&call->out, &tags);
    return answer_document(call, err);
}

enum err_code put_bucket_tagging_run(struct call *call, struct err *err)
{
    struct record_pairs tags;
    return tag_set_read(call, S3_BUCKET_TAGS_MAX, &tags, err) ? err->code : set(call, &tags, err);
}

enum err_code delete_bucket_tagging_run(struct call *call, struct err *err)
{
    const struct record_pairs none = {NULL, 0};
    return set(call, &none, err);
}
