/* create_multipart_upload.c - CreateMultipartUpload: what the object will carry,
 * and which checksum. Without one the parts get CRC64NVME, as S3 does.
 *
 * Source    Amazon S3 API Reference, CreateMultipartUpload. */
#include "storage/s3/answer.h"
#include "storage/s3/content.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"

static enum err_code read_upload(struct call *call, struct checksum_policy *policy,
                                 struct record_upload *upload, struct err *err)
{
    if (checksum_read_policy(&call->head, policy, err) || content_read(call, &upload->object, err))
        return err->code;
    upload->initiator = call_user_id(call);
    upload->has_checksum = true;
    upload->checksum_kind = policy->declared ? policy->kind : HASH_CRC64NVME;
    upload->composite = policy->declared && policy->composite;
    return ERR_OK;
}

enum err_code create_multipart_upload_run(struct call *call, struct err *err)
{
    struct checksum_policy policy;
    struct record_upload upload = {0};
    char id[UPLOAD_ID_TEXT];
    struct xml_write xml;
    if (read_upload(call, &policy, &upload, err) ||
        upload_create(call->s3->store, call->bucket, call->key, &upload, call->arena, id, err))
        return err->code;
    if (policy.declared) {
        http_reply_field_str(call->http, "x-amz-checksum-algorithm", checksum_name(policy.kind));
        http_reply_field_str(call->http, "x-amz-checksum-type",
                             checksum_type_name(policy.composite));
    }
    xml_write_start(&xml, &call->out, "InitiateMultipartUploadResult", true);
    xml_write_text(&xml, "Bucket", call->bucket_name);
    xml_write_text(&xml, "Key", call->key);
    xml_write_str(&xml, "UploadId", id);
    xml_write_end(&xml);
    return answer_document(call, err);
}
