/* mhd.c - the one file that includes microhttpd.h.
 *
 * libmicrohttpd 0.9.75 and 1.0.1: parses HTTP/1.x, one thread a connection, TLS
 * by GnuTLS. What was found in 0.9.75 and is relied on here:
 *  - the first handler call comes after the head and before 100 Continue; a
 *    reply queued in it suppresses 100 Continue, and closes the connection
 *    after the reply, with a body outstanding or without;
 *  - in mid-body no reply can be queued;
 *  - the completion callback comes when the reply is written and before the
 *    connection closes, so the drain in request_close() lets the client read it;
 *  - its close callback comes when the connection's thread has ended and
 *    before the socket is closed;
 *  - MHD_OPTION_STRICT_FOR_CLIENT adds nothing to http_head_check(), and sends
 *    the head of its 400 twice, as a malformed Content-Length does anyway;
 *  - 1.0.1 answers a chunk extension with 400, and closes without a reply on a
 *    raw NUL in the request line;
 *  - its own inactivity timeout restarts at every byte, and cuts a reply whose
 *    making took longer: it is off, watch.c keeps the time.
 *
 * Owns      the daemon; the certificate and key as text.
 * Threads   callbacks run on connections' threads, but for on_connection:
 *           that is libmicrohttpd's own.
 * Source    microhttpd.h. */
#include "base/http/mhd.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http/conn.h"
#include "base/http/reply.h"
#include "base/http/request.h"
#include "base/limits.h"

#define SPARE_CONNECTIONS 64 /* the caps are ours; its limit must never be met */
#define FIRST_STRICT      "0.9.77"
#define TLS_PRIORITIES    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct mhd {
    struct MHD_Daemon *daemon;
    char *cert, *key;  /* PEM, NUL-terminated; NULL without TLS */
    char message[120]; /* the last complaint while it starts */
    bool running;
    bool lenient; /* the library takes heads and chunks that break RFC 9112 */
};

static struct http_conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Keep targets as they came: paths and queries are decoded elsewhere. */
static size_t on_unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

static void *on_request_line(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)cls;
    struct http_conn *conn = conn_of(connection);
    assert(conn);
    request_open(conn, target);
    return &conn->request;
}

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct http_request *request = cls;
    layout_add(&request->layout, bytes_of(name, name_len), bytes_of(value, value_len));
    request_add_field(request, bytes_of(name, name_len), bytes_of(value ? value : "", value_len));
    return MHD_YES;
}

