/* frame.h - messages of backup.proto in files: framed, checked, bounded.
 *
 * Threads   values. */
#ifndef STORAGE_BACKUP_FRAME_H
#define STORAGE_BACKUP_FRAME_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "storage/backup/backup.pb-c.h"

#define FRAME_MAX       4096               /* bytes of a message */
#define FRAME_ARENA_MAX ((size_t)64 << 10) /* enough to read one */

/* Append a framed message. A failure is remembered by the buffer. */
void frame_append(struct buf *to, const ProtobufCMessage *message);

/* Read the next frame.
 *
 * ret_message  arena memory; NULL at the end of the file
 * errors       ERR_CORRUPT (cut, changed, or not such a message), ERR_UNSUPPORTED (made by a newer
 *              version), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code frame_read(FILE *from, const ProtobufCMessageDescriptor *type,
                                  struct arena *arena, ProtobufCMessage **ret_message,
                                  struct err *err);

#endif
