/* frame.c - see frame.h. */
#include "storage/backup/frame.h"

#include <errno.h>

#include "base/codec.h"
#include "base/hash.h"
#include "storage/kv/proto_arena.h"

#define FORMAT   1
#define HEAD_LEN 5 /* format, length */
#define CRC_LEN  4

void frame_append(struct buf *to, const ProtobufCMessage *message)
{
    size_t start = to->len, len = protobuf_c_message_get_packed_size(message);
    buf_append_u8(to, FORMAT);
    buf_append_u32be(to, (uint32_t)len);
    uint8_t *room = buf_extend(to, len);
    if (!room || !buf_ok(to))
        return;
    protobuf_c_message_pack(message, room);
    buf_append_u32be(to, hash_crc32c(0, bytes_of(to->data + start, HEAD_LEN + len)));
}

/* Whether all of it came. ret_any  anything came */
static enum err_code take(FILE *from, uint8_t *to, size_t len, bool *ret_any, struct err *err)
{
    size_t got = fread(to, 1, len, from);
    *ret_any = got > 0;
    if (got == len)
        return ERR_OK;
    if (ferror(from))
        return err_fail_sys(err, errno, "reading");
    return err_fail(err, ERR_CORRUPT, "the file is cut");
}

static enum err_code check(const uint8_t *frame, size_t len, struct err *err)
{
    if (hash_crc32c(0, bytes_of(frame, HEAD_LEN + len)) != codec_get_u32be(frame + HEAD_LEN + len))
        return err_fail(err, ERR_CORRUPT, "a record is damaged");
    return ERR_OK;
}

enum err_code frame_read(FILE *from, const ProtobufCMessageDescriptor *type, struct arena *arena,
                         ProtobufCMessage **ret_message, struct err *err)
{
    uint8_t frame[HEAD_LEN + FRAME_MAX + CRC_LEN];
    bool any;
    *ret_message = NULL;
    enum err_code rc = take(from, frame, HEAD_LEN, &any, err);
    if (rc == ERR_CORRUPT && !any)
        return ERR_OK;
    if (rc != ERR_OK)
        return rc;
    uint32_t len = codec_get_u32be(frame + 1);
    if (frame[0] > FORMAT)
        return err_fail(err, ERR_UNSUPPORTED, "made by a newer version");
    if (frame[0] != FORMAT || len > FRAME_MAX)
        return err_fail(err, ERR_CORRUPT, "a record is damaged");
    rc = take(from, frame + HEAD_LEN, len + CRC_LEN, &any, err);
    if (rc == ERR_OK)
        rc = check(frame, len, err);
    if (rc == ERR_OK)
        rc = proto_arena_unpack(type, bytes_of(frame + HEAD_LEN, len), arena, ret_message, err);
    return rc;
}
