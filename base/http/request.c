/* request.c - the steps of a request, and what the service may ask about it.
 *
 * A refusal at the head is sent at once, by whether the client waits for 100
 * Continue or not: then the connection is drained, so that the reply is not
 * destroyed by a reset. In mid-body libmicrohttpd takes no reply: the rest of
 * the body is thrown away first.
 *
 * Owns      the struct http_request inside its connection.
 * Threads   the connection's own. */
#include "base/http/request.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/http/conn.h"
#include "base/limits.h"
#include "base/log.h"

#define ID_SPREAD 0x9e3779b97f4a7c15 /* odd: multiplying by it maps 2^64 one to one */

static void write_id(struct http_front *front, char ret_id[HTTP_REQUEST_ID_LEN + 1])
{
    static const char HEX[] = "0123456789ABCDEF";
    uint64_t n = atomic_fetch_add_explicit(&front->ids, 1, memory_order_relaxed);
    uint64_t id = (front->id_seed + n) * ID_SPREAD;
    for (int i = HTTP_REQUEST_ID_LEN - 1; i >= 0; i--, id >>= 4)
        ret_id[i] = HEX[id & 15];
    ret_id[HTTP_REQUEST_ID_LEN] = 0;
}

void request_open(struct http_conn *conn, const char *target)
{
    struct http_request *request = &conn->request;
    *request = (struct http_request){.conn = conn, .open = true};
    request->reply.end = &request->reply.first;
    request->start_ns = clock_mono_ns();
    write_id(conn->front, request->id);
    layout_open(&request->layout, target);
    request->target = arena_copy(&conn->arena, bytes_of_str(target));
}

