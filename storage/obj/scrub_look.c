/* scrub_look.c - what a scrub reads, phase by phase.
 *
 *     SCRUB_STORE      SCRUB_SMALL    SCRUB_LARGE    SCRUB_NAMES
 *     files of         KV_BODIES      TAG_BODY       TAG_CURRENT,
 *     the store                                      TAG_VERSION
 *
 * Bodies are found rotten by their number; the last phase, which passes every
 * record, gives them their names, and finds those that are not there at all. A
 * body that goes while it is read is no rot. */
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "storage/obj/bucket_table.h"
#include "storage/obj/scrub_internal.h"

#define CRC_LEN    4
#define ARENA_MAX  MIB(8)
#define ROWS_MAX   256 /* taken at once */
#define ROWS_BYTES MIB(1)

static void found_bad(struct scrub *scrub, uint64_t body)
{
    scrub_count_rot(scrub);
    if (scrub->bad_count < SCRUB_BAD_MAX)
        scrub->bad[scrub->bad_count++] = body;
}

typedef enum err_code (*row_fn)(struct scrub *scrub, struct bytes key, struct bytes value,
                                struct arena *arena, struct err *err);

/* Rows, copied: an iterator that is held while a slow scrub reads would keep old
 * files alive, and the store from leaving a full disk (kv.h, reopen). */
struct rows {
    struct arena arena;
    struct row {
        struct bytes key, value;
    } list[ROWS_MAX];
    size_t count;
    bool at_end; /* there are none behind them */
};

static enum err_code copy_row(struct rows *rows, struct bytes key, struct bytes value,
                              struct err *err)
{
    struct row *row = &rows->list[rows->count];
    *row = (struct row){arena_copy(&rows->arena, key), arena_copy(&rows->arena, value)};
    if (!row->key.data || !row->value.data)
        return err_fail(err, ERR_NO_MEMORY, "rows to scrub");
    rows->count++;
    return ERR_OK;
}

/* Some rows of [from, until) behind the place. */
static enum err_code take_rows(struct scrub *scrub, enum kv_family family, struct bytes from,
                               struct bytes until, struct rows *rows, struct err *err)
{
    struct kv *kv = scrub->store->kv;
    struct kv_iter *iter;
    const struct bytes place = scrub->place.position;
    enum err_code rc =
        kv->calls->iter_open(kv, NULL, family, place.len ? place : from, until, &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    bool at = kv->calls->iter_at(iter, &key, &value);
    while (rc == ERR_OK && at && rows->count < ROWS_MAX && rows->arena.used < ROWS_BYTES) {
        if (place.len == 0 || !bytes_equal(key, place))
            rc = copy_row(rows, key, value, err);
        kv->calls->iter_next(iter);
        at = kv->calls->iter_at(iter, &key, &value);
    }
    rows->at_end = !at;
    if (rc == ERR_OK)
        rc = kv->calls->iter_check(iter, err);
    kv->calls->iter_close(iter);
    return rc;
}

/* Call `look` for each. One during which it is stopped is not done: it is looked at again. */
static enum err_code look_at_rows(struct scrub *scrub, const struct rows *rows, row_fn look,
                                  struct err *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < rows->count && !scrub_stopping(scrub); i++) {
        arena_reset(&arena);
        rc = look(scrub, rows->list[i].key, rows->list[i].value, &arena, err);
        if (rc == ERR_OK && !scrub_stopping(scrub))
            rc = scrub_step_to(scrub, rows->list[i].key, err);
    }
    arena_done(&arena);
    return rc;
}

/* The ordered store itself cannot read on: what lies behind is found when its
 * objects are named, one by one. */
static void unreadable(struct scrub *scrub, struct rows *rows, const struct err *err)
{
    scrub_count_rot(scrub);
    scrub_note(scrub, err->msg);
    rows->at_end = true;
}

/* Call `look` for each row of [from, until) behind the place. */
static enum err_code walk(struct scrub *scrub, enum kv_family family, struct bytes from,
                          struct bytes until, row_fn look, struct err *err)
{
    struct rows rows = {.count = 0};
    enum err_code rc = ERR_OK;
    arena_init(&rows.arena, ARENA_MAX);
    while (rc == ERR_OK && !rows.at_end && !scrub_stopping(scrub)) {
        arena_reset(&rows.arena);
        rows.count = 0;
        rc = take_rows(scrub, family, from, until, &rows, err);
        if (rc == ERR_CORRUPT)
            unreadable(scrub, &rows, err);
        if (rc == ERR_OK || rc == ERR_CORRUPT)
            rc = look_at_rows(scrub, &rows, look, err);
    }
    arena_done(&rows.arena);
    return rc;
}

static enum err_code scrub_files(struct scrub *scrub, struct err *err)
{
    struct kv *kv = scrub->store->kv;
    enum err_code rc = kv->calls->verify(kv, err);
    if (rc != ERR_CORRUPT)
        return rc;
    scrub_count_rot(scrub);
    scrub_note(scrub, err->msg);
    return ERR_OK;
}

