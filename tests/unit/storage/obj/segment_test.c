/* segment_test.c - segment files by themselves: they begin small and grow, end
 * where the disk does, and bear being interrupted (OBJ-SEGMENT).
 *
 * Planted bugs that it caught: a preallocation that takes EINTR for a failure; a
 * file that is a whole segment from the start; one that grows beyond it; a count
 * that goes to nothing where it does not add up (the file is unlinked).
 *
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=readdir64
 */
#include "tests/unit/storage/obj/obj_fixture.h"

#include <errno.h>

#define WHOLE MIB(64)

static unsigned interrupts; /* how many calls answer EINTR */
static off_t disk_bytes;    /* no file may grow beyond it; 0: no such limit */
static unsigned calls;

int __real_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len)
{
    calls++;
    if (interrupts) {
        interrupts--;
        return EINTR;
    }
    if (disk_bytes && at + len > disk_bytes)
        return ENOSPC;
    return __real_posix_fallocate64(fd, at, len);
}

int __real_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t len)
{
    errno = EINTR;
    return interrupts && interrupts-- ? -1 : __real_fallocate64(fd, mode, at, len);
}

static bool folder_fails;

struct dirent *__real_readdir64(DIR *folder);
struct dirent *__wrap_readdir64(DIR *folder);
struct dirent *__wrap_readdir64(DIR *folder)
{
    if (!folder_fails)
        return __real_readdir64(folder);
    errno = EIO;
    return NULL;
}

struct folder {
    char dir[64];
    struct segments *segments;
};

static int setup(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    struct err err;
    assert_non_null(folder);
    snprintf(folder->dir, sizeof(folder->dir), "/var/tmp/valise-test-XXXXXX");
    assert_non_null(mkdtemp(folder->dir));
    interrupts = calls = 0;
    disk_bytes = 0;
    assert_ok(segments_open(folder->dir, WHOLE, &folder->segments, &err));
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    struct folder *folder = *state;
    segments_close(folder->segments);
    fixture_remove_dir(folder->dir);
    free(folder);
    return 0;
}

static struct segment_space take(struct folder *folder, uint64_t want)
{
    struct err err;
    struct segment_space space;
    assert_ok(segment_take(folder->segments, want, OBJ_BLOCK_BYTES, &space, &err));
    return space;
}

static off_t file_bytes(const struct folder *folder, uint32_t segment)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%08x.seg", folder->dir, segment);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static struct segments_stats stats_of(const struct folder *folder)
{
    struct segments_stats stats;
    segments_get_stats(folder->segments, &stats);
    return stats;
}

/* OBJ-SEGMENT-1: a file begins small, doubles as it fills, and ends as a whole segment. */
static void test_grows(void **state)
{
    struct folder *folder = *state;
    static const size_t want[] = {16, 16, 32, 32, 64, 64, 64, 64};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct segment_space space = take(folder, MIB(8));
        assert_int_equal(space.segment, 1);
        assert_int_equal(space.offset, i * MIB(8));
        assert_int_equal(space.len, MIB(8));
        assert_int_equal(file_bytes(folder, 1), MIB(want[i]));
        segment_keep(folder->segments, &space, MIB(8));
    }
    struct segment_space next = take(folder, MIB(8));
    assert_int_equal(next.segment, 2);
    assert_int_equal(file_bytes(folder, 2), MIB(16));
    segment_keep(folder->segments, &next, MIB(8));
    assert_int_equal(stats_of(folder).live_bytes, MIB(72));
}

/* OBJ-SEGMENT-1: who wants more gets it in one piece, as far as a whole segment goes. */
static void test_large_want(void **state)
{
    struct folder *folder = *state;
    struct segment_space first = take(folder, MIB(1)), large = take(folder, MIB(40));
    assert_int_equal(large.segment, 1);
    assert_int_equal(large.len, MIB(40));
    assert_int_equal(file_bytes(folder, 1), MIB(41));
    struct segment_space rest = take(folder, MIB(100));
    assert_int_equal(rest.segment, 1);
    assert_int_equal(rest.len, WHOLE - MIB(41));
    assert_int_equal(file_bytes(folder, 1), WHOLE);
    segment_keep(folder->segments, &first, MIB(1));
    segment_keep(folder->segments, &large, MIB(40));
    segment_keep(folder->segments, &rest, 0);
}

/* OBJ-SEGMENT-2: what a signal interrupts is done again, at the start and at each step. */
static void test_interrupted(void **state)
{
    struct folder *folder = *state;
    interrupts = 3;
    struct segment_space first = take(folder, MIB(16));
    assert_int_equal(calls, 4);
    interrupts = 2;
    struct segment_space second = take(folder, MIB(16));
    assert_int_equal(second.segment, first.segment);
    assert_int_equal(second.len, MIB(16));
    interrupts = 1;
    segment_keep(folder->segments, &second, 0);
    assert_int_equal(interrupts, 0);
    segment_keep(folder->segments, &first, MIB(16));
}

