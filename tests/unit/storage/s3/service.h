/* service.h - the whole S3 service without a socket's bytes: requests of a test
 * go through base/http's steps (request.h) as libmicrohttpd would make them,
 * signed by a signer of the test's own; replies are kept.
 *
 * Stands on the fake ordered store, the real committer, segments in a temporary
 * folder. Include once in a program. */
#ifndef TESTS_UNIT_STORAGE_S3_SERVICE_H
#define TESTS_UNIT_STORAGE_S3_SERVICE_H

#include "tests/unit/storage/obj/obj_fixture.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>

#include "base/http/conn.h"
#include "base/http/reply.h"
#include "base/http/request.h"
#include "storage/s3/s3.h"

#define SERVICE_KEY    "AKIAIOSFODNN7EXAMPLE"
#define SERVICE_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SERVICE_DATE   "20130524T000000Z"
#define SERVICE_NOW    1369353600000ull /* the same */
#define SERVICE_SCOPE  "20130524/us-east-1/s3/aws4_request"

#define SERVICE_FIELDS_MAX 8

/* A request as a test writes it. The query is canonical: sorted, encoded, with '='. */
struct service_request {
    const char *method, *target;
    const char *fields[SERVICE_FIELDS_MAX][2]; /* names in lower case, sorted */
    const char *payload;                       /* x-amz-content-sha256; NULL: UNSIGNED-PAYLOAD */
    struct bytes body;
    bool presigned; /* signed in the query; its own parameters there begin with x-amz- */
};

struct service_reply {
    int status;        /* 0: the connection was cut */
    bool cut;          /* in the middle of the body */
    char head[KIB(4)]; /* "name: value" lines */
    size_t len;
    uint8_t body[KIB(256)];
};

struct service {
    struct fixture *f;
    struct auth *auth;
    struct s3 *s3;
    struct clock clock;
    struct http_front front;
    struct http_conn conn;
    int peer; /* the other end of the connection */
    char signature[65];
    struct service_reply reply;
};

static inline uint64_t service_now(void *ctx UNUSED)
{
    return SERVICE_NOW;
}

static const uint8_t service_box_key[SEAL_KEY_LEN] = {1, 2, 3};

static inline void service_open(struct service *s)
{
    struct err err;
    const struct s3_options options = {.object_max = S3_OBJECT_BYTES_MAX,
                                       .clock = &s->clock,
                                       .token_key = BYTES_LIT("0123456789abcdef0123456789abcdef")};
    assert_ok(
        auth_open(&s->f->fake->kv, s->f->committer, &s->clock, service_box_key, &s->auth, &err));
    assert_ok(s3_new(s->f->store, s->auth, &options, &s->s3, &err));
    s->front.service = *s3_service(s->s3);
}

static inline void service_close(struct service *s)
{
    s3_free(TAKE(s->s3));
    auth_close(TAKE(s->auth));
}

static inline void service_add_key(struct service *s)
{
    struct err err;
    struct auth_key key;
    struct bytes secret;
    const struct auth_key_request wanted = {.user = BYTES_LIT("alice"),
                                            .access_key = BYTES_LIT(SERVICE_KEY),
                                            .secret = BYTES_LIT(SERVICE_SECRET)};
    assert_ok(auth_key_create(s->auth, &wanted, &s->f->arena, &key, &secret, &err));
}

static inline struct service *service_new(void)
{
    struct service *s = calloc(1, sizeof(*s));
    int ends[2];
    assert_non_null(s);
    s->f = fixture_new();
    s->clock = (struct clock){service_now, service_now, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    s->conn.front = &s->front;
    s->conn.fd = ends[0];
    s->peer = ends[1];
    arena_init(&s->conn.arena, HTTP_ARENA_MAX);
    service_open(s);
    service_add_key(s);
    return s;
}

static inline void service_free(struct service *s)
{
    service_close(s);
    fixture_free(s->f);
    arena_done(&s->conn.arena);
    close(s->conn.fd);
    close(s->peer);
    free(s);
}

/* As a restart does: the ordered store takes writes again. */
static inline void service_restart(struct service *s)
{
    service_close(s);
    fixture_restart(s->f);
    service_open(s);
}

/* The signer. It allocates nothing that alloc_fail.h sees. */

static inline void service_hex(const uint8_t *data, size_t len, char *ret_hex)
{
    for (size_t i = 0; i < len; i++)
        sprintf(ret_hex + 2 * i, "%02x", data[i]);
}

static inline void service_sha256(struct bytes data, char ret_hex[65])
{
    uint8_t digest[32];
    EVP_Digest(data.data ? (const void *)data.data : "", data.len, digest, NULL, EVP_sha256(),
               NULL);
    service_hex(digest, sizeof(digest), ret_hex);
}

/* HMAC, over HMAC, over … of the scope, then of the text. */
static inline void service_sign(const char *text, char ret_hex[65])
{
    const char *const steps[] = {"20130524", "us-east-1", "s3", "aws4_request", text};
    char first[] = "AWS4" SERVICE_SECRET;
    uint8_t key[32], next[32];
    const void *with = first;
    int len = (int)strlen(first);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        HMAC(EVP_sha256(), with, len, (const uint8_t *)steps[i], strlen(steps[i]), next, NULL);
        memcpy(key, next, sizeof(key));
        with = key;
        len = sizeof(key);
    }
    service_hex(key, sizeof(key), ret_hex);
}

