/* reply.c - replies as the service builds them: fields in the request's arena,
 * then content, a length, or a stream.
 *
 * Owns      nothing; everything lies in the arena or is the service's.
 * Not here  libmicrohttpd (mhd.c).
 * Threads   the connection's own. */
#include "base/http/reply.h"

#include <assert.h>

static bool is_clean_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c == ':' || *c == 0x7f)
            return false;
    return *name != 0;
}

static bool is_clean_value(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < ' ' || value.data[i] == 0x7f)
            return false;
    return true;
}

/* libmicrohttpd takes no empty value; a space is the same to a client. */
static const char *copy_value(struct http_request *request, struct bytes value)
{
    return value.len == 0 ? " " : arena_str(&request->conn->arena, value);
}

void http_reply_field(struct http_request *request, const char *name, struct bytes value)
{
    struct arena *arena = &request->conn->arena;
    struct http_reply *reply = &request->reply;
    if (!is_clean_name(name) || !is_clean_value(value)) {
        reply->failed = 500;
        return;
    }
    struct reply_field *field = arena_alloc(arena, sizeof(*field));
    char *name_copy = arena_str(arena, bytes_of_str(name));
    const char *value_copy = copy_value(request, value);
    if (!field || !name_copy || !value_copy) {
        reply->failed = 503;
        return;
    }
    field->name = name_copy;
    field->value = value_copy;
    *reply->end = field;
    reply->end = &field->next;
}

void http_reply_field_str(struct http_request *request, const char *name, const char *value)
{
    http_reply_field(request, name, bytes_of_str(value));
}

void http_reply_no_memory(struct http_request *request)
{
    request->reply.failed = 503;
}

void http_reply_close(struct http_request *request)
{
    request->reply.close = true;
}

void http_reply_take_back(struct http_request *request)
{
    struct http_reply *reply = &request->reply;
    *reply = (struct http_reply){.close = reply->close};
    reply->end = &reply->first;
}

static void set_kind(struct http_request *request, enum reply_kind kind, int status)
{
    assert(request->reply.kind == REPLY_NONE && status >= 200 && status <= 599);
    request->reply.kind = kind;
    request->reply.status = status;
}

void http_reply_bytes(struct http_request *request, int status, struct bytes content)
{
    set_kind(request, REPLY_BYTES, status);
    request->reply.content = content;
}

void http_reply_length(struct http_request *request, int status, uint64_t content_length)
{
    set_kind(request, REPLY_LENGTH, status);
    request->reply.length = content_length;
}

void http_reply_stream(struct http_request *request, int status, uint64_t content_length,
                       http_read_fn read, void *ctx)
{
    set_kind(request, REPLY_STREAM, status);
    request->reply.length = content_length;
    request->reply.read = read;
    request->reply.read_ctx = ctx;
}

void reply_settle(struct http_request *request)
{
    struct http_reply *reply = &request->reply;
    if (!reply->failed)
        return;
    reply->kind = REPLY_BYTES;
    reply->status = reply->failed;
    reply->content = bytes_of(NULL, 0);
    reply->first = NULL;
}
