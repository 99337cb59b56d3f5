/* box.h - the parts of one data folder, opened in order and closed in reverse:
 * lock, reserve file, ordered store, committer, audit log, object store, users.
 *
 * Owns      DIR itself: DIR/box.key, DIR/kv; DIR/lock through folder.c, DIR/reserve
 *           through reserve.c.
 * Threads   open and close from one thread; the parts from any. */
#ifndef APPLIANCE_BOX_H
#define APPLIANCE_BOX_H

#include <stdatomic.h>

#include "appliance/audit.h"
#include "appliance/space.h"
#include "base/hash.h"
#include "base/settings.h"
#include "storage/auth/auth.h"
#include "storage/backup/backup.h"
#include "storage/obj/store.h"

#define BOX_ACCOUNT_ID "000000000000" /* until the box is enrolled */
#define BOX_USER       "admin"        /* the first user */
#define BOX_ID_TEXT    33             /* 32 hex digits and a NUL */

struct box {
    struct kv *kv;
    struct committer *committer;
    struct store *store;
    struct auth *auth;
    struct audit *audit;
    struct backup *backup;
    /* Ends of a scrub and of a backup that the audit log has; see audit_box_note_ends(). */
    atomic_uint_fast64_t scrub_noted_unix_ms, backup_noted_unix_ms;
    uint8_t token_key[HASH_HMAC_LEN]; /* secret: seals what S3 hands out and takes back */
    const char *dir;                  /* borrowed */
    int lock_fd;                      /* -1: not held */
};

/* What a new box is told once. Arena memory. */
struct box_first_run {
    struct bytes box_id, account_id, user, user_id, access_key, secret_key, claim_code;
};

struct box_request {
    struct bytes access_key, secret; /* both empty = made here */
    /* Called when the box is complete but for its marker: whoever must know
     * the keys is told now. Its failure leaves the folder to be made anew. */
    enum err_code (*tell)(void *ctx, const struct box_first_run *first_run, struct err *err);
    void *ctx;
};

/* Make a new box in `dir`, which is made where it does not exist and must be empty,
 * and leave it open.
 *
 * dir     borrowed until box_close
 * ret_box set on success
 * errors  ERR_EXISTS (a box, or anything else, is there), ERR_INVALID, ERR_BUSY, ERR_IO,
 *         ERR_NO_SPACE, what tell() says
 * effect  durable; all or nothing: what a crash leaves is made anew by the next call */
MUST_USE enum err_code box_init(const char *dir, const struct box_request *request,
                                const struct settings *settings, struct arena *arena,
                                struct box *ret_box, struct err *err);

/* Open an existing box.
 *
 * dir     borrowed until box_close
 * ret_box set on success
 * errors  ERR_NOT_FOUND (no box there), ERR_BUSY (another process has it),
 *         ERR_UNSUPPORTED (newer format), ERR_CORRUPT, ERR_NO_SPACE, ERR_IO */
MUST_USE enum err_code box_open(const char *dir, const struct settings *settings,
                                struct box *ret_box, struct err *err);
void box_close(struct box *box);

/* What the settings say about the disk. */
struct space_limits box_space_limits(const struct settings *settings);

/* The box's id as text. */
void box_id_text(const struct box *box, char ret_text[BOX_ID_TEXT]);

#endif
