/* audit.h - the audit log: who did what to which resource, each entry chained to
 * the one before by its hash.
 *
 * An entry is written in the commit of the change that it tells of (audit_commit),
 * or in one of its own (audit_write), and is on stable storage when the call
 * returns. The hash of the last entry, noted elsewhere, vouches for all before it:
 * whoever rewrites history after that has another hash to show.
 *
 *     trimmed           kept                                   next
 *     1 .. anchor   |   anchor+1 ── hash ──> … ── hash ──> head    head+1
 *                       └ follows anchor_hash            └ head_hash
 *
 * Owns      the rows of TAG_AUDIT, the row "audit" of TAG_SYSTEM.
 * Not here  which things are worth an entry: audit_box.c, audit_s3.c, command.c;
 *           reading: audit_read.h; what comes by the thousand: audit_repeat.h.
 * Threads   any. One commit of entries at a time: the lock is held from the hash
 *           before to the commit, and is taken after storage/auth's own. */
#ifndef APPLIANCE_AUDIT_H
#define APPLIANCE_AUDIT_H

#include "base/clock.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "base/seal.h"
#include "storage/kv/commit.h"

struct audit; /* opaque: audit.c */

/* Who. Texts are borrowed, and may be anything: they are cut to AUDIT_TEXT_MAX. */
struct audit_actor {
    struct bytes user;       /* of the box; where is_local, of this machine */
    struct bytes access_key; /* id; empty = none */
    struct bytes address;    /* of the peer; empty = none */
    bool is_local;           /* by command line, or the program by itself: uid is set */
    uint32_t uid;
};

struct audit_entry {
    uint64_t seq;     /* set when it is written, as the next and the hash */
    uint64_t unix_ms; /* wall time, only shown */
    uint8_t hash[SEAL_HASH_LEN];
    struct audit_actor actor;
    struct bytes action;     /* a stable name: "key:create", "s3:CreateBucket" */
    struct bytes resource;   /* an ARN or a name, cut to AUDIT_RESOURCE_MAX; empty = none */
    struct bytes result;     /* "ok", or the code that was answered */
    struct bytes detail;     /* a few words; never a secret */
    struct bytes request_id; /* empty = no request */
    uint64_t count;          /* how many alike it stands for; 0 = one */
};

/* Where the chain begins and ends. */
struct audit_state {
    uint64_t anchor_seq, head_seq; /* 0 = none */
    uint8_t anchor_hash[SEAL_HASH_LEN], head_hash[SEAL_HASH_LEN];
};

/* Open the log of this store; an empty one begins with its first entry.
 *
 * kv, committer, clock  borrowed until audit_close
 * errors                ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code audit_open(struct kv *kv, struct committer *committer,
                                  const struct clock *clock, struct audit **ret_audit,
                                  struct err *err);

/* The committer must still run; NULL is fine. */
void audit_close(struct audit *audit);

/* Commit `batch` and these entries in one stroke.
 *
 * entries  seq, unix_ms and hash are set
 * batch    the change; entries are added to it
 * errors   those of commit(): neither the change nor the entries are there
 * effect   durable */
MUST_USE enum err_code audit_commit(struct audit *audit, struct audit_entry *entries, size_t count,
                                    struct commit_batch *batch, struct err *err);

/* Write one entry. errors  those of commit(). effect  durable */
MUST_USE enum err_code audit_write(struct audit *audit, const struct audit_entry *entry,
                                   struct err *err);

/* Forget the oldest entries once there are more than `max`: a tenth of it at once,
 * which an entry "audit:trim" tells of, with the hash that the rest follows.
 *
 * errors  those of commit(); ERR_CORRUPT, ERR_NOT_FOUND (the entry to cut behind is
 *         damaged or gone: a broken log is kept as it is) */
MUST_USE enum err_code audit_trim(struct audit *audit, uint64_t max, struct err *err);

/* The store that the log is in, and the clock, for who reads it. */
struct kv *audit_kv(const struct audit *audit);
const struct clock *audit_clock(const struct audit *audit);

struct audit_stats {
    struct metrics_counter entries;  /* written since it was opened */
    struct metrics_counter failures; /* calls that could not write theirs */
};
/* Its numbers, for metrics. */
struct audit_stats *audit_stats(struct audit *audit);

#endif
