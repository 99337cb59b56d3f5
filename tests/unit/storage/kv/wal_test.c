/* wal_test.c - what a power cut leaves is cut off, and rot is refused. KV-LOG-1,
 * KV-LOG-2 (ACC-51).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * The logs are RocksDB's own: a child writes records and goes without a word.
 *
 * Planted and caught: has_record_start that always said no (an acknowledged
 * record behind a zeroed page was cut off); a length that lies taken for the
 * end of the file; a cut at the damage instead of before its record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "storage/kv/wal.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/kv/place.h"

#define RECORDS 48
#define BLOCK   32768
#define PAGE    4096
#define SECTOR  512

static const size_t sizes[] = {100, 4096, 40000, 300, 70000, 9000, 20, 150000};

struct image {
    struct place *place;
    struct place *two; /* a store with two logs */
    char name[32];     /* of the log */
    uint8_t *data;
    size_t len;
    size_t *ends; /* of each record; shared with the child */
    char dir[96]; /* where the log is tried */
    char path[160];
};

static struct image image;

static struct bytes number_key(const uint8_t number[1])
{
    return bytes_of(number, 1);
}

/* Bytes without a zero, so that no sector looks unwritten. */
static void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(rand() | 1);
}

/* Write the records, note where the log ends after each, and die. */
static void write_records(const struct place *place)
{
    char path[512];
    struct stat st;
    uint8_t *body = malloc(150000);
    struct kv *kv = NULL;
    if (!body || kv_rocks_open(place->kv, &place_options, &kv, NULL))
        _exit(1);
    for (uint8_t i = 0; i < RECORDS; i++) {
        fill(body, 150000);
        struct kv_op ops[] = {
            {KV_PUT, KV_META, number_key(&i), bytes_of(body, 8)},
            {KV_PUT, KV_BODIES, number_key(&i), bytes_of(body, sizes[i % ARRAY_LEN(sizes)])},
        };
        if (kv->calls->write(kv, ops, ARRAY_LEN(ops), true, NULL) ||
            !place_newest(place->kv, ".log", path, sizeof path) || stat(path, &st))
            _exit(2);
        image.ends[i] = (size_t)st.st_size;
    }
    _exit(0);
}

static bool holds_tables; /* in the child */

/* The C library's, which RocksDB calls: a table is never done while it is held, and the log
 * of its rows is needed. */
int fdatasync(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = holds_tables ? readlink(link, path, sizeof path) : 0;
    while (len > 4 && memcmp(path + len - 4, ".sst", 4) == 0)
        pause();
    return (int)syscall(SYS_fdatasync, fd);
}

static enum err_code put_64k(struct kv *kv, uint32_t number)
{
    static uint8_t body[65536];
    fill(body, sizeof body);
    struct kv_op ops[] = {
        {KV_PUT, KV_META, bytes_of(&number, sizeof number), bytes_of(body, 8)},
        {KV_PUT, KV_BODIES, bytes_of(&number, sizeof number), bytes_of(body, sizeof body)},
    };
    return kv->calls->write(kv, ops, ARRAY_LEN(ops), true, NULL);
}

/* A child leaves two logs that are both needed. */
static void write_two_logs(const struct place *place)
{
    char first[512], newest[512];
    struct kv *kv = NULL;
    holds_tables = true;
    if (kv_rocks_open(place->kv, &place_options, &kv, NULL) ||
        !place_newest(place->kv, ".log", first, sizeof first))
        _exit(1);
    for (uint32_t i = 0; i < 200; i++) {
        if (put_64k(kv, i) || !place_newest(place->kv, ".log", newest, sizeof newest))
            _exit(2);
        if (strcmp(first, newest) != 0)
            _exit(put_64k(kv, i + 1) ? 3 : 0); /* syncs both */
    }
    _exit(4);
}

/* Both kinds of child come before this process opens a store: RocksDB's threads
 * do not survive a fork. */