#define SERVICE_HOST "127.0.0.1:9000"

/* Append "name:value\n" to `lines` and ";name" to `names`. */
static inline void service_line(char *lines, char *names, const char *name, const char *value)
{
    sprintf(lines + strlen(lines), "%s:%s\n", name, value);
    sprintf(names + strlen(names), "%s%s", *names ? ";" : "", name);
}

/* The canonical header lines and names: host, x-amz-content-sha256, x-amz-date and
 * the request's own, which sort behind those. */
static inline void service_headers(const struct service_request *request, const char *payload,
                                   char *lines, char *names)
{
    service_line(lines, names, "host", SERVICE_HOST);
    for (size_t i = 0; i < SERVICE_FIELDS_MAX && request->fields[i][0]; i++)
        if (strcmp(request->fields[i][0], "x-amz-content-sha256") < 0 &&
            strncmp(request->fields[i][0], "x-amz-", 6) == 0)
            service_line(lines, names, request->fields[i][0], request->fields[i][1]);
    service_line(lines, names, "x-amz-content-sha256", payload);
    for (size_t i = 0; i < SERVICE_FIELDS_MAX && request->fields[i][0]; i++) {
        const char *name = request->fields[i][0];
        if (strcmp(name, "x-amz-content-sha256") > 0 && strcmp(name, "x-amz-date") < 0)
            service_line(lines, names, name, request->fields[i][1]);
    }
    service_line(lines, names, "x-amz-date", SERVICE_DATE);
    for (size_t i = 0; i < SERVICE_FIELDS_MAX && request->fields[i][0]; i++)
        if (strcmp(request->fields[i][0], "x-amz-date") > 0)
            service_line(lines, names, request->fields[i][0], request->fields[i][1]);
}

/* ret_value  of the Authorization field; ret_signature: its last part */
static inline void service_authorize(const struct service_request *request, const char *payload,
                                     char *ret_value, char ret_signature[65])
{
    char lines[2048] = "", names[512] = "", canonical[4096], hex[65], text[512];
    const char *query = strchr(request->target, '?');
    size_t path_len = query ? (size_t)(query - request->target) : strlen(request->target);
    service_headers(request, payload, lines, names);
    int len =
        snprintf(canonical, sizeof(canonical), "%s\n%.*s\n%s\n%s\n%s\n%s", request->method,
                 (int)path_len, request->target, query ? query + 1 : "", lines, names, payload);
    service_sha256(bytes_of(canonical, (size_t)len), hex);
    snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%s", SERVICE_DATE, SERVICE_SCOPE, hex);
    service_sign(text, ret_signature);
    sprintf(ret_value,
            "AWS4-HMAC-SHA256 Credential=" SERVICE_KEY "/" SERVICE_SCOPE
            ", SignedHeaders=%s, Signature=%s",
            names, ret_signature);
}

/* Take the reply as libmicrohttpd would. */
static inline void service_take_reply(struct service *s, struct http_request *request)
{
    struct service_reply *reply = &s->reply;
    reply_settle(request);
    reply->status = request->reply.status;
    for (const struct reply_field *field = request->reply.first; field; field = field->next)
        snprintf(reply->head + strlen(reply->head), sizeof(reply->head) - strlen(reply->head),
                 "%s: %s\n", field->name, field->value);
    if (request->reply.kind == REPLY_BYTES) {
        reply->len = request->reply.content.len;
        assert_true(reply->len < sizeof(reply->body));
        if (reply->len)
            memcpy(reply->body, request->reply.content.data, reply->len);
    }
    while (request->reply.kind == REPLY_STREAM && reply->len < request->reply.length) {
        size_t room = sizeof(reply->body) - reply->len;
        ptrdiff_t got = request_read(request, reply->len, reply->body + reply->len,
                                     room < KIB(64) ? room : KIB(64));
        reply->cut = got < 0;
        if (got < 0)
            return;
        reply->len += (size_t)got;
    }
}

