/* witness.c - see witness.h. */
#include "storage/s3/witness.h"

static struct s3_event event_of(const struct call *call, const char *result)
{
    const struct auth_key *who = call->who.mode == SIGN_DENIED ? &call->who.tried : &call->who.key;
    return (struct s3_event){
        .op = call->route ? call->route->name : "none",
        .result = result,
        .user = bytes_of_str(who->user),
        .access_key = bytes_of_str(who->access_key),
        .address = http_request_peer(call->http),
        .request_id = http_request_id(call->http),
        .bucket = call->bucket_name,
        .key = call->key,
    };
}

enum err_code witness_changed(struct call *call, struct err *err)
{
    const struct s3_audit *audit = call->s3->options.audit;
    if (!audit || !(call->route->flags & ROUTE_AUDITED))
        return ERR_OK;
    const struct s3_event event = event_of(call, "ok");
    enum err_code code = audit->changed(audit->ctx, &event, err);
    if (code != ERR_OK)
        http_reply_take_back(call->http);
    return code;
}

/* Nothing was proved, or what was proved does not allow it. */
static bool is_refusal(const struct call *call, enum s3_error error)
{
    if (call->who.mode == SIGN_DENIED)
        return error_row(error)->status < 500;
    return error == S3_ACCESS_DENIED || error == S3_SIGNATURE_MISMATCH;
}

void witness_failed(const struct call *call, enum s3_error error)
{
    const struct s3_audit *audit = call->s3->options.audit;
    if (!audit || !is_refusal(call, error))
        return;
    const struct s3_event event = event_of(call, error_row(error)->code);
    audit->refused(audit->ctx, &event);
}

void witness_rotten(const struct call *call)
{
    const struct s3_audit *audit = call->s3->options.audit;
    if (!audit)
        return;
    const struct s3_event event = event_of(call, "damaged");
    audit->rotten(audit->ctx, &event);
}
