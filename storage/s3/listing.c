/* listing.c - see listing.h. */
#include "storage/s3/listing.h"

#include "base/codec.h"
#include "storage/s3/checksum.h"
#include "storage/s3/etag.h"
#include "storage/s3/owner.h"

static enum err_code read_parameters(struct listing *listing, struct err *err)
{
    struct call *call = listing->call;
    struct bytes encoding = call_param(call, "encoding-type");
    listing->options.prefix = call_param(call, "prefix");
    listing->options.delimiter = call_param(call, "delimiter");
    listing->url_encoded = encoding.len > 0;
    if (encoding.len > 0 && !bytes_equal_str(encoding, "url"))
        return call_bad_argument(call, "encoding-type", encoding,
                                 "Invalid Encoding Method specified in Request", err);
    if (call_number(call, "max-keys", S3_LIST_MAX, INT32_MAX, &listing->max, err))
        return err->code;
    if (listing->max > S3_LIST_MAX)
        listing->max = S3_LIST_MAX;
    return ERR_OK;
}

enum err_code listing_start(struct call *call, const char *root, struct listing *ret_listing,
                            struct err *err)
{
    struct listing *listing = ret_listing;
    memset(listing, 0, sizeof(*listing));
    listing->call = call;
    if (read_parameters(listing, err))
        return err->code;
    if (listing->options.delimiter.len > 0) {
        listing->prefixes = arena_alloc(call->arena, S3_LIST_MAX * sizeof(*listing->prefixes));
        if (!listing->prefixes)
            return err_fail(err, ERR_NO_MEMORY, "prefixes");
    }
    xml_write_start(&listing->xml, &call->out, root, true);
    xml_write_text(&listing->xml, "Name", call->bucket_name);
    listing_write_name(listing, "Prefix", listing->options.prefix);
    xml_write_u64(&listing->xml, "MaxKeys", listing->max);
    if (listing->options.delimiter.len > 0)
        listing_write_name(listing, "Delimiter", listing->options.delimiter);
    if (listing->url_encoded)
        xml_write_str(&listing->xml, "EncodingType", "url");
    return ERR_OK;
}

static enum err_code add_prefix(struct listing *listing, struct bytes key, struct err *err)
{
    struct bytes copy = arena_copy(listing->call->arena, key);
    if (!copy.data)
        return err_fail(err, ERR_NO_MEMORY, "prefix");
    listing->prefixes[listing->prefix_count++] = copy;
    return ERR_OK;
}

/* Remember where the page ends so far. */
static void note_last(struct listing *listing, const struct list_item *item)
{
    listing->last_len = item->key.len < S3_KEY_MAX ? item->key.len : S3_KEY_MAX;
    memcpy(listing->last_key, item->key.data, listing->last_len);
    listing->last_is_prefix = item->is_prefix;
    listing->last = (struct record_object){.seq = item->object.seq, .origin = item->object.origin};
    listing->count++;
}

static enum err_code fill_from(struct listing *listing, struct list *list, listing_write_fn write,
                               struct err *err)
{
    struct list_item item;
    for (;;) {
        bool at_end;
        if (list_next(list, &item, &at_end, err))
            return err->code;
        if (at_end)
            return ERR_OK;
        listing->truncated = listing->count == listing->max;
        if (listing->truncated)
            return ERR_OK;
        if (!item.is_prefix)
            write(listing, &item);
        else if (add_prefix(listing, item.key, err))
            return err->code;
        note_last(listing, &item);
    }
}

enum err_code listing_fill(struct listing *listing, listing_write_fn write, struct err *err)
{
    AUTO(list) struct list *list = NULL;
    if (listing->max == 0)
        return ERR_OK;
    if (list_open(listing->call->s3->store, listing->call->bucket, &listing->options, &list, err))
        return err->code;
    return fill_from(listing, list, write, err);
}

void listing_end(struct listing *listing)
{
    for (size_t i = 0; i < listing->prefix_count; i++) {
        xml_write_open(&listing->xml, "CommonPrefixes");
        listing_write_name(listing, "Prefix", listing->prefixes[i]);
        xml_write_close(&listing->xml);
    }
    xml_write_bool(&listing->xml, "IsTruncated", listing->truncated);
}

struct bytes listing_last(const struct listing *listing)
{
    return bytes_of(listing->last_key, listing->last_len);
}

void listing_write_name(struct listing *listing, const char *name, struct bytes text)
{
    if (listing->url_encoded && text.len > 0)
        xml_write_made(&listing->xml, name, codec_uri_encode(listing->call->arena, text, true));
    else
        xml_write_text(&listing->xml, name, text);
}

void listing_write_content(struct listing *listing, const struct record_object *object)
{
    struct xml_write *xml = &listing->xml;
    char etag[ETAG_TEXT_MAX];
    etag_text(object->etag, object->parts, etag);
    xml_write_time(xml, "LastModified", object->modified_unix_ms);
    xml_write_str(xml, "ETag", etag);
    if (object->checksum.present) {
        xml_write_str(xml, "ChecksumAlgorithm", checksum_name(object->checksum.kind));
        xml_write_str(xml, "ChecksumType", checksum_type_name(object->checksum.composite));
    }
    xml_write_u64(xml, "Size", object->length);
    xml_write_str(xml, "StorageClass", "STANDARD");
}

void listing_write_object(struct listing *listing, const struct list_item *item)
{
    xml_write_open(&listing->xml, "Contents");
    listing_write_name(listing, "Key", item->key);
    listing_write_content(listing, &item->object);
    if (listing->with_owner)
        owner_write(listing->call, &listing->xml, "Owner", item->object.owner);
    xml_write_close(&listing->xml);
}
