/* audit.c - see audit.h: the one writer of the chain.
 *
 * Threads   `lock` is held from the reading of the head to the commit that moves
 *           it: the chain has one end. It is a leaf but for the committer. */
#include "appliance/audit.h"

#include <pthread.h>
#include <stdlib.h>

#include "appliance/audit_row.h"
#include "base/codec.h"

#define TRIM_SHARE 10 /* one part in so many is forgotten at once */

struct audit {
    struct kv *kv; /* const after open, as the next two */
    struct committer *committer;
    const struct clock *clock;
    struct audit_stats stats;
    pthread_mutex_t lock;
    struct audit_state state; /* under lock: what is on disk */
};

/* ---- open ---- */

/* A hash to go on from: what the row says of itself. Zeros where it says nothing. */
static void adopt_hash(struct bytes row, uint64_t seq, uint8_t ret_hash[SEAL_HASH_LEN])
{
    struct arena arena;
    struct audit_entry entry;
    arena_init(&arena, KIB(64));
    if (audit_row_read(row, seq, &arena, &entry, NULL) == ERR_OK)
        memcpy(ret_hash, entry.hash, SEAL_HASH_LEN);
    arena_done(&arena);
}

/* Rows without a state: somebody took it away. They stay, new entries follow the
 * last, and a verification tells of it where the first is not entry 1. */
static enum err_code find_state(struct kv *kv, struct audit_state *ret_state, struct err *err)
{
    struct audit_row_key from = audit_row_key(1), until = audit_row_key(UINT64_MAX);
    struct bytes key, row;
    struct kv_iter *iter;
    enum err_code code = kv->calls->iter_open(kv, NULL, KV_META, audit_row_key_bytes(&from),
                                              audit_row_key_bytes(&until), &iter, err);
    if (code != ERR_OK)
        return code;
    if (kv->calls->iter_at(iter, &key, &row)) {
        uint64_t first_seq = audit_row_seq(key);
        ret_state->anchor_seq = first_seq ? first_seq - 1 : 0;
        kv->calls->iter_seek_last(iter);
        if (kv->calls->iter_at(iter, &key, &row)) {
            ret_state->head_seq = audit_row_seq(key);
            adopt_hash(row, ret_state->head_seq, ret_state->head_hash);
        }
    }
    code = kv->calls->iter_check(iter, err);
    kv->calls->iter_close(iter);
    return code;
}

static enum err_code load_state(struct kv *kv, struct audit_state *ret_state, struct err *err)
{
    struct arena arena;
    bool found;
    *ret_state = (struct audit_state){0};
    arena_init(&arena, KIB(64));
    enum err_code code = audit_row_get_state(kv, NULL, &arena, &found, ret_state, err);
    arena_done(&arena);
    return code == ERR_OK && !found ? find_state(kv, ret_state, err) : code;
}

enum err_code audit_open(struct kv *kv, struct committer *committer, const struct clock *clock,
                         struct audit **ret_audit, struct err *err)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    if (!audit)
        return err_fail(err, ERR_NO_MEMORY, "the audit log");
    audit->kv = kv;
    audit->committer = committer;
    audit->clock = clock;
    pthread_mutex_init(&audit->lock, NULL);
    enum err_code code = load_state(kv, &audit->state, err);
    if (code == ERR_OK)
        *ret_audit = audit;
    else
        audit_close(audit);
    return code;
}

void audit_close(struct audit *audit)
{
    if (!audit)
        return;
    pthread_mutex_destroy(&audit->lock);
    free(audit);
}

/* ---- write ---- */

/* Under the lock: add the entries behind `next`, which they move, and commit. */
static enum err_code commit_locked(struct audit *audit, struct audit_state *next,
                                   struct audit_entry *entries, size_t count,
                                   struct commit_batch *batch, struct err *err)
{
    uint64_t now_unix_ms = clock_unix_ms(audit->clock);
    for (size_t i = 0; i < count; i++) {
        entries[i].seq = ++next->head_seq;
        entries[i].unix_ms = now_unix_ms;
        audit_row_put(batch, &entries[i], next->head_hash);
        memcpy(entries[i].hash, next->head_hash, SEAL_HASH_LEN);
    }
    audit_row_put_state(batch, next);
    enum err_code code = commit(audit->committer, batch, err);
    if (code == ERR_OK) {
        audit->state = *next;
        metrics_add(&audit->stats.entries, count);
    } else {
        metrics_add(&audit->stats.failures, 1);
    }
    return code;
}

