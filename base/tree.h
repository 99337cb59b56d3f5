/* tree.h - folders with all that is in them.
 *
 * Threads   any. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include "base/attr.h"
#include "base/err.h"

/* Remove a file, or a folder with everything in it: links themselves, not what they
 * lead to, and nothing of another file system.
 *
 * errors  ERR_IO; what is not there is fine */
MUST_USE enum err_code tree_remove(const char *path, struct err *err);

#endif
