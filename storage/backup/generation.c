/* generation.c - see generation.h. */
#include "storage/backup/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/backup/frame.h"

#define CHECK_BYTES KIB(64) /* read at once */

static void manifest_path(uint32_t number, char ret_path[PLACE_PATH_MAX])
{
    snprintf(ret_path, PLACE_PATH_MAX, "generations/%08x.manifest", number);
}

/* Which there are. */

struct numbers {
    uint32_t *list;
    size_t count;
};

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_in(const struct numbers *numbers, uint32_t number)
{
    return numbers->count &&
           bsearch(&number, numbers->list, numbers->count, sizeof(number), compare_numbers) != NULL;
}

/* The number in "0000002a.manifest"; 0 where it is not so called. */
static uint32_t number_of(const char *entry, const char *suffix)
{
    unsigned number;
    int end = 0;
    if (sscanf(entry, "%8x%n", &number, &end) != 1 || end != 8 || strcmp(entry + 8, suffix) != 0)
        return 0;
    return number;
}

static enum err_code note_entry(const char *entry, struct numbers *manifests,
                                struct numbers *catalogs, struct err *err)
{
    uint32_t manifest = number_of(entry, ".manifest"), catalog = number_of(entry, ".catalog");
    struct numbers *to = manifest ? manifests : catalogs;
    if (!manifest && !catalog)
        return ERR_OK;
    if (to->count == GENERATION_LIST_MAX)
        return err_fail(err, ERR_LIMIT, "more than %d generations", GENERATION_LIST_MAX);
    to->list[to->count++] = manifest ? manifest : catalog;
    return ERR_OK;
}

static enum err_code read_folder(struct place *place, struct numbers *manifests,
                                 struct numbers *catalogs, struct err *err)
{
    DIR *folder;
    enum err_code rc = place_open_dir(place, "generations", &folder, err);
    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND ? ERR_OK : rc;
    struct dirent *entry;
    while (rc == ERR_OK && (entry = readdir(folder)))
        rc = note_entry(entry->d_name, manifests, catalogs, err);
    closedir(folder);
    return rc;
}

enum err_code generation_list(struct place *place, struct arena *arena,
                              struct generation_list *ret_list, struct err *err)
{
    size_t room = GENERATION_LIST_MAX * sizeof(uint32_t);
    struct numbers manifests = {arena_alloc_raw(arena, room), 0};
    struct numbers catalogs = {arena_alloc_raw(arena, room), 0};
    *ret_list = (struct generation_list){0};
    if (!manifests.list || !catalogs.list)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    enum err_code rc = read_folder(place, &manifests, &catalogs, err);
    if (rc != ERR_OK)
        return rc;
    qsort(manifests.list, manifests.count, sizeof(uint32_t), compare_numbers);
    qsort(catalogs.list, catalogs.count, sizeof(uint32_t), compare_numbers);
    *ret_list = (struct generation_list){
        .complete = manifests.list, .complete_count = manifests.count, .broken = catalogs.list};
    for (size_t i = 0; i < catalogs.count; i++)
        if (!is_in(&manifests, catalogs.list[i]))
            ret_list->broken[ret_list->broken_count++] = catalogs.list[i];
    return ERR_OK;
}

/* Manifests. */

static enum err_code take_manifest(const struct place *place,
                                   const Valise__Backup__Generation *message, uint32_t number,
                                   struct generation *to, struct err *err)
{
    if (message->number != number || message->catalog_sha256.len != CATALOG_SHA_LEN ||
        message->box_id.len != PLACE_BOX_ID_LEN ||
        memcmp(message->box_id.data, place->box_id, PLACE_BOX_ID_LEN) != 0)
        return err_fail(err, ERR_CORRUPT, "it is not this generation's, or not this box's");
    *to = (struct generation){
        .number = number,
        .epoch = message->epoch,
        .created_unix_ms = message->created_unix_ms,
        .files = message->files,
        .bytes = message->bytes,
        .copied_bytes = message->copied_bytes,
        .catalog_bytes = message->catalog_bytes,
        .damaged = message->damaged,
    };
    memcpy(to->catalog_sha256, message->catalog_sha256.data, CATALOG_SHA_LEN);
    return ERR_OK;
}

static enum err_code read_manifest(const struct place *place, FILE *file, uint32_t number,
                                   struct generation *to, struct err *err)
{
    ProtobufCMessage *message;
    struct arena arena;
    arena_init(&arena, FRAME_ARENA_MAX);
    enum err_code rc =
        frame_read(file, &valise__backup__generation__descriptor, &arena, &message, err);
    if (rc == ERR_OK && !message)
        rc = err_fail(err, ERR_CORRUPT, "it is empty");
    if (rc == ERR_OK)
        rc = take_manifest(place, (const Valise__Backup__Generation *)message, number, to, err);
    arena_done(&arena);
    return rc;
}

