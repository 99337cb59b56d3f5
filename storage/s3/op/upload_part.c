/* upload_part.c - UploadPart: a part's bytes, in any order, at the same time as others.
 *
 * Source    Amazon S3 API Reference, UploadPart. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"

/* The part is kept with the upload's checksum; a client that says another one
 * has misunderstood, unless the upload's is the one that nobody asked for. */
static enum err_code choose_checksum(struct call *call, const struct record_upload *upload,
                                     struct err *err)
{
    const struct checksum_request *request = &call->intake.checksum;
    call->intake.keep = upload->checksum_kind;
    if (!request->declared || request->kind == upload->checksum_kind ||
        upload->checksum_kind == HASH_CRC64NVME)
        return ERR_OK;
    return s3_fail_because(err, S3_INVALID_REQUEST,
                           "Checksum Type mismatch occurred, expected checksum Type: %s, "
                           "actual checksum Type: %s",
                           checksum_name(upload->checksum_kind), checksum_name(request->kind));
}

enum err_code upload_part_begin(struct call *call, struct err *err)
{
    struct record_part *part = arena_alloc(call->arena, sizeof(*part));
    struct record_upload upload;
    if (!part)
        return err_fail(err, ERR_NO_MEMORY, "part");
    call->state = part;
    if (parts_number(call, &part->number, err) || parts_find(call, &upload, err))
        return err->code;
    return choose_checksum(call, &upload, err);
}

enum err_code upload_part_run(struct call *call, struct err *err)
{
    struct record_part *part = call->state;
    struct record_object told = {0};
    memcpy(part->etag, call->intake.md5, RECORD_ETAG_LEN);
    part->checksum = call->intake.kept;
    if (upload_put_part(call->s3->store, call->bucket, call->key, parts_upload_id(call), part,
                        TAKE(call->intake.writer), call->arena, err))
        return parts_failed(call, err);
    memcpy(told.etag, part->etag, RECORD_ETAG_LEN);
    answer_etag(call, &told);
    answer_part_checksum(call, &part->checksum);
    answer_empty(call, 200);
    return ERR_OK;
}
