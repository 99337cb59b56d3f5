/* s3.c - see s3.h: the way of a request, and the service's life.
 *
 *     head()  authenticate → locate → route → may they → headers → what the
 *             body will be → the operation's begin()      (an error: replied now)
 *     body()  piece by piece through intake.h             (an error: replied now)
 *     end()   the body's digests → the operation's run() → who keeps a log of it
 *     done()  count, let go */
#include "storage/s3/s3.h"

#include <assert.h>
#include <stdlib.h>

#include "storage/s3/answer.h"
#include "storage/s3/call.h"
#include "storage/s3/headers.h"
#include "storage/s3/witness.h"

static enum err_code authenticate(struct call *call, struct err *err)
{
    struct s3 *s3 = call->s3;
    const struct sign_rules rules = {s3->options.clock, BYTES_LIT("s3"), s3->options.region,
                                     s3->options.domain};
    char now[CLOCK_TEXT_MAX];
    if (!sign_authenticate(s3->auth, &rules, &call->head, call->arena, &call->who, err))
        return ERR_OK;
    if (err->reason == SIGN_WRONG_REGION)
        call_detail(call, "Region", s3->options.region);
    if (err->reason == SIGN_SKEWED) {
        clock_format_iso(clock_unix_ms(s3->options.clock), now);
        call_detail(call, "ServerTime", arena_copy(call->arena, bytes_of_str(now)));
        call_detail(call, "MaxAllowedSkewMilliseconds",
                    arena_printf(call->arena, "%d", S3_SKEW_MS));
    }
    return error_from_sign(err);
}

static enum err_code hold_bucket(struct call *call, struct err *err)
{
    struct bytes owner;
    if (bucket_acquire(call->s3->store, call->bucket_name, &call->bucket, err)) {
        call_detail(call, "BucketName", call->bucket_name);
        if (err->reason == STORE_NO_BUCKET && !bucket_name_ok(call->bucket_name))
            return s3_fail(err, S3_INVALID_BUCKET_NAME);
        return err->code;
    }
    owner = bucket_info(call->bucket).owner;
    if (!bytes_equal(owner, call_user_id(call)) ||
        !call_is_expected_owner(call, "x-amz-expected-bucket-owner", owner))
        return s3_fail(err, S3_ACCESS_DENIED);
    return ERR_OK;
}

/* Who asks may ask for this: for now, buckets are their owner's alone. */
static enum err_code permit(struct call *call, struct err *err)
{
    unsigned flags = call->route->flags;
    if (call->who.mode == SIGN_ANONYMOUS)
        return flags & ROUTE_PUBLIC ? ERR_OK : s3_fail(err, S3_ACCESS_DENIED);
    if (call->bucket_name.len == 0 || flags & ROUTE_NEW_BUCKET)
        return ERR_OK;
    return hold_bucket(call, err);
}

static enum err_code check_headers(struct call *call, struct err *err)
{
    struct bytes name;
    if (!headers_check(&call->head, &name, err))
        return ERR_OK;
    call_detail(call, "Header", name);
    return err->code;
}

/* Anonymous requests are denied before they learn what there is. */
static enum err_code find_route(struct call *call, struct err *err)
{
    if (!route_find(&call->head, call_scope(call), &call->query, &call->route, err)) {
        http_request_note(call->http, call->route->name, NULL);
        return ERR_OK;
    }
    return call->who.mode == SIGN_ANONYMOUS ? s3_fail(err, S3_ACCESS_DENIED) : err->code;
}

static enum err_code begin(struct call *call, struct err *err)
{
    if (authenticate(call, err) || call_locate(call, err) || call_adopt_parameters(call, err) ||
        find_route(call, err) || permit(call, err) || check_headers(call, err) ||
        intake_open(call, err))
        return err->code;
    if (call->route->begin && call->route->begin(call, err))
        return err->code;
    return intake_start(call, err);
}

static enum http_next on_head(void *ctx, struct http_request *http)
{
    struct err err = {0};
    struct call *call = call_open(ctx, http);
    if (!call) {
        err_fail(&err, ERR_NO_MEMORY, "a request");
        answer_plain_error(http, &err);
        return HTTP_REPLIED;
    }
    if (!begin(call, &err))
        return HTTP_CONTINUE;
    answer_error(call, &err);
    return HTTP_REPLIED;
}

static enum http_next on_body(void *ctx, struct http_request *http, struct bytes piece)
{
    struct call *call = http_request_user(http);
    struct err err = {0};
    (void)ctx;
    if (!intake_take(call, piece, &err))
        return HTTP_CONTINUE;
    answer_error(call, &err);
    return HTTP_REPLIED;
}

static void on_end(void *ctx, struct http_request *http)
{
    struct call *call = http_request_user(http);
    struct err err = {0};
    (void)ctx;
    if (intake_end(call, &err) || call->route->run(call, &err) || witness_changed(call, &err))
        answer_error(call, &err);
}

static void on_done(void *ctx, struct http_request *http)
{
    struct s3 *s3 = ctx;
    struct call *call = http_request_user(http);
    measure_request(s3->measure, call ? call->route : NULL, http);
    if (call)
        call_close(call);
}

enum err_code s3_new(struct store *store, struct auth *auth, const struct s3_options *options,
                     struct s3 **ret_s3, struct err *err)
{
    struct s3 *s3 = calloc(1, sizeof(*s3));
    if (!s3)
        return err_fail(err, ERR_NO_MEMORY, "S3 service");
    s3->store = store;
    s3->auth = auth;
    s3->options = *options;
    s3->service = (struct http_service){s3, on_head, on_body, on_end, on_done};
    assert(options->token_key.len == TOKEN_KEY_LEN);
    memcpy(s3->token_key, options->token_key.data, TOKEN_KEY_LEN);
    s3->options.token_key = bytes_of(s3->token_key, TOKEN_KEY_LEN);
    if (measure_new(&s3->measure, err)) {
        free(s3);
        return err->code;
    }
    *ret_s3 = s3;
    return ERR_OK;
}

void s3_free(struct s3 *s3)
{
    if (!s3)
        return;
    measure_free(s3->measure);
    explicit_bzero(s3->token_key, sizeof(s3->token_key));
    free(s3);
}

const struct http_service *s3_service(const struct s3 *s3)
{
    return &s3->service;
}

enum http_next s3_refuse_service(struct http_request *request, const char *service)
{
    struct err err;
    s3_fail_because(&err, S3_NOT_IMPLEMENTED, "The service '%s' is not implemented here", service);
    answer_plain_error(request, &err);
    return HTTP_REPLIED;
}

void s3_metrics(const struct s3 *s3, struct buf *to)
{
    measure_write(s3->measure, to);
}
