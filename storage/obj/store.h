/* store.h - the object store of one data folder: opens what the other files of
 * this folder work on.
 *
 *     record.h   what is stored          keys.h     under which keys
 *     segment.h  files of large bodies   body.h     one body: write it, read it checked
 *     bucket.h   buckets                 object.h   objects and their versions
 *     list.h     listings                upload.h   multipart uploads
 *     change.h   the change log          sweep.h    what deletes leave behind
 *
 * Owns      DIR/bodies, the rows marked obj in storage/kv/tags.h.
 * Not here  HTTP, XML, users: see storage/s3 and storage/auth.
 * Threads   every function may be called from any thread, unless it says otherwise. */
#ifndef STORAGE_OBJ_STORE_H
#define STORAGE_OBJ_STORE_H

#include "base/clock.h"
#include "base/metrics.h"
#include "storage/kv/commit.h"
#include "storage/obj/record.h"

struct store; /* opaque: internal.h */

/* Details of an error (struct err.reason). */
enum store_reason {
    STORE_NO_BUCKET = 1,
    STORE_NO_KEY, /* no such object */
    STORE_NO_VERSION,
    STORE_NO_UPLOAD,
    STORE_DELETE_MARKER, /* the version asked for is a delete marker */
    STORE_BUCKET_EXISTS,
    STORE_BUCKET_NOT_EMPTY,
    STORE_BAD_PART, /* no such part, or not with that ETag */
    STORE_PART_ORDER,
    STORE_PART_TOO_SMALL,
    STORE_BAD_RANGE,
    STORE_BAD_CHECKSUM, /* not what was computed */
    STORE_BAD_LENGTH
};

/* When and how fast segment files are compacted (compact.h). */
struct store_compaction {
    unsigned below_percent; /* of a segment alive: below it the rest moves; 0 = never, 50 at most */
    uint32_t wait_ms;       /* from a delete until a look, so that deletes can come together */
    uint64_t bytes_per_second; /* that may be moved; 0 = as fast as can be */
};

struct store_options {
    const char *dir;        /* DIR/bodies is made below it */
    uint64_t segment_bytes; /* size of a segment file; multiple of 1 MiB */
    uint64_t changes_max;   /* numbers of the change log kept for readers that fell behind */
    const struct clock *clock;
    struct store_compaction compact;
};

/* The identity and format rows; before the committer exists, from kv alone.
 *
 * ret_fresh  the store is empty: no identity yet
 * errors     ERR_UNSUPPORTED (made by a newer version), ERR_CORRUPT, ERR_IO */
MUST_USE enum err_code store_identity(struct kv *kv, struct record_system *ret_system,
                                      bool *ret_fresh, struct err *err);

/* Where the committer goes on: the highest sequence number and stamp on disk. */
MUST_USE enum err_code store_last_seq(struct kv *kv, uint64_t *ret_seq, uint64_t *ret_stamp,
                                      struct err *err);

/* Make the rows of one box those of another that was restored from it: what that
 * one changes from now on is told apart by its epoch.
 *
 * kv      without a committer
 * errors  ERR_CORRUPT (there is no identity), those of kv->write
 * effect  durable */
MUST_USE enum err_code store_new_epoch(struct kv *kv, struct err *err);

/* Open. On an empty store the identity is made. Starts the sweeper's thread.
 *
 * kv, committer  borrowed until store_close
 * errors         ERR_UNSUPPORTED, ERR_CORRUPT, ERR_NO_SPACE, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code store_open(struct kv *kv, struct committer *committer,
                                  const struct store_options *options, struct store **ret_store,
                                  struct err *err);
void store_close(struct store *store);

const struct record_system *store_system(const struct store *store);

/* ERR_OK, or why writes are refused. */
enum err_code store_health(struct store *store, struct err *err);

/* Whether damage was met since the store was opened: by a read, a scrub or a write. */
bool store_is_damaged(struct store *store);

/* The disk is above its high-water mark, or below it again: writes that need
 * space answer ERR_NO_SPACE meanwhile; reads and deletes go on. */
void store_set_full(struct store *store, bool full);

struct store_stats {
    struct metrics_counter rot_found;    /* blocks whose checksum was wrong */
    struct metrics_counter bodies_freed; /* large ones */
    struct metrics_counter bytes_freed;  /* of large ones */
    struct metrics_counter sweep_errors;
    struct metrics_counter
        bodies_moved; /* out of sparse segments; their old places count as freed */
    struct metrics_counter bytes_moved;
    struct metrics_counter compact_errors;
};
const struct store_stats *store_stats(const struct store *store);

/* Segment files: how many, their size, what is alive in them, syncs so far. */
struct store_space {
    uint64_t segment_files, segment_bytes, live_bytes, syncs, buckets;
};
void store_get_space(struct store *store, struct store_space *ret_space);

#endif
