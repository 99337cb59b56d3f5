/* audit_json.h - the audit log as JSON, for the command line.
 *
 *     entry   {"seq", "time", "user", "access_key", "uid", "address", "action", "resource",
 *              "result", "count", "detail", "request_id", "hash"}; null where there is none
 *     report  {"intact", "entries", "first_seq", "last_seq", "hash", "broken_seq", "why"}
 *
 * Texts may hold what a stranger sent: whatever is not printable ASCII is shown as
 * \xHH, a backslash as \\, and a space too as \x20 but in "detail", which is ours.
 *
 * Threads   any. */
#ifndef APPLIANCE_AUDIT_JSON_H
#define APPLIANCE_AUDIT_JSON_H

#include <jansson.h>

#include "appliance/audit_read.h"

/* Entries from `since` on, at most AUDIT_PAGE_MAX: {"entries": […]}.
 *
 * arena     for scratch
 * ret_list  yours to decref
 * errors    those of audit_read_list */
MUST_USE enum err_code audit_json_list(struct audit *audit, uint64_t since, struct arena *arena,
                                       json_t **ret_list, struct err *err);

/* Whether the chain holds. ret_report  yours to decref. errors  those of audit_read_verify */
MUST_USE enum err_code audit_json_verify(struct audit *audit, json_t **ret_report, struct err *err);

#endif
