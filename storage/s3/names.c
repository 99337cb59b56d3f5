/* names.c - see names.h. */
#include "storage/s3/names.h"

#include "base/codec.h"
#include "base/limits.h"

#define VERSION_QUERY BYTES_LIT("?versionId=")

static bool is_text(struct bytes name)
{
    return bytes_find(name, 0) < 0 && bytes_is_utf8(name);
}

static enum err_code check_len(struct bytes key, struct err *err)
{
    return key.len <= S3_KEY_MAX ? ERR_OK : s3_fail(err, S3_KEY_TOO_LONG);
}

enum err_code names_check_key(struct bytes key, struct err *err)
{
    if (key.len == 0 || !is_text(key))
        return s3_fail_because(err, S3_INVALID_ARGUMENT,
                               "A key is 1 byte or more of UTF-8 without NUL");
    return check_len(key, err);
}

/* The bucket in a host `bucket.domain`; empty where the host is not of that form. */
static struct bytes bucket_of_host(struct bytes host, struct bytes domain)
{
    struct bytes name;
    bytes_cut(&host, ':', &name);
    if (domain.len == 0 || name.len < domain.len + 2 ||
        name.data[name.len - domain.len - 1] != '.' ||
        !bytes_equal_nocase(bytes_from(name, name.len - domain.len), domain))
        return bytes_of(NULL, 0);
    return bytes_first(name, name.len - domain.len - 1);
}

static bool is_encoded(struct bytes raw)
{
    uint8_t value;
    for (size_t i = 0; i < raw.len; i++)
        if (raw.data[i] == '%' && !codec_unhex(bytes_first(bytes_from(raw, i + 1), 2), &value, 1))
            return false;
    return true;
}

enum err_code names_decode(struct bytes raw, bool plus_is_space, struct arena *arena,
                           struct bytes *ret_name, struct err *err)
{
    if (!is_encoded(raw))
        return s3_fail(err, S3_INVALID_URI);
    if (!codec_uri_decode(arena, raw, plus_is_space, ret_name))
        return err_fail(err, ERR_NO_MEMORY, "percent-encoded name");
    return ERR_OK;
}

static enum err_code decode_text(struct bytes raw, struct arena *arena, struct bytes *ret_name,
                                 struct err *err)
{
    enum err_code code = names_decode(raw, false, arena, ret_name, err);
    if (code == ERR_OK && !is_text(*ret_name))
        return s3_fail(err, S3_INVALID_URI);
    return code;
}

enum err_code names_locate(struct bytes path, struct bytes host, struct bytes domain,
                           struct arena *arena, struct names_place *ret_place, struct err *err)
{
    struct bytes rest = bytes_from(path, 1), bucket = bucket_of_host(host, domain);
    struct names_place place;
    enum err_code code;
    if (path.len == 0 || path.data[0] != '/')
        return s3_fail(err, S3_INVALID_URI);
    if (bucket.len == 0)
        bytes_cut(&rest, '/', &bucket);
    code = decode_text(bucket, arena, &place.bucket, err);
    if (code == ERR_OK)
        code = decode_text(rest, arena, &place.key, err);
    if (code)
        return code;
    if (place.bucket.len == 0 && place.key.len > 0)
        return s3_fail(err, S3_INVALID_URI);
    code = check_len(place.key, err);
    if (code == ERR_OK)
        *ret_place = place;
    return code;
}

static enum err_code bad_source(struct err *err, const char *why)
{
    return s3_fail_because(err, S3_INVALID_ARGUMENT, "x-amz-copy-source: %s", why);
}

/* Cut "?versionId=id" off the end of a copy source, the last one where there are several. */
static void cut_version(struct bytes *field, struct bytes *ret_id)
{
    struct bytes rest = *field;
    ptrdiff_t at = bytes_find_bytes(rest, VERSION_QUERY);
    *ret_id = bytes_of(NULL, 0);
    while (at >= 0) {
        rest = bytes_from(rest, (size_t)at + VERSION_QUERY.len);
        *ret_id = rest;
        at = bytes_find_bytes(rest, VERSION_QUERY);
    }
    if (ret_id->data)
        *field = bytes_first(*field, field->len - ret_id->len - VERSION_QUERY.len);
}

/* The parts of a decoded source: one slash may stand in front. */
static enum err_code split_source(struct bytes place, struct names_source *source, struct err *err)
{
    if (place.len > 0 && place.data[0] == '/')
        place = bytes_from(place, 1);
    bytes_cut(&place, '/', &source->bucket);
    source->key = place;
    if (source->bucket.len == 0 || source->key.len == 0)
        return bad_source(err, "it must name bucket and key: bucket/key");
    if (!is_text(source->bucket) || !is_text(source->key) || !is_text(source->version_id))
        return bad_source(err, "it must be UTF-8 without NUL");
    return check_len(source->key, err);
}

enum err_code names_read_source(struct bytes field, struct arena *arena,
                                struct names_source *ret_source, struct err *err)
{
    struct names_source source = {.version_id = {NULL, 0}};
    struct bytes place, version;
    enum err_code code;
    cut_version(&field, &version);
    if (version.data && version.len == 0)
        return bad_source(err, "the version id is empty");
    code = names_decode(field, false, arena, &place, err);
    if (code == ERR_OK && version.data)
        code = names_decode(version, false, arena, &source.version_id, err);
    if (code == ERR_INVALID)
        return bad_source(err, "its percent-encoding is broken");
    if (code == ERR_OK)
        code = split_source(place, &source, err);
    if (code == ERR_OK)
        *ret_source = source;
    return code;
}