bool request_begin(struct http_request *request, const char *method, const char *version,
                   size_t field_count)
{
    struct http_head *head = &request->head;
    request->begun = true;
    head->method = bytes_of_str(method);
    head->target = request->target;
    head->http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    head->field_count = 0;
    size_t room = field_count > HTTP_FIELDS_MAX ? 0 : field_count;
    head->fields = arena_alloc_raw(&request->conn->arena, (room + 1) * sizeof(*head->fields));
    if (head->fields && room == field_count)
        return true;
    http_reply_close(request);
    http_reply_bytes(request, head->fields ? 431 : 503,
                     head->fields ? BYTES_LIT("more than HTTP_FIELDS_MAX fields\n")
                                  : BYTES_LIT("out of memory\n"));
    return false;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

void request_add_field(struct http_request *request, struct bytes name, struct bytes value)
{
    uint8_t *lowered = arena_alloc_raw(&request->conn->arena, name.len + 1);
    if (!lowered) {
        request->reply.failed = 503;
        return;
    }
    for (size_t i = 0; i < name.len; i++)
        lowered[i] = lower(name.data[i]);
    request->head.fields[request->head.field_count++] =
        (struct http_field){bytes_of(lowered, name.len), bytes_trim(value)};
}

/* While the service runs, the watcher must not take it for a slow client. */
static void enter(struct http_request *request)
{
    atomic_store(&request->conn->working, true);
}

static void leave(struct http_request *request)
{
    atomic_store(&request->conn->working, false);
}

static bool is_answered(const struct http_request *request)
{
    return request->reply.kind != REPLY_NONE || request->reply.failed;
}

static enum request_step send_now(struct http_request *request)
{
    if (conn_post(request->conn, PHASE_ON_REPLY) == PHASE_DROPPED)
        return REQUEST_CUT;
    if (atomic_load(&request->conn->front->stopping))
        request->reply.close = true;
    return REQUEST_SEND;
}

/* By the strict rules; replies itself where they are broken. */
static bool keeps_rules(struct http_request *request)
{
    const char *why = "malformed request target";
    int status = request->target.data ? http_head_check(&request->head, &why) : 503;
    if (!status && request->misread) {
        status = 400;
        why = "malformed head";
    }
    if (!status)
        status = http_head_set_target(&request->head, request->target);
    if (!status)
        return true;
    metrics_add(&request->conn->front->bad_heads, 1);
    http_request_note(request, NULL, why);
    http_reply_field_str(request, "Content-Type", "text/plain");
    http_reply_close(request);
    http_reply_bytes(request, status, bytes_of_str(status == 503 ? "out of memory" : why));
    return false;
}

enum request_step request_head(struct http_request *request)
{
    if (conn_post(request->conn, PHASE_ON_HEAD) == PHASE_DROPPED)
        return REQUEST_CUT;
    if (is_answered(request) || !keeps_rules(request)) {
        request->drain = true;
        return send_now(request);
    }
    const struct http_service *service = &request->conn->front->service;
    request->seen = true;
    enter(request);
    enum http_next next = service->head(service->ctx, request);
    leave(request);
    bool refused = next == HTTP_REPLIED || is_answered(request);
    if (!refused || !http_head_has_body(&request->head))
        return REQUEST_READ_ON; /* a reply to a head alone waits for request_end: sent from
                                   here it would close the connection */
    request->drain = true;
    request->reply.close = true;
    return send_now(request);
}

static enum request_step discard(struct http_request *request, size_t len)
{
    request->discarded += len;
    return request->discarded > HTTP_DISCARD_MAX ? REQUEST_CUT : REQUEST_READ_ON;
}

enum request_step request_body(struct http_request *request, struct bytes piece)
{
    request->bytes_in += piece.len;
    if (request->discarding)
        return discard(request, piece.len);
    const struct http_service *service = &request->conn->front->service;
    enter(request);
    enum http_next next = service->body(service->ctx, request, piece);
    leave(request);
    if (next == HTTP_CONTINUE && !is_answered(request))
        return REQUEST_READ_ON;
    request->discarding = true;
    request->reply.close = true;
    bool dropped = conn_post(request->conn, PHASE_ON_REFUSE) == PHASE_DROPPED;
    return dropped ? REQUEST_CUT : REQUEST_READ_ON;
}

enum request_step request_end(struct http_request *request)
{
    enum request_step step = send_now(request);
    if (step == REQUEST_CUT || is_answered(request))
        return step;
    const struct http_service *service = &request->conn->front->service;
    enter(request);
    service->end(service->ctx, request);
    leave(request);
    if (!is_answered(request))
        request->reply.failed = 500;
    if (atomic_load(&request->conn->front->stopping))
        request->reply.close = true;
    return REQUEST_SEND;
}

ptrdiff_t request_read(struct http_request *request, uint64_t offset, uint8_t *to, size_t room)
{
    const struct http_reply *reply = &request->reply;
    enter(request);
    ptrdiff_t got = reply->read(reply->read_ctx, offset, to, room);
    leave(request);
    if (got > 0)
        request->bytes_out += (uint64_t)got;
    if (got == 0 && reply->length != HTTP_LENGTH_UNKNOWN)
        return -1;
    return got;
}

static void count_out(struct http_request *request, bool delivered)
{
    bool is_head = bytes_equal_str(request->head.method, "HEAD");
    if (delivered && request->reply.kind == REPLY_BYTES && !is_head)
        request->bytes_out = request->reply.content.len;
    request->elapsed_us = (clock_mono_ns() - request->start_ns) / 1000;
}

static void log_request(const struct http_request *request, bool delivered)
{
    int status = request->reply.status;
    struct log_line line;
    log_begin(&line, status >= 500 ? LOG_WARN : LOG_INFO, "http");
    log_str(&line, "req", request->id);
    log_str(&line, "peer", request->conn->peer_text);
    if (request->op)
        log_str(&line, "op", request->op);
    else
        log_bytes(&line, "op", request->head.method);
    log_u64(&line, "rc", (uint64_t)status);
    log_u64(&line, "ms", request->elapsed_us / 1000);
    log_u64(&line, "in", request->bytes_in);
    log_u64(&line, "out", request->bytes_out);
    if (request->error_code)
        log_str(&line, "error", request->error_code);
    if (!delivered)
        log_str(&line, "msg", "connection lost");
    log_end(&line);
}

/* The service lets go, the log line is written, the arena is emptied. */
static void finish(struct http_request *request, bool delivered)
{
    const struct http_service *service = &request->conn->front->service;
    count_out(request, delivered);
    if (request->seen) {
        enter(request);
        service->done(service->ctx, request);
        leave(request);
    }
    if (request->begun)
        log_request(request, delivered);
    else if (delivered) /* libmicrohttpd refused the head on its own account */
        metrics_add(&request->conn->front->bad_heads, 1);
    arena_reset(&request->conn->arena);
    request->open = false;
}

void request_close(struct http_request *request, bool delivered)
{
    struct http_conn *conn = request->conn;
    bool drain = request->drain && delivered;
    if (!request->open)
        return;
    finish(request, delivered && (is_answered(request) || !request->begun));
    if (drain && conn_post(conn, PHASE_ON_DRAIN) != PHASE_DROPPED)
        conn_drain(conn);
    conn_post(conn, PHASE_ON_DONE);
    if (atomic_load(&conn->front->stopping))
        shutdown(conn->fd, SHUT_RDWR);
}

const struct http_head *http_request_head(const struct http_request *request)
{
    return &request->head;
}

struct arena *http_request_arena(struct http_request *request)
{
    return &request->conn->arena;
}

const char *http_request_id(const struct http_request *request)
{
    return request->id;
}

const char *http_request_peer(const struct http_request *request)
{
    return request->conn->peer_text;
}

bool http_request_is_tls(const struct http_request *request)
{
    return request->conn->front->tls;
}

bool http_request_is_connected(const struct http_request *request)
{
    return conn_is_connected(request->conn);
}

void http_request_set_user(struct http_request *request, void *user)
{
    request->user = user;
}

void *http_request_user(const struct http_request *request)
{
    return request->user;
}

void http_request_note(struct http_request *request, const char *op, const char *error_code)
{
    request->op = op;
    request->error_code = error_code;
}

int http_request_status(const struct http_request *request)
{
    return request->reply.status;
}

uint64_t http_request_bytes_in(const struct http_request *request)
{
    return request->bytes_in;
}

uint64_t http_request_bytes_out(const struct http_request *request)
{
    return request->bytes_out;
}

uint64_t http_request_elapsed_us(const struct http_request *request)
{
    return request->elapsed_us;
}

void http_request_id2(const struct http_request *request, char ret_text[HTTP_ID2_ROOM])
{
    uint8_t raw[24];
    uint64_t mixed = 0;
    for (size_t i = 0; i < HTTP_REQUEST_ID_LEN; i++)
        mixed = mixed * 31 + (uint8_t)request->id[i];
    for (size_t i = 0; i < sizeof(raw); i += 8) {
        mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9;
        codec_put_u64be(raw + i, mixed);
    }
    codec_base64(bytes_of(raw, sizeof(raw)), ret_text);
}
