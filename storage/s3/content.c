/* content.c - see content.h. */
#include "storage/s3/content.h"

#include "storage/s3/metadata.h"
#include "storage/s3/tagging.h"

#define ENCODING BYTES_LIT("content-encoding")

static const struct content_row {
    const char *field;    /* in requests, and in the record */
    const char *sent;     /* in replies */
    const char *override; /* parameter that replaces it in a reply */
    const char *fallback; /* sent where there is none; NULL = not sent */
} rows[] = {
    {"content-type", "Content-Type", "response-content-type", "binary/octet-stream"},
    {"content-encoding", "Content-Encoding", "response-content-encoding", NULL},
    {"content-disposition", "Content-Disposition", "response-content-disposition", NULL},
    {"content-language", "Content-Language", "response-content-language", NULL},
    {"cache-control", "Cache-Control", "response-cache-control", NULL},
    {"expires", "Expires", "response-expires", NULL},
};

/* A Content-Encoding without "aws-chunked", which is about the way and not the object. */
static enum err_code strip_chunked(struct arena *arena, struct bytes value, struct bytes *ret_value,
                                   struct err *err)
{
    uint8_t *kept;
    size_t len = 0;
    if (bytes_find_bytes(value, BYTES_LIT("chunked")) < 0) {
        *ret_value = value;
        return ERR_OK;
    }
    kept = arena_alloc_raw(arena, value.len);
    if (!kept)
        return err_fail(err, ERR_NO_MEMORY, "content encoding");
    while (value.len > 0) {
        struct bytes coding;
        bytes_cut(&value, ',', &coding);
        coding = bytes_trim(coding);
        if (coding.len == 0 || bytes_equal_nocase(coding, BYTES_LIT("aws-chunked")))
            continue;
        if (len > 0)
            kept[len++] = ',';
        memcpy(kept + len, coding.data, coding.len);
        len += coding.len;
    }
    *ret_value = bytes_of(kept, len);
    return ERR_OK;
}

/* A field's value; where it came more than once, its values joined as a list. */
static enum err_code joined_field(struct call *call, struct bytes name, struct bytes *ret_value,
                                  struct err *err)
{
    struct bytes joined = bytes_of(NULL, 0);
    for (size_t i = 0; i < call->head.field_count; i++) {
        const struct http_field *field = &call->head.fields[i];
        if (!bytes_equal(field->name, name))
            continue;
        if (joined.len > 0)
            joined = arena_printf(call->arena, "%" BYTES_FMT ", %" BYTES_FMT, BYTES_ARG(joined),
                                  BYTES_ARG(field->value));
        else
            joined = field->value;
        if (!joined.data)
            return err_fail(err, ERR_NO_MEMORY, "a header field");
    }
    *ret_value = joined;
    return ERR_OK;
}

static enum err_code read_content_headers(struct call *call, struct record_pairs *ret_headers,
                                          struct err *err)
{
    ret_headers->count = 0;
    ret_headers->items = arena_alloc(call->arena, ARRAY_LEN(rows) * sizeof(*ret_headers->items));
    if (!ret_headers->items)
        return err_fail(err, ERR_NO_MEMORY, "content headers");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bytes name = bytes_of_str(rows[i].field);
        struct bytes value;
        if (joined_field(call, name, &value, err))
            return err->code;
        if (bytes_equal(name, ENCODING) && strip_chunked(call->arena, value, &value, err))
            return err->code;
        if (value.len > 0)
            ret_headers->items[ret_headers->count++] = (struct record_pair){name, value};
    }
    return ERR_OK;
}

enum err_code content_read_headers(struct call *call, struct record_object *ret_object,
                                   struct err *err)
{
    if (read_content_headers(call, &ret_object->headers, err))
        return err->code;
    if (metadata_read(&call->head, call->arena, &ret_object->metadata, err)) {
        if (err->reason == S3_METADATA_TOO_LARGE)
            call_detail(call, "MaxSizeAllowed", arena_printf(call->arena, "%zu", S3_METADATA_MAX));
        return err->code;
    }
    return ERR_OK;
}

enum err_code content_read(struct call *call, struct record_object *ret_object, struct err *err)
{
    ret_object->owner = call_user_id(call);
    if (content_read_headers(call, ret_object, err))
        return err->code;
    return tagging_read_header(call_field(call, "x-amz-tagging"), call->arena, &ret_object->tags,
                               err);
}

enum err_code content_check_overrides(struct call *call, struct err *err)
{
    if (call->query.count == 0)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bytes value = call_param(call, rows[i].override);
        if (!value.data)
            continue;
        if (call->who.mode == SIGN_ANONYMOUS)
            return s3_fail_because(
                err, S3_INVALID_REQUEST,
                "Request specific response headers cannot be used for anonymous GET requests.");
        if (!call_is_field_text(value))
            return call_bad_argument(call, rows[i].override, value, "Control characters", err);
    }
    return ERR_OK;
}

/* What a reply says of one content header: the override, the object's, or the default. */
static struct bytes content_value(struct call *call, const struct record_object *object,
                                  const struct content_row *row)
{
    struct bytes value = call_param(call, row->override);
    if (value.len == 0)
        value = record_pair_find(&object->headers, row->field);
    return value.len == 0 && row->fallback ? bytes_of_str(row->fallback) : value;
}

static void send_metadata(struct call *call, const struct record_pair *pair)
{
    struct bytes name =
        arena_printf(call->arena, METADATA_PREFIX "%" BYTES_FMT, BYTES_ARG(pair->name));
    struct bytes value = metadata_reply_value(pair->value, call->arena);
    if (name.data && (value.data || pair->value.len == 0))
        http_reply_field(call->http, (const char *)name.data, value);
    else
        http_reply_no_memory(call->http);
}

void content_send(struct call *call, const struct record_object *object)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bytes value = content_value(call, object, &rows[i]);
        if (value.len > 0)
            http_reply_field(call->http, rows[i].sent, value);
    }
    for (size_t i = 0; i < object->metadata.count; i++)
        send_metadata(call, &object->metadata.items[i]);
}
