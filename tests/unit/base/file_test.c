/* file_test.c - BASE-FILE-1 to BASE-FILE-4, BASE-MEMORY-1.
 *
 * The calls that can fail go by here: one of them can be made to fail, all can
 * be interrupted now and then, or move few bytes at once.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc -Wl,--wrap=pwrite64,--wrap=pread64
 * LINK: -Wl,--wrap=read,--wrap=fsync,--wrap=rename,--wrap=fchmod
 */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/unit/alloc_fail.h"

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset);
ssize_t __real_pread64(int fd, void *data, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t offset);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);

static int fault_left; /* calls until the one that fails; 0: none will */
static int fault_sys;
static bool disturbed; /* every other transfer is interrupted, the rest moves 3 bytes */
static int transfers;

static bool fault_now(void)
{
    if (fault_left == 0 || --fault_left > 0)
        return false;
    errno = fault_sys;
    return true;
}

/* Whether a transfer fails; else how much of it happens. */
static bool transfer_fails(size_t *len)
{
    if (fault_now())
        return true;
    if (!disturbed)
        return false;
    *len = *len < 3 ? *len : 3;
    errno = EINTR;
    return ++transfers % 2 == 0;
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset)
{
    return transfer_fails(&len) ? -1 : __real_pwrite64(fd, data, len, offset);
}

ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t offset)
{
    return transfer_fails(&len) ? -1 : __real_pread64(fd, data, len, offset);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    return transfer_fails(&len) ? -1 : __real_read(fd, data, len);
}

int __wrap_fsync(int fd)
{
    return fault_now() ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fault_now() ? -1 : __real_rename(from, to);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return fault_now() ? -1 : __real_fchmod(fd, mode);
}

static char folder[64];
static char path[128];
static struct arena arena;
static struct err err;

static int start(void **state UNUSED)
{
    strcpy(folder, "/tmp/file_test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/f", folder);
    arena_init(&arena, MIB(4));
    fault_left = 0;
    disturbed = false;
    return 0;
}

static int count_names(bool remove_them)
{
    DIR *dir = opendir(folder);
    int count = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (remove_them)
            unlinkat(dirfd(dir), entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
    }
    closedir(dir);
    return count;
}

static int stop(void **state UNUSED)
{
    arena_done(&arena);
    count_names(true);
    return rmdir(folder);
}

static void assert_content(const char *expected)
{
    struct bytes content;

    assert_int_equal(file_read(path, 100, &arena, &content, &err), ERR_OK);
    assert_int_equal(content.len, strlen(expected));
    assert_string_equal((const char *)content.data, expected);
}

static int make_file(const char *content)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write_at(fd, bytes_of_str(content), 0, &err), ERR_OK);
    return fd;
}

static void writes_and_reads_at_offsets(void **state UNUSED)
{
    int fd = make_file("0123456789");
    char text[6] = "";

    disturbed = true;
    assert_int_equal(file_write_at(fd, BYTES_LIT("abcdefgh"), 8, &err), ERR_OK);
    assert_int_equal(file_read_at(fd, text, 5, 6, &err), ERR_OK);
    assert_string_equal(text, "67abc");
    assert_int_equal(file_write_at(fd, bytes_of(NULL, 0), 3, &err), ERR_OK);
    assert_content("01234567abcdefgh");
    close(fd);
}

/* BASE-FILE-2 */
static void names_a_full_disk_and_a_failing_one(void **state UNUSED)
{
    int fd = make_file("0123456789");
    char text[4];

    fault_left = 1;
    fault_sys = ENOSPC;
    assert_int_equal(file_write_at(fd, BYTES_LIT("abc"), 0, &err), ERR_NO_SPACE);
    assert_int_equal(err.sys, ENOSPC);
    fault_left = 1;
    fault_sys = EIO;
    assert_int_equal(file_write_at(fd, BYTES_LIT("abc"), 0, &err), ERR_IO);
    fault_left = 1;
    assert_int_equal(file_read_at(fd, text, 4, 0, &err), ERR_IO);
    assert_int_equal(file_read_at(fd, text, 4, 7, &err), ERR_CORRUPT);
    assert_int_equal(file_read_at(fd, text, 4, UINT64_MAX, &err), ERR_IO);
    close(fd);
    assert_int_equal(file_write_at(fd, BYTES_LIT("abc"), 0, &err), ERR_IO);
}

static void reads_whole_files(void **state UNUSED)
{
    struct bytes content;
    int fd = make_file("0123456789");

    assert_int_equal(file_read(path, 10, &arena, &content, &err), ERR_OK);
    assert_int_equal(content.len, 10);
    assert_int_equal(file_read(path, 9, &arena, &content, &err), ERR_LIMIT);
    assert_int_equal(file_write_at(fd, BYTES_LIT("x"), 50000, &err), ERR_OK);
    disturbed = true;
    assert_int_equal(file_read(path, MIB(1), &arena, &content, &err), ERR_OK);
    assert_int_equal(content.len, 50001);
    assert_int_equal(content.data[50000], 'x');
    assert_int_equal(content.data[50001], '\0');
    assert_int_equal(file_read(path, 50000, &arena, &content, &err), ERR_LIMIT);
    close(fd);
}

static void says_why_a_file_cannot_be_read(void **state UNUSED)
{
    struct bytes content;

    assert_int_equal(file_read(path, 10, &arena, &content, &err), ERR_NOT_FOUND);
    assert_int_equal(file_read(folder, 10, &arena, &content, &err), ERR_IO);
    assert_int_equal(file_read("/dev/zero", 10, &arena, &content, &err), ERR_LIMIT);
    assert_int_equal(file_read("/dev/null", 0, &arena, &content, &err), ERR_OK);
    assert_int_equal(content.len, 0);
    close(make_file("0123"));
    fault_left = 1;
    fault_sys = EIO;
    assert_int_equal(file_read(path, 10, &arena, &content, &err), ERR_IO);
    assert_int_equal(file_read(path, 10, &arena, &content, NULL), ERR_OK);
}

