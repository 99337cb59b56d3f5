/* intake.c - see intake.h. */
#include "storage/s3/intake.h"

#include "storage/s3/call.h"

static const struct record_pairs no_trailer;

static bool is_chunked(const struct call *call)
{
    return call->who.payload == SIGN_PAYLOAD_SIGNED_CHUNKS ||
           call->who.payload == SIGN_PAYLOAD_SIGNED_TRAILER ||
           call->who.payload == SIGN_PAYLOAD_UNSIGNED_TRAILER;
}

/* How long the body proper is said to be. */
static enum err_code read_length(struct call *call, struct err *err)
{
    struct intake *intake = &call->intake;
    const char *name = is_chunked(call) ? "x-amz-decoded-content-length" : "content-length";
    struct bytes text = call_field(call, name);
    intake->length = BODY_LENGTH_UNKNOWN;
    if (text.data && !bytes_to_u64(text, BODY_LENGTH_UNKNOWN - 1, &intake->length))
        return call_bad_argument(call, name, text, "Not a number of bytes", err);
    if (text.data || call_field(call, "transfer-encoding").data)
        return ERR_OK;
    if (call->route->body == ROUTE_STREAM)
        return s3_fail(err, S3_MISSING_LENGTH);
    intake->length = 0;
    return ERR_OK;
}

static enum err_code too_large(struct call *call, struct err *err)
{
    call_detail(call, "MaxSizeAllowed",
                arena_printf(call->arena, "%llu", (unsigned long long)call->intake.max));
    return s3_fail(err,
                   call->route->body == ROUTE_STREAM ? S3_ENTITY_TOO_LARGE : S3_MAX_MESSAGE_LENGTH);
}

static uint64_t max_of(const struct call *call)
{
    uint64_t max = call->s3->options.object_max;
    if (call->route->body == ROUTE_DOCUMENT)
        return S3_XML_MAX;
    return max < S3_PUT_BYTES_MAX ? max : S3_PUT_BYTES_MAX;
}

enum err_code intake_open(struct call *call, struct err *err)
{
    struct intake *intake = &call->intake;
    if (call->route->body == ROUTE_NO_BODY)
        return ERR_OK;
    intake->max = max_of(call);
    if (read_length(call, err))
        return err->code;
    if (call->route->flags & ROUTE_OF_OBJECT
            ? checksum_read_md5(&call->head, &intake->checksum.md5, err)
            : checksum_read(&call->head, &intake->checksum, err))
        return err->code;
    if (intake->length != BODY_LENGTH_UNKNOWN && intake->length > intake->max)
        return too_large(call, err);
    intake->keep = intake->checksum.declared ? intake->checksum.kind : HASH_CRC64NVME;
    return ERR_OK;
}

/* Where payload goes: counted, digested, and on. */
static enum err_code take_payload(void *ctx, struct bytes piece, struct err *err)
{
    struct call *call = ctx;
    struct intake *intake = &call->intake;
    intake->received += piece.len;
    if (intake->received > intake->max)
        return too_large(call, err);
    hash_set_update(intake->hashes, piece);
    if (intake->writer)
        return body_writer_write(intake->writer, piece, err);
    buf_append(&call->document, piece);
    return buf_ok(&call->document) ? ERR_OK
                                   : err_fail(err, call->document.failed, "request document");
}

static enum err_code check_chunk(void *ctx, const uint8_t sha256[32], struct bytes signature,
                                 struct err *err)
{
    struct call *call = ctx;
    if (sign_check_chunk(&call->who, sha256, signature, err))
        return error_from_sign(err);
    return ERR_OK;
}

static enum err_code check_trailer(void *ctx, const uint8_t sha256[32], struct bytes signature,
                                   struct err *err)
{
    struct call *call = ctx;
    if (sign_check_trailer(&call->who, sha256, signature, err))
        return error_from_sign(err);
    return ERR_OK;
}

static enum err_code start_decoder(struct call *call, struct err *err)
{
    const struct chunked_options options = {
        .is_signed = call->who.payload != SIGN_PAYLOAD_UNSIGNED_TRAILER,
        .has_trailer = call->who.payload != SIGN_PAYLOAD_SIGNED_CHUNKS,
        .decoded_len = call->intake.length,
        .sink = {take_payload, check_chunk, check_trailer, call},
    };
    return chunked_new(&options, &call->intake.chunked, err);
}

