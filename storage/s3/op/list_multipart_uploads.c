/* list_multipart_uploads.c - ListMultipartUploads: what is under way in a bucket.
 *
 * Source    Amazon S3 API Reference, ListMultipartUploads. */
#include "base/codec.h"
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/owner.h"
#include "storage/s3/parts.h"

struct page {
    struct call *call;
    struct upload_list_options options;
    bool url_encoded;
    struct upload_item *items;
    size_t count;
    bool more;
};

static enum err_code read_options(struct page *page, struct err *err)
{
    struct call *call = page->call;
    struct bytes encoding = call_param(call, "encoding-type");
    uint64_t max;
    if (encoding.len > 0 && !bytes_equal_str(encoding, "url"))
        return call_bad_argument(call, "encoding-type", encoding,
                                 "Invalid Encoding Method specified in Request", err);
    if (call_number(call, "max-uploads", S3_LIST_MAX, INT32_MAX, &max, err))
        return err->code;
    page->url_encoded = encoding.len > 0;
    page->options = (struct upload_list_options){
        .prefix = call_param(call, "prefix"),
        .delimiter = call_param(call, "delimiter"),
        .after_key = call_param(call, "key-marker"),
        .after_id = call_param(call, "upload-id-marker"),
        .max = max < S3_LIST_MAX ? (size_t)max : S3_LIST_MAX,
    };
    return ERR_OK;
}

static void write_name(struct page *page, struct xml_write *xml, const char *name,
                       struct bytes text)
{
    if (page->url_encoded && text.len > 0)
        xml_write_made(xml, name, codec_uri_encode(page->call->arena, text, true));
    else
        xml_write_text(xml, name, text);
}

static void write_upload(struct page *page, struct xml_write *xml, const struct upload_item *item)
{
    xml_write_open(xml, "Upload");
    write_name(page, xml, "Key", item->key);
    xml_write_str(xml, "UploadId", item->id);
    owner_write(page->call, xml, "Initiator", item->upload.initiator);
    owner_write(page->call, xml, "Owner", item->upload.object.owner);
    xml_write_str(xml, "StorageClass", "STANDARD");
    xml_write_time(xml, "Initiated", item->upload.initiated_unix_ms);
    parts_write_policy(xml, &item->upload);
    xml_write_close(xml);
}

static void write_prefix(struct page *page, struct xml_write *xml, const struct upload_item *item)
{
    xml_write_open(xml, "CommonPrefixes");
    write_name(page, xml, "Prefix", item->key);
    xml_write_close(xml);
}

static void write_head(struct page *page, struct xml_write *xml)
{
    const struct upload_list_options *options = &page->options;
    xml_write_text(xml, "Bucket", page->call->bucket_name);
    write_name(page, xml, "KeyMarker", options->after_key);
    xml_write_text(xml, "UploadIdMarker", options->after_id);
    if (page->more && page->count) {
        const struct upload_item *last = &page->items[page->count - 1];
        write_name(page, xml, "NextKeyMarker", last->key);
        xml_write_str(xml, "NextUploadIdMarker", last->id);
    }
    write_name(page, xml, "Prefix", options->prefix);
    if (options->delimiter.len > 0)
        write_name(page, xml, "Delimiter", options->delimiter);
    if (page->url_encoded)
        xml_write_str(xml, "EncodingType", "url");
    xml_write_u64(xml, "MaxUploads", options->max);
    xml_write_bool(xml, "IsTruncated", page->more);
}

enum err_code list_multipart_uploads_run(struct call *call, struct err *err)
{
    struct page page = {.call = call};
    struct xml_write xml;
    if (read_options(&page, err) ||
        upload_list(call->s3->store, call->bucket, &page.options, call->arena, &page.items,
                    &page.count, &page.more, err))
        return err->code;
    xml_write_start(&xml, &call->out, "ListMultipartUploadsResult", true);
    write_head(&page, &xml);
    for (size_t i = 0; i < page.count; i++)
        if (!page.items[i].is_prefix)
            write_upload(&page, &xml, &page.items[i]);
    for (size_t i = 0; i < page.count; i++)
        if (page.items[i].is_prefix)
            write_prefix(&page, &xml, &page.items[i]);
    xml_write_end(&xml);
    return answer_document(call, err);
}
