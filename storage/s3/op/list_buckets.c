/* list_buckets.c - ListBuckets: those of who asks, page by page.
 *
 * Source    Amazon S3 API Reference, ListBuckets. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/owner.h"
#include "storage/s3/region.h"
#include "storage/s3/token.h"

#define PAGE_MAX 10000 /* buckets */

struct page {
    struct bytes prefix, after, region;
    uint64_t max;
    struct bucket_entry *entries;
    size_t count;
    bool more;
};

static enum err_code read_request(struct call *call, struct page *page, struct err *err)
{
    struct bytes token = call_param(call, "continuation-token");
    page->prefix = call_param(call, "prefix");
    page->region = call_param(call, "bucket-region");
    if (call_number(call, "max-buckets", PAGE_MAX, PAGE_MAX, &page->max, err))
        return err->code;
    if (page->max == 0)
        return call_bad_argument(call, "max-buckets", BYTES_LIT("0"),
                                 "max-buckets must be between 1 and 10000", err);
    if (!token.data)
        return ERR_OK;
    return token_read(call->s3->token_key, 0, token, call->arena, &page->after, err);
}

static void write_bucket(struct call *call, struct xml_write *xml, const struct bucket_entry *entry)
{
    xml_write_open(xml, "Bucket");
    xml_write_text(xml, "Name", entry->name);
    xml_write_time(xml, "CreationDate", entry->created_unix_ms);
    xml_write_text(xml, "BucketRegion", region_or_default(call, entry->region));
    xml_write_close(xml);
}

static enum err_code write_page(struct call *call, const struct page *page, struct err *err)
{
    struct xml_write xml;
    xml_write_start(&xml, &call->out, "ListAllMyBucketsResult", true);
    owner_write(call, &xml, "Owner", call_user_id(call));
    xml_write_open(&xml, "Buckets");
    for (size_t i = 0; i < page->count; i++) {
        const struct bucket_entry *entry = &page->entries[i];
        if (!page->region.len || bytes_equal(page->region, region_or_default(call, entry->region)))
            write_bucket(call, &xml, entry);
    }
    xml_write_close(&xml);
    if (page->prefix.data)
        xml_write_text(&xml, "Prefix", page->prefix);
    if (page->more && page->count > 0)
        xml_write_made(
            &xml, "ContinuationToken",
            token_make(call->s3->token_key, 0, page->entries[page->count - 1].name, call->arena));
    xml_write_end(&xml);
    return answer_document(call, err);
}

enum err_code list_buckets_run(struct call *call, struct err *err)
{
    struct page page = {0};
    if (read_request(call, &page, err) ||
        bucket_list(call->s3->store, call_user_id(call), page.prefix, page.after, page.max,
                    call->arena, &page.entries, &page.count, &page.more, err))
        return err->code;
    return write_page(call, &page, err);
}
