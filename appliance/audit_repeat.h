/* audit_repeat.h - what strangers can make happen by the thousand: refused
 * requests, reads of what is rotten. Noted in memory, written together.
 *
 *     note, note, note …  ->  one entry a kind, with a count  ->  flush: one commit
 *
 * A kind is action, address, resource and result. However many notes there are,
 * AUDIT_REPEAT_MAX kinds are told apart, further ones count as "others"; and a
 * flush writes at most AUDIT_REPEAT_BURST entries at first and, where it goes on,
 * one for each minute that passed: 1,440 a day. What has to wait keeps counting.
 *
 * Owns      the counts, until they are written: a process that is killed loses
 *           those of its last minute.
 * Threads   any; a note never waits for the disk. */
#ifndef APPLIANCE_AUDIT_REPEAT_H
#define APPLIANCE_AUDIT_REPEAT_H

#include "appliance/audit.h"

struct audit_repeat; /* opaque: audit_repeat.c */

/* audit  borrowed until audit_repeat_free. errors  ERR_NO_MEMORY */
MUST_USE enum err_code audit_repeat_new(struct audit *audit, struct audit_repeat **ret_repeat,
                                        struct err *err);

/* What was not flushed is forgotten; NULL is fine. */
void audit_repeat_free(struct audit_repeat *repeat);

/* It happened once more. The actor and the request of a kind's first note are told. */
void audit_repeat_note(struct audit_repeat *repeat, const struct audit_entry *entry);

/* Write what was noted, as far as the rate allows; `all`: at the end, the rest too.
 *
 * errors  those of audit_commit(): nothing is lost, it is written next time */
MUST_USE enum err_code audit_repeat_flush(struct audit_repeat *repeat, bool all, struct err *err);

/* Notes so far. */
uint64_t audit_repeat_total(const struct audit_repeat *repeat);

#endif
