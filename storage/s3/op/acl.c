/* acl.c - GetBucketAcl, GetObjectAcl, PutBucketAcl, PutObjectAcl: everything is
 * its owner's alone, so that is what the lists say and all that can be set.
 *
 * Source    Amazon S3 API Reference, the same. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/owner.h"

#define SCHEMA_INSTANCE " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""

static enum err_code send_acl(struct call *call, struct bytes owner, struct err *err)
{
    struct xml_write xml;
    xml_write_start(&xml, &call->out, "AccessControlPolicy", true);
    owner_write(call, &xml, "Owner", owner);
    xml_write_open(&xml, "AccessControlList");
    xml_write_open(&xml, "Grant");
    xml_write_open_with(&xml, "Grantee", SCHEMA_INSTANCE " xsi:type=\"CanonicalUser\"");
    owner_write_identity(call, &xml, owner);
    xml_write_close(&xml);
    xml_write_str(&xml, "Permission", "FULL_CONTROL");
    xml_write_end(&xml);
    return answer_document(call, err);
}

/* x-amz-acl: headers.c let only those through that change nothing. */
static enum err_code set_acl(struct call *call, struct err *err)
{
    if (call->document.len > 0 || !call_field(call, "x-amz-acl").data)
        return s3_fail_because(err, S3_NOT_IMPLEMENTED,
                               "%s with an AccessControlPolicy is not implemented",
                               call->route->name);
    answer_empty(call, 200);
    return ERR_OK;
}

static enum err_code find_object(struct call *call, struct record_object *ret_object,
                                 struct err *err)
{
    struct object_version version;
    if (call_version(call, &version, err) || object_head(call->s3->store, call->bucket, call->key,
                                                         version, call->arena, ret_object, err)) {
        call_detail(call, "Key", call->key);
        return err->code;
    }
    answer_version(call, ret_object);
    return ERR_OK;
}

enum err_code get_bucket_acl_run(struct call *call, struct err *err)
{
    return send_acl(call, bucket_info(call->bucket).owner, err);
}

enum err_code get_object_acl_run(struct call *call, struct err *err)
{
    struct record_object object;
    return find_object(call, &object, err) ? err->code : send_acl(call, object.owner, err);
}

enum err_code put_bucket_acl_run(struct call *call, struct err *err)
{
    return set_acl(call, err);
}

enum err_code put_object_acl_run(struct call *call, struct err *err)
{
    struct record_object object;
    return find_object(call, &object, err) ? err->code : set_acl(call, err);
}