static void run_child(void (*write_store)(const struct place *place), const struct place *place)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        write_store(place);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int set_up(void **state)
{
    char path[512];
    (void)state;
    image.place = place_new();
    image.ends = mmap(NULL, RECORDS * sizeof *image.ends, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(image.ends != MAP_FAILED);
    run_child(write_records, image.place);
    image.two = place_new();
    run_child(write_two_logs, image.two);
    assert_true(place_newest(image.place->kv, ".log", path, sizeof path));
    snprintf(image.name, sizeof image.name, "%.31s", strrchr(path, '/') + 1);
    image.data = place_read(path, &image.len);
    assert_int_equal(image.len, image.ends[RECORDS - 1]);
    snprintf(image.dir, sizeof image.dir, "%s/try", image.place->dir);
    snprintf(image.path, sizeof image.path, "%s/%s", image.dir, image.name);
    return mkdir(image.dir, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    munmap(image.ends, RECORDS * sizeof *image.ends);
    free(image.data);
    place_free(image.place);
    place_free(image.two);
    return 0;
}

/* A copy of the log with room behind it; free it. */
static uint8_t *copy_log(void)
{
    uint8_t *copy = calloc(1, image.len + 4 * BLOCK);
    assert_non_null(copy);
    return memcpy(copy, image.data, image.len);
}

/* Where the last record that is whole before `at` ends. */
static size_t prefix_end(size_t at)
{
    size_t end = 0;
    for (size_t i = 0; i < RECORDS; i++)
        if (image.ends[i] <= at)
            end = image.ends[i];
    return end;
}

/* Try a log; the file's length afterwards. */
static enum err_code try_log(const uint8_t *data, size_t len, size_t *ret_len)
{
    struct err err = {0};
    struct stat st;
    place_write(image.path, data, len);
    enum err_code code = wal_check(image.dir, &err);
    assert_int_equal(stat(image.path, &st), 0);
    *ret_len = (size_t)st.st_size;
    if (code == ERR_CORRUPT)
        assert_non_null(strstr(err.msg, image.name));
    return code;
}

static void expect_cut(const uint8_t *data, size_t len, size_t want, size_t at)
{
    size_t after = 0;
    enum err_code code = try_log(data, len, &after);
    if (code || after != want)
        print_error("damaged at %zu: %s, %zu bytes, not %zu\n", at, err_code_name(code), after,
                    want);
    assert_true(code == ERR_OK && after == want);
}

static void expect_rot(const uint8_t *data, size_t len, size_t at)
{
    size_t after = 0;
    enum err_code code = try_log(data, len, &after);
    if (code != ERR_CORRUPT || after != len)
        print_error("damaged at %zu: %s, %zu bytes\n", at, err_code_name(code), after);
    assert_true(code == ERR_CORRUPT && after == len);
}

static void test_whole_logs_stay_as_they_are(void **state)
{
    size_t after;
    (void)state;
    assert_int_equal(wal_check(image.dir, NULL), ERR_OK); /* no log at all */
    expect_cut(image.data, image.len, image.len, 0);
    for (size_t i = 0; i < RECORDS; i++)
        expect_cut(image.data, image.ends[i], image.ends[i], image.ends[i]);
    assert_int_equal(try_log(image.data, 0, &after), ERR_OK);
    assert_int_equal(after, 0);
    assert_int_equal(wal_check("/nowhere/at/all", NULL), ERR_IO);
}

/* KV-LOG-1: the file ends early, at any byte. */
static void test_a_cut_end_leaves_the_records_before(void **state)
{
    (void)state;
    for (size_t len = 1; len < image.len; len += 1 + (size_t)rand() % 9000)
        expect_cut(image.data, len, prefix_end(len), len);
    for (size_t len = image.ends[RECORDS - 3] - 30; len < image.ends[RECORDS - 3] + 30; len++)
        expect_cut(image.data, len, prefix_end(len), len);
}

/* KV-LOG-1: sectors from some place on were not written, but the size was. */
static void test_an_unwritten_end_leaves_the_records_before(void **state)
{
    uint8_t *log = copy_log();
    (void)state;
    for (size_t at = image.len / SECTOR * SECTOR; at > image.len / 2;
         at -= SECTOR * (1 + (size_t)rand() % 30)) {
        memset(log + at, 0, image.len - at);
        expect_cut(log, image.len, prefix_end(at), at);
        expect_cut(log, image.len + BLOCK + 77, prefix_end(at), at);
    }
    free(log);
}

/* KV-LOG-1: some pages of the last record were written and others were not. */
static void test_holes_in_the_last_record_leave_the_ones_before(void **state)
{
    size_t last = image.ends[RECORDS - 2];
    (void)state;
    for (int round = 0; round < 60; round++) {
        uint8_t *log = copy_log();
        size_t holes = 0;
        for (size_t at = (last / PAGE + 1) * PAGE; at + PAGE < image.len; at += PAGE)
            if (rand() % 3 == 0) {
                memset(log + at, 0, PAGE);
                holes++;
            }
        expect_cut(log, image.len, holes ? last : image.len, last);
        free(log);
    }
}

static bool is_in_padding(size_t at)
{
    return at % BLOCK >= BLOCK - 6;
}

/* KV-LOG-2: one bit, anywhere, in the last record too. */
static void test_a_flipped_bit_is_refused(void **state)
{
    uint8_t *log = copy_log();
    (void)state;
    for (size_t at = 0; at < image.len; at += 1 + (size_t)rand() % 5000) {
        if (is_in_padding(at))
            continue;
        uint8_t bit = (uint8_t)(1 << rand() % 8);
        log[at] ^= bit;
        expect_rot(log, image.len, at);
        log[at] ^= bit;
    }
    free(log);
}

/* KV-LOG-2: a length that reaches past the end of the file looks like a cut. */
static void test_a_flipped_length_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < RECORDS; i++)
        for (unsigned bit = 0; bit < 16; bit++) {
            size_t head = image.ends[i];
            if (head % BLOCK + 7 > BLOCK)
                continue;
            uint8_t *log = copy_log();
            log[head + 4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
            expect_rot(log, image.len, head);
            expect_rot(log, image.ends[i + 1], head); /* as the last record */
            free(log);
        }
}

/* KV-LOG-2: an acknowledged record stands behind the hole. */
static void test_a_hole_before_the_last_record_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at + PAGE <= image.ends[RECORDS - 2]; at += PAGE) {
        uint8_t *log = copy_log();
        memset(log + at, 0, PAGE);
        expect_rot(log, image.len, at);
        free(log);
    }
}

