/* rows.c - see rows.h. */
#include "appliance/rows.h"

#include <stdlib.h>

#include "appliance/rows.pb-c.h"
#include "base/limits.h"
#include "storage/kv/proto_arena.h"
#include "storage/kv/tags.h"

#define ROWS_FORMAT    1
#define ROWS_ARENA_MAX KIB(64) /* bytes: one small row and its batch */

static const char claim_key[] = {TAG_SYSTEM, 'c', 'l', 'a', 'i', 'm'};
static const char last_seen_key[] = {TAG_SYSTEM, 'l', 'a', 's', 't', '-', 's', 'e', 'e', 'n'};
static const char upload_age_key[] = {TAG_SYSTEM, 'u', 'p', 'l', 'o', 'a', 'd', '-', 'a', 'g', 'e'};
static const char key_check_key[] = {TAG_SYSTEM, 'k', 'e', 'y', '-', 'c', 'h', 'e', 'c', 'k'};

static const char settings_key[] = {TAG_SYSTEM, 's', 'e', 't', 't', 'i', 'n',
                                    'g',        's', '-', 's', 'e', 'e', 'n'};

#define ROW_KEY(array) bytes_of((array), sizeof(array))
#define CHECK_CONTEXT  ROW_KEY(key_check_key)
#define CHECK_TEXT     BYTES_LIT("valise")

