/* record_fields.c - see record_fields.h. */
#include "storage/obj/record_fields.h"

#include "base/codec.h"
#include "storage/kv/proto_arena.h"

/* Algorithms of checksums as they lie on disk: never renumbered. */
static const enum hash_kind algorithms[] = {
    [1] = HASH_CRC32, [2] = HASH_CRC32C, [3] = HASH_CRC64NVME,
    [4] = HASH_SHA1,  [5] = HASH_SHA256, [6] = HASH_MD5,
};

void *record_read_row(struct record_reader *reader, const ProtobufCMessageDescriptor *type,
                      struct bytes row, size_t head_len)
{
    ProtobufCMessage *message = NULL;

    if (row.len < head_len || row.data[0] != RECORD_FORMAT) {
        reader->rc = err_fail(reader->err, ERR_CORRUPT, "%s: unknown format", reader->row);
        return NULL;
    }
    reader->rc =
        proto_arena_unpack(type, bytes_from(row, head_len), reader->arena, &message, reader->err);
    return reader->rc == ERR_OK ? message : NULL;
}

void record_read_check(struct record_reader *reader, bool ok, const char *field)
{
    if (!ok && reader->rc == ERR_OK)
        reader->rc = err_fail(reader->err, ERR_CORRUPT, "%s: impossible %s", reader->row, field);
}

struct bytes record_read_bytes(ProtobufCBinaryData data)
{
    return data.len ? bytes_of(data.data, data.len) : BYTES_LIT("");
}

void record_read_fixed(struct record_reader *reader, ProtobufCBinaryData data, bool optional,
                       uint8_t *ret_data, size_t len, const char *field)
{
    record_read_check(reader, data.len == len || (optional && data.len == 0), field);
    if (data.len == len)
        memcpy(ret_data, data.data, len);
    else
        memset(ret_data, 0, len);
}

void record_read_pairs(struct record_reader *reader, Valise__Obj__Pair *const *pairs, size_t count,
                       struct record_pairs *ret_pairs)
{
    *ret_pairs = (struct record_pairs){0};
    if (count == 0 || reader->rc != ERR_OK)
        return;
    struct record_pair *items = arena_alloc_raw(reader->arena, count * sizeof(*items));
    if (!items) {
        reader->rc = err_fail(reader->err, ERR_NO_MEMORY, "%s: pairs", reader->row);
        return;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (struct record_pair){record_read_bytes(pairs[i]->name),
                                        record_read_bytes(pairs[i]->value)};
    *ret_pairs = (struct record_pairs){items, count};
}

void record_read_algorithm(struct record_reader *reader, uint32_t number, enum hash_kind *ret_kind)
{
    bool known = number > 0 && number < ARRAY_LEN(algorithms);

    record_read_check(reader, known, "checksum algorithm");
    *ret_kind = algorithms[known ? number : 1];
}

void record_read_checksum(struct record_reader *reader, const Valise__Obj__Checksum *checksum,
                          struct record_checksum *ret_checksum)
{
    *ret_checksum = (struct record_checksum){.present = checksum != NULL};
    if (!checksum)
        return;
    record_read_algorithm(reader, checksum->algorithm, &ret_checksum->kind);
    ret_checksum->composite = checksum->composite;
    ret_checksum->value.len = hash_len(ret_checksum->kind);
    record_read_fixed(reader, checksum->value, false, ret_checksum->value.data,
                      ret_checksum->value.len, "checksum");
}

void record_read_body(struct record_reader *reader, const Valise__Obj__Body *body,
                      struct record_body *ret_body)
{
    *ret_body = (struct record_body){.kind = BODY_EMPTY};
    if (!body)
        return;
    record_read_check(reader, body->kind <= BODY_REMOTE, "kind of body");
    ret_body->kind = (enum record_body_kind)body->kind;
    ret_body->id = body->id;
    ret_body->owner = body->owner;
}

struct record_origin record_read_origin(const Valise__Obj__Origin *origin)
{
    if (!origin)
        return (struct record_origin){0};
    return (struct record_origin){origin->site, origin->epoch, origin->seq,
                                  origin->console_seq_seen};
}

struct bytes record_write_row(const ProtobufCMessage *message, size_t head_len, struct arena *arena)
{
    size_t len;
    uint8_t *row = proto_arena_pack(message, head_len, arena, &len);

