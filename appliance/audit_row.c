/* audit_row.c - see audit_row.h. */
#include "appliance/audit_row.h"

#include "appliance/rows.pb-c.h"
#include "base/codec.h"
#include "storage/kv/proto_arena.h"
#include "storage/kv/tags.h"

#define ROW_FORMAT 1

static const char state_key[] = {TAG_SYSTEM, 'a', 'u', 'd', 'i', 't'};

struct audit_row_key audit_row_key(uint64_t seq)
{
    struct audit_row_key key = {{TAG_AUDIT}};
    codec_put_u64be(key.data + 1, seq);
    return key;
}

uint64_t audit_row_seq(struct bytes key)
{
    return key.len == AUDIT_ROW_KEY_LEN && key.data[0] == TAG_AUDIT ? codec_get_u64be(key.data + 1)
                                                                    : 0;
}

static void put_message(struct commit_batch *batch, struct bytes key,
                        const ProtobufCMessage *message)
{
    size_t len;
    uint8_t *row = proto_arena_pack(message, 1, batch->arena, &len);
    if (row)
        row[0] = ROW_FORMAT;
    commit_put_borrowed(batch, KV_META, key, bytes_of(row, row ? len : 0));
}

static enum err_code read_message(struct bytes row, const ProtobufCMessageDescriptor *type,
                                  struct arena *arena, ProtobufCMessage **ret_message,
                                  struct err *err)
{
    if (row.len < 1 || row.data[0] != ROW_FORMAT)
        return err_fail(err, ERR_CORRUPT, "a row '%s' has a format that is not known",
                        type->short_name);
    return proto_arena_unpack(type, bytes_from(row, 1), arena, ret_message, err);
}

static ProtobufCBinaryData to_proto(struct bytes text, size_t max)
{
    return (ProtobufCBinaryData){bytes_first(text, max).len, (uint8_t *)(uintptr_t)text.data};
}

static struct bytes of_proto(ProtobufCBinaryData data)
{
    return bytes_of(data.data, data.len);
}

static void fill_message(const struct audit_entry *entry, Valise__Box__AuditEntry *message)
{
    message->unix_ms = entry->unix_ms;
    message->action = to_proto(entry->action, AUDIT_TEXT_MAX);
    message->user = to_proto(entry->actor.user, AUDIT_TEXT_MAX);
    message->access_key = to_proto(entry->actor.access_key, AUDIT_TEXT_MAX);
    message->is_local = entry->actor.is_local;
    message->uid = entry->actor.uid;
    message->address = to_proto(entry->actor.address, AUDIT_TEXT_MAX);
    message->resource = to_proto(entry->resource, AUDIT_RESOURCE_MAX);
    message->result = to_proto(entry->result, AUDIT_TEXT_MAX);
    message->detail = to_proto(entry->detail, AUDIT_TEXT_MAX);
    message->request_id = to_proto(entry->request_id, AUDIT_TEXT_MAX);
    message->count = entry->count;
}

static void next_hash(uint8_t chain[SEAL_HASH_LEN], uint64_t seq, struct bytes entry)
{
    uint8_t number[8];
    codec_put_u64be(number, seq);
    const struct bytes pieces[] = {bytes_of(chain, SEAL_HASH_LEN), bytes_of(number, sizeof(number)),
                                   entry};
    uint8_t hash[SEAL_HASH_LEN];
    seal_hash(pieces, ARRAY_LEN(pieces), hash);
    memcpy(chain, hash, SEAL_HASH_LEN);
}

void audit_row_put(struct commit_batch *batch, const struct audit_entry *entry,
                   uint8_t chain[SEAL_HASH_LEN])
{
    Valise__Box__AuditEntry message = VALISE__BOX__AUDIT_ENTRY__INIT;
    Valise__Box__AuditRow row = VALISE__BOX__AUDIT_ROW__INIT;
    fill_message(entry, &message);
    size_t len = 0;
    uint8_t *packed = proto_arena_pack(&message.base, 0, batch->arena, &len);
    if (!packed) {
        batch->failed = ERR_NO_MEMORY;
        return;
    }
    next_hash(chain, entry->seq, bytes_of(packed, len));
    row.entry = (ProtobufCBinaryData){len, packed};
    row.hash = (ProtobufCBinaryData){SEAL_HASH_LEN, chain};
    struct audit_row_key key = audit_row_key(entry->seq);
    put_message(batch, audit_row_key_bytes(&key), &row.base);
}

