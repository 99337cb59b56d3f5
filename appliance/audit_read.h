/* audit_read.h - reading the audit log: entries in order, and whether the chain holds.
 *
 * Threads   any. */
#ifndef APPLIANCE_AUDIT_READ_H
#define APPLIANCE_AUDIT_READ_H

#include "appliance/audit.h"

/* Entries from number `since` on, oldest first.
 *
 * ret_entries  arena memory, ret_count of them, at most AUDIT_PAGE_MAX
 * errors       ERR_CORRUPT (a row that is none; the message names its number), ERR_IO,
 *              ERR_NO_MEMORY */
MUST_USE enum err_code audit_read_list(struct audit *audit, uint64_t since, struct arena *arena,
                                       struct audit_entry **ret_entries, size_t *ret_count,
                                       struct err *err);

struct audit_report {
    uint64_t entries;            /* that follow one another */
    uint64_t first_seq;          /* of the first that is kept; 0 = the log is empty */
    uint64_t last_seq;           /* of the last of those; 0 as above */
    uint8_t hash[SEAL_HASH_LEN]; /* of that one: vouches for all before it */
    uint64_t broken_seq;         /* the first that does not follow, or is gone; 0 = none */
    char why[160];               /* of broken_seq */
};

/* Walk the whole log and compute every hash anew.
 *
 * ret_report  set on success, and a broken chain is a success
 * errors      ERR_IO, ERR_NO_MEMORY: nothing is known
 * effect      reads a moment's state; does not keep writers waiting */
MUST_USE enum err_code audit_read_verify(struct audit *audit, struct audit_report *ret_report,
                                         struct err *err);

#endif
