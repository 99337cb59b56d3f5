/* record_rows.c - see record.h: all rows but objects and uploads (record.c). */
#include "base/codec.h"
#include "base/limits.h"
#include "storage/obj/bucket.h"
#include "storage/obj/record_fields.h"

#define CRC_LEN 4 /* bytes of a block's CRC32C */

struct bytes record_encode_part(const struct record_part *part, struct arena *arena)
{
    Valise__Obj__Part message = VALISE__OBJ__PART__INIT;
    Valise__Obj__Checksum checksum;
    Valise__Obj__Body body;

    message.number = part->number;
    message.length = part->length;
    message.modified_unix_ms = part->modified_unix_ms;
    message.etag = record_write_etag(part->etag);
    message.checksum = record_write_checksum(&part->checksum, &checksum);
    message.body = record_write_body(&part->body, &body);
    message.body_offset = part->body_offset;
    return record_write_row(&message.base, 1, arena);
}

enum err_code record_decode_part(struct bytes row, struct arena *arena,
                                 struct record_part *ret_part, struct err *err)
{
    struct record_reader reader = {.row = "part", .arena = arena, .err = err};
    const Valise__Obj__Part *message =
        record_read_row(&reader, &valise__obj__part__descriptor, row, 1);

    if (!message)
        return reader.rc;
    struct record_part part = {
        .number = message->number,
        .length = message->length,
        .modified_unix_ms = message->modified_unix_ms,
        .body_offset = message->body_offset,
    };
    record_read_check(&reader, part.number >= 1 && part.number <= S3_PARTS_MAX, "number");
    record_read_check(&reader, part.length <= S3_PART_BYTES_MAX, "length");
    record_read_check(&reader, part.body_offset <= S3_OBJECT_BYTES_MAX, "offset in its body");
    record_read_fixed(&reader, message->etag, true, part.etag, RECORD_ETAG_LEN, "ETag");
    record_read_checksum(&reader, message->checksum, &part.checksum);
    record_read_body(&reader, message->body, &part.body);
    if (reader.rc == ERR_OK)
        *ret_part = part;
    return reader.rc;
}

struct bytes record_encode_bucket(const struct record_bucket *bucket, struct arena *arena)
{
    Valise__Obj__Bucket message = VALISE__OBJ__BUCKET__INIT;

    message.id = bucket->id;
    message.owner = record_write_bytes(bucket->owner);
    message.created_unix_ms = bucket->created_unix_ms;
    message.versioning = bucket->versioning;
    message.region = record_write_bytes(bucket->region);
    if (!record_write_pairs(&bucket->tags, arena, &message.tags, &message.n_tags))
        return bytes_of(NULL, 0);
    return record_write_row(&message.base, 1, arena);
}

enum err_code record_decode_bucket(struct bytes row, struct arena *arena,
                                   struct record_bucket *ret_bucket, struct err *err)
{
    struct record_reader reader = {.row = "bucket", .arena = arena, .err = err};
    const Valise__Obj__Bucket *message =
        record_read_row(&reader, &valise__obj__bucket__descriptor, row, 1);

    if (!message)
        return reader.rc;
    struct record_bucket bucket = {
        .id = message->id,
        .owner = record_read_bytes(message->owner),
        .created_unix_ms = message->created_unix_ms,
        .versioning = message->versioning,
        .region = record_read_bytes(message->region),
    };
    record_read_check(&reader, bucket.versioning <= BUCKET_SUSPENDED, "versioning");
    record_read_pairs(&reader, message->tags, message->n_tags, &bucket.tags);
    if (reader.rc == ERR_OK)
        *ret_bucket = bucket;
    return reader.rc;
}

struct bytes record_encode_extents(const struct record_extents *extents, struct arena *arena)
{
    Valise__Obj__Extents message = VALISE__OBJ__EXTENTS__INIT;
    size_t count = extents->extent_count;
    Valise__Obj__Extent **list = arena_alloc_raw(arena, count * sizeof(Valise__Obj__Extent *));
    Valise__Obj__Extent *room = arena_alloc_raw(arena, count * sizeof(*room));

    if (!list || !room)
        return bytes_of(NULL, 0);
    for (size_t i = 0; i < count; i++) {
        valise__obj__extent__init(&room[i]);
        room[i].segment = extents->extents[i].segment;
        room[i].offset = extents->extents[i].offset;
        room[i].stored = extents->extents[i].stored;
        list[i] = &room[i];
    }
    message.length = extents->length;
    message.block_bytes = extents->block_bytes;
    message.extents = list;
    message.n_extents = count;
    message.block_crcs = record_write_bytes(extents->block_crcs);
    return record_write_row(&message.base, 1, arena);
}

