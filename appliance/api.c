/* api.c - see api.h.
 *
 * Which service a request belongs to is a function of its head alone, so it is
 * looked up in every callback instead of being remembered: the request's user
 * pointer is the service's. */
#include "appliance/api.h"

#include <jansson.h>
#include <stdlib.h>

#include "storage/auth/sign.h"
#include "storage/s3/s3.h"

#define METRICS_PAGE_MAX MIB(4)

struct own_path {
    const char *path;
    void (*answer)(const struct api *api, struct http_request *request);
};

static bool is_own(struct http_request *request)
{
    return bytes_starts_with(http_request_head(request)->path, BYTES_LIT("/-/"));
}

static bool is_s3(struct http_request *request)
{
    char service[16];
    sign_service_of(http_request_head(request), service);
    return strcmp(service, "s3") == 0;
}

/* Reply with a copy of `text`. */
static void reply_text(struct http_request *request, int status, const char *type,
                       struct bytes text)
{
    struct bytes copy = arena_copy(http_request_arena(request), text);
    if (!copy.data)
        copy = BYTES_LIT("");
    http_reply_field_str(request, "content-type", type);
    http_reply_field_str(request, "cache-control", "no-store");
    http_reply_field_str(request, "x-content-type-options", "nosniff");
    http_reply_bytes(request, copy.len == text.len ? status : 503, copy);
}

static void reply_json(struct http_request *request, int status, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    reply_text(request, text ? status : 503, "application/json", bytes_of_str(text));
    free(text);
}

static void reply_message(struct http_request *request, int status, const char *message)
{
    http_request_note(request, "Own", message);
    reply_json(request, status, json_pack("{s:s}", "message", message));
}

static void answer_health(const struct api *api, struct http_request *request)
{
    struct health_report report = health_look(api->health);
    json_t *object = json_pack("{s:s}", "status", report.ok ? "ok" : "unavailable");
    if (!report.ok)
        json_object_set_new(object, "reasons", health_texts(&report, true));
    json_t *warnings = health_texts(&report, false);
    if (json_array_size(warnings))
        json_object_set(object, "warnings", warnings);
    json_decref(warnings);
    http_request_note(request, "Health", NULL);
    reply_json(request, report.ok ? 200 : 503, object);
}

static bool is_loopback(const char *peer)
{
    struct bytes address = bytes_of_str(peer);
    return bytes_starts_with(address, BYTES_LIT("127.")) || bytes_equal_str(address, "::1") ||
           bytes_starts_with(address, BYTES_LIT("::ffff:127."));
}

static bool may_read_metrics(const struct api *api, struct http_request *request)
{
    return api->metrics_for == API_METRICS_ANYONE ||
           (api->metrics_for == API_METRICS_LOOPBACK && is_loopback(http_request_peer(request)));
}

static void answer_metrics(const struct api *api, struct http_request *request)
{
    if (!may_read_metrics(api, request)) {
        reply_message(request, 403,
                      "metrics are not for this address: see the setting api.metrics");
        return;
    }
    struct buf page;
    buf_init(&page, METRICS_PAGE_MAX);
    metrics_page(api->metrics, &page);
    http_request_note(request, "Metrics", NULL);
    if (buf_ok(&page))
        reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", buf_bytes(&page));
    else
        reply_message(request, 503, "out of memory");
    buf_done(&page);
}

static const struct own_path own_paths[] = {
    {"/-/health", answer_health},
    {"/-/metrics", answer_metrics},
};

static const struct own_path *find_own_path(struct http_request *request)
{
    for (size_t i = 0; i < ARRAY_LEN(own_paths); i++)
        if (bytes_equal_str(http_request_head(request)->path, own_paths[i].path))
            return &own_paths[i];
    return NULL;
}

static bool has_body(const struct http_head *head)
{
    struct bytes length = http_head_find(head, "content-length");
    return (length.len && !bytes_equal_str(length, "0")) ||
           http_head_find(head, "transfer-encoding").data;
}

static enum http_next refuse_own(struct http_request *request, int status, const char *message)
{
    reply_message(request, status, message);
    return HTTP_REPLIED;
}

static enum http_next head_own(struct http_request *request)
{
    const struct http_head *head = http_request_head(request);
    if (!find_own_path(request))
        return refuse_own(request, 404, "no such path");
    if (!bytes_equal_str(head->method, "GET") && !bytes_equal_str(head->method, "HEAD")) {
        http_reply_field_str(request, "allow", "GET, HEAD");
        return refuse_own(request, 405, "only GET and HEAD are allowed");
    }
    if (has_body(head))
        return refuse_own(request, 400, "no body is expected");
    return HTTP_CONTINUE;
}

static enum http_next api_head(void *ctx, struct http_request *request)
{
    const struct api *api = ctx;
    if (is_own(request))
        return head_own(request);
    char service[16];
    sign_service_of(http_request_head(request), service);
    if (strcmp(service, "s3") != 0)
        return s3_refuse_service(request, service);
    return api->s3->head(api->s3->ctx, request);
}

static enum http_next api_body(void *ctx, struct http_request *request, struct bytes piece)
{
    const struct api *api = ctx;
    return api->s3->body(api->s3->ctx, request, piece);
}

static void api_end(void *ctx, struct http_request *request)
{
    const struct api *api = ctx;
    if (is_own(request))
        find_own_path(request)->answer(api, request);
    else
        api->s3->end(api->s3->ctx, request);
}

static void api_done(void *ctx, struct http_request *request)
{
    const struct api *api = ctx;
    if (!is_own(request) && is_s3(request))
        api->s3->done(api->s3->ctx, request);
}

enum api_metrics_for api_metrics_parse(const char *choice)
{
    if (strcmp(choice, "anyone") == 0)
        return API_METRICS_ANYONE;
    return strcmp(choice, "nobody") == 0 ? API_METRICS_NOBODY : API_METRICS_LOOPBACK;
}

struct http_service api_service(struct api *api)
{
    return (struct http_service){
        .ctx = api, .head = api_head, .body = api_body, .end = api_end, .done = api_done};
}