static enum err_code look_at_small(struct scrub *scrub, struct bytes key, struct bytes value,
                                   struct arena *arena, struct err *err)
{
    (void)arena, (void)err;
    size_t len = value.len < CRC_LEN ? 0 : value.len - CRC_LEN;
    if (value.len < CRC_LEN || key.len != 8 ||
        hash_crc32c(0, bytes_first(value, len)) != codec_get_u32be(value.data + len))
        found_bad(scrub, key.len == 8 ? codec_get_u64be(key.data) : 0);
    scrub_count_body(scrub);
    scrub_pace(scrub, value.len);
    return ERR_OK;
}

/* Read every block. The first bad one settles it; what is no fault of the disk's
 * (no descriptor, no memory) ends the scrub. */
static enum err_code read_through(struct scrub *scrub, struct body_reader *reader, uint64_t length,
                                  bool *ret_bad, struct err *err)
{
    *ret_bad = false;
    uint8_t byte;
    size_t len;
    for (uint64_t at = 0; at < length && !scrub_stopping(scrub); at += OBJ_BLOCK_BYTES) {
        enum err_code rc = body_reader_read(reader, at, &byte, 1, &len, err);
        *ret_bad = rc == ERR_CORRUPT || (rc == ERR_IO && err->sys == EIO);
        if (rc != ERR_OK)
            return *ret_bad ? ERR_OK : rc;
        scrub_pace(scrub, length - at < OBJ_BLOCK_BYTES ? length - at : OBJ_BLOCK_BYTES);
    }
    return ERR_OK;
}

static enum err_code look_at_large(struct scrub *scrub, struct bytes key, struct bytes value,
                                   struct arena *arena, struct err *err)
{
    if (key.len != 9)
        return err_fail(err, ERR_CORRUPT, "key of a body");
    struct record_body body = {.kind = BODY_EXTENTS, .id = codec_get_u64be(key.data + 1)};
    struct record_extents extents;
    enum err_code rc = record_decode_extents(value, arena, &extents, err);
    if (rc == ERR_CORRUPT) {
        found_bad(scrub, body.id);
        return ERR_OK;
    }
    if (rc != ERR_OK)
        return rc;
    AUTO(body_reader) struct body_reader *reader = NULL;
    bool gone, bad;
    rc = body_reader_open(scrub->store, &body, extents.length, &gone, &reader, err);
    if (rc != ERR_OK || gone)
        return rc;
    bool owned; /* what nobody owns is about to be freed: a full disk may have its bytes already */
    rc = body_is_owned(scrub->store, body.id, &owned, err);
    if (rc == ERR_OK && !owned)
        return ERR_OK;
    if (rc != ERR_OK && rc != ERR_CORRUPT)
        return rc;
    body_reader_set_direct(reader);
    rc = read_through(scrub, reader, extents.length, &bad, err);
    if (rc == ERR_OK && bad)
        found_bad(scrub, body.id);
    scrub_count_body(scrub);
    return rc;
}

static bool is_bad(const struct scrub *scrub, uint64_t body)
{
    for (size_t i = 0; i < scrub->bad_count; i++)
        if (scrub->bad[i] == body)
            return true;
    return false;
}

/* Each body once, whichever phase and however many records met it. */
static void found_rotten(struct scrub *scrub, uint64_t body)
{
    if (!is_bad(scrub, body))
        found_bad(scrub, body);
}

enum health { SOUND, ROTTEN, MISSING };

/* A body in one piece: whether its row is there, and what is in it where it is small. */
static enum err_code check_piece(struct scrub *scrub, const struct record_body *body,
                                 uint64_t length, enum health *ret_health, struct err *err)
{
    *ret_health = SOUND;
    if (body->kind != BODY_INLINE && body->kind != BODY_EXTENTS)
        return ERR_OK;
    if (body->kind == BODY_INLINE)
        scrub_throttle(scrub, length);
    if (is_bad(scrub, body->id)) {
        *ret_health = ROTTEN;
        return ERR_OK;
    }
    AUTO(body_reader) struct body_reader *reader = NULL;
    bool gone = false;
    enum err_code rc = body_reader_open(scrub->store, body, length, &gone, &reader, err);
    if (gone)
        *ret_health = MISSING;
    if (rc != ERR_CORRUPT)
        return rc;
    found_rotten(scrub, body->id);
    *ret_health = ROTTEN;
    return ERR_OK;
}