static void read_extent_list(struct record_reader *reader, const Valise__Obj__Extents *message,
                             struct record_extents *extents, uint64_t *ret_stored)
{
    struct record_extent *list = arena_alloc_raw(reader->arena, message->n_extents * sizeof(*list));
    uint64_t stored = 0;

    if (!list) {
        reader->rc = err_fail(reader->err, ERR_NO_MEMORY, "%s: list", reader->row);
        return;
    }
    for (size_t i = 0; i < message->n_extents; i++) {
        const Valise__Obj__Extent *extent = message->extents[i];
        list[i] = (struct record_extent){extent->segment, extent->offset, extent->stored};
        record_read_check(reader, extent->stored <= S3_OBJECT_BYTES_MAX - stored, "stored bytes");
        if (reader->rc != ERR_OK)
            return;
        stored += extent->stored;
    }
    extents->extents = list;
    extents->extent_count = message->n_extents;
    *ret_stored = stored;
}

enum err_code record_decode_extents(struct bytes row, struct arena *arena,
                                    struct record_extents *ret_extents, struct err *err)
{
    struct record_reader reader = {.row = "extents", .arena = arena, .err = err};
    const Valise__Obj__Extents *message =
        record_read_row(&reader, &valise__obj__extents__descriptor, row, 1);
    uint64_t stored = 0;

    if (!message)
        return reader.rc;
    struct record_extents extents = {
        .length = message->length,
        .block_bytes = message->block_bytes,
        .block_crcs = record_read_bytes(message->block_crcs),
    };
    uint64_t block = extents.block_bytes;
    record_read_check(&reader, block > 0 && block <= OBJ_BLOCK_BYTES, "size of blocks");
    record_read_check(&reader, extents.block_crcs.len % CRC_LEN == 0, "list of CRCs");
    if (reader.rc == ERR_OK)
        read_extent_list(&reader, message, &extents, &stored);
    if (reader.rc == ERR_OK)
        record_read_check(&reader,
                          extents.length <= stored &&
                              extents.block_crcs.len / CRC_LEN == (stored + block - 1) / block,
                          "length");
    if (reader.rc == ERR_OK)
        *ret_extents = extents;
    return reader.rc;
}

struct bytes record_encode_change(const struct record_change *change, struct arena *arena)
{
    Valise__Obj__Change message = VALISE__OBJ__CHANGE__INIT;
    Valise__Obj__Checksum checksum;
    Valise__Obj__Origin origin;
    Valise__Obj__Lineage lineage;

    message.operation = change->operation;
    message.bucket = record_write_bytes(change->bucket);
    message.bucket_id = change->bucket_id;
    message.key = record_write_bytes(change->key);
    message.version_seq = change->version_seq;
    message.version_site = change->version_site;
    message.null_version = change->null_version;
    message.length = change->length;
    message.etag = record_write_etag(change->etag);
    message.parts = change->parts;
    message.checksum = record_write_checksum(&change->checksum, &checksum);
    message.time_unix_ms = change->time_unix_ms;
    message.origin = record_write_origin(&change->origin, &origin);
    message.lineage = record_write_lineage(change->lineage_trace, change->lineage_depth, &lineage);
    message.user = record_write_bytes(change->user);
    return record_write_change_row(&message.base, change->seq, change->stamp, arena);
}

static bool is_operation(uint32_t operation)
{
    return (operation >= CHANGE_OBJECT_PUT && operation <= CHANGE_OBJECT_TAGS) ||
           (operation >= CHANGE_BUCKET_CREATE && operation <= CHANGE_BUCKET_SETTINGS);
}

static void read_change(struct record_reader *reader, const Valise__Obj__Change *message,
                        struct record_change *ret_change)
{
    const Valise__Obj__Lineage *lineage = message->lineage;

    *ret_change = (struct record_change){
        .operation = (enum change_operation)message->operation,
        .bucket = record_read_bytes(message->bucket),
        .bucket_id = message->bucket_id,
        .key = record_read_bytes(message->key),
        .version_seq = message->version_seq,
        .version_site = message->version_site,
        .null_version = message->null_version,
        .length = message->length,
        .parts = message->parts,
        .time_unix_ms = message->time_unix_ms,
        .origin = record_read_origin(message->origin),
        .lineage_trace = lineage ? record_read_bytes(lineage->trace) : BYTES_LIT(""),
        .lineage_depth = lineage ? lineage->depth : 0,
        .user = record_read_bytes(message->user),
    };
    record_read_check(reader, is_operation(message->operation), "operation");
    record_read_check(reader, message->length <= S3_OBJECT_BYTES_MAX, "length");
    record_read_check(reader, message->parts <= S3_PARTS_MAX, "number of parts");
    record_read_fixed(reader, message->etag, true, ret_change->etag, RECORD_ETAG_LEN, "ETag");
    record_read_checksum(reader, message->checksum, &ret_change->checksum);
}

