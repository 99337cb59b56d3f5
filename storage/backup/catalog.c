/* catalog.c - see catalog.h. */
#include "storage/backup/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/backup/frame.h"

#define WAITING_MAX (CATALOG_BATCH_MAX * KIB(1)) /* bytes of what was noted */

void catalog_path(uint32_t number, char ret_path[PLACE_PATH_MAX])
{
    snprintf(ret_path, PLACE_PATH_MAX, "generations/%08x.catalog", number);
}

/* Writing. */

enum err_code catalog_create(struct place *place, uint32_t number, uint64_t epoch,
                             struct catalog *ret_catalog, struct err *err)
{
    char path[PLACE_PATH_MAX];
    *ret_catalog = (struct catalog){.place = place, .number = number, .fd = -1};
    buf_init(&ret_catalog->waiting, WAITING_MAX);
    enum err_code rc = hash_set_new(HASH_BIT(HASH_SHA256), &ret_catalog->sha256, err);
    if (rc != ERR_OK)
        return rc;
    catalog_path(number, path);
    ret_catalog->fd = openat(place->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ret_catalog->fd < 0)
        return err_fail_sys(err, errno, "making '%s/%s'", place->dir, path);
    Valise__Backup__Head head = VALISE__BACKUP__HEAD__INIT;
    head.generation = number;
    head.epoch = epoch;
    frame_append(&ret_catalog->waiting, &head.base);
    rc = catalog_flush(ret_catalog, err);
    return rc == ERR_OK ? place_sync(place, err) : rc; /* its name, too */
}

void catalog_close(struct catalog *catalog)
{
    if (catalog->fd >= 0)
        close(catalog->fd);
    catalog->fd = -1;
    buf_done(&catalog->waiting);
    if (catalog->sha256)
        hash_set_free(catalog->sha256);
    catalog->sha256 = NULL;
}

void catalog_add(struct catalog *catalog, const struct catalog_file *file)
{
    Valise__Backup__File message = VALISE__BACKUP__FILE__INIT;
    message.name = (char *)file->name;
    message.length = file->length;
    message.made_by = file->made_by;
    message.sha256 = (ProtobufCBinaryData){CATALOG_SHA_LEN, (uint8_t *)file->sha256};
    if (file->has_mark)
        message.mark = (ProtobufCBinaryData){CATALOG_SHA_LEN, (uint8_t *)file->mark};
    frame_append(&catalog->waiting, &message.base);
}

enum err_code catalog_flush(struct catalog *catalog, struct err *err)
{
    struct bytes text = buf_bytes(&catalog->waiting);
    if (!buf_ok(&catalog->waiting))
        return err_fail(err, catalog->waiting.failed, "out of memory for a catalog");
    enum err_code rc = file_write_at(catalog->fd, text, catalog->length, err);
    if (rc == ERR_OK && fdatasync(catalog->fd) != 0)
        rc = err_fail_sys(err, errno, "syncing");
    if (rc != ERR_OK)
        return err_add(err, "the backup's catalog");
    hash_set_update(catalog->sha256, text);
    catalog->length += text.len;
    buf_clear(&catalog->waiting);
    return ERR_OK;
}

void catalog_digest(struct catalog *catalog, uint8_t ret_sha256[CATALOG_SHA_LEN])
{
    struct hash_value value = hash_set_finish(catalog->sha256, HASH_SHA256);
    memcpy(ret_sha256, value.data, CATALOG_SHA_LEN);
}

/* Reading. */

static bool take_digest(ProtobufCBinaryData from, uint8_t to[CATALOG_SHA_LEN])
{
    if (from.len != CATALOG_SHA_LEN)
        return false;
    memcpy(to, from.data, CATALOG_SHA_LEN);
    return true;
}

static bool take_file(const Valise__Backup__File *message, struct catalog_file *to)
{
    *to = (struct catalog_file){.length = message->length, .made_by = message->made_by};
    if (!place_name_ok(message->name) || !take_digest(message->sha256, to->sha256))
        return false;
    snprintf(to->name, sizeof(to->name), "%s", message->name);
    to->has_mark = message->mark.len > 0;
    return !to->has_mark || take_digest(message->mark, to->mark);
}

enum err_code catalog_cursor_next(struct catalog_cursor *cursor, struct err *err)
{
    ProtobufCMessage *message;
    struct catalog_file before = cursor->at;
    cursor->on = false;
    arena_reset(&cursor->arena);
    enum err_code rc =
        frame_read(cursor->file, &valise__backup__file__descriptor, &cursor->arena, &message, err);
    if (rc != ERR_OK)
        return err_add(err, "catalog of generation %u", cursor->number);
    if (!message)
        return ERR_OK;
    cursor->on = take_file((const Valise__Backup__File *)message, &cursor->at) &&
                 strcmp(before.name, cursor->at.name) < 0;
    if (!cursor->on)
        return err_fail(err, ERR_CORRUPT, "the catalog of generation %u is damaged",
                        cursor->number);
    return ERR_OK;
}

static enum err_code take_head(struct catalog_cursor *cursor, struct err *err)
{
    ProtobufCMessage *message;
    enum err_code rc =
        frame_read(cursor->file, &valise__backup__head__descriptor, &cursor->arena, &message, err);
    if (rc == ERR_OK && !message)
        rc = err_fail(err, ERR_CORRUPT, "it is empty");
    if (rc != ERR_OK)
        return err_add(err, "catalog of generation %u", cursor->number);
    cursor->epoch = ((const Valise__Backup__Head *)message)->epoch;
    return catalog_cursor_next(cursor, err);
}

enum err_code catalog_cursor_open(struct place *place, uint32_t number,
                                  struct catalog_cursor *ret_cursor, struct err *err)
{
    char path[PLACE_PATH_MAX];
    *ret_cursor = (struct catalog_cursor){.number = number};
    arena_init(&ret_cursor->arena, FRAME_ARENA_MAX);
    catalog_path(number, path);
    enum err_code rc = place_open_file(place, path, &ret_cursor->file, err);
    return rc == ERR_OK ? take_head(ret_cursor, err) : rc;
}

void catalog_cursor_close(struct catalog_cursor *cursor)
{
    if (cursor->file)
        fclose(cursor->file);
    arena_done(&cursor->arena);
    *cursor = (struct catalog_cursor){0};
}

bool catalog_cursor_seek(struct catalog_cursor *cursor, const char *name)
{
    struct err err;
    while (cursor->on && strcmp(cursor->at.name, name) < 0)
        if (catalog_cursor_next(cursor, &err) != ERR_OK)
            return false;
    return cursor->on && strcmp(cursor->at.name, name) == 0;
}
