/* internal.h - what the files of this folder share; nobody else includes it.
 *
 * Locks, in order   bucket.lock (shared for objects, exclusive for the bucket
 *                   itself) → key stripes. Everything else is a leaf. */
#ifndef STORAGE_OBJ_INTERNAL_H
#define STORAGE_OBJ_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/obj/body.h"
#include "storage/obj/bucket.h"
#include "storage/obj/hold.h"
#include "storage/obj/keys.h"
#include "storage/obj/lock.h"
#include "storage/obj/object.h"
#include "storage/obj/pin.h"
#include "storage/obj/segment.h"
#include "storage/obj/worker.h"

struct compact;      /* compact.c */
struct write_behind; /* write_behind.h */
struct body_buffers; /* body_buffers.c */

struct store {
    struct kv *kv;
    struct committer *committer;
    const struct clock *clock;
    struct record_system system;
    uint64_t changes_max, changes_floor; /* the sweeper's alone */
    struct segments *segments;
    struct body_buffers *buffers;
    struct write_behind *write_behind;
    struct worker sweeper;
    struct compact *compact;    /* NULL: nothing is compacted */
    pthread_mutex_t scrub_lock; /* the pointer below; the scrub's own lock is scrub.c's */
    struct scrub *scrub;        /* the one that runs, or the last one; NULL = none yet */
    struct pins pins;
    struct hold hold;
    struct locks locks;
    atomic_uint_fast64_t next_id;
    atomic_bool full;
    pthread_mutex_t noting; /* writing the one below */
    _Atomic uint32_t noted; /* numbers of segments below it were given */
    struct store_stats stats;

    pthread_mutex_t readers_lock;   /* cursors of the change log, and trimming below them */
    pthread_mutex_t bucket_changes; /* creates and deletes, one at a time */
    pthread_rwlock_t buckets_lock;  /* the table below */
    struct bucket **buckets;        /* by name */
    size_t bucket_count, bucket_room;
    uint32_t next_bucket_id; /* bucket_changes */
};

struct bucket {
    struct store *store;
    atomic_uint references;
    pthread_rwlock_t lock;
    bool dead;                                 /* lock */
    _Atomic enum bucket_versioning versioning; /* written under lock, exclusive */
    uint32_t id;
    uint64_t created_unix_ms;
    struct bytes name, owner, region; /* behind the struct, in its memory */
};

/* A number that no row has: of bodies, uploads, references. */
uint64_t store_new_id(struct store *store);

/* Before a row names this segment: have it written down that its number was given.
 *
 * errors  those of commit() */
MUST_USE enum err_code store_note_segment(struct store *store, uint32_t segment, struct err *err);

/* Add the change of a batch: its row in the change log. `change`: time, origin are set here. */
void store_log_change(struct store *store, struct commit_batch *batch,
                      struct record_change *change);

/* bucket.c: load the table at open, free it at close. */
MUST_USE enum err_code buckets_load(struct store *store, struct err *err);
void buckets_free(struct store *store);

/* Enter a bucket for reading or changing objects: its lock, shared.
 *
 * errors  ERR_NOT_FOUND with STORE_NO_BUCKET: it was deleted. Nothing is held then. */
MUST_USE enum err_code bucket_enter(struct bucket *bucket, struct err *err);
void bucket_leave(struct bucket *bucket);

/* Enter two buckets, which may be one, in an order that cannot deadlock. */
struct bucket_pair {
    struct bucket *first, *second; /* second NULL: they are one */
};
MUST_USE enum err_code bucket_enter_two(struct bucket_pair *pair, struct bucket *a,
                                        struct bucket *b, struct err *err);
void bucket_leave_two(struct bucket_pair *pair);

/* body_write.c: everything is on stable storage after it, and the rows that say
 * where are in the batch. ret_body  kind, id, owner. */
MUST_USE enum err_code body_writer_finish(struct body_writer *writer, struct commit_batch *batch,
                                          struct record_body *ret_body, struct err *err);
/* For a body that is moved (compact.c): the same without rows. The writer was given bytes, and a
 * length above OBJ_INLINE_MAX. ret_extents  arena memory, but for what the writer lends */
MUST_USE enum err_code body_writer_extents(struct body_writer *writer, struct arena *arena,
                                           struct record_extents *ret_extents, struct err *err);
/* After the commit of those rows, or what failed before it: where a record names
 * the bytes now, or may name them after a restart, they stay. */
void body_writer_committed(struct body_writer *writer, enum err_code rc);

/* body_buffers.c: one aligned buffer, a large one while there are such.
 *
 * ret_room    its bytes
 * ret_pooled  to be told to body_buffers_give, which is called in any case
 * returns     NULL when memory is out */
uint8_t *body_buffers_take(struct body_buffers *buffers, size_t *ret_room, bool *ret_pooled);
void body_buffers_give(struct body_buffers *buffers, uint8_t *buffer, bool pooled);
MUST_USE enum err_code body_buffers_new(struct body_buffers **ret_buffers, struct err *err);
void body_buffers_free(struct body_buffers *buffers);

/* body_read.c: hold a body. `length` is the object's.
 *
 * ret_gone  the row is not there (ret_reader is not set): look the object up again */
MUST_USE enum err_code body_reader_open(struct store *store, const struct record_body *body,
                                        uint64_t length, bool *ret_gone,
                                        struct body_reader **ret_reader, struct err *err);

/* Read the disk itself from now on, past the page cache (a scrub). */
void body_reader_set_direct(struct body_reader *reader);

/* Whether bytes [from, until) lie in one large body, so that a row can share them.
 *
 * ret_body, ret_offset  which body, and where in it `from` is */
MUST_USE enum err_code body_reader_within(struct body_reader *reader, uint64_t from, uint64_t until,
                                          bool *ret_within, struct record_body *ret_body,
                                          uint64_t *ret_offset, struct err *err);

/* body_share.c: rows that let another record own the same bytes (small ones are copied). */
MUST_USE enum err_code body_share(struct store *store, const struct record_body *body,
                                  struct commit_batch *batch, struct record_body *ret_body,
                                  struct err *err);
/* Whether any record owns it: what does not is about to be freed. errors  ERR_IO, ERR_CORRUPT, … */
MUST_USE enum err_code body_is_owned(struct store *store, uint64_t id, bool *ret_owned,
                                     struct err *err);
/* Rows that end a record's ownership.
 *
 * returns  whether the sweeper has to be woken after the commit */
bool body_release(const struct record_body *body, struct commit_batch *batch);

/* sweep.c: what a TAG_FREE row is about, its one byte of value. */
enum sweep_kind { SWEEP_BODY = 1, SWEEP_MANIFEST = 2, SWEEP_PARTS = 3 };
void sweep_mark(struct commit_batch *batch, enum sweep_kind kind, uint64_t id, uint64_t owner);
MUST_USE enum err_code sweep_start(struct store *store, struct err *err);
/* There are new TAG_FREE rows. */
void sweep_wake(struct store *store);

/* recover.c: free what no record names. errors  ERR_CORRUPT (a row of a body is rotten, a
 * segment is missing: nothing is freed then), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code recover_space(struct store *store, struct err *err);

/* scrub.c: end one that is running, where it is; nothing without one. */
void scrub_close(struct store *store);

/* change.c: drop what no reader needs; the sweeper calls it now and then. */
MUST_USE enum err_code change_trim(struct store *store, struct err *err);

#endif
