/* get_object.c - GetObject: an object, a range or a part of it. Small ones go
 * out with the head in one segment; larger ones are read, checked and sent
 * block by block.
 *
 * Source    Amazon S3 API Reference, GetObject. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"
#include "storage/s3/reading.h"

struct stream {
    const struct call *call;
    struct body_reader *reader; /* the call's */
    uint64_t first, len;        /* of the reply, in the object */
};

static ptrdiff_t read_stream(void *ctx, uint64_t offset, uint8_t *to, size_t room)
{
    const struct stream *stream = ctx;
    uint64_t left = stream->len - offset;
    struct err err;
    size_t len;
    if (room > left)
        room = (size_t)left;
    if (body_reader_read(stream->reader, stream->first + offset, to, room, &len, &err)) {
        answer_log_failure(stream->call, &err);
        return -1;
    }
    return (ptrdiff_t)len;
}

/* A byte of the first block, so that rot there is an error and not a short body. */
static enum err_code probe(const struct stream *stream, struct err *err)
{
    uint8_t byte;
    size_t len;
    return body_reader_read(stream->reader, stream->first, &byte, 1, &len, err);
}

static enum err_code send_large(struct call *call, const struct record_object *object,
                                const struct reading *reading, struct err *err)
{
    struct stream *stream = arena_alloc(call->arena, sizeof(*stream));
    if (!stream)
        return err_fail(err, ERR_NO_MEMORY, "stream");
    *stream = (struct stream){call, call->reader, reading->first, reading->len};
    if (reading->len > 0 && probe(stream, err))
        return err->code;
    reading_send(call, object, reading);
    http_reply_stream(call->http, reading->status, reading->len, read_stream, stream);
    return ERR_OK;
}

enum err_code get_object_run(struct call *call, struct err *err)
{
    struct record_object object;
    struct reading reading;
    struct bytes small;
    if (reading_start(call, &reading, err))
        return err->code;
    if (object_get(call->s3->store, call->bucket, call->key, reading.version, call->arena, &object,
                   &call->reader, err))
        return reading_missing(call, &reading, &object, err);
    if (reading_settle(call, &object, &reading, err))
        return err->code;
    small = body_reader_small(call->reader);
    if (!small.data)
        return send_large(call, &object, &reading, err);
    reading_send(call, &object, &reading);
    http_reply_bytes(call->http, reading.status,
                     bytes_first(bytes_from(small, (size_t)reading.first), (size_t)reading.len));
    return ERR_OK;
}
