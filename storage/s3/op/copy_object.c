/* copy_object.c - CopyObject inside the box: the body is shared, so a copy of any
 * size is one commit and the answer never has to begin before the work is done.
 *
 * A checksum of another kind than the source's is computed by reading the body
 * before the keys are locked; a source that changed meanwhile is told to try again.
 *
 * Source    Amazon S3 API Reference, CopyObject. */
#include "base/hash.h"
#include "storage/s3/answer.h"
#include "storage/s3/content.h"
#include "storage/s3/op/op.h"
#include "storage/s3/parts.h"
#include "storage/s3/source.h"
#include "storage/s3/writing.h"

struct copy {
    struct call *call;
    struct source source;
    struct record_object given; /* headers, metadata and tags of the request */
    bool replace_headers, replace_tags;
    bool has_checksum; /* computed: of the source of that seq */
    uint64_t checksum_seq;
    struct record_checksum checksum;
};

/* COPY (the default) or REPLACE. */
static enum err_code read_directive(struct call *call, const char *field, bool *ret_replace,
                                    struct err *err)
{
    struct bytes value = call_field(call, field);
    *ret_replace = bytes_equal_str(value, "REPLACE");
    if (!value.data || *ret_replace || bytes_equal_str(value, "COPY"))
        return ERR_OK;
    return call_bad_argument(call, field, value, "Unknown metadata directive.", err);
}

static enum err_code read_request(struct copy *copy, struct err *err)
{
    struct call *call = copy->call;
    if (read_directive(call, "x-amz-metadata-directive", &copy->replace_headers, err) ||
        read_directive(call, "x-amz-tagging-directive", &copy->replace_tags, err) ||
        source_open(call, &copy->source, err) || content_read(call, &copy->given, err))
        return err->code;
    if (copy->source.bucket == call->bucket && bytes_equal(copy->source.key, call->key) &&
        copy->source.version.kind == VERSION_LATEST && !copy->replace_headers &&
        !copy->replace_tags)
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "This copy request is illegal because it is trying to copy an "
                               "object to itself without changing the object's metadata, storage "
                               "class, website redirect location or encryption attributes.");
    return ERR_OK;
}

static enum err_code hash_body(struct body_reader *reader, uint64_t length, struct hash_set *hashes,
                               uint8_t *block, struct err *err)
{
    for (uint64_t at = 0; at < length;) {
        size_t len;
        if (body_reader_read(reader, at, block, OBJ_BLOCK_BYTES, &len, err))
            return err->code;
        hash_set_update(hashes, bytes_of(block, len));
        at += len;
    }
    return ERR_OK;
}

static enum err_code compute(struct copy *copy, const struct record_object *object,
                             struct body_reader *reader, enum hash_kind kind, struct err *err)
{
    AUTO(hash_set) struct hash_set *hashes = NULL;
    uint8_t *block = arena_alloc_raw(copy->call->arena, OBJ_BLOCK_BYTES);
    if (!block)
        return err_fail(err, ERR_NO_MEMORY, "block");
    if (hash_set_new(HASH_BIT(kind), &hashes, err) ||
        hash_body(reader, object->length, hashes, block, err))
        return err->code;
    copy->has_checksum = true;
    copy->checksum_seq = object->seq;
    copy->checksum = (struct record_checksum){
        .present = true, .kind = kind, .value = hash_set_finish(hashes, kind)};
    return ERR_OK;
}

/* x-amz-checksum-algorithm: the copy's checksum, where the source's is another. */
static enum err_code compute_checksum(struct copy *copy, struct err *err)
{
    AUTO(body_reader) struct body_reader *reader = NULL;
    struct call *call = copy->call;
    struct bytes name = call_field(call, "x-amz-checksum-algorithm");
    struct record_object object;
    enum hash_kind kind;
    if (!name.data)
        return ERR_OK;
    if (!checksum_of_name(name, &kind))
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "Checksum algorithm provided is unsupported.");
    if (object_get(call->s3->store, copy->source.bucket, copy->source.key, copy->source.version,
                   call->arena, &object, &reader, err))
        return source_failed(call, &copy->source, err);
    if (object.checksum.present && object.checksum.kind == kind)
        return ERR_OK;
    return compute(copy, &object, reader, kind, err);
}

/* Under both locks: what the copy has of its own. */
static enum err_code change(void *ctx, const struct record_object *source, struct record_object *to,
                            struct err *err)
{
    const struct copy *copy = ctx;
    to->owner = copy->given.owner;
    if (copy->replace_headers) {
        to->headers = copy->given.headers;
        to->metadata = copy->given.metadata;
    }
    if (copy->replace_tags)
        to->tags = copy->given.tags;
    if (!copy->has_checksum)
        return ERR_OK;
    if (source->seq != copy->checksum_seq)
        return err_fail(err, ERR_BUSY, "the source changed during the copy");
    to->checksum = copy->checksum;
    return ERR_OK;
}

static enum err_code answer(struct copy *copy, const struct record_object *source,
                            const struct record_object *object, struct err *err)
{
    struct call *call = copy->call;
    struct xml_write xml;
    source_answer_version(call, &copy->source, source);
    answer_version(call, object);
    xml_write_start(&xml, &call->out, "CopyObjectResult", true);
    xml_write_time(&xml, "LastModified", object->modified_unix_ms);
    parts_write_etag(&xml, object->etag, object->parts);
    parts_write_checksum(&xml, &object->checksum, object->parts);
    if (object->checksum.present)
        xml_write_str(&xml, "ChecksumType", checksum_type_name(object->checksum.composite));
    xml_write_end(&xml);
    return answer_document(call, err);
}

static enum err_code run(struct copy *copy, struct err *err)
{
    struct call *call = copy->call;
    struct condition condition = condition_of(&call->head);
    struct record_object source, object;
    struct object_copy request = {.key = call->key, .change = change, .ctx = copy};
    if (read_request(copy, err) || compute_checksum(copy, err))
        return err->code;
    writing_condition(&condition, &request.condition);
    request.source_bucket = copy->source.bucket;
    request.source_key = copy->source.key;
    request.source_version = copy->source.version;
    request.source_condition = source_condition(&copy->source);
    if (object_copy(call->s3->store, call->bucket, &request, call->arena, &source, &object, err))
        return source_failed(call, &copy->source, err);
    return answer(copy, &source, &object, err);
}

enum err_code copy_object_run(struct call *call, struct err *err)
{
    struct copy copy = {.call = call};
    enum err_code rc = run(&copy, err);
    source_close(&copy.source);
    return rc;
}
