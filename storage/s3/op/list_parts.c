/* list_parts.c - ListParts: what an upload has so far, by number.
 *
 * Source    Amazon S3 API Reference, ListParts. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/owner.h"
#include "storage/s3/parts.h"

struct page {
    uint64_t after, max;
    struct record_part *parts;
    size_t count;
    bool more;
};

static enum err_code read_page(struct call *call, struct page *page, struct err *err)
{
    if (call_number(call, "part-number-marker", 0, INT32_MAX, &page->after, err) ||
        call_number(call, "max-parts", S3_LIST_MAX, INT32_MAX, &page->max, err))
        return err->code;
    if (page->max > S3_LIST_MAX)
        page->max = S3_LIST_MAX;
    if (upload_parts(call->s3->store, call->bucket, call->key, parts_upload_id(call),
                     (uint32_t)page->after, (size_t)page->max, call->arena, &page->parts,
                     &page->count, &page->more, err))
        return parts_failed(call, err);
    return ERR_OK;
}

static void write_part(struct xml_write *xml, const struct record_part *part)
{
    xml_write_open(xml, "Part");
    xml_write_u64(xml, "PartNumber", part->number);
    xml_write_time(xml, "LastModified", part->modified_unix_ms);
    parts_write_etag(xml, part->etag, 0);
    xml_write_u64(xml, "Size", part->length);
    parts_write_checksum(xml, &part->checksum, 0);
    xml_write_close(xml);
}

static void write_page(struct xml_write *xml, const struct page *page)
{
    xml_write_u64(xml, "PartNumberMarker", page->after);
    if (page->count)
        xml_write_u64(xml, "NextPartNumberMarker", page->parts[page->count - 1].number);
    xml_write_u64(xml, "MaxParts", page->max);
    xml_write_bool(xml, "IsTruncated", page->more);
    for (size_t i = 0; i < page->count; i++)
        write_part(xml, &page->parts[i]);
}

enum err_code list_parts_run(struct call *call, struct err *err)
{
    struct record_upload upload;
    struct page page;
    struct xml_write xml;
    if (parts_find(call, &upload, err) || read_page(call, &page, err))
        return err->code;
    xml_write_start(&xml, &call->out, "ListPartsResult", true);
    xml_write_text(&xml, "Bucket", call->bucket_name);
    xml_write_text(&xml, "Key", call->key);
    xml_write_text(&xml, "UploadId", parts_upload_id(call));
    write_page(&xml, &page);
    owner_write(call, &xml, "Initiator", upload.initiator);
    owner_write(call, &xml, "Owner", upload.object.owner);
    xml_write_str(&xml, "StorageClass", "STANDARD");
    parts_write_policy(&xml, &upload);
    xml_write_end(&xml);
    return answer_document(call, err);
}
