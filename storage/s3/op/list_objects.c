/* list_objects.c - ListObjects: the first version, by marker.
 *
 * Source    Amazon S3 API Reference, ListObjects. */
#include "storage/s3/answer.h"
#include "storage/s3/listing.h"
#include "storage/s3/op/op.h"

enum err_code list_objects_run(struct call *call, struct err *err)
{
    struct listing listing;
    if (listing_start(call, "ListBucketResult", &listing, err))
        return err->code;
    listing.options.after = call_param(call, "marker");
    listing.with_owner = true;
    listing_write_name(&listing, "Marker", listing.options.after);
    if (listing_fill(&listing, listing_write_object, err))
        return err->code;
    listing_end(&listing);
    if (listing.truncated && listing.options.delimiter.len > 0)
        listing_write_name(&listing, "NextMarker", listing_last(&listing));
    xml_write_end(&listing.xml);
    return answer_document(call, err);
}