/* BASE-FILE-1 */
static void replaces(void **state UNUSED)
{
    struct stat info;

    assert_int_equal(file_replace(path, 0640, BYTES_LIT("one"), &err), ERR_OK);
    assert_content("one");
    disturbed = true;
    assert_int_equal(file_replace(path, 0600, BYTES_LIT("another one"), &err), ERR_OK);
    assert_content("another one");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(file_replace(path, 0600, bytes_of(NULL, 0), &err), ERR_OK);
    assert_content("");
    assert_int_equal(count_names(false), 1);
}

/* BASE-FILE-1: each call fails in turn. Only when the folder could not be
 * synced, after the rename, the new content is there. */
static void a_failed_replacement_leaves_the_old(void **state UNUSED)
{
    enum err_code code = ERR_IO;
    int calls = 0;

    assert_int_equal(file_replace(path, 0600, BYTES_LIT("old"), &err), ERR_OK);
    while (code) {
        fault_left = ++calls;
        fault_sys = ENOSPC;
        code = file_replace(path, 0600, BYTES_LIT("new"), &err);
        fault_left = 0;
        assert_int_equal(code, calls <= 5 ? ERR_NO_SPACE : ERR_OK);
        assert_content(calls < 5 ? "old" : "new");
        assert_int_equal(count_names(false), 1);
    }
    assert_int_equal(calls, 6);
}

static void replaces_nothing_where_it_cannot(void **state UNUSED)
{
    char long_path[5000], missing[160];

    snprintf(missing, sizeof(missing), "%s/no/f", folder);
    assert_int_equal(file_replace(missing, 0600, BYTES_LIT("x"), &err), ERR_IO);
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(file_replace(long_path, 0600, BYTES_LIT("x"), &err), ERR_INVALID);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_replace(path, 0600, BYTES_LIT("x"), &err), ERR_IO);
    assert_int_equal(count_names(false), 1);
}

/* BASE-FILE-3 */
static void makes_folders(void **state UNUSED)
{
    char inner[160], slashed[160];

    snprintf(inner, sizeof(inner), "%s/f/g", folder);
    snprintf(slashed, sizeof(slashed), "%s//", path);
    assert_int_equal(file_make_dir(inner, 0700, &err), ERR_IO);
    assert_int_equal(file_make_dir(slashed, 0700, &err), ERR_OK);
    assert_int_equal(file_make_dir(path, 0700, &err), ERR_OK);
    fault_left = 1;
    fault_sys = EIO;
    assert_int_equal(file_make_dir(path, 0700, &err), ERR_IO); /* its parent was not synced */
    assert_int_equal(file_sync_dir(path, &err), ERR_OK);
    assert_int_equal(file_sync_dir(inner, &err), ERR_NOT_FOUND);
    assert_int_equal(rmdir(path), 0);
    close(make_file("x"));
    assert_int_equal(file_make_dir(path, 0700, &err), ERR_EXISTS);
    assert_int_equal(file_sync_dir(path, &err), ERR_IO);
}

static void finds_the_parent_of_any_path(void **state UNUSED)
{
    char here[4096];

    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(file_make_dir("f", 0700, &err), ERR_OK);
    assert_int_equal(file_make_dir("./f/", 0700, &err), ERR_OK);
    assert_int_equal(file_make_dir("/", 0700, &err), ERR_OK);
    assert_int_equal(file_make_dir("//tmp//", 0700, &err), ERR_OK);
    assert_int_equal(chdir(here), 0);
}

static void joins(void **state UNUSED)
{
    struct arena none;

    assert_string_equal(file_join(&arena, "a", "b"), "a/b");
    assert_string_equal(file_join(&arena, "a/", "b"), "a/b");
    assert_string_equal(file_join(&arena, "/", "b"), "/b");
    arena_init(&none, 2);
    assert_null(file_join(&none, "a", "b"));
}

/* BASE-FILE-4 */
static void locks_once(void **state UNUSED)
{
    int first, second;
    char missing[160];

    assert_int_equal(file_lock(path, &first, &err), ERR_OK);
    assert_int_equal(file_lock(path, &second, &err), ERR_BUSY);
    close(first);
    assert_int_equal(file_lock(path, &second, &err), ERR_OK);
    close(second);
    snprintf(missing, sizeof(missing), "%s/no/f", folder);
    assert_int_equal(file_lock(missing, &first, &err), ERR_NOT_FOUND);
    assert_int_equal(file_lock(folder, &first, &err), ERR_IO);
}

/* BASE-MEMORY-1 */
static bool read_much(void *ctx UNUSED)
{
    struct arena own;
    struct bytes content;
    enum err_code code;

    arena_init(&own, MIB(1));
    code = file_read(path, MIB(1), &own, &content, &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    arena_done(&own);
    return code == ERR_OK;
}

static void survives_failing_allocations(void **state UNUSED)
{
    int fd = make_file("x");

    assert_int_equal(ftruncate(fd, 60000), 0);
    assert_true(alloc_fail_sweep(read_much, NULL) >= 2);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_and_reads_at_offsets),
        TEST(names_a_full_disk_and_a_failing_one),
        TEST(reads_whole_files),
        TEST(says_why_a_file_cannot_be_read),
        TEST(replaces),
        TEST(a_failed_replacement_leaves_the_old),
        TEST(replaces_nothing_where_it_cannot),
        TEST(makes_folders),
        TEST(finds_the_parent_of_any_path),
        TEST(joins),
        TEST(locks_once),
        TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
