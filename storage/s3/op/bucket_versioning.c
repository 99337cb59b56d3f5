/* bucket_versioning.c - GetBucketVersioning, PutBucketVersioning.
 *
 * Source    Amazon S3 API Reference, the same. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/xml_read.h"

static const char *const states[] = {
    [BUCKET_UNVERSIONED] = NULL, /* has no Status */
    [BUCKET_ENABLED] = "Enabled",
    [BUCKET_SUSPENDED] = "Suspended",
};

enum err_code get_bucket_versioning_run(struct call *call, struct err *err)
{
    const char *state = states[bucket_info(call->bucket).versioning];
    struct xml_write xml;
    xml_write_start(&xml, &call->out, "VersioningConfiguration", true);
    if (state)
        xml_write_str(&xml, "Status", state);
    xml_write_end(&xml);
    return answer_document(call, err);
}

static enum err_code read_state(const struct xml_node *root, enum bucket_versioning *ret_state,
                                struct err *err)
{
    struct bytes text = bytes_trim(xml_read_text(root, "Status"));
    struct bytes mfa = bytes_trim(xml_read_text(root, "MfaDelete"));
    if (mfa.len > 0 && !bytes_equal_str(mfa, "Disabled"))
        return s3_fail_because(err, S3_NOT_IMPLEMENTED, "MfaDelete is not implemented");
    for (size_t i = BUCKET_ENABLED; i < ARRAY_LEN(states); i++)
        if (bytes_equal_str(text, states[i])) {
            *ret_state = (enum bucket_versioning)i;
            return ERR_OK;
        }
    return s3_fail(err, S3_ILLEGAL_VERSIONING);
}

enum err_code put_bucket_versioning_run(struct call *call, struct err *err)
{
    enum bucket_versioning state = BUCKET_UNVERSIONED;
    const struct xml_node *root;
    if (xml_read(buf_bytes(&call->document), "VersioningConfiguration", call->arena, &root, err) ||
        read_state(root, &state, err) ||
        bucket_set_versioning(call->s3->store, call->bucket, state, call_user_id(call), err))
        return err->code;
    answer_empty(call, 200);
    return ERR_OK;
}
