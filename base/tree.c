/* tree.c - see tree.h. */
#include "base/tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define FDS 16 /* descriptors that the walk may hold */

static int remove_one(const char *path, const struct stat *status UNUSED, int kind UNUSED,
                      struct FTW *where UNUSED)
{
    return remove(path);
}

enum err_code tree_remove(const char *path, struct err *err)
{
    if (nftw(path, remove_one, FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
        return err_fail_sys(err, errno, "removing '%s'", path);
    return ERR_OK;
}
