/* get_bucket_location.c - GetBucketLocation: empty for us-east-1, as ever.
 *
 * Source    Amazon S3 API Reference, GetBucketLocation. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/region.h"

enum err_code get_bucket_location_run(struct call *call, struct err *err)
{
    struct bytes region = region_of_bucket(call);
    struct xml_write xml;
    xml_write_start(&xml, &call->out, "LocationConstraint", true);
    if (!bytes_equal_str(region, REGION_DEFAULT) && region_name_ok(region))
        buf_append(&call->out, region); /* the root's text; such a name needs no escape */
    xml_write_end(&xml);
    return answer_document(call, err);
}