/* KV-LOG-2: bytes are missing from the middle. */
static void test_a_missing_middle_is_refused(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        uint8_t *log = copy_log();
        size_t gone = 1 + (size_t)rand() % 5000;
        size_t at = (size_t)rand() % (image.ends[RECORDS - 2] - gone);
        memmove(log + at, log + at + gone, image.len - at - gone);
        expect_rot(log, image.len - gone, at);
        free(log);
    }
}

static void test_garbage_is_refused(void **state)
{
    uint8_t *log = copy_log();
    (void)state;
    fill(log, image.len);
    log[6] = 0x55;
    expect_rot(log, 200, 0);
    expect_rot(log, image.len, 0);
    memcpy(log, image.data, image.ends[9]);
    expect_rot(log, image.len, image.ends[9]);
    free(log);
}

static bool check_once(void *ctx)
{
    struct err err = {0};
    enum err_code code = wal_check(ctx, &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void test_out_of_memory_is_an_error(void **state)
{
    (void)state;
    place_write(image.path, image.data, image.len);
    assert_true(alloc_fail_sweep(check_once, image.dir) > 0);
}

/* ---- through RocksDB ---- */

/* How many rows are there, in both families alike and without a gap. */
static size_t count_rows(struct kv *kv)
{
    size_t rows = 0;
    for (uint8_t i = 0; i < RECORDS; i++) {
        struct kv_value value = {0};
        bool has_meta = false, has_body = false;
        assert_int_equal(kv_find(kv, KV_META, number_key(&i), &has_meta, &value, NULL), ERR_OK);
        kv_value_free(kv, &value);
        assert_int_equal(kv_find(kv, KV_BODIES, number_key(&i), &has_body, &value, NULL), ERR_OK);
        if (has_body)
            assert_int_equal(value.bytes.len, sizes[i % ARRAY_LEN(sizes)]);
        kv_value_free(kv, &value);
        assert_int_equal(has_meta, has_body);
        assert_true(!has_body || rows == i);
        rows += has_body;
    }
    return rows;
}

static enum err_code open_with_log(const uint8_t *log, size_t len, size_t *ret_rows)
{
    struct kv *kv = NULL;
    struct err err = {0};
    place_copy(image.place->kv, image.dir);
    place_write(image.path, log, len);
    enum err_code code = kv_rocks_open(image.dir, &place_options, &kv, &err);
    if (code)
        return code;
    *ret_rows = count_rows(kv);
    kv->calls->close(kv);
    return ERR_OK;
}

static void test_a_store_opens_with_the_records_before_a_torn_one(void **state)
{
    size_t rows = 0;
    uint8_t *log = copy_log();
    (void)state;
    assert_int_equal(open_with_log(log, image.len, &rows), ERR_OK);
    assert_int_equal(rows, RECORDS);
    for (size_t i = 3; i < RECORDS; i += 6) {
        assert_int_equal(open_with_log(log, image.ends[i] - 11, &rows), ERR_OK);
        assert_int_equal(rows, i);
    }
    memset(log + image.ends[RECORDS - 2] / PAGE * PAGE + 3 * PAGE, 0, PAGE);
    assert_int_equal(open_with_log(log, image.len, &rows), ERR_OK);
    assert_int_equal(rows, RECORDS - 1);
    free(log);
}

static void test_a_store_with_rot_in_its_log_does_not_open(void **state)
{
    size_t rows = 0;
    (void)state;
    for (int round = 0; round < 10; round++) {
        uint8_t *log = copy_log();
        log[(size_t)rand() % (image.len / BLOCK) * BLOCK + 100] ^= 1;
        assert_int_equal(open_with_log(log, image.len, &rows), ERR_CORRUPT);
        free(log);
    }
    for (size_t block = 1; block < image.len / BLOCK - 1; block += 7) { /* a whole block less */
        uint8_t *log = copy_log();
        memmove(log + block * BLOCK, log + (block + 1) * BLOCK, image.len - (block + 1) * BLOCK);
        assert_int_equal(open_with_log(log, image.len - BLOCK, &rows), ERR_CORRUPT);
        free(log);
    }
}

static void test_a_short_or_missing_older_log_is_refused(void **state)
{
    char newest[512], older[512] = "", copy[600];
    const struct place *place = image.two;
    struct err err = {0};
    struct kv *kv = NULL;
    (void)state;
    assert_true(place_newest(place->kv, ".log", newest, sizeof newest));
    for (long n = place_number(strrchr(newest, '/') + 1) - 1; n > 0 && !*older; n--) {
        snprintf(older, sizeof older, "%s/%06ld.log", place->kv, n);
        if (access(older, F_OK) != 0)
            *older = 0;
    }
    assert_true(*older);
    size_t len;
    uint8_t *log = place_read(older, &len);
    for (size_t cut = 1; cut < len; cut = cut * 9 + 1) {
        place_copy(place->kv, image.dir);
        snprintf(copy, sizeof copy, "%s%s", image.dir, strrchr(older, '/'));
        assert_int_equal(truncate(copy, (off_t)(len - cut)), 0);
        assert_int_equal(kv_rocks_open(image.dir, &place_options, &kv, &err), ERR_CORRUPT);
    }
    assert_int_equal(unlink(copy), 0);
    assert_int_equal(kv_rocks_open(image.dir, &place_options, &kv, &err), ERR_CORRUPT);
    place_copy(place->kv, image.dir);
    assert_int_equal(kv_rocks_open(image.dir, &place_options, &kv, &err), ERR_OK);
    kv->calls->close(kv);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_logs_stay_as_they_are),
        cmocka_unit_test(test_a_cut_end_leaves_the_records_before),
        cmocka_unit_test(test_an_unwritten_end_leaves_the_records_before),
        cmocka_unit_test(test_holes_in_the_last_record_leave_the_ones_before),
        cmocka_unit_test(test_a_flipped_bit_is_refused),
        cmocka_unit_test(test_a_flipped_length_is_refused),
        cmocka_unit_test(test_a_hole_before_the_last_record_is_refused),
        cmocka_unit_test(test_a_missing_middle_is_refused),
        cmocka_unit_test(test_garbage_is_refused),
        cmocka_unit_test(test_out_of_memory_is_an_error),
        cmocka_unit_test(test_a_store_opens_with_the_records_before_a_torn_one),
        cmocka_unit_test(test_a_store_with_rot_in_its_log_does_not_open),
        cmocka_unit_test(test_a_short_or_missing_older_log_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
