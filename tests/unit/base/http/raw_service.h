/* raw_service.h - the small service behind the front in the tests of base/http:
 * what it does follows from the path, what was asked of it is counted.
 *
 * Threads   the service runs on connections' threads and counts in atomics. */
#ifndef TESTS_UNIT_BASE_HTTP_RAW_SERVICE_H
#define TESTS_UNIT_BASE_HTTP_RAW_SERVICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/http/http.h"
#include "base/limits.h"

struct raw_front {
    struct http_front *front;
    atomic_uint heads, pieces, ends, dones; /* calls of the service */
    atomic_uint_fast64_t body_bytes, body_sum;
    atomic_bool hold;       /* end() of /hold waits while this is set */
    atomic_bool was_cut;    /* /hold saw that the client went */
    atomic_int last_status; /* as done() saw it */
    atomic_uint_fast64_t last_in, last_out;
};

static inline bool raw_path_is(struct http_request *request, const char *path)
{
    return bytes_equal_str(http_request_head(request)->path, path);
}

static inline enum http_next raw_head(void *ctx, struct http_request *request)
{
    struct raw_front *raw = ctx;
    atomic_fetch_add(&raw->heads, 1);
    assert_null(http_request_user(request));
    http_request_set_user(request, raw);
    http_request_note(request, "Test", NULL);
    if (!raw_path_is(request, "/refuse-head"))
        return HTTP_CONTINUE;
    http_reply_field_str(request, "X-Why", "head");
    http_reply_bytes(request, 403, BYTES_LIT("no"));
    return HTTP_REPLIED;
}

static inline enum http_next raw_body(void *ctx, struct http_request *request, struct bytes piece)
{
    struct raw_front *raw = ctx;
    uint64_t sum = 0;
    for (size_t i = 0; i < piece.len; i++)
        sum += piece.data[i];
    atomic_fetch_add(&raw->pieces, 1);
    atomic_fetch_add(&raw->body_bytes, piece.len);
    atomic_fetch_add(&raw->body_sum, sum);
    if (!raw_path_is(request, "/refuse-body"))
        return HTTP_CONTINUE;
    http_reply_bytes(request, 400, BYTES_LIT("bad body"));
    return HTTP_REPLIED;
}

/* The byte at `offset` of every streamed reply. */
static inline uint8_t raw_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 16));
}

static inline ptrdiff_t raw_read(void *ctx, uint64_t offset, uint8_t *to, size_t room)
{
    uint64_t end = *(uint64_t *)ctx;
    size_t len = end - offset < room ? (size_t)(end - offset) : room;
    for (size_t i = 0; i < len; i++)
        to[i] = raw_byte(offset + i);
    return (ptrdiff_t)len;
}

static inline ptrdiff_t raw_read_broken(void *ctx, uint64_t offset, uint8_t *to, size_t room)
{
    return offset < 100000 ? raw_read(ctx, offset, to, room < 50000 ? room : 50000) : -1;
}

static inline uint64_t *raw_number(struct http_request *request)
{
    uint64_t *number = arena_alloc(http_request_arena(request), sizeof(*number));
    struct bytes text = bytes_of(NULL, 0);
    assert_non_null(number);
    if (http_query_find(http_request_head(request)->query, "n", http_request_arena(request), &text))
        assert_true(bytes_to_u64(text, UINT64_MAX - 1, number));
    return number;
}

static inline void raw_stream(struct http_request *request)
{
    uint64_t *n = raw_number(request);
    http_reply_stream(request, 200, *n, raw_read, n);
}

static inline void raw_broken(struct http_request *request)
{
    uint64_t *n = raw_number(request);
    http_reply_stream(request, 200, *n, raw_read_broken, n);
}

static inline void raw_chunked(struct http_request *request)
{
    http_reply_stream(request, 200, HTTP_LENGTH_UNKNOWN, raw_read, raw_number(request));
}

static inline void raw_length(struct http_request *request)
{
    http_reply_length(request, 200, *raw_number(request));
}

static inline void raw_not_modified(struct http_request *request)
{
    http_reply_length(request, 304, 5);
}

static inline void raw_no_content(struct http_request *request)
{
    http_reply_bytes(request, 204, bytes_of(NULL, 0));
}