/* One pass computes what is asked for and nothing else. */
static unsigned wanted_digests(const struct call *call)
{
    const struct intake *intake = &call->intake;
    unsigned kinds = 0;
    if (call->route->body == ROUTE_STREAM)
        kinds |= HASH_BIT(HASH_MD5) | HASH_BIT(intake->keep);
    if (intake->checksum.md5.len > 0)
        kinds |= HASH_BIT(HASH_MD5);
    if (intake->checksum.declared)
        kinds |= HASH_BIT(intake->checksum.kind);
    if (call->who.payload == SIGN_PAYLOAD_HASH)
        kinds |= HASH_BIT(HASH_SHA256);
    return kinds;
}

enum err_code intake_start(struct call *call, struct err *err)
{
    struct intake *intake = &call->intake;
    if (call->route->body == ROUTE_NO_BODY)
        return ERR_OK;
    intake->kinds = wanted_digests(call);
    if (hash_set_new(intake->kinds, &intake->hashes, err))
        return err->code;
    if (is_chunked(call) && start_decoder(call, err))
        return err->code;
    if (call->route->body == ROUTE_STREAM)
        return body_writer_open(call->s3->store, intake->length, &intake->writer, err);
    return ERR_OK;
}

enum err_code intake_take(struct call *call, struct bytes piece, struct err *err)
{
    if (call->route->body == ROUTE_NO_BODY)
        return ERR_OK;
    if (call->intake.chunked)
        return chunked_push(call->intake.chunked, piece, err);
    return take_payload(call, piece, err);
}

/* What one digest proves, and what is kept of it. */
static enum err_code settle_digest(struct call *call, enum hash_kind kind,
                                   const struct hash_value *value, struct err *err)
{
    struct intake *intake = &call->intake;
    if (kind == HASH_SHA256 && call->who.payload == SIGN_PAYLOAD_HASH &&
        memcmp(value->data, call->who.payload_sha256, sizeof(call->who.payload_sha256)) != 0)
        return s3_fail(err, S3_SHA256_MISMATCH);
    if (kind == HASH_MD5)
        memcpy(intake->md5, value->data, sizeof(intake->md5));
    if (kind == HASH_MD5 && checksum_verify(kind, &intake->checksum.md5, value, err))
        return err->code;
    if (intake->checksum.declared && kind == intake->checksum.kind &&
        checksum_verify(kind, &intake->checksum.expected, value, err))
        return err->code;
    if (kind == intake->keep)
        intake->kept = (struct record_checksum){.present = true, .kind = kind, .value = *value};
    return ERR_OK;
}

/* The framing is over, and as long as it said. */
static enum err_code end_framing(struct call *call, struct err *err)
{
    struct intake *intake = &call->intake;
    const struct record_pairs *trailer = &no_trailer;
    if (intake->chunked) {
        if (chunked_finish(intake->chunked, err))
            return err->code;
        trailer = chunked_trailer(intake->chunked);
    }
    if (intake->length != BODY_LENGTH_UNKNOWN && intake->received != intake->length)
        return s3_fail(err, S3_INCOMPLETE_BODY);
    return checksum_take_trailer(&intake->checksum, trailer, err);
}

enum err_code intake_end(struct call *call, struct err *err)
{
    struct intake *intake = &call->intake;
    if (call->route->body == ROUTE_NO_BODY)
        return ERR_OK;
    if (end_framing(call, err))
        return err->code;
    for (int kind = 0; kind < HASH_KINDS; kind++) {
        struct hash_value value;
        if (!(intake->kinds & HASH_BIT(kind)))
            continue;
        value = hash_set_finish(intake->hashes, (enum hash_kind)kind);
        if (settle_digest(call, (enum hash_kind)kind, &value, err))
            return err->code;
    }
    return ERR_OK;
}

void intake_done(struct intake *intake)
{
    if (intake->hashes)
        hash_set_free(intake->hashes);
    if (intake->chunked)
        chunked_free(intake->chunked);
    if (intake->writer)
        body_writer_free(intake->writer);
}
