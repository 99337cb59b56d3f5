/* list_objects_v2.c - ListObjectsV2: by opaque token.
 *
 * Source    Amazon S3 API Reference, ListObjectsV2. */
#include "storage/s3/answer.h"
#include "storage/s3/listing.h"
#include "storage/s3/op/op.h"
#include "storage/s3/token.h"

/* Where the page starts: behind the token's key; start-after counts without a token only. */
static enum err_code read_start(struct listing *listing, struct err *err)
{
    struct call *call = listing->call;
    struct bytes token = call_param(call, "continuation-token");
    struct bytes start = call_param(call, "start-after");
    if (start.data)
        listing_write_name(listing, "StartAfter", start);
    listing->options.after = start;
    if (!token.data)
        return ERR_OK;
    xml_write_text(&listing->xml, "ContinuationToken", token);
    if (token_read(call->s3->token_key, bucket_info(call->bucket).id, token, call->arena,
                   &listing->options.after, err)) {
        call_detail(call, "ArgumentName", BYTES_LIT("continuation-token"));
        return err->code;
    }
    return ERR_OK;
}

static void write_next(struct listing *listing)
{
    struct call *call = listing->call;
    if (listing->truncated)
        xml_write_made(&listing->xml, "NextContinuationToken",
                       token_make(call->s3->token_key, bucket_info(call->bucket).id,
                                  listing_last(listing), call->arena));
}

enum err_code list_objects_v2_run(struct call *call, struct err *err)
{
    struct bytes type = call_param(call, "list-type");
    struct listing listing;
    if (!bytes_equal_str(type, "2"))
        return call_bad_argument(call, "list-type", type, "Invalid List Type specified in Request",
                                 err);
    if (listing_start(call, "ListBucketResult", &listing, err) || read_start(&listing, err))
        return err->code;
    listing.with_owner = bytes_equal_str(call_param(call, "fetch-owner"), "true");
    if (listing_fill(&listing, listing_write_object, err))
        return err->code;
    listing_end(&listing);
    xml_write_u64(&listing.xml, "KeyCount", listing.count);
    write_next(&listing);
    xml_write_end(&listing.xml);
    return answer_document(call, err);
}
