/* commit.h - the committer: one thread that writes for everybody.
 *
 * A caller hands over a finished batch and waits. The thread takes all that is
 * waiting, gives each batch its sequence number and hybrid stamp, merges them
 * into one write with one sync, and wakes everybody. So there is group commit,
 * an order of changes that readers can follow, and one place that goes
 * read-only when a sync fails: after a failed write every later commit answers
 * ERR_READ_ONLY until the process starts anew. Two states are left again: a full
 * disk, as soon as there is room, and, once, a damaged file that stopped the
 * store; the thread reopens the store then, and tries each second.
 *
 * Numbers   rise by one from batch to batch that asks for them; those of a
 *           failed group are not given again, so that readers may meet a gap
 *           after a failure and never two changes of one number.
 *
 * Owns      the counter of sequence numbers, the last stamp.
 * Threads   any. */
#ifndef STORAGE_KV_COMMIT_H
#define STORAGE_KV_COMMIT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "storage/kv/kv.h"

struct committer; /* opaque: commit.c */

/* Where the batch's sequence number and stamp go. Offsets count from the start
 * of the key or value; COMMIT_NOWHERE = do not write. Both are 8 bytes big-endian. */
#define COMMIT_NOWHERE UINT32_MAX

struct commit_op {
    struct kv_op op;
    uint32_t seq_in_key;     /* the sequence number */
    uint32_t inverse_in_key; /* its bitwise complement: newest first */
    uint32_t seq_in_value;   /* sequence number, then stamp: 16 bytes */
    uint32_t number;         /* which of the batch's numbers: 0 = the first */
};

/* A batch in the making; lives in the caller's arena, keys and values too. */
struct commit_batch {
    struct arena *arena;
    struct commit_op *ops;
    size_t count, room;
    size_t bytes;         /* of all keys and values */
    uint32_t number;      /* that operations added from now on take; raised by the caller */
    enum err_code failed; /* ERR_NO_MEMORY is remembered until commit */
    uint64_t ret_seq;     /* set by commit: the first number */
    uint64_t ret_stamp;   /* set by commit */
};

void commit_batch_init(struct commit_batch *batch, struct arena *arena);

/* Whether there is nothing to commit: no operation, and none that memory was out for. */
static inline bool commit_batch_is_empty(const struct commit_batch *batch)
{
    return batch->count == 0 && batch->failed == ERR_OK;
}

/* Add an operation; key and value are copied. The returned op (valid until the
 * next add) may be given its placeholders; NULL when memory is out (remembered).
 *
 * value  data NULL says that memory was out when it was made: the batch fails, too.
 *        An empty value is BYTES_LIT("") */
struct commit_op *commit_put(struct commit_batch *batch, enum kv_family family, struct bytes key,
                             struct bytes value);
/* The same without a copy of the value, which must stay as it is until commit returned. */
struct commit_op *commit_put_borrowed(struct commit_batch *batch, enum kv_family family,
                                      struct bytes key, struct bytes value);
struct commit_op *commit_delete(struct commit_batch *batch, enum kv_family family,
                                struct bytes key);
struct commit_op *commit_delete_range(struct commit_batch *batch, enum kv_family family,
                                      struct bytes from, struct bytes until);

/* For the committer: write numbers and stamps where the batch asks for them,
 * from `seq` and `stamp` on.
 *
 * returns  how many numbers it takes; 0 = it asks nowhere */
uint32_t commit_batch_number(struct commit_batch *batch, uint64_t seq, uint64_t stamp);

/* Start the thread.
 *
 * last_seq    the highest sequence number used so far; the next batch gets one more
 * last_stamp  the highest hybrid stamp used so far
 * errors      ERR_NO_MEMORY, ERR_IO */
MUST_USE enum err_code committer_start(struct kv *kv, const struct clock *clock, uint64_t last_seq,
                                       uint64_t last_stamp, struct committer **ret_committer,
                                       struct err *err);

/* Commit what is waiting, wake who waits in committer_wait, end the thread. No
 * call may begin after it; NULL is fine. */
void committer_stop(struct committer *committer);

/* Hand over and wait.
 *
 * batch   its ret_seq and ret_stamp are set on success
 * errors  ERR_READ_ONLY (a write failed before), ERR_NO_SPACE, ERR_IO,
 *         ERR_CORRUPT (a damaged file, named), ERR_NO_MEMORY, ERR_CLOSED
 * effect  all or nothing; durable and visible after ERR_OK. After ERR_IO it is
 *         unknown whether the batch is there after a restart, so what it refers
 *         to must not be freed; after the others it is not. */
MUST_USE enum err_code commit(struct committer *committer, struct commit_batch *batch,
                              struct err *err);

/* The last sequence number whose batch is durable: readers of the change log stop here. */
uint64_t committer_durable_seq(const struct committer *committer);

/* Block until durable_seq > seq, `timeout_ms` passed or the committer stops.
 *
 * returns  durable_seq */
uint64_t committer_wait(struct committer *committer, uint64_t seq, uint32_t timeout_ms);

/* ERR_OK, or why it refuses writes. */
enum err_code committer_health(const struct committer *committer, struct err *err);

/* Refuse writes from now on with this error (a body's sync failed elsewhere). */
void committer_poison(struct committer *committer, const struct err *why);

struct committer_stats {
    struct metrics_counter batches, groups, bytes;
    struct metrics_counter damaged; /* files that were met in a write, and gone on with */
    struct metrics_histogram write_time;
};
const struct committer_stats *committer_stats(const struct committer *committer);

#endif