static off_t disk_blocks(const struct folder *folder, uint32_t segment)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%08x.seg", folder->dir, segment);
    assert_int_equal(stat(path, &st), 0);
    return st.st_blocks;
}

/* OBJ-SEGMENT-2: the same for a hole. */
static void test_hole_interrupted(void **state)
{
    struct folder *folder = *state;
    struct err err;
    struct segment_space space = take(folder, MIB(8));
    const off_t before = disk_blocks(folder, 1);
    interrupts = 3;
    assert_ok(segment_free(folder->segments, 1, space.offset, MIB(8), &err));
    assert_int_equal(interrupts, 0);
    assert_true(disk_blocks(folder, 1) <= before - (off_t)(MIB(8) / 512));
    segment_keep(folder->segments, &space, 0);
}

/* OBJ-SEGMENT-3: on a nearly full disk a segment ends where the disk does, a new one is as
 * large as fits, and then there is no space. */
static void test_full_disk(void **state)
{
    struct folder *folder = *state;
    struct err err;
    struct segment_space space;
    disk_bytes = MIB(20);
    struct segment_space first = take(folder, MIB(15));
    struct segment_space rest = take(folder, MIB(10));
    assert_int_equal(rest.len, MIB(1));
    disk_bytes = MIB(5);
    struct segment_space small = take(folder, MIB(10));
    assert_int_equal(small.segment, 2);
    assert_int_equal(small.len, MIB(4)); /* halved until it fits */
    disk_bytes = MIB(3);
    assert_int_equal(segment_take(folder->segments, MIB(10), OBJ_BLOCK_BYTES, &space, &err),
                     ERR_NO_SPACE);
    segment_keep(folder->segments, &first, MIB(15));
    segment_keep(folder->segments, &rest, MIB(1));
    segment_keep(folder->segments, &small, 0);
    assert_int_equal(stats_of(folder).live_bytes, MIB(16));
}

static void reopen(struct folder *folder)
{
    struct err err;
    segments_close(TAKE(folder->segments));
    assert_ok(segments_open(folder->dir, WHOLE, &folder->segments, &err));
}

static void make_file(const struct folder *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* What only looks like a segment's name is nobody's business. */
static void test_names(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {
        "0000000A.seg",  "0x000001.seg", "-0000001.seg", " 0000001.seg",
        "00000001.seg~", "1.seg",        "00000002.se",  "seg"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        make_file(folder, names[i]);
    reopen(folder);
    assert_int_equal(stats_of(folder).files, 0);
    make_file(folder, "0000000a.seg");
    reopen(folder);
    assert_int_equal(stats_of(folder).files, 1);
    struct segment_space space = take(folder, MIB(1));
    assert_int_equal(space.segment, 11);
    segment_keep(folder->segments, &space, 0);
}

/* A folder that cannot be read to its end is no empty one. */
static void test_unreadable_folder(void **state)
{
    struct folder *folder = *state;
    struct segments *segments = NULL;
    struct err err;
    folder_fails = true;
    enum err_code code = segments_open(folder->dir, WHOLE, &segments, &err);
    folder_fails = false;
    assert_int_equal(code, ERR_IO);
    assert_null(segments);
}

/* OBJ-SEGMENT-4: numbers begin above those that were given, and end. */
static void test_numbers(void **state)
{
    struct folder *folder = *state;
    struct err err;
    segments_begin_at(folder->segments, 7);
    segments_begin_at(folder->segments, 3);
    struct segment_space space = take(folder, MIB(1));
    assert_int_equal(space.segment, 7);
    segment_keep(folder->segments, &space, 0);
    make_file(folder, "ffffffff.seg");
    reopen(folder);
    assert_int_equal(segment_take(folder->segments, MIB(1), OBJ_BLOCK_BYTES, &space, &err),
                     ERR_LIMIT);
}

/* A count that does not add up is no reason to take a file away. */
static void test_forget_too_much(void **state)
{
    struct folder *folder = *state;
    struct segment_space first = take(folder, MIB(1)), all = take(folder, WHOLE - MIB(1));
    segment_keep(folder->segments, &first, MIB(1));
    segment_keep(folder->segments, &all, WHOLE - MIB(1));
    struct segment_space next = take(folder, MIB(1)); /* so that the first is full */
    assert_int_equal(next.segment, 2);
    segment_forget(folder->segments, 1, MIB(1));
    segment_forget(folder->segments, 1, WHOLE);
    assert_true(file_bytes(folder, 1) > 0);
    segment_forget(folder->segments, 1, WHOLE - MIB(1));
    assert_int_equal(stats_of(folder).files, 1);
    segment_keep(folder->segments, &next, 0);
}

#define SEGMENT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        SEGMENT_TEST(test_grows),
        SEGMENT_TEST(test_large_want),
        SEGMENT_TEST(test_interrupted),
        SEGMENT_TEST(test_full_disk),
        SEGMENT_TEST(test_hole_interrupted),
        SEGMENT_TEST(test_names),
        SEGMENT_TEST(test_unreadable_folder),
        SEGMENT_TEST(test_numbers),
        SEGMENT_TEST(test_forget_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
