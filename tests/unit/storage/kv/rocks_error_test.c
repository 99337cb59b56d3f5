/* rocks_error_test.c - RocksDB's messages get the class that callers act on.
 *
 * Planted and caught: the row of "No space left" before those of the syncs; "output" of
 * "Input/output error" taken for a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "storage/kv/rocks_error.h"

static const struct {
    const char *message;
    enum err_code code;
    const char *names; /* found in our message */
} rows[] = {
    {"IO error: lock hold by current process, acquire time 17 acquiring thread 23: /d/LOCK: No "
     "locks available",
     ERR_BUSY, "open already"},
    {"IO error: While lock file: /d/LOCK: Resource temporarily unavailable", ERR_BUSY,
     "open already"},
    {"Corruption: block checksum mismatch: stored = 1, computed = 2, type = 4  in "
     "/data/kv/000012.sst offset 0 size 99",
     ERR_CORRUPT, "'000012.sst'"},
    {"Corruption: block checksum mismatch: type = 4  in /data/kv/000012.sst offset 0 size 99. The "
     "file /data/kv/MANIFEST-000021 may be corrupted.",
     ERR_CORRUPT, "'000012.sst'"},
    {"Corruption: checksum mismatch", ERR_CORRUPT, "checksum mismatch"},
    {"IO error: No space left on device: While appending to file: /d/kv/000019.sst: No space "
     "left on device",
     ERR_NO_SPACE, "'000019.sst'"},
    {"IO error: No space left on device: While fdatasync: /d/kv/000019.log: No space left on "
     "device",
     ERR_IO, "'000019.log'"},
    {"IO error: While fsync: a directory: Input/output error", ERR_IO,
     "open: IO error: While fsync: a directory: Input/output error"},
    {"IO error: While pread offset 0 len 53: /d/x.log/CURRENT.d/000017.sst: Input/output error",
     ERR_IO, "open: file '000017.sst': IO error: While pread"},
    {"IO error: While fdatasync: /d/kv/000019.log: Input/output error", ERR_IO,
     "open: file '000019.log': IO error"},
    {"IO error: While open a file for sequential reading: /d/MANIFEST-000004: Input/output error",
     ERR_IO, "open: file 'MANIFEST-000004': IO error"},
    {"IO error: While rename a file to /d/CURRENT: /d/000012.dbtmp: Input/output error", ERR_IO,
     "open: file 'CURRENT': IO error"},
    {"IO error: While opening a file for sequentially reading: /d/OPTIONS-000023: Input/output "
     "error",
     ERR_IO, "open: file 'OPTIONS-000023': IO error"},
    {"IO error: While lock file: /d/LOCK: Input/output error", ERR_IO,
     "open: IO error: While lock file: /d/LOCK: Input/output error"},
    {"Corruption: IO error: /d/kv/000017.sst.", ERR_CORRUPT, "open: file '000017.sst': Corruption"},
    {"IO error: While appending to file: /d/000004.log: Disk quota exceeded", ERR_NO_SPACE,
     "'000004.log'"},
    {"Invalid argument: Column families not opened: x", ERR_IO, "Column families"},
    {"", ERR_IO, "open"},
    {"/", ERR_IO, "open"},
    {".", ERR_IO, "open: ."},
    {"/.sst/.log", ERR_IO, "open: /.sst/.log"},
};

static void test_each_message_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        assert_int_equal(rocks_error(&err, rows[i].message, "open"), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_non_null(strstr(err.msg, rows[i].names));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_has_its_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
