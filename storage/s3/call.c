/* call.c - see call.h. */
#include "storage/s3/call.h"

#include "storage/s3/names.h"

struct call *call_open(struct s3 *s3, struct http_request *http)
{
    struct call *call = arena_alloc(http_request_arena(http), sizeof(*call));
    if (!call)
        return NULL;
    call->s3 = s3;
    call->http = http;
    call->arena = http_request_arena(http);
    call->head = *http_request_head(http);
    buf_init(&call->document, S3_XML_MAX);
    buf_init(&call->out, CALL_REPLY_MAX);
    http_request_set_user(http, call);
    return call;
}

void call_close(struct call *call)
{
    intake_done(&call->intake);
    buf_done(&call->document);
    buf_done(&call->out);
    if (call->reader)
        body_reader_free(call->reader);
    if (call->bucket)
        bucket_release(call->bucket);
    seal_wipe(call->who.signing_key, sizeof(call->who.signing_key));
}

static enum err_code read_query(struct call *call, struct err *err)
{
    struct bytes name, value;
    struct record_pairs *query = &call->query;
    size_t room = 0;
    for (size_t at = 0; http_query_next(call->head.query, &at, &name, &value);)
        room++;
    if (room == 0)
        return ERR_OK;
    query->items = arena_alloc(call->arena, room * sizeof(*query->items));
    if (!query->items)
        return err_fail(err, ERR_NO_MEMORY, "query parameters");
    for (size_t at = 0; http_query_next(call->head.query, &at, &name, &value);) {
        struct record_pair *pair = &query->items[query->count++];
        if (names_decode(name, true, call->arena, &pair->name, err) ||
            names_decode(value, true, call->arena, &pair->value, err))
            return err->code;
        if (bytes_find(pair->name, 0) >= 0 || bytes_find(pair->value, 0) >= 0)
            return s3_fail_because(err, S3_INVALID_ARGUMENT, "A parameter has a NUL in it");
    }
    return ERR_OK;
}

enum err_code call_locate(struct call *call, struct err *err)
{
    struct names_place place;
    if (names_locate(call->head.path, http_head_find(&call->head, "host"), call->s3->options.domain,
                     call->arena, &place, err)) {
        if (err->reason == S3_KEY_TOO_LONG)
            call_detail(call, "MaxSizeAllowed", arena_printf(call->arena, "%d", S3_KEY_MAX));
        return err->code;
    }
    call->bucket_name = place.bucket;
    call->key = place.key;
    return read_query(call, err);
}

static bool is_hoisted(struct bytes name)
{
    return bytes_equal_nocase(bytes_first(name, 6), BYTES_LIT("x-amz-"));
}

static struct bytes lower(struct arena *arena, struct bytes text)
{
    uint8_t *copy = arena_alloc_raw(arena, text.len);
    for (size_t i = 0; copy && i < text.len; i++)
        copy[i] = text.data[i] >= 'A' && text.data[i] <= 'Z' ? (uint8_t)(text.data[i] | 0x20)
                                                             : text.data[i];
    return bytes_of(copy, copy ? text.len : 0);
}

bool call_is_field_text(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
            return false;
    return true;
}

enum err_code call_adopt_parameters(struct call *call, struct err *err)
{
    size_t count = call->head.field_count;
    struct http_field *fields;
    if (call->who.mode != SIGN_V4_QUERY && call->who.mode != SIGN_V2_QUERY)
        return ERR_OK;
    fields = arena_alloc(call->arena, (count + call->query.count) * sizeof(*fields));
    if (!fields)
        return err_fail(err, ERR_NO_MEMORY, "fields");
    if (count > 0)
        memcpy(fields, call->head.fields, count * sizeof(*fields));
    for (size_t i = 0; i < call->query.count; i++) {
        struct record_pair *pair = &call->query.items[i];
        if (!is_hoisted(pair->name))
            continue;
        fields[count].name = lower(call->arena, pair->name);
        if (!fields[count].name.data)
            return err_fail(err, ERR_NO_MEMORY, "fields");
        fields[count++].value = bytes_trim(pair->value);
        if (!call_is_field_text(pair->name) || !call_is_field_text(pair->value))
            return call_bad_argument(call, "Query", pair->name, "Control characters", err);
    }
    call->head.fields = fields;
    call->head.field_count = count;
    return ERR_OK;
}

enum route_scope call_scope(const struct call *call)
{
    if (call->bucket_name.len == 0)
        return ROUTE_SERVICE;
    return call->key.len == 0 ? ROUTE_BUCKET : ROUTE_OBJECT;
}

struct bytes call_param(const struct call *call, const char *name)
{
    struct bytes wanted = bytes_of_str(name);
    for (size_t i = 0; i < call->query.count; i++)
        if (bytes_equal(call->query.items[i].name, wanted))
            return call->query.items[i].value;
    return bytes_of(NULL, 0);
}

struct bytes call_field(const struct call *call, const char *name)
{
    return http_head_find(&call->head, name);
}

enum err_code call_number(struct call *call, const char *name, uint64_t fallback, uint64_t max,
                          uint64_t *ret_value, struct err *err)
{
    struct bytes text = call_param(call, name);
    *ret_value = fallback;
    if (text.len == 0 || bytes_to_u64(text, max, ret_value))
        return ERR_OK;
    return call_bad_argument(call, name, text,
                             "Argument is not a number, or not within the allowed range", err);
}

enum err_code call_version(struct call *call, struct object_version *ret_version, struct err *err)
{
    struct bytes text = call_param(call, "versionId");
    if (text.data && text.len == 0)
        return call_bad_argument(call, "versionId", text, "Version id cannot be the empty string",
                                 err);
    if (!object_version_parse(text, ret_version))
        return call_bad_argument(call, "versionId", text, "Invalid version id specified", err);
    return ERR_OK;
}

void call_detail(struct call *call, const char *name, struct bytes value)
{
    if (call->detail_count < CALL_DETAILS_MAX)
        call->details[call->detail_count++] =
            (struct record_pair){.name = bytes_of_str(name), .value = value};
}

enum err_code call_bad_argument(struct call *call, const char *name, struct bytes value,
                                const char *why, struct err *err)
{
    call_detail(call, "ArgumentName", bytes_of_str(name));
    call_detail(call, "ArgumentValue", value);
    return s3_fail_because(err, S3_INVALID_ARGUMENT, "%s", why);
}

struct bytes call_user_id(const struct call *call)
{
    return bytes_of(call->who.key.user_id, AUTH_USER_ID_LEN);
}

bool call_is_expected_owner(const struct call *call, const char *field, struct bytes owner)
{
    struct bytes expected = call_field(call, field);
    return !expected.data || bytes_equal_str(expected, CALL_ACCOUNT_ID) ||
           bytes_equal(expected, owner);
}