enum err_code audit_commit(struct audit *audit, struct audit_entry *entries, size_t count,
                           struct commit_batch *batch, struct err *err)
{
    pthread_mutex_lock(&audit->lock);
    struct audit_state next = audit->state;
    enum err_code code = commit_locked(audit, &next, entries, count, batch, err);
    pthread_mutex_unlock(&audit->lock);
    return code;
}

enum err_code audit_write(struct audit *audit, const struct audit_entry *entry, struct err *err)
{
    struct arena arena;
    struct commit_batch batch;
    struct audit_entry copy = *entry;
    arena_init(&arena, AUDIT_ARENA_MAX);
    commit_batch_init(&batch, &arena);
    enum err_code code = audit_commit(audit, &copy, 1, &batch, err);
    arena_done(&arena);
    return code;
}

/* ---- trim ---- */

/* Move the anchor of `next` to `seq`, whose row tells the hash. */
static enum err_code move_anchor(const struct audit *audit, uint64_t seq, struct arena *arena,
                                 struct audit_state *next, struct err *err)
{
    struct audit_row_key key = audit_row_key(seq);
    struct kv_value value = {0};
    struct audit_entry entry;
    enum err_code code = kv_get(audit->kv, KV_META, audit_row_key_bytes(&key), &value, err);
    if (code != ERR_OK)
        return code;
    code = audit_row_read(value.bytes, seq, arena, &entry, err);
    kv_value_free(audit->kv, &value);
    if (code != ERR_OK)
        return code;
    next->anchor_seq = seq;
    memcpy(next->anchor_hash, entry.hash, SEAL_HASH_LEN);
    return ERR_OK;
}

static enum err_code trim_locked(struct audit *audit, uint64_t seq, struct arena *arena,
                                 struct err *err)
{
    struct audit_row_key from = audit_row_key(audit->state.anchor_seq + 1),
                         until = audit_row_key(seq + 1);
    struct audit_state next = audit->state;
    struct commit_batch batch;
    char hash[2 * SEAL_HASH_LEN + 1];
    enum err_code code = move_anchor(audit, seq, arena, &next, err);
    if (code != ERR_OK)
        return code;
    codec_hex(bytes_of(next.anchor_hash, SEAL_HASH_LEN), hash);
    struct audit_entry entry = {
        .actor = {.is_local = true},
        .action = BYTES_LIT("audit:trim"),
        .resource =
            arena_printf(arena, "%llu-%llu", (unsigned long long)audit->state.anchor_seq + 1,
                         (unsigned long long)seq),
        .result = BYTES_LIT("ok"),
        .detail = arena_printf(arena, "the rest follows %s", hash),
    };
    if (!entry.resource.data || !entry.detail.data)
        return err_fail(err, ERR_NO_MEMORY, "trimming the audit log");
    commit_batch_init(&batch, arena);
    commit_delete_range(&batch, KV_META, audit_row_key_bytes(&from), audit_row_key_bytes(&until));
    return commit_locked(audit, &next, &entry, 1, &batch, err);
}

enum err_code audit_trim(struct audit *audit, uint64_t max, struct err *err)
{
    struct arena arena;
    enum err_code code = ERR_OK;
    arena_init(&arena, AUDIT_ARENA_MAX);
    pthread_mutex_lock(&audit->lock);
    if (audit->state.head_seq - audit->state.anchor_seq > max)
        code = trim_locked(audit, audit->state.head_seq - (max - max / TRIM_SHARE), &arena, err);
    pthread_mutex_unlock(&audit->lock);
    arena_done(&arena);
    return code;
}

/* ---- look ---- */

struct kv *audit_kv(const struct audit *audit)
{
    return audit->kv;
}

const struct clock *audit_clock(const struct audit *audit)
{
    return audit->clock;
}

struct audit_stats *audit_stats(struct audit *audit)
{
    return &audit->stats;
}
