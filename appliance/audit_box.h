/* audit_box.h - what the box and its command line put into the audit log: starts and
 * stops, settings, keys, scrubs, backups. Who asks by command line is known by uid.
 *
 *     box:make  box:restore  box:start  box:stop  settings:change
 *     key:create  key:disable  key:delete  scrub:start  scrub:end  backup:start  backup:end
 *
 * Not here  requests: audit_s3.h.
 * Threads   any. */
#ifndef APPLIANCE_AUDIT_BOX_H
#define APPLIANCE_AUDIT_BOX_H

#include "appliance/box.h"

#define AUDIT_BOX_NAME_ROOM 65 /* bytes of an account's name and a NUL; longer ones are cut */

/* Something that was done; NULL = nothing to say. Never a secret. */
struct audit_box_doing {
    const char *action, *resource, *result, *detail; /* result NULL = "ok" */
};

/* The account of this machine.
 *
 * ret_name  holds its name, which the actor points to; empty where it has none */
struct audit_actor audit_box_local(uint32_t uid, char ret_name[AUDIT_BOX_NAME_ROOM]);

/* Write one entry of the account `uid`. errors  those of commit(). effect  durable */
MUST_USE enum err_code audit_box_write(struct audit *audit, uint32_t uid,
                                       const struct audit_box_doing *doing, struct err *err);

/* A change of a key, for auth_witness: the entry goes into the key's own commit. */
struct audit_box_key {
    struct audit *audit; /* borrowed, as is action */
    const char *action;
    uint32_t uid;
};

/* change  borrowed while the witness is used */
struct auth_witness audit_box_witness(struct audit_box_key *change);

/* Write that the box starts, and which settings are others than at its last start.
 *
 * errors  those of commit(). effect  durable, in one commit */
MUST_USE enum err_code audit_box_start(struct box *box, const struct settings *settings,
                                       struct err *err);

/* Look when the last scrub and the last backup ended: they are not told of again. At
 * opening. errors  those of scrub_get_status() and backup_get_last() but for damage */
MUST_USE enum err_code audit_box_look(struct box *box, struct err *err);

/* Write the end of a scrub and of a backup, once, if one ended since this box was opened.
 *
 * errors  those of commit(), scrub_get_status() and backup_get_last() */
MUST_USE enum err_code audit_box_note_ends(struct box *box, struct err *err);

#endif
