/* get_object_attributes.c - GetObjectAttributes: what is known of an object, without its bytes.
 *
 * Source    Amazon S3 API Reference, GetObjectAttributes. */
#include "storage/s3/answer.h"
#include "storage/s3/etag.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"

struct page {
    uint64_t after, max; /* part numbers */
};

struct attributes {
    struct call *call;
    struct record_object object;
    struct page page;
    struct xml_write xml;
};

typedef enum err_code (*write_fn)(struct attributes *attributes, struct err *err);

static enum err_code write_etag(struct attributes *attributes, struct err *err)
{
    char text[ETAG_TEXT_MAX];
    (void)err;
    etag_text(attributes->object.etag, attributes->object.parts, text);
    struct bytes quoted = bytes_of_str(text);
    xml_write_text(&attributes->xml, "ETag", bytes_first(bytes_from(quoted, 1), quoted.len - 2));
    return ERR_OK;
}

static enum err_code write_checksum(struct attributes *attributes, struct err *err)
{
    const struct record_object *object = &attributes->object;
    (void)err;
    if (!object->checksum.present)
        return ERR_OK;
    xml_write_open(&attributes->xml, "Checksum");
    parts_write_checksum(&attributes->xml, &object->checksum, object->parts);
    xml_write_str(&attributes->xml, "ChecksumType", checksum_type_name(object->checksum.composite));
    xml_write_close(&attributes->xml);
    return ERR_OK;
}

static void write_part(struct xml_write *xml, const struct record_part *part)
{
    xml_write_open(xml, "Part");
    xml_write_u64(xml, "PartNumber", part->number);
    xml_write_u64(xml, "Size", part->length);
    parts_write_checksum(xml, &part->checksum, 0);
    xml_write_close(xml);
}

static enum err_code write_parts(struct attributes *attributes, struct err *err)
{
    const struct page *page = &attributes->page;
    struct xml_write *xml = &attributes->xml;
    struct record_part *parts;
    size_t count;
    if (attributes->object.parts == 0)
        return ERR_OK;
    if (object_parts(attributes->call->s3->store, &attributes->object, (uint32_t)page->after,
                     (size_t)page->max + 1, attributes->call->arena, &parts, &count, err))
        return err->code;
    bool more = count > page->max;
    if (more)
        count = (size_t)page->max;
    xml_write_open(xml, "ObjectParts");
    xml_write_u64(xml, "PartsCount", attributes->object.parts);
    xml_write_u64(xml, "PartNumberMarker", page->after);
    xml_write_u64(xml, "NextPartNumberMarker", count ? parts[count - 1].number : 0);
    xml_write_u64(xml, "MaxParts", page->max);
    xml_write_bool(xml, "IsTruncated", more);
    for (size_t i = 0; i < count; i++)
        write_part(xml, &parts[i]);
    xml_write_close(xml);
    return ERR_OK;
}

static enum err_code write_storage_class(struct attributes *attributes, struct err *err)
{
    (void)err;
    xml_write_str(&attributes->xml, "StorageClass", "STANDARD");
    return ERR_OK;
}

static enum err_code write_size(struct attributes *attributes, struct err *err)
{
    (void)err;
    xml_write_u64(&attributes->xml, "ObjectSize", attributes->object.length);
    return ERR_OK;
}

/* In the order of the document. */
static const struct row {
    const char *name; /* in x-amz-object-attributes */
    write_fn write;
} rows[] = {
    {"ETag", write_etag},         {"Checksum", write_checksum},
    {"ObjectParts", write_parts}, {"StorageClass", write_storage_class},
    {"ObjectSize", write_size},
};

static bool row_of(struct bytes name, size_t *ret_row)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (bytes_equal_str(name, rows[i].name)) {
            *ret_row = i;
            return true;
        }
    return false;
}

/* The names wanted, as bits by row. Clients send them in one field or in several. */
static enum err_code read_wanted(struct call *call, unsigned *ret_wanted, struct err *err)
{
    *ret_wanted = 0;
    for (size_t i = 0; i < call->head.field_count; i++) {
        struct bytes name, rest = call->head.fields[i].value;
        if (!bytes_equal_str(call->head.fields[i].name, "x-amz-object-attributes"))
            continue;
        while (rest.len > 0) {
            size_t row;
            bytes_cut(&rest, ',', &name);
            if (!row_of(bytes_trim(name), &row))
                return call_bad_argument(call, "x-amz-object-attributes", name,
                                         "Invalid attribute name specified.", err);
            *ret_wanted |= 1u << row;
        }
    }
    if (*ret_wanted == 0)
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "The x-amz-object-attributes header specifying the attributes to "
                               "be retrieved is either missing or empty");
    return ERR_OK;
}

static enum err_code read_number(struct call *call, const char *field, uint64_t fallback,
                                 uint64_t *ret_value, struct err *err)
{
    struct bytes text = call_field(call, field);
    *ret_value = fallback;
    if (!text.data || bytes_to_u64(text, INT32_MAX, ret_value))
        return ERR_OK;
    return call_bad_argument(call, field, text, "Not a number within the allowed range", err);
}

static enum err_code read_page(struct call *call, struct page *page, struct err *err)
{
    if (read_number(call, "x-amz-part-number-marker", 0, &page->after, err) ||
        read_number(call, "x-amz-max-parts", S3_LIST_MAX, &page->max, err))
        return err->code;
    if (page->max > S3_LIST_MAX)
        page->max = S3_LIST_MAX;
    return ERR_OK;
}

static enum err_code find(struct attributes *attributes, struct err *err)
{
    struct call *call = attributes->call;
    struct object_version version;
    if (call_version(call, &version, err))
        return err->code;
    if (!object_head(call->s3->store, call->bucket, call->key, version, call->arena,
                     &attributes->object, err))
        return ERR_OK;
    call_detail(call, "Key", call->key);
    if (err->reason != STORE_DELETE_MARKER)
        return err->code;
    http_reply_field_str(call->http, "x-amz-delete-marker", "true");
    return version.kind == VERSION_LATEST ? err->code : s3_fail(err, S3_METHOD_NOT_ALLOWED);
}

enum err_code get_object_attributes_run(struct call *call, struct err *err)
{
    struct attributes attributes = {.call = call};
    unsigned wanted;
    if (read_wanted(call, &wanted, err) || read_page(call, &attributes.page, err) ||
        find(&attributes, err))
        return err->code;
    xml_write_start(&attributes.xml, &call->out, "GetObjectAttributesResponse", true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (wanted & 1u << i && rows[i].write(&attributes, err))
            return err->code;
    xml_write_end(&attributes.xml);
    answer_date(call, "Last-Modified", attributes.object.modified_unix_ms);
    answer_version(call, &attributes.object);
    return answer_document(call, err);
}
