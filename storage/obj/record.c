/* record.c - see record.h: objects, and uploads, which carry what will be one.
 * The other rows are in record_rows.c. */
#include "storage/obj/record.h"

#include "base/codec.h"
#include "base/limits.h"
#include "storage/obj/record_fields.h"

struct bytes record_pair_find(const struct record_pairs *pairs, const char *name)
{
    struct bytes wanted = bytes_of_str(name);

    for (size_t i = 0; i < pairs->count; i++) {
        struct bytes value = pairs->items[i].value;
        if (bytes_equal(pairs->items[i].name, wanted))
            return value.data ? value : BYTES_LIT("");
    }
    return bytes_of(NULL, 0);
}

/* An object's message, and those that it points to. */
struct object_message {
    Valise__Obj__Object object;
    Valise__Obj__Checksum checksum;
    Valise__Obj__Body body;
    Valise__Obj__Origin origin;
    Valise__Obj__Lineage lineage;
};

static bool write_object_pairs(const struct record_object *object, struct arena *arena,
                               Valise__Obj__Object *message)
{
    return record_write_pairs(&object->headers, arena, &message->headers, &message->n_headers) &&
           record_write_pairs(&object->metadata, arena, &message->metadata, &message->n_metadata) &&
           record_write_pairs(&object->tags, arena, &message->tags, &message->n_tags);
}

/* returns  false when memory is out */
static bool write_object(const struct record_object *object, struct arena *arena,
                         struct object_message *room)
{
    Valise__Obj__Object *message = &room->object;

    valise__obj__object__init(message);
    message->delete_marker = object->delete_marker;
    message->null_version = object->null_version;
    message->length = object->length;
    message->modified_unix_ms = object->modified_unix_ms;
    message->etag = record_write_etag(object->etag);
    message->parts = object->parts;
    message->owner = record_write_bytes(object->owner);
    message->body = record_write_body(&object->body, &room->body);
    message->checksum = record_write_checksum(&object->checksum, &room->checksum);
    message->origin = record_write_origin(&object->origin, &room->origin);
    message->lineage =
        record_write_lineage(object->lineage_trace, object->lineage_depth, &room->lineage);
    message->storage_class = record_write_bytes(object->storage_class);
    return write_object_pairs(object, arena, message);
}

struct bytes record_encode_object(const struct record_object *object, struct arena *arena)
{
    struct object_message room;

    if (!write_object(object, arena, &room))
        return bytes_of(NULL, 0);
    return record_write_change_row(&room.object.base, object->seq, object->stamp, arena);
}

static void read_object(struct record_reader *reader, const Valise__Obj__Object *message,
                        struct record_object *ret_object)
{
    const Valise__Obj__Lineage *lineage = message->lineage;

    *ret_object = (struct record_object){
        .delete_marker = message->delete_marker,
        .null_version = message->null_version,
        .length = message->length,
        .modified_unix_ms = message->modified_unix_ms,
        .parts = message->parts,
        .owner = record_read_bytes(message->owner),
        .origin = record_read_origin(message->origin),
        .lineage_trace = lineage ? record_read_bytes(lineage->trace) : BYTES_LIT(""),
        .lineage_depth = lineage ? lineage->depth : 0,
        .storage_class = record_read_bytes(message->storage_class),
    };
    record_read_check(reader, message->length <= S3_OBJECT_BYTES_MAX, "length");
    record_read_check(reader, message->parts <= S3_PARTS_MAX, "number of parts");
    record_read_fixed(reader, message->etag, true, ret_object->etag, RECORD_ETAG_LEN, "ETag");
    record_read_body(reader, message->body, &ret_object->body);
    record_read_checksum(reader, message->checksum, &ret_object->checksum);
    record_read_pairs(reader, message->headers, message->n_headers, &ret_object->headers);
    record_read_pairs(reader, message->metadata, message->n_metadata, &ret_object->metadata);
    record_read_pairs(reader, message->tags, message->n_tags, &ret_object->tags);
}

enum err_code record_decode_object(struct bytes row, struct arena *arena,
                                   struct record_object *ret_object, struct err *err)
{
    struct record_reader reader = {.row = "object", .arena = arena, .err = err};
    struct record_object object;
    const Valise__Obj__Object *message =
        record_read_row(&reader, &valise__obj__object__descriptor, row, RECORD_HEAD_LEN);

    if (!message)
        return reader.rc;
    read_object(&reader, message, &object);
    if (reader.rc != ERR_OK)
        return reader.rc;
    object.seq = codec_get_u64be(row.data + RECORD_SEQ_AT);
    object.stamp = codec_get_u64be(row.data + RECORD_SEQ_AT + 8);
    *ret_object = object;
    return ERR_OK;
}

struct bytes record_encode_upload(const struct record_upload *upload, struct arena *arena)
{
    Valise__Obj__Upload message = VALISE__OBJ__UPLOAD__INIT;
    struct object_message room;

    if (!write_object(&upload->object, arena, &room))
        return bytes_of(NULL, 0);
    message.object = &room.object;
    message.initiated_unix_ms = upload->initiated_unix_ms;
    if (upload->has_checksum)
        message.checksum_algorithm = record_write_algorithm(upload->checksum_kind);
    message.checksum_composite = upload->composite;
    message.initiator = record_write_bytes(upload->initiator);
    return record_write_row(&message.base, 1, arena);
}

enum err_code record_decode_upload(struct bytes row, struct arena *arena,
                                   struct record_upload *ret_upload, struct err *err)
{
    struct record_reader reader = {.row = "upload", .arena = arena, .err = err};
    const Valise__Obj__Upload *message =
        record_read_row(&reader, &valise__obj__upload__descriptor, row, 1);

    if (!message)
        return reader.rc;
    struct record_upload upload = {
        .initiated_unix_ms = message->initiated_unix_ms,
        .has_checksum = message->checksum_algorithm != 0,
        .composite = message->checksum_composite,
        .initiator = record_read_bytes(message->initiator),
    };
    if (upload.has_checksum)
        record_read_algorithm(&reader, message->checksum_algorithm, &upload.checksum_kind);
    record_read_check(&reader, message->object != NULL, "object");
    if (message->object)
        read_object(&reader, message->object, &upload.object);
    if (reader.rc == ERR_OK)
        *ret_upload = upload;
    return reader.rc;
}