enum err_code generation_read(struct place *place, uint32_t number,
                              struct generation *ret_generation, struct err *err)
{
    char path[PLACE_PATH_MAX];
    manifest_path(number, path);
    FILE *file;
    enum err_code rc = place_open_file(place, path, &file, err);
    if (rc == ERR_NOT_FOUND)
        return err_fail(err, rc, "the backup has no generation %u: '%s'", number, place->dir);
    if (rc != ERR_OK)
        return rc;
    rc = read_manifest(place, file, number, ret_generation, err);
    fclose(file);
    return rc == ERR_OK ? rc : err_add(err, "damaged backup: '%s/%s'", place->dir, path);
}

enum err_code generation_write(struct place *place, const struct generation *generation,
                               struct err *err)
{
    Valise__Backup__Generation message = VALISE__BACKUP__GENERATION__INIT;
    message.number = generation->number;
    message.box_id = (ProtobufCBinaryData){PLACE_BOX_ID_LEN, place->box_id};
    message.epoch = generation->epoch;
    message.created_unix_ms = generation->created_unix_ms;
    message.files = generation->files;
    message.bytes = generation->bytes;
    message.copied_bytes = generation->copied_bytes;
    message.catalog_bytes = generation->catalog_bytes;
    message.catalog_sha256 =
        (ProtobufCBinaryData){CATALOG_SHA_LEN, (uint8_t *)generation->catalog_sha256};
    message.damaged = generation->damaged;
    char name[PLACE_PATH_MAX], path[PATH_MAX];
    manifest_path(generation->number, name);
    int len = snprintf(path, sizeof(path), "%s/%s", place->dir, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return err_fail(err, ERR_INVALID, "the path of the backup is too long");
    AUTO(buf) struct buf text;
    buf_init(&text, FRAME_MAX);
    frame_append(&text, &message.base);
    if (!buf_ok(&text))
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    return file_replace(path, 0600, buf_bytes(&text), err);
}

/* Catalogs, as a whole. */

/* All of the file, which may not be longer than it was. */
static enum err_code read_all(FILE *file, struct hash_set *sha256, uint64_t *ret_length,
                              struct err *err)
{
    uint8_t piece[CHECK_BYTES];
    size_t len;
    *ret_length = 0;
    while ((len = fread(piece, 1, sizeof(piece), file)) > 0) {
        hash_set_update(sha256, bytes_of(piece, len));
        *ret_length += len;
    }
    return ferror(file) ? err_fail_sys(err, errno, "reading") : ERR_OK;
}

enum err_code generation_check_catalog(struct place *place, const struct generation *generation,
                                       struct err *err)
{
    char path[PLACE_PATH_MAX];
    FILE *file;
    uint64_t length;
    catalog_path(generation->number, path);
    AUTO(hash_set) struct hash_set *sha256 = NULL;
    enum err_code rc = hash_set_new(HASH_BIT(HASH_SHA256), &sha256, err);
    if (rc == ERR_OK)
        rc = place_open_file(place, path, &file, err);
    if (rc == ERR_NOT_FOUND)
        return err_fail(err, ERR_CORRUPT, "damaged backup: '%s/%s' is missing", place->dir, path);
    if (rc != ERR_OK)
        return rc;
    rc = read_all(file, sha256, &length, err);
    fclose(file);
    if (rc != ERR_OK)
        return err_add(err, "damaged backup: '%s/%s'", place->dir, path);
    struct hash_value value = hash_set_finish(sha256, HASH_SHA256);
    if (length != generation->catalog_bytes ||
        memcmp(value.data, generation->catalog_sha256, CATALOG_SHA_LEN) != 0)
        return err_fail(err, ERR_CORRUPT, "damaged backup: '%s/%s' is not what was written",
                        place->dir, path);
    return ERR_OK;
}

static enum err_code unlink_durably(struct place *place, const char *path, struct err *err)
{
    if (unlinkat(place->fd, path, 0) != 0 && errno != ENOENT)
        return err_fail_sys(err, errno, "removing '%s/%s'", place->dir, path);
    return place_sync(place, err);
}

enum err_code generation_break(struct place *place, uint32_t number, struct err *err)
{
    char path[PLACE_PATH_MAX];
    manifest_path(number, path);
    return unlink_durably(place, path, err);
}

enum err_code generation_forget(struct place *place, uint32_t number, struct err *err)
{
    char path[PLACE_PATH_MAX];
    catalog_path(number, path);
    return unlink_durably(place, path, err);
}