static enum err_code read_row(struct bytes row, struct arena *arena,
                              Valise__Box__AuditRow **ret_row, struct err *err)
{
    ProtobufCMessage *message = NULL;
    enum err_code code =
        read_message(row, &valise__box__audit_row__descriptor, arena, &message, err);
    if (code != ERR_OK)
        return code;
    *ret_row = (Valise__Box__AuditRow *)message;
    if ((*ret_row)->hash.len != SEAL_HASH_LEN)
        return err_fail(err, ERR_CORRUPT, "a row of the audit log has no hash");
    return ERR_OK;
}

enum err_code audit_row_read(struct bytes row, uint64_t seq, struct arena *arena,
                             struct audit_entry *ret_entry, struct err *err)
{
    Valise__Box__AuditRow *outer = NULL;
    ProtobufCMessage *inner = NULL;
    enum err_code code = read_row(row, arena, &outer, err);
    if (code == ERR_OK)
        code = proto_arena_unpack(&valise__box__audit_entry__descriptor, of_proto(outer->entry),
                                  arena, &inner, err);
    if (code != ERR_OK)
        return code;
    const Valise__Box__AuditEntry *message = (const Valise__Box__AuditEntry *)inner;
    *ret_entry = (struct audit_entry){
        .seq = seq,
        .unix_ms = message->unix_ms,
        .actor = {of_proto(message->user), of_proto(message->access_key),
                  of_proto(message->address), message->is_local, message->uid},
        .action = of_proto(message->action),
        .resource = of_proto(message->resource),
        .result = of_proto(message->result),
        .detail = of_proto(message->detail),
        .request_id = of_proto(message->request_id),
        .count = message->count,
    };
    memcpy(ret_entry->hash, outer->hash.data, SEAL_HASH_LEN);
    return ERR_OK;
}

enum err_code audit_row_check(struct bytes row, uint64_t seq, struct arena *arena,
                              uint8_t chain[SEAL_HASH_LEN], struct err *err)
{
    Valise__Box__AuditRow *outer = NULL;
    enum err_code code = read_row(row, arena, &outer, err);
    if (code != ERR_OK)
        return code;
    next_hash(chain, seq, of_proto(outer->entry));
    if (memcmp(chain, outer->hash.data, SEAL_HASH_LEN) != 0)
        return err_fail(err, ERR_CORRUPT, "it does not follow the entry before it");
    return ERR_OK;
}

void audit_row_put_state(struct commit_batch *batch, const struct audit_state *state)
{
    Valise__Box__AuditState message = VALISE__BOX__AUDIT_STATE__INIT;
    message.anchor_seq = state->anchor_seq;
    message.head_seq = state->head_seq;
    message.anchor_hash = to_proto(bytes_of(state->anchor_hash, SEAL_HASH_LEN), SEAL_HASH_LEN);
    message.head_hash = to_proto(bytes_of(state->head_hash, SEAL_HASH_LEN), SEAL_HASH_LEN);
    put_message(batch, bytes_of(state_key, sizeof(state_key)), &message.base);
}

static bool read_state(const Valise__Box__AuditState *message, struct audit_state *ret_state)
{
    if (message->anchor_hash.len != SEAL_HASH_LEN || message->head_hash.len != SEAL_HASH_LEN ||
        message->anchor_seq > message->head_seq)
        return false;
    ret_state->anchor_seq = message->anchor_seq;
    ret_state->head_seq = message->head_seq;
    memcpy(ret_state->anchor_hash, message->anchor_hash.data, SEAL_HASH_LEN);
    memcpy(ret_state->head_hash, message->head_hash.data, SEAL_HASH_LEN);
    return true;
}

enum err_code audit_row_get_state(struct kv *kv, const struct kv_snapshot *snapshot,
                                  struct arena *arena, bool *ret_found,
                                  struct audit_state *ret_state, struct err *err)
{
    struct kv_value value = {0};
    ProtobufCMessage *message = NULL;
    enum err_code code = kv_find_in(kv, snapshot, KV_META, bytes_of(state_key, sizeof(state_key)),
                                    ret_found, &value, err);
    if (code != ERR_OK || !*ret_found)
        return code;
    code = read_message(value.bytes, &valise__box__audit_state__descriptor, arena, &message, err);
    *ret_found = code == ERR_OK && read_state((const Valise__Box__AuditState *)message, ret_state);
    kv_value_free(kv, &value);
    return code == ERR_CORRUPT ? ERR_OK : code;
}
