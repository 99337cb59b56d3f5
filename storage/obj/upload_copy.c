/* upload_copy.c - upload.h: a part from (a range of) an object.
 *
 * The range is read once in any case, for its MD5 and checksum. Where it lies in
 * one large body the part becomes a window of that body; the reader's pin keeps
 * the body until the new reference is committed (pin.h). Else the bytes are written. */
#include <stdlib.h>

#include "storage/obj/upload_internal.h"

struct range_copy {
    struct store *store;
    struct body_reader *reader;
    uint64_t first, until; /* bytes of the source */
    struct hash_set *hashes;
    struct body_writer *writer; /* NULL: the body is shared */
    uint8_t *buffer;            /* OBJ_BLOCK_BYTES */
};

static void range_copy_done(struct range_copy *copy)
{
    body_reader_free(copy->reader);
    hash_set_free(copy->hashes);
    body_writer_free(copy->writer);
    free(copy->buffer);
}

static enum err_code clip(const struct upload_copy_part *request, uint64_t length,
                          struct range_copy *copy, struct err *err)
{
    copy->first = request->has_range ? request->first : 0;
    copy->until = request->has_range ? request->last + 1 : length;
    if (request->has_range && (request->last >= length || request->first > request->last))
        return err_fail_reason(err, ERR_INVALID, STORE_BAD_RANGE, "the source has %llu bytes",
                               (unsigned long long)length);
    if (copy->until - copy->first > S3_PART_BYTES_MAX)
        return err_fail(err, ERR_LIMIT, "S3_PART_BYTES_MAX: the range has %llu bytes",
                        (unsigned long long)(copy->until - copy->first));
    return ERR_OK;
}

/* Read the range; hash it, and write it where it is not shared. */
static enum err_code pump(struct range_copy *copy, struct err *err)
{
    enum err_code rc = ERR_OK;
    for (uint64_t at = copy->first; rc == ERR_OK && at < copy->until;) {
        uint64_t left = copy->until - at;
        size_t len = 0;
        rc = body_reader_read(copy->reader, at, copy->buffer,
                              left < OBJ_BLOCK_BYTES ? (size_t)left : OBJ_BLOCK_BYTES, &len, err);
        if (rc != ERR_OK)
            break;
        hash_set_update(copy->hashes, bytes_of(copy->buffer, len));
        if (copy->writer)
            rc = body_writer_write(copy->writer, bytes_of(copy->buffer, len), err);
        at += len;
    }
    return rc;
}

static enum err_code prepare(struct range_copy *copy, const struct record_upload *upload,
                             struct record_part *part, struct commit_batch *batch, struct err *err)
{
    bool within = false;
    struct record_body body = {0};
    enum err_code rc = ERR_OK;
    if (copy->until > copy->first)
        rc = body_reader_within(copy->reader, copy->first, copy->until, &within, &body,
                                &part->body_offset, err);
    if (rc == ERR_OK && within)
        rc = body_share(copy->store, &body, batch, &part->body, err);
    else if (rc == ERR_OK)
        rc = body_writer_open(copy->store, copy->until - copy->first, &copy->writer, err);
    if (rc != ERR_OK)
        return rc;
    if (!within)
        part->body_offset = 0;
    copy->buffer = malloc(OBJ_BLOCK_BYTES);
    if (!copy->buffer)
        return err_fail(err, ERR_NO_MEMORY, "copy of a range");
    unsigned kinds = HASH_BIT(HASH_MD5);
    if (upload->has_checksum)
        kinds |= HASH_BIT(upload->checksum_kind);
    return hash_set_new(kinds, &copy->hashes, err);
}

static void take_hashes(struct range_copy *copy, const struct record_upload *upload,
                        struct record_part *part)
{
    struct hash_value md5 = hash_set_finish(copy->hashes, HASH_MD5);
    memcpy(part->etag, md5.data, RECORD_ETAG_LEN);
    part->checksum = (struct record_checksum){0};
    if (!upload->has_checksum)
        return;
    part->checksum.present = true;
    part->checksum.kind = upload->checksum_kind;
    part->checksum.value = hash_set_finish(copy->hashes, upload->checksum_kind);
}

/* Read, hash, and have the part's body in the batch. */
static enum err_code make_part(struct range_copy *copy, const struct record_upload *upload,
                               struct commit_batch *batch, struct record_part *part,
                               struct err *err)
{
    enum err_code rc = prepare(copy, upload, part, batch, err);
    if (rc == ERR_OK)
        rc = pump(copy, err);
    if (rc == ERR_OK && copy->writer)
        rc = body_writer_finish(copy->writer, batch, &part->body, err);
    if (rc != ERR_OK)
        return rc;
    part->length = copy->until - copy->first;
    part->modified_unix_ms = clock_unix_ms(copy->store->clock);
    take_hashes(copy, upload, part);
    return ERR_OK;
}

static enum err_code open_source(struct store *store, const struct upload_copy_part *request,
                                 struct arena *arena, struct range_copy *copy,
                                 struct record_object *ret_source, struct err *err)
{
    enum err_code rc = object_get(store, request->source_bucket, request->source_key,
                                  request->source_version, arena, ret_source, &copy->reader, err);
    if (rc == ERR_OK && request->source_condition.check)
        rc = request->source_condition.check(request->source_condition.ctx, ret_source, err);
    if (rc == ERR_OK)
        rc = clip(request, ret_source->length, copy, err);
    return rc;
}

static enum err_code commit_copy(struct range_copy *copy, struct bucket *bucket, struct bytes key,
                                 struct bytes id, const struct record_part *part,
                                 const struct commit_batch *batch, struct err *err)
{
    enum err_code rc = bucket_enter(bucket, err);
    if (rc != ERR_OK)
        return rc;
    rc = upload_commit_part(copy->store, bucket, key, id, part, batch, err);
    bucket_leave(bucket);
    if (copy->writer)
        body_writer_committed(copy->writer, rc);
    return rc;
}

enum err_code upload_copy_part(struct store *store, struct bucket *bucket, struct bytes key,
                               struct bytes id, uint32_t number,
                               const struct upload_copy_part *request, struct arena *arena,
                               struct record_object *ret_source, struct record_part *ret_part,
                               struct err *err)
{
    struct record_upload upload;
    enum err_code rc = upload_find(store, bucket, key, id, arena, &upload, err);
    if (rc == ERR_OK)
        rc = store_health(store, err);
    if (rc != ERR_OK)
        return rc;
    *ret_part = (struct record_part){.number = number};
    struct commit_batch batch;
    commit_batch_init(&batch, arena);
    struct range_copy copy = {.store = store};
    rc = open_source(store, request, arena, &copy, ret_source, err);
    if (rc == ERR_OK)
        rc = make_part(&copy, &upload, &batch, ret_part, err);
    if (rc == ERR_OK)
        rc = commit_copy(&copy, bucket, key, id, ret_part, &batch, err);
    range_copy_done(&copy);
    return rc;
}