static enum err_code check_parts(struct scrub *scrub, const struct record_object *object,
                                 struct arena *arena, enum health *ret_health, struct err *err)
{
    struct record_part *parts;
    size_t count;
    uint64_t length = 0;
    *ret_health = SOUND;
    enum err_code rc =
        object_parts(scrub->store, object, 0, S3_PARTS_MAX, arena, &parts, &count, err);
    if (rc == ERR_CORRUPT) {
        found_rotten(scrub, object->body.id);
        *ret_health = ROTTEN;
    }
    for (size_t i = 0; rc == ERR_OK && i < count && *ret_health == SOUND; i++) {
        rc = check_piece(scrub, &parts[i].body, parts[i].length, ret_health, err);
        length += parts[i].length;
    }
    if (rc == ERR_OK && *ret_health == SOUND && length != object->length)
        *ret_health = MISSING;
    return rc == ERR_CORRUPT ? ERR_OK : rc;
}

/* Whether the row of a record still is what it was. */
static enum err_code is_unchanged(struct scrub *scrub, struct bytes key, struct bytes value,
                                  bool *ret_unchanged, struct err *err)
{
    struct kv_value now;
    enum err_code rc = kv_find(scrub->store->kv, KV_META, key, ret_unchanged, &now, err);
    if (rc != ERR_OK || !*ret_unchanged)
        return rc;
    *ret_unchanged = bytes_equal(now.bytes, value);
    kv_value_free(scrub->store->kv, &now);
    return ERR_OK;
}

/* "BUCKET/KEY (version ID): why" */
static void note_object(struct scrub *scrub, struct bytes row_key, struct bytes name,
                        const struct record_object *object, const char *why)
{
    char text[LOG_LINE_MAX / 2], version[OBJECT_VERSION_TEXT] = "unknown";
    AUTO(bucket)
    struct bucket *bucket = bucket_table_by_id(scrub->store, codec_get_u32be(row_key.data + 1));
    if (object)
        object_version_text(object, version);
    snprintf(text, sizeof(text), "%" BYTES_FMT "/%" BYTES_FMT " (version %s): %s",
             BYTES_ARG(bucket ? bucket->name : BYTES_LIT("?")), BYTES_ARG(name), version, why);
    scrub_note(scrub, text);
}

/* Name what is rotten or missing. */
static enum err_code look_at_record(struct scrub *scrub, struct bytes key, struct bytes value,
                                    struct arena *arena, struct err *err)
{
    size_t tail = key.data[0] == TAG_VERSION ? KEY_VERSION_SUFFIX : 0;
    struct bytes name = key_object_of(key, tail);
    struct record_object object;
    enum health health = SOUND;
    enum err_code rc = record_decode_object(value, arena, &object, err);
    if (rc == ERR_CORRUPT || !name.data) {
        scrub_count_rot(scrub);
        note_object(scrub, key, name, NULL, "its record is damaged");
        return ERR_OK;
    }
    if (rc == ERR_OK)
        rc = object.body.kind == BODY_MANIFEST
                 ? check_parts(scrub, &object, arena, &health, err)
                 : check_piece(scrub, &object.body, object.length, &health, err);
    bool unchanged = true; /* who deletes takes record and body at once */
    if (rc == ERR_OK && health == MISSING)
        rc = is_unchanged(scrub, key, value, &unchanged, err);
    if (rc != ERR_OK || health == SOUND || !unchanged)
        return rc;
    if (health == MISSING)
        scrub_count_rot(scrub);
    note_object(scrub, key, name, &object,
                health == MISSING ? "its bytes are missing" : "its bytes are not what was stored");
    return ERR_OK;
}

static enum err_code scrub_tag(struct scrub *scrub, enum kv_tag first, enum kv_tag last,
                               row_fn look, struct err *err)
{
    const uint8_t from = (uint8_t)first, until = (uint8_t)(last + 1);
    return walk(scrub, KV_META, bytes_of(&from, 1), bytes_of(&until, 1), look, err);
}

static enum err_code scrub_small(struct scrub *scrub, struct err *err)
{
    return walk(scrub, KV_BODIES, (struct bytes){0}, (struct bytes){0}, look_at_small, err);
}

static enum err_code scrub_large(struct scrub *scrub, struct err *err)
{
    return scrub_tag(scrub, TAG_BODY, TAG_BODY, look_at_large, err);
}

static enum err_code scrub_names(struct scrub *scrub, struct err *err)
{
    enum err_code rc = ERR_OK;
    if (!scrub->place.position.len || scrub->place.position.data[0] == TAG_CURRENT)
        rc = scrub_tag(scrub, TAG_CURRENT, TAG_CURRENT, look_at_record, err);
    if (rc != ERR_OK || scrub_stopping(scrub))
        return rc;
    if (scrub->place.position.len && scrub->place.position.data[0] == TAG_CURRENT)
        scrub->place.position.len = 0;
    return scrub_tag(scrub, TAG_VERSION, TAG_VERSION, look_at_record, err);
}

const scrub_phase_fn scrub_phases[SCRUB_DONE] = {
    [SCRUB_STORE] = scrub_files,
    [SCRUB_SMALL] = scrub_small,
    [SCRUB_LARGE] = scrub_large,
    [SCRUB_NAMES] = scrub_names,
};
