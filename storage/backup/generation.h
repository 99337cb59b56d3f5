/* generation.h - the generations of a backup. One is complete when its manifest is
 * there, which takes one atomic replacement; a catalog without one is what a run
 * left that was broken off, or a removal.
 *
 * Owns      DEST/generations/G.manifest.
 * Threads   one. */
#ifndef STORAGE_BACKUP_GENERATION_H
#define STORAGE_BACKUP_GENERATION_H

#include "base/arena.h"
#include "storage/backup/catalog.h"

#define GENERATION_LIST_MAX 10000

struct generation {
    uint32_t number;
    uint64_t epoch;
    uint64_t created_unix_ms; /* when what it holds was the box's state */
    uint64_t files, bytes;
    uint64_t copied_bytes; /* of those, not there before */
    uint64_t catalog_bytes;
    uint8_t catalog_sha256[CATALOG_SHA_LEN];
    uint64_t damaged; /* files that were damaged in the box, and are not here */
};

struct generation_list {
    uint32_t *complete; /* numbers, rising */
    size_t complete_count;
    uint32_t *broken; /* numbers of catalogs without a manifest, rising */
    size_t broken_count;
};

/* Which there are. ret_list  arena memory. errors  ERR_IO, ERR_NO_MEMORY, ERR_LIMIT */
MUST_USE enum err_code generation_list(struct place *place, struct arena *arena,
                                       struct generation_list *ret_list, struct err *err);

/* Read a manifest. errors  ERR_NOT_FOUND, ERR_CORRUPT (damaged, or another box's), ERR_IO */
MUST_USE enum err_code generation_read(struct place *place, uint32_t number,
                                       struct generation *ret_generation, struct err *err);

/* Write it: from now on the generation is complete. errors  ERR_IO, ERR_NO_SPACE. effect  durable
 */
MUST_USE enum err_code generation_write(struct place *place, const struct generation *generation,
                                        struct err *err);

/* Whether its catalog is what the manifest says, every byte. errors  ERR_CORRUPT, ERR_IO */
MUST_USE enum err_code
generation_check_catalog(struct place *place, const struct generation *generation, struct err *err);

/* Take the manifest away, then, of a broken one, the catalog. errors  ERR_IO. effect  durable */
MUST_USE enum err_code generation_break(struct place *place, uint32_t number, struct err *err);
MUST_USE enum err_code generation_forget(struct place *place, uint32_t number, struct err *err);

#endif
