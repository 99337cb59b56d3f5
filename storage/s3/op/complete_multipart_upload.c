/* complete_multipart_upload.c - CompleteMultipartUpload: the named parts become
 * one object. It is one commit however large the object is, so the answer never
 * has to begin before the work is done.
 *
 * Source    Amazon S3 API Reference, CompleteMultipartUpload. */
#include "storage/s3/answer.h"
#include "storage/s3/etag.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"
#include "storage/s3/writing.h"
#include "storage/s3/xml_read.h"

/* The checksum that a Part element may have: one of the upload's kind. */
static enum err_code read_part_checksum(const struct xml_node *node,
                                        const struct checksum_policy *policy,
                                        struct record_checksum *ret_checksum, struct err *err)
{
    struct bytes text = xml_read_text(node, checksum_element(policy->kind));
    *ret_checksum = (struct record_checksum){.kind = policy->kind, .present = text.data != NULL};
    if (!text.data || checksum_parse(policy->kind, text, &ret_checksum->value))
        return ERR_OK;
    return s3_fail(err, S3_INVALID_PART);
}

static enum err_code read_part(const struct xml_node *node, const struct checksum_policy *policy,
                               struct upload_part_named *ret_part, struct err *err)
{
    uint64_t number;
    uint32_t parts;
    struct bytes etag = bytes_trim(xml_read_text(node, "ETag"));
    if (!xml_read_u64(node, "PartNumber", UINT32_MAX, &number) || !etag.data)
        return s3_fail(err, S3_MALFORMED_XML);
    ret_part->number = (uint32_t)number;
    if (!etag_parse(etag, ret_part->etag, &parts) || parts > 0)
        return s3_fail(err, S3_INVALID_PART);
    return read_part_checksum(node, policy, &ret_part->checksum, err);
}

static enum err_code read_parts(struct call *call, const struct checksum_policy *policy,
                                struct upload_complete *request, struct err *err)
{
    const struct xml_node *root, *node;
    if (xml_read(buf_bytes(&call->document), "CompleteMultipartUpload", call->arena, &root, err))
        return err->code;
    size_t count = 0;
    for (node = xml_read_child(root, "Part"); node; node = xml_read_next(node))
        count++;
    if (count == 0 || count > S3_PARTS_MAX)
        return s3_fail(err, S3_MALFORMED_XML);
    request->parts = arena_alloc(call->arena, count * sizeof(*request->parts));
    if (!request->parts)
        return err_fail(err, ERR_NO_MEMORY, "parts");
    for (node = xml_read_child(root, "Part"); node; node = xml_read_next(node))
        if (read_part(node, policy, &request->parts[request->part_count++], err))
            return err->code;
    return ERR_OK;
}

/* x-amz-mp-object-size and the whole's checksum. */
static enum err_code read_expected(struct call *call, const struct checksum_policy *policy,
                                   struct upload_complete *request, struct err *err)
{
    struct bytes size = call_field(call, "x-amz-mp-object-size");
    if (size.data && !bytes_to_u64(size, UINT64_MAX - 1, &request->expected_length))
        return call_bad_argument(call, "x-amz-mp-object-size", size, "Not a number of bytes", err);
    return checksum_read_object(&call->head, policy, (uint32_t)request->part_count,
                                &request->expected, err);
}

static enum err_code answer(struct call *call, const struct record_object *object, struct err *err)
{
    struct xml_write xml;
    const char *scheme = http_request_is_tls(call->http) ? "https" : "http";
    struct bytes host = call_field(call, "host"), path = call->head.path;
    xml_write_start(&xml, &call->out, "CompleteMultipartUploadResult", true);
    xml_write_made(&xml, "Location",
                   arena_printf(call->arena, "%s://%" BYTES_FMT "%" BYTES_FMT, scheme,
                                BYTES_ARG(host), BYTES_ARG(path)));
    xml_write_text(&xml, "Bucket", call->bucket_name);
    xml_write_text(&xml, "Key", call->key);
    parts_write_etag(&xml, object->etag, object->parts);
    parts_write_checksum(&xml, &object->checksum, object->parts);
    if (object->checksum.present)
        xml_write_str(&xml, "ChecksumType", checksum_type_name(object->checksum.composite));
    xml_write_end(&xml);
    return answer_document(call, err);
}

enum err_code complete_multipart_upload_run(struct call *call, struct err *err)
{
    struct condition condition = condition_of(&call->head);
    struct upload_complete request = {.expected_length = UINT64_MAX,
                                      .length_max = call->s3->options.object_max};
    struct record_upload upload = {.checksum_kind = HASH_CRC64NVME};
    struct record_object object;
    enum err_code rc = upload_find(call->s3->store, call->bucket, call->key, parts_upload_id(call),
                                   call->arena, &upload, err);
    bool may_be_done = rc == ERR_NOT_FOUND && err->reason == STORE_NO_UPLOAD;
    if (rc != ERR_OK && !may_be_done)
        return rc;
    struct checksum_policy policy = parts_policy(&upload);
    writing_condition(&condition, &request.condition);
    if (read_parts(call, &policy, &request, err) ||
        (!may_be_done && read_expected(call, &policy, &request, err)))
        return err->code;
    if (upload_complete(call->s3->store, call->bucket, call->key, parts_upload_id(call), &request,
                        call->arena, &object, err))
        return parts_failed(call, err);
    answer_version(call, &object);
    return answer(call, &object, err);
}
