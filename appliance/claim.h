/* claim.h - the code with which a person claims a new box in the console.
 *
 * 25 characters of an alphabet without I, L, O and U, in five groups: 125
 * random bits that can be read out and typed. The box keeps its digest alone.
 *
 * Threads   any. */
#ifndef APPLIANCE_CLAIM_H
#define APPLIANCE_CLAIM_H

#include "storage/kv/commit.h"

#define CLAIM_TEXT_LEN 29 /* 5 groups of 5 and 4 dashes */

/* Make a new code and store its digest.
 *
 * ret_code  text with a NUL: told once, never stored
 * errors    those of commit()
 * effect    durable; an older code is void */
MUST_USE enum err_code claim_make(struct committer *committer, uint64_t now_unix_ms,
                                  char ret_code[CLAIM_TEXT_LEN + 1], struct err *err);

#endif
