/* copy.h - one file into a backup, or out of it, with its digest.
 *
 * Owns      a buffer; the file in DEST while it is written.
 * Threads   one. */
#ifndef STORAGE_BACKUP_COPY_H
#define STORAGE_BACKUP_COPY_H

#include "storage/backup/catalog.h"

#define COPY_TAIL_BYTES 65536 /* the end of a table file, by which it is known again */

struct copier {
    struct place *place;
    uint8_t *buffer;
    /* Called for each piece: counts, keeps to a rate. Its failure ends the copy. NULL = none. */
    enum err_code (*step)(void *ctx, size_t len, struct err *err);
    void *ctx;
};

/* errors  ERR_NO_MEMORY. copier_done in any case */
MUST_USE enum err_code copier_init(struct copier *copier, struct place *place, struct err *err);
void copier_done(struct copier *copier);

/* Where bytes come from: as many as there are at `offset`, up to `room`, at least one. */
struct copy_source {
    enum err_code (*read)(void *ctx, uint64_t offset, uint8_t *to, size_t room, size_t *ret_len,
                          struct err *err);
    void *ctx;
};

/* Copy into DEST.
 *
 * file     name, length and made_by are given; its digest is set
 * ret_bad  the source could not be read, or is not what was stored: `err` says why, and
 *          nothing is left in DEST. The function itself did not fail then
 * errors   ERR_NO_SPACE, ERR_IO (of DEST), ERR_NO_MEMORY, those of step
 * effect   durable after place_sync */
MUST_USE enum err_code copy_in(struct copier *copier, const struct copy_source *source,
                               struct catalog_file *file, bool *ret_bad, struct err *err);

/* A source that is an open file. `ctx` is its descriptor's address. */
enum err_code copy_read_fd(void *ctx, uint64_t offset, uint8_t *to, size_t room, size_t *ret_len,
                           struct err *err);

/* The digest of a file's last COPY_TAIL_BYTES. errors  ERR_IO, ERR_CORRUPT */
MUST_USE enum err_code copy_tail(struct copier *copier, int fd, uint64_t length,
                                 uint8_t ret_sha256[CATALOG_SHA_LEN], struct err *err);

/* Copy out of DEST: hand over all its bytes.
 *
 * take    gets each piece; its failure ends the copy
 * errors  ERR_CORRUPT (names the file: missing, short, or not what was written), ERR_IO, those
 *         of take and step. What was taken before counts for nothing then */
MUST_USE enum err_code copy_out(struct copier *copier, const struct catalog_file *file,
                                enum err_code (*take)(void *ctx, struct bytes piece,
                                                      struct err *err),
                                void *ctx, struct err *err);

/* Whether the file is there, as long as it must be. */
bool copy_is_there(const struct place *place, const struct catalog_file *file);

#endif
