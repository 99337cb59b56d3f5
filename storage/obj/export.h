/* export.h - the store for who copies it as a whole (storage/backup): a copy of
 * the ordered store of one moment, and every large body that it names.
 *
 * Small bodies are rows: they come with the copy.
 *
 * Threads   an export belongs to one thread. */
#ifndef STORAGE_OBJ_EXPORT_H
#define STORAGE_OBJ_EXPORT_H

#include "storage/obj/body.h"

/* A large body. Its bytes never change under its id. */
struct export_body {
    uint64_t id;
    uint64_t length;        /* bytes; 0: its row is damaged */
    struct hash_value sums; /* SHA-256 of its length and the CRCs of its blocks */
};

/* Hold what is stored (hold.h) and copy the ordered store.
 *
 * dir         of the copy, on the same file system; must not exist yet
 * ret_before  bodies in the copy have ids below it
 * errors      ERR_NO_SPACE, ERR_IO; nothing is held then
 * effect      until export_end deleted space is not freed */
MUST_USE enum err_code export_begin(struct store *store, const char *dir, uint64_t *ret_before,
                                    struct err *err);
void export_end(struct store *store);

#define EXPORT_PAGE 128 /* bodies told of at once */

struct export_page {
    struct export_body bodies[EXPORT_PAGE];
    size_t count; /* 0 at the end */
};

/* The next large bodies, in order of their ids, from `from` on and below `before`. All that are
 * in the copy, perhaps a few that are not.
 *
 * errors  ERR_CORRUPT (the ordered store cannot read on), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code export_list(struct store *store, uint64_t from, uint64_t before,
                                   struct export_page *ret_page, struct err *err);

/* Read one, from the disk itself, checked.
 *
 * ret_reader  yours: body_reader_free
 * errors      ERR_CORRUPT (its row is damaged or gone), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code export_open(struct store *store, const struct export_body *body,
                                   struct body_reader **ret_reader, struct err *err);

/* Read every block of the ordered store. errors  ERR_CORRUPT (names the file), ERR_IO */
MUST_USE enum err_code export_verify(struct store *store, struct err *err);

/* About how many bytes there are to copy, rows and bodies. */
uint64_t export_bytes(struct store *store);

#endif
