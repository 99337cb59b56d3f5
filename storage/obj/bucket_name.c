/* bucket_name.c - bucket.h: which names a bucket may have.
 *
 * Source    Amazon S3 User Guide, "General purpose bucket naming rules". */
#include "storage/obj/bucket.h"

#define BUCKET_NAME_MIN 3
#define BUCKET_NAME_MAX 63

static bool is_lower_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool looks_like_ipv4(struct bytes name)
{
    unsigned dots = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '.')
            dots++;
        else if (name.data[i] < '0' || name.data[i] > '9')
            return false;
    }
    return dots == 3;
}

static bool has_reserved_ending(struct bytes name)
{
    static const char *const prefixes[] = {"xn--", "sthree-", "amzn-s3-demo-"};
    static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (bytes_starts_with(name, bytes_of_str(prefixes[i])))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (bytes_ends_with(name, bytes_of_str(suffixes[i])))
            return true;
    return false;
}

/* A dot stands between letters or digits; '-' may stand anywhere but beside one. */
static bool may_follow(uint8_t before, uint8_t c)
{
    if (c == '.')
        return is_lower_or_digit(before);
    return is_lower_or_digit(c) || (c == '-' && before != '.');
}

static bool well_formed(struct bytes name)
{
    if (!is_lower_or_digit(name.data[0]) || !is_lower_or_digit(name.data[name.len - 1]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!may_follow(name.data[i - 1], name.data[i]))
            return false;
    return true;
}

bool bucket_name_ok(struct bytes name)
{
    return name.len >= BUCKET_NAME_MIN && name.len <= BUCKET_NAME_MAX && well_formed(name) &&
           !looks_like_ipv4(name) && !has_reserved_ending(name);
}