    if (!row)
        return bytes_of(NULL, 0);
    memset(row, 0, head_len);
    row[0] = RECORD_FORMAT;
    return bytes_of(row, len);
}

struct bytes record_write_change_row(const ProtobufCMessage *message, uint64_t seq, uint64_t stamp,
                                     struct arena *arena)
{
    size_t len;
    uint8_t *row = proto_arena_pack(message, RECORD_HEAD_LEN, arena, &len);

    if (!row)
        return bytes_of(NULL, 0);
    row[0] = RECORD_FORMAT;
    codec_put_u64be(row + RECORD_SEQ_AT, seq);
    codec_put_u64be(row + RECORD_SEQ_AT + 8, stamp);
    return bytes_of(row, len);
}

ProtobufCBinaryData record_write_bytes(struct bytes bytes)
{
    ProtobufCBinaryData data = {.len = bytes.len};

    memcpy(&data.data, &bytes.data, sizeof(data.data)); /* read only, but not const in protobuf-c */
    return data;
}

ProtobufCBinaryData record_write_etag(const uint8_t etag[RECORD_ETAG_LEN])
{
    static const uint8_t none[RECORD_ETAG_LEN];
    bool set = memcmp(etag, none, sizeof(none)) != 0;

    return record_write_bytes(bytes_of(etag, set ? RECORD_ETAG_LEN : 0));
}

bool record_write_pairs(const struct record_pairs *pairs, struct arena *arena,
                        Valise__Obj__Pair ***ret_pairs, size_t *ret_count)
{
    *ret_pairs = NULL;
    *ret_count = pairs->count;
    if (pairs->count == 0)
        return true;
    Valise__Obj__Pair **list = arena_alloc_raw(arena, pairs->count * sizeof(Valise__Obj__Pair *));
    Valise__Obj__Pair *room = arena_alloc_raw(arena, pairs->count * sizeof(*room));
    if (!list || !room)
        return false;
    for (size_t i = 0; i < pairs->count; i++) {
        valise__obj__pair__init(&room[i]);
        room[i].name = record_write_bytes(pairs->items[i].name);
        room[i].value = record_write_bytes(pairs->items[i].value);
        list[i] = &room[i];
    }
    *ret_pairs = list;
    return true;
}

uint32_t record_write_algorithm(enum hash_kind kind)
{
    uint32_t number = 1;

    while (number < ARRAY_LEN(algorithms) - 1 && algorithms[number] != kind)
        number++;
    return number;
}

Valise__Obj__Checksum *record_write_checksum(const struct record_checksum *checksum,
                                             Valise__Obj__Checksum *room)
{
    if (!checksum->present)
        return NULL;
    valise__obj__checksum__init(room);
    room->algorithm = record_write_algorithm(checksum->kind);
    room->composite = checksum->composite;
    room->value = record_write_bytes(bytes_of(checksum->value.data, checksum->value.len));
    return room;
}

Valise__Obj__Body *record_write_body(const struct record_body *body, Valise__Obj__Body *room)
{
    if (body->kind == BODY_EMPTY)
        return NULL;
    valise__obj__body__init(room);
    room->kind = body->kind;
    room->id = body->id;
    room->owner = body->owner;
    return room;
}

Valise__Obj__Origin *record_write_origin(const struct record_origin *origin,
                                         Valise__Obj__Origin *room)
{
    valise__obj__origin__init(room);
    room->site = origin->site;
    room->epoch = origin->epoch;
    room->seq = origin->seq;
    room->console_seq_seen = origin->console_seq_seen;
    return room;
}

Valise__Obj__Lineage *record_write_lineage(struct bytes trace, uint32_t depth,
                                           Valise__Obj__Lineage *room)
{
    if (trace.len == 0 && depth == 0)
        return NULL;
    valise__obj__lineage__init(room);
    room->trace = record_write_bytes(trace);
    room->depth = depth;
    return room;
}
