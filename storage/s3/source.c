/* source.c - see source.h. */
#include "storage/s3/source.h"

#include "storage/s3/names.h"

static enum err_code check_owner(struct call *call, const struct source *source, struct err *err)
{
    struct bytes owner = bucket_info(source->bucket).owner;
    if (bytes_equal(owner, call_user_id(call)) &&
        call_is_expected_owner(call, "x-amz-source-expected-bucket-owner", owner))
        return ERR_OK;
    return s3_fail(err, S3_ACCESS_DENIED);
}

enum err_code source_open(struct call *call, struct source *ret_source, struct err *err)
{
    struct names_source names;
    *ret_source = (struct source){.condition = condition_of_copy_source(&call->head)};
    if (names_read_source(call_field(call, "x-amz-copy-source"), call->arena, &names, err))
        return err->code;
    ret_source->key = names.key;
    if (!object_version_parse(names.version_id, &ret_source->version))
        return call_bad_argument(call, "versionId", names.version_id,
                                 "Invalid version id specified", err);
    if (bucket_acquire(call->s3->store, names.bucket, &ret_source->bucket, err)) {
        call_detail(call, "BucketName", names.bucket);
        return err->code;
    }
    return check_owner(call, ret_source, err);
}

void source_close(struct source *source)
{
    bucket_release(source->bucket);
    source->bucket = NULL;
}

static enum err_code check(void *ctx, const struct record_object *object, struct err *err)
{
    return condition_error(condition_copy(ctx, object), err);
}

struct object_condition source_condition(const struct source *source)
{
    if (condition_is_empty(&source->condition))
        return (struct object_condition){NULL, NULL};
    return (struct object_condition){check, (void *)&source->condition};
}

enum err_code source_failed(struct call *call, const struct source *source, struct err *err)
{
    if (err->reason == STORE_NO_KEY || err->reason == STORE_NO_VERSION)
        call_detail(call, "Key", source->key);
    if (err->reason == STORE_DELETE_MARKER && source->version.kind != VERSION_LATEST)
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "The source of a copy request may not specifically refer to a "
                               "delete marker by version id.");
    return err->code;
}

void source_answer_version(struct call *call, const struct source *source,
                           const struct record_object *object)
{
    char text[OBJECT_VERSION_TEXT];
    if (bucket_info(source->bucket).versioning == BUCKET_UNVERSIONED)
        return;
    object_version_text(object, text);
    http_reply_field_str(call->http, "x-amz-copy-source-version-id", text);
}
