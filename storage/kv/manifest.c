/* manifest.c - CURRENT names a manifest, and that is whole or torn, never rotten.
 *
 * RocksDB writes all records of a new manifest, syncs it, and only then names it
 * in CURRENT; later it adds a record for each flush or compaction, or a few that
 * belong together, and syncs. What a power cut tore was not told to anybody: the
 * logs and tables that it replaces are deleted after that sync. */
#include "storage/kv/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "storage/kv/log_file.h"

#define CURRENT_MAX 64 /* bytes */
#define GROUP_BYTES                                                                                \
    KIB(8) /* records of one sync: families flush together, keys are up to 1 KiB                   \
            */

/* Whether `name` is MANIFEST- and digits. */
static bool is_manifest(struct bytes name)
{
    uint64_t number;
    struct bytes prefix = BYTES_LIT("MANIFEST-");
    return bytes_starts_with(name, prefix) &&
           bytes_to_u64(bytes_from(name, prefix.len), UINT64_MAX, &number);
}

/* Without CURRENT RocksDB would begin anew and delete these. */
static enum err_code refuse_orphans(const char *dir, struct err *err)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return err_fail_sys(err, errno, "open '%s'", dir);
    enum err_code code = ERR_OK;
    for (struct dirent *entry; !code && (entry = readdir(entries));) {
        struct bytes name = bytes_of_str(entry->d_name);
        if (bytes_ends_with(name, BYTES_LIT(".sst")) || bytes_ends_with(name, BYTES_LIT(".log")))
            code = err_fail(err, ERR_CORRUPT, "file 'CURRENT' is missing, and '%s' is there",
                            entry->d_name);
    }
    closedir(entries);
    return code;
}

static enum err_code check_records(const char *dir, const char *name, struct err *err)
{
    struct log_file_finding finding;
    enum err_code code = log_file_judge(dir, name, GROUP_BYTES, &finding, err);
    if (code)
        return code;
    /* Its first records were synced before CURRENT named it. */
    if (finding.state == LOG_FILE_ROTTEN || finding.good_end == 0)
        return log_file_rotten(name, &finding, err);
    if (finding.state == LOG_FILE_TORN)
        return log_file_cut(dir, name, finding.good_end, err);
    return ERR_OK;
}

/* The manifest that CURRENT names, with what it says. */
static enum err_code read_named(struct bytes current, char ret_name[CURRENT_MAX], struct err *err)
{
    struct bytes named = bytes_first(current, current.len ? current.len - 1 : 0);
    if (!bytes_ends_with(current, BYTES_LIT("\n")) || !is_manifest(named))
        return err_fail(err, ERR_CORRUPT, "file 'CURRENT' is damaged: it names no manifest");
    snprintf(ret_name, CURRENT_MAX, "%" BYTES_FMT, BYTES_ARG(named));
    return ERR_OK;
}

/* errors  ERR_NOT_FOUND: there is no CURRENT */
static enum err_code read_current(const char *dir, char ret_name[CURRENT_MAX], struct err *err)
{
    struct arena arena;
    struct bytes current;
    arena_init(&arena, KIB(16));
    const char *path = file_join(&arena, dir, "CURRENT");
    enum err_code code = path ? file_read(path, CURRENT_MAX - 1, &arena, &current, err)
                              : err_fail(err, ERR_NO_MEMORY, "no memory to read CURRENT");
    if (code == ERR_LIMIT)
        code = err_fail(err, ERR_CORRUPT, "file 'CURRENT' is damaged: it is too long");
    else if (!code)
        code = read_named(current, ret_name, err);
    arena_done(&arena);
    return code;
}

enum err_code manifest_check(const char *dir, struct err *err)
{
    char path[PATH_MAX], name[CURRENT_MAX];
    enum err_code code = read_current(dir, name, err);
    if (code == ERR_NOT_FOUND)
        return refuse_orphans(dir, err);
    if (code)
        return code;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return err_fail(err, ERR_INVALID, "the path of '%s' is too long", name);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return err_fail(err, ERR_CORRUPT, "file 'CURRENT' names '%s', which is missing", name);
    return check_records(dir, name, err);
}

enum err_code manifest_each(const char *dir, log_file_fn each, void *ctx, struct err *err)
{
    char name[CURRENT_MAX];
    enum err_code code = read_current(dir, name, err);
    return code ? code : log_file_each(dir, name, each, ctx, err);
}