enum err_code record_decode_change(struct bytes row, struct arena *arena,
                                   struct record_change *ret_change, struct err *err)
{
    struct record_reader reader = {.row = "change", .arena = arena, .err = err};
    struct record_change change;
    const Valise__Obj__Change *message =
        record_read_row(&reader, &valise__obj__change__descriptor, row, RECORD_HEAD_LEN);

    if (!message)
        return reader.rc;
    read_change(&reader, message, &change);
    if (reader.rc != ERR_OK)
        return reader.rc;
    change.seq = codec_get_u64be(row.data + RECORD_SEQ_AT);
    change.stamp = codec_get_u64be(row.data + RECORD_SEQ_AT + 8);
    *ret_change = change;
    return ERR_OK;
}

struct bytes record_encode_system(const struct record_system *system, struct arena *arena)
{
    Valise__Obj__System message = VALISE__OBJ__SYSTEM__INIT;

    message.format = system->format;
    message.box_id = record_write_bytes(bytes_of(system->box_id, sizeof(system->box_id)));
    message.epoch = system->epoch;
    message.site = system->site;
    message.created_unix_ms = system->created_unix_ms;
    message.parent_epoch = system->parent_epoch;
    message.parent_ids = system->parent_ids;
    return record_write_row(&message.base, 1, arena);
}

enum err_code record_decode_system(struct bytes row, struct arena *arena,
                                   struct record_system *ret_system, struct err *err)
{
    struct record_reader reader = {.row = "system", .arena = arena, .err = err};
    const Valise__Obj__System *message =
        record_read_row(&reader, &valise__obj__system__descriptor, row, 1);

    if (!message)
        return reader.rc;
    struct record_system system = {
        .format = message->format,
        .epoch = message->epoch,
        .site = message->site,
        .created_unix_ms = message->created_unix_ms,
        .parent_epoch = message->parent_epoch,
        .parent_ids = message->parent_ids,
    };
    record_read_fixed(&reader, message->box_id, false, system.box_id, sizeof(system.box_id),
                      "box id");
    if (reader.rc == ERR_OK)
        *ret_system = system;
    return reader.rc;
}

#define CURSOR_ARENA_MAX KIB(4) /* bytes: a number, and what a damaged row holds besides */

struct bytes record_encode_cursor(uint64_t seq, struct arena *arena)
{
    Valise__Obj__Cursor message = VALISE__OBJ__CURSOR__INIT;

    message.seq = seq;
    return record_write_row(&message.base, 1, arena);
}

enum err_code record_decode_cursor(struct bytes row, uint64_t *ret_seq, struct err *err)
{
    struct arena arena;

    arena_init(&arena, CURSOR_ARENA_MAX);
    struct record_reader reader = {.row = "cursor", .arena = &arena, .err = err};
    const Valise__Obj__Cursor *message =
        record_read_row(&reader, &valise__obj__cursor__descriptor, row, 1);
    if (message)
        *ret_seq = message->seq;
    arena_done(&arena);
    return reader.rc;
}

struct bytes record_encode_scrub(const struct record_scrub *scrub, struct arena *arena)
{
    Valise__Obj__Scrub message = VALISE__OBJ__SCRUB__INIT;

    message.phase = scrub->phase;
    message.position = record_write_bytes(scrub->position);
    message.started_unix_ms = scrub->started_unix_ms;
    message.finished_unix_ms = scrub->finished_unix_ms;
    message.bodies = scrub->bodies;
    message.bytes = scrub->bytes;
    message.rot = scrub->rot;
    return record_write_row(&message.base, 1, arena);
}

enum err_code record_decode_scrub(struct bytes row, struct arena *arena,
                                  struct record_scrub *ret_scrub, struct err *err)
{
    struct record_reader reader = {.row = "scrub", .arena = arena, .err = err};
    const Valise__Obj__Scrub *message =
        record_read_row(&reader, &valise__obj__scrub__descriptor, row, 1);

    if (!message)
        return reader.rc;
    *ret_scrub = (struct record_scrub){
        .phase = message->phase,
        .position = record_read_bytes(message->position),
        .started_unix_ms = message->started_unix_ms,
        .finished_unix_ms = message->finished_unix_ms,
        .bodies = message->bodies,
        .bytes = message->bytes,
        .rot = message->rot,
    };
    return ERR_OK;
}