static enum err_code put_row(struct committer *committer, struct bytes key,
                             const ProtobufCMessage *message, struct err *err)
{
    struct arena arena;
    arena_init(&arena, ROWS_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    size_t len = protobuf_c_message_get_packed_size(message) + 1;
    uint8_t *row = arena_alloc_raw(&arena, len);
    enum err_code code;
    if (row) {
        row[0] = ROWS_FORMAT;
        protobuf_c_message_pack(message, row + 1);
        commit_put(&batch, KV_META, key, bytes_of(row, len));
        code = commit(committer, &batch, err);
    } else {
        code = err_fail(err, ERR_NO_MEMORY, "out of memory");
    }
    arena_done(&arena);
    return code;
}

static enum err_code unpack(struct bytes row, const ProtobufCMessageDescriptor *type,
                            const char *name, ProtobufCMessage **ret_message, struct err *err)
{
    if (row.len < 1 || row.data[0] != ROWS_FORMAT)
        return err_fail(err, ERR_CORRUPT, "row '%s': unknown format", name);
    *ret_message = protobuf_c_message_unpack(type, NULL, row.len - 1, row.data + 1);
    return *ret_message ? ERR_OK : err_fail(err, ERR_CORRUPT, "row '%s': not such a record", name);
}

/* ret_message  to be freed with protobuf_c_message_free_unpacked; NULL without such a row */
static enum err_code get_row(struct kv *kv, struct bytes key,
                             const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_message,
                             struct err *err)
{
    struct kv_value value;
    bool found;
    *ret_message = NULL;
    enum err_code code = kv_find(kv, KV_META, key, &found, &value, err);
    if (code != ERR_OK || !found)
        return code;
    code = unpack(value.bytes, type, type->short_name, ret_message, err);
    kv_value_free(kv, &value);
    return code;
}

enum err_code rows_put_claim(struct committer *committer,
                             const uint8_t code_sha256[ROWS_SHA256_LEN], uint64_t created_unix_ms,
                             struct err *err)
{
    Valise__Box__Claim claim = VALISE__BOX__CLAIM__INIT;
    uint8_t digest[ROWS_SHA256_LEN];
    memcpy(digest, code_sha256, sizeof(digest));
    claim.code_sha256 = (ProtobufCBinaryData){sizeof(digest), digest};
    claim.created_unix_ms = created_unix_ms;
    return put_row(committer, ROW_KEY(claim_key), &claim.base, err);
}

enum err_code rows_put_last_seen(struct committer *committer, uint64_t unix_ms, struct err *err)
{
    Valise__Box__LastSeen row = VALISE__BOX__LAST_SEEN__INIT;
    row.unix_ms = unix_ms;
    return put_row(committer, ROW_KEY(last_seen_key), &row.base, err);
}

enum err_code rows_get_last_seen(struct kv *kv, uint64_t *ret_unix_ms, struct err *err)
{
    ProtobufCMessage *message;
    enum err_code code =
        get_row(kv, ROW_KEY(last_seen_key), &valise__box__last_seen__descriptor, &message, err);
    if (code != ERR_OK)
        return code;
    *ret_unix_ms = message ? ((const Valise__Box__LastSeen *)message)->unix_ms : 0;
    protobuf_c_message_free_unpacked(message, NULL);
    return ERR_OK;
}

enum err_code rows_put_upload_age(struct committer *committer, const struct upload_age *age,
                                  struct err *err)
{
    Valise__Box__UploadAge row = VALISE__BOX__UPLOAD_AGE__INIT;
    uint64_t ids[UPLOAD_AGE_MARKS], running_ms[UPLOAD_AGE_MARKS];
    for (size_t i = 0; i < age->count; i++) {
        ids[i] = age->marks[i].id;
        running_ms[i] = age->marks[i].running_ms;
    }
    row.running_ms = age->running_ms;
    row.n_mark_id = row.n_mark_running_ms = age->count;
    row.mark_id = ids;
    row.mark_running_ms = running_ms;
    return put_row(committer, ROW_KEY(upload_age_key), &row.base, err);
}

static enum err_code take_marks(const Valise__Box__UploadAge *row, struct upload_age *age,
                                struct err *err)
{
    if (row->n_mark_id > UPLOAD_AGE_MARKS || row->n_mark_id != row->n_mark_running_ms)
        return err_fail(err, ERR_CORRUPT, "row 'UploadAge': marks do not match");
    age->running_ms = row->running_ms;
    age->count = row->n_mark_id;
    for (size_t i = 0; i < age->count; i++)
        age->marks[i] = (struct upload_age_mark){row->mark_id[i], row->mark_running_ms[i]};
    return ERR_OK;
}

enum err_code rows_get_upload_age(struct kv *kv, struct upload_age *age, struct err *err)
{
    ProtobufCMessage *message;
    enum err_code code =
        get_row(kv, ROW_KEY(upload_age_key), &valise__box__upload_age__descriptor, &message, err);
    if (code != ERR_OK || !message)
        return code;
    code = take_marks((const Valise__Box__UploadAge *)message, age, err);
    protobuf_c_message_free_unpacked(message, NULL);
    return code;
}

enum err_code rows_put_key_check(struct committer *committer, const uint8_t key[SEAL_KEY_LEN],
                                 struct err *err)
{
    struct arena arena;
    arena_init(&arena, ROWS_ARENA_MAX);
    struct bytes sealed;
    enum err_code code = seal_close(key, CHECK_CONTEXT, CHECK_TEXT, &arena, &sealed, err);
    if (code == ERR_OK) {
        Valise__Box__KeyCheck row = VALISE__BOX__KEY_CHECK__INIT;
        row.sealed = (ProtobufCBinaryData){sealed.len, (uint8_t *)sealed.data};
        code = put_row(committer, ROW_KEY(key_check_key), &row.base, err);
    }
    arena_done(&arena);
    return code;
}

static enum err_code open_check(const Valise__Box__KeyCheck *row, const uint8_t key[SEAL_KEY_LEN],
                                struct err *err)
{
    struct arena arena;
    arena_init(&arena, ROWS_ARENA_MAX);
    struct bytes plain;
    enum err_code code = seal_open(key, CHECK_CONTEXT, bytes_of(row->sealed.data, row->sealed.len),
                                   &arena, &plain, err);
    arena_done(&arena);
    return code;
}

enum err_code rows_check_key(struct kv *kv, const uint8_t key[SEAL_KEY_LEN], struct err *err)
{
    ProtobufCMessage *message;
    enum err_code code =
        get_row(kv, ROW_KEY(key_check_key), &valise__box__key_check__descriptor, &message, err);
    if (code != ERR_OK)
        return code;
    if (!message)
        return err_fail(err, ERR_CORRUPT, "row 'KeyCheck' is missing");
    code = open_check((const Valise__Box__KeyCheck *)message, key, err);
    protobuf_c_message_free_unpacked(message, NULL);
    return code;
}

void rows_add_settings(struct commit_batch *batch, const struct bytes *rows, size_t count)
{
    Valise__Box__SettingsSeen message = VALISE__BOX__SETTINGS_SEEN__INIT;
    message.row = arena_alloc_raw(batch->arena, (count + 1) * sizeof(*message.row));
    if (!message.row) {
        batch->failed = ERR_NO_MEMORY;
        return;
    }
    for (message.n_row = 0; message.n_row < count; message.n_row++)
        message.row[message.n_row] = (ProtobufCBinaryData){
            rows[message.n_row].len, (uint8_t *)(uintptr_t)rows[message.n_row].data};
    size_t len = 0;
    uint8_t *row = proto_arena_pack(&message.base, 1, batch->arena, &len);
    if (row)
        row[0] = ROWS_FORMAT;
    commit_put_borrowed(batch, KV_META, ROW_KEY(settings_key), bytes_of(row, len));
}

static enum err_code unpack_settings(struct bytes row, struct arena *arena, struct bytes **ret_rows,
                                     size_t *ret_count, struct err *err)
{
    ProtobufCMessage *message = NULL;
    if (row.len < 1 || row.data[0] != ROWS_FORMAT)
        return ERR_OK;
    enum err_code code = proto_arena_unpack(&valise__box__settings_seen__descriptor,
                                            bytes_from(row, 1), arena, &message, err);
    if (code != ERR_OK)
        return code == ERR_CORRUPT ? ERR_OK : code;
    const Valise__Box__SettingsSeen *seen = (const Valise__Box__SettingsSeen *)message;
    *ret_rows = arena_alloc_raw(arena, (seen->n_row + 1) * sizeof(**ret_rows));
    if (!*ret_rows)
        return err_fail(err, ERR_NO_MEMORY, "reading the settings of the last start");
    for (; *ret_count < seen->n_row; ++*ret_count)
        (*ret_rows)[*ret_count] = bytes_of(seen->row[*ret_count].data, seen->row[*ret_count].len);
    return ERR_OK;
}

enum err_code rows_get_settings(struct kv *kv, struct arena *arena, struct bytes **ret_rows,
                                size_t *ret_count, struct err *err)
{
    struct kv_value value;
    bool found;
    *ret_rows = NULL;
    *ret_count = 0;
    enum err_code code = kv_find(kv, KV_META, ROW_KEY(settings_key), &found, &value, err);
    if (code != ERR_OK || !found)
        return code;
    code = unpack_settings(value.bytes, arena, ret_rows, ret_count, err);
    kv_value_free(kv, &value);
    return code;
}
