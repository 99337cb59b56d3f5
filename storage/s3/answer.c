/* answer.c - see answer.h. */
#include "storage/s3/answer.h"

#include "base/log.h"
#include "storage/s3/etag.h"
#include "storage/s3/witness.h"

#define ANSWER_PLAIN_MAX KIB(8) /* bytes of an error's document, path and all */

static const struct record_pairs no_details;

static bool is_head(struct http_request *http)
{
    return bytes_equal(http_request_head(http)->method, BYTES_LIT("HEAD"));
}

void answer_empty(struct call *call, int status)
{
    http_reply_bytes(call->http, status, bytes_of(NULL, 0));
}

enum err_code answer_document(struct call *call, struct err *err)
{
    if (!buf_ok(&call->out))
        return err_fail(err, call->out.failed == ERR_LIMIT ? ERR_IO : call->out.failed,
                        "reply document");
    http_reply_field_str(call->http, "Content-Type", "application/xml");
    http_reply_bytes(call->http, 200, buf_bytes(&call->out));
    return ERR_OK;
}

/* Write the document of an error. */
static void write_error(struct buf *to, struct http_request *http, const struct err *err,
                        const struct record_pairs *details)
{
    char host_id[HTTP_ID2_ROOM];
    struct xml_write xml;
    http_request_id2(http, host_id);
    buf_clear(to);
    xml_write_start(&xml, to, "Error", false);
    xml_write_str(&xml, "Code", error_row(error_of(err))->code);
    xml_write_str(&xml, "Message", error_message(err));
    for (size_t i = 0; i < details->count; i++)
        xml_write_text(&xml, (const char *)details->items[i].name.data, details->items[i].value);
    xml_write_text(&xml, "Resource", http_request_head(http)->path);
    xml_write_str(&xml, "RequestId", http_request_id(http));
    xml_write_str(&xml, "HostId", host_id);
    xml_write_end(&xml);
}

void answer_log_failure(const struct call *call, const struct err *err)
{
    struct log_line line;
    if (err->code == ERR_CORRUPT)
        witness_rotten(call);
    log_begin(&line, LOG_ERROR, "s3");
    log_str(&line, "req", http_request_id(call->http));
    log_str(&line, "op", call->route ? call->route->name : "none");
    log_str(&line, "rc", err_code_name(err->code));
    log_bytes(&line, "bucket", call->bucket_name);
    log_bytes(&line, "object", call->key);
    log_str(&line, "at", err->at);
    log_str(&line, "msg", err->msg);
    log_end(&line);
}

void answer_error(struct call *call, const struct err *err)
{
    enum s3_error error = error_of(err);
    const struct error_row *row = error_row(error);
    struct record_pairs details;
    measure_error(call->s3->measure, error);
    witness_failed(call, error);
    if (row->status == 500)
        answer_log_failure(call, err);
    http_request_note(call->http, call->route ? call->route->name : "none", row->code);
    if (row->status == 304 || is_head(call->http)) {
        answer_empty(call, row->status);
        return;
    }
    details = (struct record_pairs){call->details, call->detail_count};
    write_error(&call->out, call->http, err, &details);
    http_reply_field_str(call->http, "Content-Type", "application/xml");
    http_reply_bytes(call->http, row->status, buf_bytes(&call->out));
}

void answer_plain_error(struct http_request *http, const struct err *err)
{
    const struct error_row *row = error_row(error_of(err));
    struct bytes content;
    struct buf out;
    buf_init(&out, ANSWER_PLAIN_MAX);
    write_error(&out, http, err, &no_details);
    content = arena_copy(http_request_arena(http), buf_bytes(&out));
    buf_done(&out);
    http_request_note(http, "none", row->code);
    http_reply_field_str(http, "Content-Type", "application/xml");
    http_reply_bytes(http, row->status, is_head(http) ? bytes_of(NULL, 0) : content);
}

void answer_date(struct call *call, const char *name, uint64_t unix_ms)
{
    char text[CLOCK_TEXT_MAX];
    clock_format_http(unix_ms, text);
    http_reply_field_str(call->http, name, text);
}

void answer_version(struct call *call, const struct record_object *object)
{
    char text[OBJECT_VERSION_TEXT];
    if (bucket_info(call->bucket).versioning == BUCKET_UNVERSIONED)
        return;
    object_version_text(object, text);
    http_reply_field_str(call->http, "x-amz-version-id", text);
}

void answer_etag(struct call *call, const struct record_object *object)
{
    char text[ETAG_TEXT_MAX];
    etag_text(object->etag, object->parts, text);
    http_reply_field_str(call->http, "ETag", text);
}

static void send_checksum_value(struct call *call, const struct record_checksum *checksum,
                                uint32_t parts)
{
    char text[CHECKSUM_TEXT_MAX];
    checksum_text(checksum, parts, text);
    http_reply_field_str(call->http, checksum_header(checksum->kind), text);
}

void answer_checksum(struct call *call, const struct record_object *object)
{
    if (!object->checksum.present)
        return;
    send_checksum_value(call, &object->checksum, object->parts);
    http_reply_field_str(call->http, "x-amz-checksum-type",
                         checksum_type_name(object->checksum.composite));
}

void answer_part_checksum(struct call *call, const struct record_checksum *checksum)
{
    if (checksum->present)
        send_checksum_value(call, checksum, 0);
}