static inline void raw_evil_field(struct http_request *request)
{
    http_reply_field(request, "x-amz-meta-a", BYTES_LIT("a\r\nSet-Cookie: b"));
    http_reply_bytes(request, 200, BYTES_LIT("never seen"));
}

static inline void raw_fields(struct http_request *request)
{
    http_reply_field(request, "x-amz-meta-empty", BYTES_LIT(""));
    http_reply_field(request, "x-amz-meta-utf8", BYTES_LIT("caf\xc3\xa9"));
    http_reply_field_str(request, "ETag", "\"abc\"");
    http_reply_bytes(request, 200, BYTES_LIT("ok"));
}

static inline void raw_big_fields(struct http_request *request)
{
    struct bytes large = arena_copy(http_request_arena(request), BYTES_LIT("x"));
    while (arena_alloc(http_request_arena(request), KIB(64)))
        continue;
    for (int i = 0; i < 4000; i++)
        http_reply_field(request, "x-filler", large);
    http_reply_bytes(request, 200, BYTES_LIT("never seen"));
}

static inline void raw_close(struct http_request *request)
{
    http_reply_close(request);
    http_reply_bytes(request, 200, BYTES_LIT("bye"));
}

/* A reply that is replaced before it goes out. */
static inline void raw_take_back(struct http_request *request)
{
    http_reply_field_str(request, "x-first", "1");
    http_reply_bytes(request, 200, BYTES_LIT("first"));
    http_reply_take_back(request);
    http_reply_field_str(request, "x-second", "2");
    http_reply_bytes(request, 507, BYTES_LIT("second"));
}

static inline void raw_silent(struct http_request *request)
{
    (void)request; /* a service that forgets to reply */
}

static inline void raw_hold(struct http_request *request)
{
    struct raw_front *raw = http_request_user(request);
    while (atomic_load(&raw->hold) && !atomic_load(&raw->was_cut)) {
        atomic_store(&raw->was_cut, !http_request_is_connected(request));
        poll(NULL, 0, 5);
    }
    http_reply_bytes(request, 200, BYTES_LIT("held"));
}

/* What came in, told back: "METHOD target body-bytes body-sum peer id". */
static inline void raw_echo(struct http_request *request)
{
    struct raw_front *raw = http_request_user(request);
    const struct http_head *head = http_request_head(request);
    http_reply_bytes(
        request, 200,
        arena_printf(http_request_arena(request),
                     "%" BYTES_FMT " %" BYTES_FMT " %llu %llu %s %s %d", BYTES_ARG(head->method),
                     BYTES_ARG(head->target), (unsigned long long)http_request_bytes_in(request),
                     (unsigned long long)atomic_load(&raw->body_sum), http_request_peer(request),
                     http_request_id(request), http_request_is_tls(request)));
}

static inline void raw_end(void *ctx, struct http_request *request)
{
    static const struct {
        const char *path;
        void (*act)(struct http_request *);
    } ACTS[] = {
        {"/stream", raw_stream},         {"/broken", raw_broken},
        {"/chunked", raw_chunked},       {"/length", raw_length},
        {"/304", raw_not_modified},      {"/204", raw_no_content},
        {"/evil-field", raw_evil_field}, {"/fields", raw_fields},
        {"/big-fields", raw_big_fields}, {"/close", raw_close},
        {"/silent", raw_silent},         {"/hold", raw_hold},
        {"/take-back", raw_take_back},
    };
    struct raw_front *raw = ctx;
    atomic_fetch_add(&raw->ends, 1);
    for (size_t i = 0; i < ARRAY_LEN(ACTS); i++) {
        if (raw_path_is(request, ACTS[i].path)) {
            ACTS[i].act(request);
            return;
        }
    }
    raw_echo(request);
}

static inline void raw_done(void *ctx, struct http_request *request)
{
    struct raw_front *raw = ctx;
    atomic_store(&raw->last_status, http_request_status(request));
    atomic_store(&raw->last_in, http_request_bytes_in(request));
    atomic_store(&raw->last_out, http_request_bytes_out(request));
    atomic_fetch_add(&raw->dones, 1);
}

#endif
