/* reading.c - see reading.h. */
#include "storage/s3/reading.h"

#include <inttypes.h>
#include <stdio.h>

#include "storage/s3/answer.h"
#include "storage/s3/condition.h"
#include "storage/s3/content.h"
#include "storage/s3/range.h"

#define RANGE_TEXT_MAX 80 /* "bytes first-last/size" and a NUL */

static enum err_code read_part_number(struct call *call, struct reading *reading, struct err *err)
{
    struct bytes text = call_param(call, "partNumber");
    uint64_t number = 0;
    if (!text.data)
        return ERR_OK;
    if (!bytes_to_u64(text, S3_PARTS_MAX, &number) || number == 0)
        return call_bad_argument(call, "partNumber", text,
                                 "Part number must be an integer between 1 and 10000, inclusive",
                                 err);
    if (call_field(call, "range").data)
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "Cannot specify both Range header and partNumber query parameter");
    reading->part_number = (uint32_t)number;
    return ERR_OK;
}

enum err_code reading_start(struct call *call, struct reading *ret_reading, struct err *err)
{
    *ret_reading = (struct reading){.status = 200};
    if (call_version(call, &ret_reading->version, err) || read_part_number(call, ret_reading, err))
        return err->code;
    return content_check_overrides(call, err);
}

enum err_code reading_missing(struct call *call, const struct reading *reading,
                              const struct record_object *object, struct err *err)
{
    call_detail(call, "Key", call->key);
    if (err->reason == STORE_NO_VERSION)
        call_detail(call, "VersionId", call_param(call, "versionId"));
    if (err->reason != STORE_DELETE_MARKER)
        return err->code;
    http_reply_field_str(call->http, "x-amz-delete-marker", "true");
    answer_version(call, object);
    if (reading->version.kind == VERSION_LATEST)
        return err->code;
    answer_date(call, "Last-Modified", object->modified_unix_ms);
    http_reply_field_str(call->http, "Allow", "DELETE");
    call_detail(call, "Method", call->head.method);
    call_detail(call, "ResourceType", BYTES_LIT("DeleteMarker"));
    return s3_fail(err, S3_METHOD_NOT_ALLOWED);
}

/* The fields by which a client knows what it has: also in 304. */
static void send_identity(struct call *call, const struct record_object *object)
{
    answer_etag(call, object);
    answer_date(call, "Last-Modified", object->modified_unix_ms);
    answer_version(call, object);
}

static void send_content_range(struct call *call, const struct reading *reading, uint64_t size)
{
    char text[RANGE_TEXT_MAX];
    if (reading->len == 0)
        snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
    else
        snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, reading->first,
                 reading->first + reading->len - 1, size);
    http_reply_field_str(call->http, "Content-Range", text);
}

static enum err_code settle_part(struct call *call, const struct record_object *object,
                                 struct reading *reading, struct err *err)
{
    struct record_part part;
    if (object_part_find(call->s3->store, object, reading->part_number, call->arena,
                         &reading->first, &part, err)) {
        if (err->reason != STORE_BAD_PART)
            return err->code;
        call_detail(call, "PartNumberRequested", call_param(call, "partNumber"));
        return s3_fail(err, S3_INVALID_PART_NUMBER);
    }
    reading->len = part.length;
    reading->status = part.length > 0 ? 206 : 200;
    reading->checksum = object->parts > 0 ? part.checksum : object->checksum;
    return ERR_OK;
}

static enum err_code settle_range(struct call *call, const struct record_object *object,
                                  struct reading *reading, struct err *err)
{
    struct bytes field = call_field(call, "range");
    struct range range = {RANGE_WHOLE, 0, object->length};
    if (field.data && condition_range(call_field(call, "if-range"), object))
        range = range_read(field, object->length);
    reading->first = range.first;
    reading->len = range.len;
    reading->status = range.kind == RANGE_PART ? 206 : 200;
    if (range.kind == RANGE_WHOLE)
        reading->checksum = object->checksum;
    if (range.kind != RANGE_UNSATISFIABLE)
        return ERR_OK;
    send_content_range(call, reading, object->length);
    call_detail(call, "RangeRequested", field);
    call_detail(call, "ActualObjectSize", arena_printf(call->arena, "%" PRIu64, object->length));
    return s3_fail(err, S3_INVALID_RANGE);
}

enum err_code reading_settle(struct call *call, const struct record_object *object,
                             struct reading *reading, struct err *err)
{
    struct condition condition = condition_of(&call->head);
    if (condition_error(condition_read(&condition, object), err)) {
        send_identity(call, object);
        return err->code;
    }
    return reading->part_number > 0 ? settle_part(call, object, reading, err)
                                    : settle_range(call, object, reading, err);
}

static void send_checksum(struct call *call, const struct record_object *object,
                          const struct reading *reading)
{
    struct record_object told = {.parts = object->parts, .checksum = reading->checksum};
    struct bytes mode = call_field(call, "x-amz-checksum-mode");
    if (bytes_equal_nocase(mode, BYTES_LIT("ENABLED")))
        answer_checksum(call, &told);
}

void reading_send(struct call *call, const struct record_object *object,
                  const struct reading *reading)
{
    char number[24];
    send_identity(call, object);
    http_reply_field_str(call->http, "Accept-Ranges", "bytes");
    content_send(call, object);
    send_checksum(call, object, reading);
    if (reading->status == 206)
        send_content_range(call, reading, object->length);
    if (object->tags.count > 0) {
        snprintf(number, sizeof(number), "%zu", object->tags.count);
        http_reply_field_str(call->http, "x-amz-tagging-count", number);
    }
    if (reading->part_number > 0 && object->parts > 0) {
        snprintf(number, sizeof(number), "%u", object->parts);
        http_reply_field_str(call->http, "x-amz-mp-parts-count", number);
    }
}
