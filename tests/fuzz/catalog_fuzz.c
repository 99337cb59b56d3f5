/* catalog_fuzz.c - a backup's catalog, made of any records: what is taken names files in
 * their order, none outside the backup (BACKUP-VERIFY-3).
 *
 * The input is records, each its length (2 bytes, big-endian) and its message; they are framed
 * here, with the right CRC, so that what is behind it is reached. The first byte says how many
 * bytes the last frame lacks. Planted and caught: names that may begin with a dot. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/hash.h"
#include "storage/backup/catalog.h"
#include "storage/backup/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append_frame(struct buf *to, struct bytes message)
{
    size_t start = to->len;
    buf_append_u8(to, 1);
    buf_append_u32be(to, (uint32_t)message.len);
    buf_append(to, message);
    if (buf_ok(to))
        buf_append_u32be(to, hash_crc32c(0, bytes_of(to->data + start, to->len - start)));
}

static void append_frames(struct buf *to, struct bytes rest)
{
    while (rest.len >= 2) {
        size_t len = codec_get_u16be(rest.data);
        append_frame(to, bytes_first(bytes_from(rest, 2), len));
        rest = bytes_from(bytes_from(rest, 2), len);
    }
}

static void check_file(const struct catalog_file *file)
{
    char path[PLACE_PATH_MAX], folder[PLACE_PATH_MAX], name[PLACE_NAME_MAX];
    uint32_t made_by;
    assert(place_name_ok(file->name));
    place_path(file->name, file->made_by, path);
    assert(path[0] != '/' && path[0] != '.' && !strstr(path, "/.") && !strstr(path, "//"));
    memcpy(folder, path, sizeof(folder));
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    assert(place_parse(slash ? folder : "", slash ? slash + 1 : path, name, &made_by));
    assert(strcmp(name, file->name) == 0 && made_by == file->made_by);
}

static void walk(FILE *file)
{
    struct catalog_cursor cursor = {.file = file, .number = 1};
    struct err err;
    char before[PLACE_NAME_MAX] = "";
    arena_init(&cursor.arena, FRAME_ARENA_MAX);
    while (catalog_cursor_next(&cursor, &err) == ERR_OK && cursor.on) {
        check_file(&cursor.at);
        assert(strcmp(before, cursor.at.name) < 0);
        memcpy(before, cursor.at.name, sizeof(before));
    }
    catalog_cursor_close(&cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf frames;
    if (size == 0)
        return 0;
    buf_init(&frames, (size_t)1 << 20);
    append_frames(&frames, bytes_of(data + 1, size - 1));
    size_t len = frames.len > data[0] ? frames.len - data[0] : 0;
    FILE *file = len && buf_ok(&frames) ? fmemopen(frames.data, len, "r") : NULL;
    if (file)
        walk(file);
    buf_done(&frames);
    return 0;
}
