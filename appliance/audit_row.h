/* audit_row.h - the rows of the audit log: their keys, their encoding, and the
 * digest that chains each to the one before (rows.proto).
 *
 *     'A' sequence number u64  ->  01 AuditRow { AuditEntry, hash }
 *     's' "audit"              ->  01 AuditState { anchor, head }
 *     hash = BLAKE2b-256(hash of the entry before || sequence number u64 || AuditEntry)
 *
 * Not here  what is written when: audit.c.
 * Threads   pure functions. */
#ifndef APPLIANCE_AUDIT_ROW_H
#define APPLIANCE_AUDIT_ROW_H

#include "appliance/audit.h"

#define AUDIT_ROW_KEY_LEN 9 /* bytes */

/* A row's key; sequence number 0 stands before every row. */
struct audit_row_key {
    uint8_t data[AUDIT_ROW_KEY_LEN];
};

/* The key of the row of entry `seq`. */
struct audit_row_key audit_row_key(uint64_t seq);

static inline struct bytes audit_row_key_bytes(const struct audit_row_key *key)
{
    return bytes_of(key->data, sizeof(key->data));
}

/* The sequence number in a row's key; 0 where it is not such a key. */
uint64_t audit_row_seq(struct bytes key);

/* Put an entry into the batch, as the one after the hash in `chain`; spent memory
 * is remembered by the batch.
 *
 * chain  the hash of the entry before; on return this entry's */
void audit_row_put(struct commit_batch *batch, const struct audit_entry *entry,
                   uint8_t chain[SEAL_HASH_LEN]);

/* Read a row's value.
 *
 * ret_entry  its texts are arena memory, its hash as stored
 * errors     ERR_CORRUPT, ERR_NO_MEMORY */
MUST_USE enum err_code audit_row_read(struct bytes row, uint64_t seq, struct arena *arena,
                                      struct audit_entry *ret_entry, struct err *err);

/* Whether the row follows the hash in `chain`, whatever it says.
 *
 * chain   on success this entry's hash
 * errors  ERR_CORRUPT (it does not, or is no such row), ERR_NO_MEMORY */
MUST_USE enum err_code audit_row_check(struct bytes row, uint64_t seq, struct arena *arena,
                                       uint8_t chain[SEAL_HASH_LEN], struct err *err);

/* Put the state into the batch. */
void audit_row_put_state(struct commit_batch *batch, const struct audit_state *state);

/* Read the state.
 *
 * snapshot   NULL = now
 * ret_found  false: there is no such row, or it is damaged
 * errors     ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code audit_row_get_state(struct kv *kv, const struct kv_snapshot *snapshot,
                                           struct arena *arena, bool *ret_found,
                                           struct audit_state *ret_state, struct err *err);

#endif