static ssize_t on_read(void *cls, uint64_t offset, char *to, size_t room)
{
    ptrdiff_t got = request_read(cls, offset, (uint8_t *)to, room);
    if (got > 0)
        return got;
    return got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* A length without content: right for HEAD and 304, which never ask for it. */
static ssize_t on_read_nothing(void *cls, uint64_t offset, char *to, size_t room)
{
    (void)cls, (void)offset, (void)to, (void)room;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static size_t block_size(uint64_t length)
{
    return length < HTTP_STREAM_BLOCK ? (size_t)length + 1 : HTTP_STREAM_BLOCK;
}

static struct MHD_Response *make_response(struct http_request *request)
{
    const struct http_reply *reply = &request->reply;
    if (reply->kind == REPLY_STREAM)
        return MHD_create_response_from_callback(reply->length, block_size(reply->length), on_read,
                                                 request, NULL);
    if (reply->kind == REPLY_LENGTH && reply->length > 0)
        return MHD_create_response_from_callback(reply->length, 1, on_read_nothing, NULL, NULL);
    static uint8_t nothing[1];
    struct bytes content = reply->content.len > 0 ? reply->content : bytes_of(nothing, 0);
    return MHD_create_response_from_buffer(content.len, (void *)(uintptr_t)content.data,
                                           MHD_RESPMEM_PERSISTENT);
}

static bool add_fields(struct MHD_Response *response, const struct http_request *request)
{
    char id2[HTTP_ID2_ROOM];
    http_request_id2(request, id2);
    bool ok = MHD_add_response_header(response, "x-amz-request-id", request->id) == MHD_YES &&
              MHD_add_response_header(response, "x-amz-id-2", id2) == MHD_YES &&
              MHD_add_response_header(response, "Server", "Valise") == MHD_YES;
    if (ok && request->reply.close)
        ok = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    for (struct reply_field *field = request->reply.first; ok && field; field = field->next)
        ok = MHD_add_response_header(response, field->name, field->value) == MHD_YES;
    return ok;
}

static enum MHD_Result send_reply(struct http_request *request, struct MHD_Connection *connection)
{
    reply_settle(request);
    struct MHD_Response *response = make_response(request);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_NO;
    if (add_fields(response, request))
        queued = MHD_queue_response(connection, (unsigned)request->reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

static size_t head_len_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* A lenient library hides what layout.h looks for. Where chunks end, and what
 * stood in a trailer, it hides for good: such a request is its connection's last. */
static void distrust(struct http_request *request)
{
    request->misread = !layout_is_whole(&request->layout);
    if (http_head_count(&request->head, "transfer-encoding") > 0)
        http_reply_close(request);
}

static enum request_step begin(struct http_request *request, struct MHD_Connection *connection,
                               const char *method, const char *version)
{
    int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
    layout_begin(&request->layout, method, version, head_len_of(connection));
    if (request_begin(request, method, version, (size_t)count))
        MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, request);
    if (request->conn->front->mhd->lenient)
        distrust(request);
    return request_head(request);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_len, void **request_cls)
{
    (void)cls, (void)url;
    struct http_request *request = *request_cls;
    enum request_step step;
    if (!request->begun) {
        step = begin(request, connection, method, version);
    } else if (*piece_len > 0) {
        step = request_body(request, bytes_of(piece, *piece_len));
        *piece_len = 0;
    } else {
        step = request_end(request);
    }
    if (step == REQUEST_SEND)
        return send_reply(request, connection);
    return step == REQUEST_READ_ON ? MHD_YES : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)cls, (void)connection;
    struct http_request *request = *request_cls;
    *request_cls = NULL;
    if (!request)
        return;
    request_close(request, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    conn_rest(request->conn);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = conn_started(cls, info->connect_fd);
    } else if (*context) {
        conn_closed(*context);
        *context = NULL;
    }
}

__attribute__((format(printf, 2, 0))) static void on_message(void *cls, const char *format,
                                                             va_list args)
{
    struct mhd *mhd = cls;
    if (mhd->running) /* from here on it tells of clients' mistakes: the log line of a request does
                       */
        return;
    vsnprintf(mhd->message, sizeof(mhd->message), format, args);
    mhd->message[strcspn(mhd->message, "\n")] = 0;
}

static char *copy_text(struct bytes text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    return copy;
}

#define OPTION(option, number, pointer) ((struct MHD_OptionItem){(option), (number), (pointer)})

static struct MHD_Daemon *start_daemon(struct http_front *front, struct mhd *mhd)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        OPTION(MHD_OPTION_HTTPS_MEM_CERT, 0, mhd->cert),
        OPTION(MHD_OPTION_HTTPS_MEM_KEY, 0, mhd->key),
        OPTION(MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES),
        OPTION(MHD_OPTION_END, 0, NULL),
    };
    struct MHD_OptionItem none[] = {OPTION(MHD_OPTION_END, 0, NULL)};
    struct MHD_OptionItem options[] = {
        OPTION(MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, mhd),
        OPTION(MHD_OPTION_CONNECTION_LIMIT, (intptr_t)front->caps.all_max + SPARE_CONNECTIONS,
               NULL),
        OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)HTTP_POOL_BYTES, NULL),
        OPTION(MHD_OPTION_THREAD_STACK_SIZE, (intptr_t)HTTP_STACK_BYTES, NULL),
        OPTION(MHD_OPTION_CONNECTION_TIMEOUT, 0, NULL),
#if MHD_VERSION >= 0x00097701
        OPTION(MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL),
#endif
        OPTION(MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, NULL),
        OPTION(MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)on_unescape, NULL),
        OPTION(MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, NULL),
        OPTION(MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, front),
        OPTION(MHD_OPTION_ARRAY, 0, front->tls ? tls : none),
        OPTION(MHD_OPTION_END, 0, NULL),
    };
    if (front->tls)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, front, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

enum err_code mhd_start(struct http_front *front, const struct http_options *options,
                        struct err *err)
{
    struct mhd *mhd = calloc(1, sizeof(*mhd));
    if (!mhd)
        return err_fail(err, ERR_NO_MEMORY, "HTTP front");
    front->mhd = mhd;
    mhd->lenient = strverscmp(MHD_get_version(), FIRST_STRICT) < 0;
    if (front->tls) {
        mhd->cert = copy_text(options->tls_cert);
        mhd->key = copy_text(options->tls_key);
        if (!mhd->cert || !mhd->key)
            return err_fail(err, ERR_NO_MEMORY, "TLS certificate");
    }
    mhd->daemon = start_daemon(front, mhd);
    if (!mhd->daemon)
        return err_fail(err, front->tls ? ERR_INVALID : ERR_IO, "%s: %s",
                        front->tls ? "TLS certificate or key" : "HTTP front",
                        mhd->message[0] ? mhd->message : "libmicrohttpd does not start");
    mhd->running = true;
    return ERR_OK;
}

bool mhd_add(struct mhd *mhd, int fd, const struct sockaddr *address, socklen_t address_len)
{
    return MHD_add_connection(mhd->daemon, fd, address, address_len) == MHD_YES;
}

void mhd_stop(struct mhd *mhd)
{
    if (mhd->daemon)
        MHD_stop_daemon(mhd->daemon);
    mhd->daemon = NULL;
}

void mhd_free(struct mhd *mhd)
{
    if (!mhd)
        return;
    mhd_stop(mhd);
    free(mhd->cert);
    if (mhd->key)
        explicit_bzero(mhd->key, strlen(mhd->key));
    free(mhd->key);
    free(mhd);
}
