/* upload_part_copy.c - UploadPartCopy: a part from an object, or from a range of it.
 *
 * Source    Amazon S3 API Reference, UploadPartCopy. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"
#include "storage/s3/range.h"
#include "storage/s3/source.h"

static enum err_code read_range(struct call *call, struct upload_copy_part *request,
                                struct err *err)
{
    struct bytes field = call_field(call, "x-amz-copy-source-range");
    request->has_range = field.data != NULL;
    if (!field.data || range_read_copy(field, &request->first, &request->last))
        return ERR_OK;
    return call_bad_argument(call, "x-amz-copy-source-range", field,
                             "The x-amz-copy-source-range value must be of the form "
                             "bytes=first-last where first and last are the zero-based offsets "
                             "of the first and last bytes to copy",
                             err);
}

static enum err_code failed(struct call *call, const struct source *source, struct err *err)
{
    if (err->reason == STORE_NO_UPLOAD)
        return parts_failed(call, err);
    if (err->reason == STORE_BAD_RANGE)
        return call_bad_argument(call, "x-amz-copy-source-range",
                                 call_field(call, "x-amz-copy-source-range"),
                                 "Range specified is not valid for the source object", err);
    return source_failed(call, source, err);
}

static enum err_code answer(struct call *call, const struct record_part *part, struct err *err)
{
    struct xml_write xml;
    xml_write_start(&xml, &call->out, "CopyPartResult", true);
    xml_write_time(&xml, "LastModified", part->modified_unix_ms);
    parts_write_etag(&xml, part->etag, 0);
    parts_write_checksum(&xml, &part->checksum, 0);
    xml_write_end(&xml);
    return answer_document(call, err);
}

enum err_code upload_part_copy_run(struct call *call, struct err *err)
{
    AUTO(source) struct source source = {0};
    struct record_object copied;
    struct record_part part;
    uint32_t number;
    if (parts_number(call, &number, err) || source_open(call, &source, err))
        return err->code;
    struct upload_copy_part request = {
        .source_bucket = source.bucket,
        .source_key = source.key,
        .source_version = source.version,
        .source_condition = source_condition(&source),
    };
    if (read_range(call, &request, err))
        return err->code;
    if (upload_copy_part(call->s3->store, call->bucket, call->key, parts_upload_id(call), number,
                         &request, call->arena, &copied, &part, err))
        return failed(call, &source, err);
    source_answer_version(call, &source, &copied);
    return answer(call, &part, err);
}