static inline void service_add_fields(struct http_request *request,
                                      const struct service_request *wanted, const char *payload,
                                      const char *authorization)
{
    static char length[24];
    for (size_t i = 0; i < SERVICE_FIELDS_MAX && wanted->fields[i][0]; i++)
        request_add_field(request, bytes_of_str(wanted->fields[i][0]),
                          bytes_of_str(wanted->fields[i][1]));
    snprintf(length, sizeof(length), "%zu", wanted->body.len);
    request_add_field(request, BYTES_LIT("host"), BYTES_LIT(SERVICE_HOST));
    if (wanted->body.len > 0)
        request_add_field(request, BYTES_LIT("content-length"), bytes_of_str(length));
    if (wanted->presigned)
        return;
    request_add_field(request, BYTES_LIT("x-amz-content-sha256"), bytes_of_str(payload));
    request_add_field(request, BYTES_LIT("x-amz-date"), BYTES_LIT(SERVICE_DATE));
    request_add_field(request, BYTES_LIT("authorization"), bytes_of_str(authorization));
}

/* The target with a signature for a minute in its query; the request's own parameters
 * sort behind. */
static inline const char *service_presign(const struct service_request *wanted)
{
    static char target[2048];
    char canonical[2048], hex[65], text[512], signature[65];
    const char *own = strchr(wanted->target, '?');
    int path_len = (int)(own ? (size_t)(own - wanted->target) : strlen(wanted->target));
    int len = snprintf(target, sizeof(target),
                       "%.*s?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" SERVICE_KEY
                       "%%2F20130524%%2Fus-east-1%%2Fs3%%2Faws4_request&X-Amz-Date=" SERVICE_DATE
                       "&X-Amz-Expires=60&X-Amz-SignedHeaders=host%s%s",
                       path_len, wanted->target, own ? "&" : "", own ? own + 1 : "");
    snprintf(canonical, sizeof(canonical),
             "%s\n%.*s\n%s\nhost:" SERVICE_HOST "\n\nhost\nUNSIGNED-PAYLOAD", wanted->method,
             path_len, target, target + path_len + 1);
    service_sha256(bytes_of_str(canonical), hex);
    snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%s", SERVICE_DATE, SERVICE_SCOPE, hex);
    service_sign(text, signature);
    snprintf(target + len, sizeof(target) - (size_t)len, "&X-Amz-Signature=%s", signature);
    return target;
}

/* Send the head and the body in pieces. */
static inline enum request_step service_push(struct http_request *request, struct bytes body)
{
    enum request_step step = request_head(request);
    for (size_t at = 0; step == REQUEST_READ_ON && at < body.len; at += KIB(16))
        step = request_body(request, bytes_first(bytes_from(body, at), KIB(16)));
    return step == REQUEST_READ_ON ? request_end(request) : step;
}

/* Do a request. returns  the status of its reply, in s->reply */
static inline int service_do(struct service *s, const struct service_request *wanted)
{
    struct http_request *request = &s->conn.request;
    const char *payload = wanted->payload ? wanted->payload : "UNSIGNED-PAYLOAD";
    static char authorization[1024];
    memset(&s->reply, 0, offsetof(struct service_reply, body));
    service_authorize(wanted, payload, authorization, s->signature);
    request_open(&s->conn, wanted->presigned ? service_presign(wanted) : wanted->target);
    if (request_begin(request, wanted->method, "HTTP/1.1", SERVICE_FIELDS_MAX + 6))
        service_add_fields(request, wanted, payload, authorization);
    if (service_push(request, wanted->body) == REQUEST_SEND)
        service_take_reply(s, request);
    request_close(request, !s->reply.cut && s->reply.status != 0);
    return s->reply.status;
}

/* The reply's head or body holds that text. */
static inline bool service_says(const struct service *s, const char *text)
{
    return strstr(s->reply.head, text) ||
           bytes_find_bytes(bytes_of(s->reply.body, s->reply.len), bytes_of_str(text)) >= 0;
}

#endif
