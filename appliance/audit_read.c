/* audit_read.c - see audit_read.h. */
#include "appliance/audit_read.h"

#include <stdio.h>

#include "appliance/audit_row.h"

#define ROW_ARENA_MAX KIB(64) /* bytes: one row */

/* ---- list ---- */

static enum err_code open_iter(struct kv *kv, const struct kv_snapshot *snapshot, uint64_t since,
                               struct kv_iter **ret_iter, struct err *err)
{
    struct audit_row_key from = audit_row_key(since), until = audit_row_key(UINT64_MAX);
    return kv->calls->iter_open(kv, snapshot, KV_META, audit_row_key_bytes(&from),
                                audit_row_key_bytes(&until), ret_iter, err);
}

static enum err_code read_page(struct kv *kv, struct kv_iter *iter, struct arena *arena,
                               struct audit_entry *entries, size_t *ret_count, struct err *err)
{
    struct bytes key, row;
    for (*ret_count = 0; *ret_count < AUDIT_PAGE_MAX && kv->calls->iter_at(iter, &key, &row);
         kv->calls->iter_next(iter)) {
        uint64_t seq = audit_row_seq(key);
        enum err_code code = audit_row_read(row, seq, arena, &entries[*ret_count], err);
        if (code == ERR_CORRUPT && *ret_count > 0)
            return ERR_OK; /* what stands before it is told; the next page begins with it */
        if (code != ERR_OK) {
            err_add(err, "entry %llu", (unsigned long long)seq);
            return code;
        }
        ++*ret_count;
    }
    return kv->calls->iter_check(iter, err);
}

enum err_code audit_read_list(struct audit *audit, uint64_t since, struct arena *arena,
                              struct audit_entry **ret_entries, size_t *ret_count, struct err *err)
{
    struct kv *kv = audit_kv(audit);
    struct kv_iter *iter;
    struct audit_entry *entries = arena_alloc_raw(arena, AUDIT_PAGE_MAX * sizeof(*entries));
    if (!entries)
        return err_fail(err, ERR_NO_MEMORY, "reading the audit log");
    enum err_code code = open_iter(kv, NULL, since, &iter, err);
    if (code != ERR_OK)
        return code;
    code = read_page(kv, iter, arena, entries, ret_count, err);
    kv->calls->iter_close(iter);
    *ret_entries = entries;
    return code;
}

/* ---- verify ---- */

static void set_broken(struct audit_report *report, uint64_t seq, const char *why)
{
    report->broken_seq = seq;
    snprintf(report->why, sizeof(report->why), "%s", why);
}

/* Judge one row; a chain that breaks there is noted.
 *
 * errors  ERR_NO_MEMORY */
static enum err_code judge(struct audit_report *report, uint64_t seq, struct bytes row,
                           struct arena *arena, struct err *err)
{
    uint8_t hash[SEAL_HASH_LEN];
    memcpy(hash, report->hash, sizeof(hash));
    if (seq != report->last_seq + 1) {
        set_broken(report, report->last_seq + 1, "it is missing");
        return ERR_OK;
    }
    enum err_code code = audit_row_check(row, seq, arena, hash, err);
    if (code == ERR_CORRUPT) {
        set_broken(report, seq, err->msg);
        return ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    memcpy(report->hash, hash, sizeof(hash));
    report->last_seq = seq;
    report->entries++;
    return ERR_OK;
}

static enum err_code judge_all(struct kv *kv, struct kv_iter *iter, struct audit_report *report,
                               struct err *err)
{
    struct arena arena;
    struct bytes key, row;
    enum err_code code = ERR_OK;
    arena_init(&arena, ROW_ARENA_MAX);
    for (; code == ERR_OK && !report->broken_seq && kv->calls->iter_at(iter, &key, &row);
         kv->calls->iter_next(iter)) {
        arena_reset(&arena);
        code = judge(report, audit_row_seq(key), row, &arena, err);
    }
    arena_done(&arena);
    return code == ERR_OK ? kv->calls->iter_check(iter, err) : code;
}

/* The end that the log itself has noted. */
static void judge_end(struct audit_report *report, const struct audit_state *state)
{
    if (report->broken_seq)
        return;
    if (report->last_seq < state->head_seq)
        set_broken(report, report->last_seq + 1, "it is missing");
    else if (report->last_seq > state->head_seq)
        set_broken(report, state->head_seq + 1, "it is behind the last entry of the log");
    else if (memcmp(report->hash, state->head_hash, SEAL_HASH_LEN) != 0)
        set_broken(report, state->head_seq, "it is not the last entry that the log has noted");
}

static enum err_code walk(struct kv *kv, const struct kv_snapshot *snapshot,
                          struct audit_report *report, struct err *err)
{
    struct arena arena;
    struct kv_iter *iter;
    struct audit_state state = {0};
    bool found;
    arena_init(&arena, ROW_ARENA_MAX);
    enum err_code code = audit_row_get_state(kv, snapshot, &arena, &found, &state, err);
    arena_done(&arena);
    if (code == ERR_OK)
        code = open_iter(kv, snapshot, 1, &iter, err);
    if (code != ERR_OK)
        return code;
    report->last_seq = state.anchor_seq;
    memcpy(report->hash, state.anchor_hash, SEAL_HASH_LEN);
    code = judge_all(kv, iter, report, err);
    kv->calls->iter_close(iter);
    if (code != ERR_OK)
        return code;
    judge_end(report, &state);
    if (report->entries > 0)
        report->first_seq = state.anchor_seq + 1;
    else
        report->last_seq = 0;
    return ERR_OK;
}

enum err_code audit_read_verify(struct audit *audit, struct audit_report *ret_report,
                                struct err *err)
{
    struct kv *kv = audit_kv(audit);
    *ret_report = (struct audit_report){0};
    struct kv_snapshot *snapshot = kv->calls->snapshot_open(kv);
    if (!snapshot)
        return err_fail(err, ERR_NO_MEMORY, "verifying the audit log");
    enum err_code code = walk(kv, snapshot, ret_report, err);
    kv->calls->snapshot_close(kv, snapshot);
    return code;
}
