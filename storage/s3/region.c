/* region.c - see region.h. */
#include "storage/s3/region.h"

bool region_name_ok(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return name.len > 0 && name.len <= REGION_MAX;
}

struct bytes region_or_default(const struct call *call, struct bytes region)
{
    if (region.len == 0)
        region = call->s3->options.region;
    return region.len > 0 ? region : BYTES_LIT(REGION_DEFAULT);
}

struct bytes region_of_bucket(const struct call *call)
{
    return region_or_default(call, bucket_info(call->bucket).region);
}
