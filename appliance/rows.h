/* rows.h - the box's own rows in the ordered store (rows.proto): their keys and
 * their encoding.
 *
 * Owns      the names "claim", "last-seen", "upload-age", "key-check" and "settings-seen" under
 * TAG_SYSTEM. Threads   any. */
#ifndef APPLIANCE_ROWS_H
#define APPLIANCE_ROWS_H

#include <stdint.h>

#include "appliance/upload_age.h"
#include "base/arena.h"
#include "base/seal.h"
#include "storage/kv/commit.h"

#define ROWS_SHA256_LEN 32 /* bytes */

/* Write the claim row.
 *
 * errors  those of commit()
 * effect  durable */
MUST_USE enum err_code rows_put_claim(struct committer *committer,
                                      const uint8_t code_sha256[ROWS_SHA256_LEN],
                                      uint64_t created_unix_ms, struct err *err);

/* Write the last-seen row. errors  those of commit(). effect  durable */
MUST_USE enum err_code rows_put_last_seen(struct committer *committer, uint64_t unix_ms,
                                          struct err *err);

/* Read the last-seen row.
 *
 * ret_unix_ms  0 where there is none
 * errors       ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code rows_get_last_seen(struct kv *kv, uint64_t *ret_unix_ms, struct err *err);

/* Write what upload_age.h counts: running time and marks. errors  those of commit(). effect durable
 */
MUST_USE enum err_code rows_put_upload_age(struct committer *committer,
                                           const struct upload_age *age, struct err *err);

/* Read it into `age`, whose other fields stay; nothing changes where there is none.
 *
 * errors  ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code rows_get_upload_age(struct kv *kv, struct upload_age *age, struct err *err);

/* Write the key-check row for this key of the box. errors  those of commit(). effect  durable */
MUST_USE enum err_code rows_put_key_check(struct committer *committer,
                                          const uint8_t key[SEAL_KEY_LEN], struct err *err);

/* Whether the key is the one that the row was written for.
 *
 * errors  ERR_CORRUPT (another key, or no such row), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code rows_check_key(struct kv *kv, const uint8_t key[SEAL_KEY_LEN],
                                      struct err *err);

/* Put the settings of a start, each as "name=value", into the batch. */
void rows_add_settings(struct commit_batch *batch, const struct bytes *rows, size_t count);

/* Read those of the last start; what is damaged counts as not there.
 *
 * ret_rows  arena memory
 * errors    ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code rows_get_settings(struct kv *kv, struct arena *arena,
                                         struct bytes **ret_rows, size_t *ret_count,
                                         struct err *err);

#endif
