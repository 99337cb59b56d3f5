/* wal.c - the logs of a store: the newest may be torn, none may be rotten. */
#include "storage/kv/wal.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "storage/kv/log_file.h"

/* An older log's torn end is RocksDB's to judge: it knows whether it needs that log. */
static enum err_code check_log(const char *dir, const char *name, bool is_newest, struct err *err)
{
    struct log_file_finding finding;
    enum err_code code = log_file_judge(dir, name, 0, &finding, err);
    if (code)
        return code;
    if (finding.state == LOG_FILE_ROTTEN)
        return log_file_rotten(name, &finding, err);
    if (finding.state == LOG_FILE_TORN && is_newest)
        return log_file_cut(dir, name, finding.good_end, err);
    return ERR_OK;
}

/* The number in a name like 000012.log; 0 where it is no log's. */
static uint64_t log_number(const char *name)
{
    uint64_t number = 0;
    struct bytes b = bytes_of_str(name);
    if (!bytes_ends_with(b, BYTES_LIT(".log")) ||
        !bytes_to_u64(bytes_first(b, b.len - 4), UINT64_MAX, &number))
        return 0;
    return number;
}

static uint64_t newest_log(DIR *entries)
{
    uint64_t newest = 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        if (log_number(entry->d_name) > newest)
            newest = log_number(entry->d_name);
    rewinddir(entries);
    return newest;
}

enum err_code wal_check(const char *dir, struct err *err)
{
    enum err_code code = ERR_OK;
    DIR *entries = opendir(dir);
    if (!entries)
        return err_fail_sys(err, errno, "open '%s'", dir);
    uint64_t newest = newest_log(entries);
    for (struct dirent *entry; !code && (entry = readdir(entries));) {
        uint64_t number = log_number(entry->d_name);
        if (number)
            code = check_log(dir, entry->d_name, number == newest, err);
    }
    closedir(entries);
    return code;
}
