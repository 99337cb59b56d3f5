/* parts.c - see parts.h. */
#include "storage/s3/parts.h"

#include "storage/s3/etag.h"

struct bytes parts_upload_id(const struct call *call)
{
    return call_param(call, "uploadId");
}

enum err_code parts_number(struct call *call, uint32_t *ret_number, struct err *err)
{
    struct bytes text = call_param(call, "partNumber");
    uint64_t number = 0;
    if (!bytes_to_u64(text, S3_PARTS_MAX, &number) || number == 0)
        return call_bad_argument(call, "partNumber", text,
                                 "Part number must be an integer between 1 and 10000, inclusive",
                                 err);
    *ret_number = (uint32_t)number;
    return ERR_OK;
}

enum err_code parts_failed(struct call *call, struct err *err)
{
    if (err->reason == STORE_NO_UPLOAD)
        call_detail(call, "UploadId", parts_upload_id(call));
    return err->code;
}

enum err_code parts_find(struct call *call, struct record_upload *ret_upload, struct err *err)
{
    if (upload_find(call->s3->store, call->bucket, call->key, parts_upload_id(call), call->arena,
                    ret_upload, err))
        return parts_failed(call, err);
    return ERR_OK;
}

struct checksum_policy parts_policy(const struct record_upload *upload)
{
    return (struct checksum_policy){.declared = upload->has_checksum,
                                    .kind = upload->checksum_kind,
                                    .composite = upload->composite};
}

void parts_write_etag(struct xml_write *xml, const uint8_t *etag, uint32_t parts)
{
    char text[ETAG_TEXT_MAX];
    etag_text(etag, parts, text);
    xml_write_str(xml, "ETag", text);
}

void parts_write_checksum(struct xml_write *xml, const struct record_checksum *checksum,
                          uint32_t parts)
{
    char text[CHECKSUM_TEXT_MAX];
    if (!checksum->present)
        return;
    checksum_text(checksum, parts, text);
    xml_write_str(xml, checksum_element(checksum->kind), text);
}

void parts_write_policy(struct xml_write *xml, const struct record_upload *upload)
{
    if (!upload->has_checksum)
        return;
    xml_write_str(xml, "ChecksumAlgorithm", checksum_name(upload->checksum_kind));
    xml_write_str(xml, "ChecksumType", checksum_type_name(upload->composite));
}
