/* rocks_test.c - RocksDB behind struct kv: what is there after a kill, what is
 * said of flipped bits, who may open it. KV-DURABLE-1, KV-ROT-1, KV-ROT-2,
 * KV-LOCK-1, KV-COPY-1, KV-FULL-2 (ACC-45, ACC-50).
 *
 * Planted and caught: verify() that read through the cache; a second one that
 * looked at the log before the lock; acknowledgements before the write. That a sync comes
 * before each acknowledgement no kill can show: the power cuts of tests/fault do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "storage/kv/commit.h"
#include "tests/unit/storage/kv/place.h"

#define ROWS  400
#define KILLS 20
#define FLIPS 40

struct row {
    uint8_t key[8];
    uint8_t value[5000];
    size_t len;
};

/* The n-th row: its content follows from its number. */
static void make_row(uint32_t n, struct row *ret_row)
{
    uint32_t x = n * 2654435761u + 1;
    for (int i = 7; i >= 0; i--)
        ret_row->key[i] = i < 4 ? 0 : (uint8_t)(n >> (7 - i) * 8);
    ret_row->len = 200 + n * 37 % 4800;
    for (size_t i = 0; i < ret_row->len; i++) {
        x = x * 1664525 + 1013904223;
        ret_row->value[i] = (uint8_t)(x >> 24);
    }
}

static enum err_code put_row(struct kv *kv, uint32_t n, bool sync)
{
    struct row row;
    make_row(n, &row);
    struct kv_op ops[] = {
        {KV_PUT, KV_META, bytes_of(row.key, 8), bytes_of(row.value, 100)},
        {KV_PUT, KV_BODIES, bytes_of(row.key, 8), bytes_of(row.value, row.len)},
        {KV_PUT, KV_CHANGES, bytes_of(row.key, 8), bytes_of(row.value, 50)},
    };
    return kv->calls->write(kv, ops, ARRAY_LEN(ops), sync, NULL);
}

/* Read row n from all families: ERR_OK means every byte is right. */
static enum err_code check_row(struct kv *kv, uint32_t n)
{
    struct row row;
    make_row(n, &row);
    const size_t lens[KV_FAMILIES] = {100, row.len, 50};
    for (int family = 0; family < KV_FAMILIES; family++) {
        struct kv_value value = {0};
        struct err err = {0};
        enum err_code code = kv_get(kv, (enum kv_family)family, bytes_of(row.key, 8), &value, &err);
        if (code)
            return code;
        assert_true(bytes_equal(value.bytes, bytes_of(row.value, lens[family])));
        kv_value_free(kv, &value);
    }
    return ERR_OK;
}

static void fill_place(const struct place *place)
{
    struct kv *kv = place_open(place);
    for (uint32_t n = 0; n < ROWS; n++)
        assert_int_equal(put_row(kv, n, false), ERR_OK);
    kv->calls->close(kv);
    kv = place_open(place); /* the log becomes table files */
    kv->calls->close(kv);
}

static enum err_code write_one(struct kv *kv, enum kv_op_kind kind, struct bytes value)
{
    const struct kv_op op = {kind, KV_META, BYTES_LIT("row"), value};
    return kv->calls->write(kv, &op, 1, false, NULL);
}

/* Read the row twice, from RocksDB and as it was kept; data NULL = it is not there. */
static void assert_reads(struct kv *kv, struct bytes wanted)
{
    for (int i = 0; i < 2; i++) {
        struct kv_value value;
        bool found;
        assert_int_equal(kv_find(kv, KV_META, BYTES_LIT("row"), &found, &value, NULL), ERR_OK);
        assert_int_equal(found, wanted.data != NULL);
        assert_true(bytes_equal(value.bytes, wanted));
        kv_value_free(kv, &value);
    }
}

/* KV-ROW-1 */
static void test_a_row_is_read_as_it_was_written_last(void **state)
{
    struct place *place = place_new();
    struct kv *kv = place_open(place);
    const struct bytes none = {0};
    (void)state;
    assert_reads(kv, none);
    for (uint8_t i = 0; i < 50; i++) {
        assert_int_equal(write_one(kv, KV_PUT, bytes_of(&i, 1)), ERR_OK);
        assert_reads(kv, bytes_of(&i, 1));
    }
    assert_int_equal(write_one(kv, KV_DELETE, none), ERR_OK);
    assert_reads(kv, none);
    assert_int_equal(write_one(kv, KV_PUT, BYTES_LIT("again")), ERR_OK);
    assert_reads(kv, BYTES_LIT("again"));
    assert_int_equal(kv->calls->reopen(kv, NULL), ERR_OK);
    assert_reads(kv, BYTES_LIT("again"));
    assert_int_equal(write_one(kv, KV_DELETE_RANGE, BYTES_LIT("rox")), ERR_OK);
    assert_reads(kv, none);
    kv->calls->close(kv);
    place_free(place);
}

/* KV-ROW-3 */
static void test_a_verify_forgets_rows(void **state)
{
    enum { ROW_BYTES = 8192 };
    static const uint8_t value[ROW_BYTES];
    struct place *place = place_new();
    struct kv *kv = place_open(place);
    struct err err;
    (void)state;
    assert_int_equal(write_one(kv, KV_PUT, bytes_of(value, sizeof(value))), ERR_OK);
    assert_reads(kv, bytes_of(value, sizeof(value)));
    uint64_t held = kv->calls->property(kv, "cache_bytes");
    assert_true(held >= ROW_BYTES);
    assert_int_equal(kv->calls->verify(kv, &err), ERR_OK);
    assert_true(kv->calls->property(kv, "cache_bytes") <= held - ROW_BYTES);
    assert_reads(kv, bytes_of(value, sizeof(value)));
    kv->calls->close(kv);
    place_free(place);
}

/* KV-LOCK-1: a second one is told so, and takes nothing from the first. */
static void test_one_at_a_time(void **state)
{
    struct place *place = place_new();
    struct kv *kv = place_open(place), *second = NULL;
    struct err err = {0};
    struct stat before, after;
    char path[512];
    (void)state;
    assert_int_equal(put_row(kv, 0, true), ERR_OK);
    assert_true(place_newest(place->kv, ".log", path, sizeof path));
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(truncate(path, before.st_size + 3), 0); /* a write under way */
    for (int i = 0; i < 3; i++)
        assert_int_equal(kv_rocks_open(place->kv, &place_options, &second, &err), ERR_BUSY);
    assert_null(second);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, before.st_size + 3);
    assert_int_equal(truncate(path, before.st_size), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(kv_rocks_open(place->kv, &place_options, &second, &err) == ERR_BUSY ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(put_row(kv, 1, true), ERR_OK);
    kv->calls->close(kv);
    kv = place_open(place);
    assert_int_equal(check_row(kv, 1), ERR_OK);
    kv->calls->close(kv);
    place_free(place);
}

static void test_places_that_cannot_be_opened(void **state)
{
    struct place *place = place_new();
    struct kv *kv = NULL;
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/no/such", place->dir);
    assert_int_not_equal(kv_rocks_open(path, &place_options, &kv, NULL), ERR_OK);
    place_write(place->kv, (const uint8_t *)"file", 4);
    assert_int_not_equal(kv_rocks_open(place->kv, &place_options, &kv, NULL), ERR_OK);
    assert_null(kv);
    place_free(place);
}

/* KV-FULL-2: reopening waits for readers, but not for ever. */
static void test_reopen_waits_for_values(void **state)
{
    struct place *place = place_new();
    struct kv *kv = place_open(place);
    struct kv_value value = {0};
    struct row row;
    (void)state;
    make_row(7, &row);
    assert_int_equal(put_row(kv, 7, true), ERR_OK);
    assert_int_equal(kv_get(kv, KV_META, bytes_of(row.key, 8), &value, NULL), ERR_OK);
    assert_int_equal(kv->calls->reopen(kv, NULL), ERR_BUSY);
    assert_int_equal(check_row(kv, 7), ERR_OK);
    kv_value_free(kv, &value);
    struct kv_snapshot *snapshot = kv->calls->snapshot_open(kv);
    assert_int_equal(kv->calls->reopen(kv, NULL), ERR_BUSY);
    kv->calls->snapshot_close(kv, snapshot);
    assert_int_equal(kv->calls->reopen(kv, NULL), ERR_OK);
    assert_int_equal(check_row(kv, 7), ERR_OK);
    kv->calls->close(kv);
    place_free(place);
}

/* A reopen that fails leaves a store that says so, and that the next one mends. */
static void test_a_reopen_that_fails_can_be_tried_again(void **state)
{
    struct place *place = place_new();
    struct kv *kv = place_open(place), *iter_kv = kv;
    struct kv_iter *iter = NULL;
    struct err err = {0};
    char path[512], aside[128];
    (void)state;
    assert_int_equal(put_row(kv, 7, true), ERR_OK);
    assert_true(place_newest(place->kv, "CURRENT", path, sizeof path));
    snprintf(aside, sizeof aside, "%s/aside", place->dir);
    assert_int_equal(rename(place->kv, aside), 0);
    place_write(place->kv, (const uint8_t *)"", 0); /* a file where the folder was */
    assert_int_not_equal(kv->calls->reopen(kv, &err), ERR_OK);
    assert_int_equal(check_row(kv, 7), ERR_IO);
    assert_int_equal(put_row(kv, 8, true), ERR_IO);
    assert_null(kv->calls->snapshot_open(kv));
    assert_int_equal(kv->calls->iter_open(iter_kv, NULL, KV_META, (struct bytes){0},
                                          (struct bytes){0}, &iter, &err),
                     ERR_IO);
    assert_int_equal(kv->calls->property(kv, "sst_bytes"), 0);
    assert_int_equal(unlink(place->kv), 0);
    assert_int_equal(rename(aside, place->kv), 0);
    assert_int_equal(kv->calls->reopen(kv, &err), ERR_OK);
    assert_int_equal(check_row(kv, 7), ERR_OK);
    kv->calls->close(kv);
    place_free(place);
}

/* ---- rot ---- */

/* Every row is right or refused; how many were refused. */
static size_t refused_rows(struct kv *kv)
{
    size_t refused = 0;
    for (uint32_t n = 0; n < ROWS; n++) {
        enum err_code code = check_row(kv, n);
        assert_true(code == ERR_OK || code == ERR_CORRUPT);
        refused += code != ERR_OK;
    }
    return refused;
}

/* KV-ROT-1, KV-ROT-2: a flipped bit in a table file is never served, and verify
 * finds it, in filters and properties too, of which RocksDB serves nothing. */
static void flip_and_look(const char *dir, const char *path, const uint8_t *data, size_t len,
                          size_t at)
{
    struct kv *kv = NULL;
    struct err err = {0};
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, data, len);
    copy[at] ^= (uint8_t)(1 << rand() % 8);
    place_write(path, copy, len);
    free(copy);
    enum err_code code = kv_rocks_open(dir, &place_options, &kv, &err);
    if (code) {
        assert_int_equal(code, ERR_CORRUPT);
        return;
    }
    refused_rows(kv);
    code = kv->calls->verify(kv, &err);
    if (code != ERR_CORRUPT)
        print_error("flip at %zu of %zu in %s: verify says %s\n", at, len, path,
                    err_code_name(code));
    assert_int_equal(code, ERR_CORRUPT);
    assert_non_null(strstr(err.msg, strrchr(path, '/') + 1));
    kv->calls->close(kv);
}

static void flip_in_every(const struct place *place, const char *ending, int flips)
{
    char dir[128], path[512];
    DIR *entries = opendir(place->kv);
    assert_non_null(entries);
    snprintf(dir, sizeof dir, "%s/flipped", place->dir);
    for (struct dirent *entry; (entry = readdir(entries));) {
        size_t len;
        if (!bytes_ends_with(bytes_of_str(entry->d_name), bytes_of_str(ending)))
            continue;
        snprintf(path, sizeof path, "%s/%s", place->kv, entry->d_name);
        uint8_t *data = place_read(path, &len);
        for (int i = 0; i < flips; i++) {
            place_copy(place->kv, dir);
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
            size_t at = i % 2 ? len - 1 - (size_t)rand() % 2048 % len : (size_t)rand() % len;
            flip_and_look(dir, path, data, len, at);
        }
        free(data);
    }
    closedir(entries);
}

static void test_a_flipped_bit_in_a_table_is_found(void **state)
{
    struct place *place = place_new();
    (void)state;
    fill_place(place);
    flip_in_every(place, ".sst", FLIPS);
    place_free(place);
}

/* What a verify that was killed left holds the space of tables, until the next opening. */
static void test_leftovers_of_verify_are_removed(void **state)
{
    static const char *const names[] = {"verify", "verify.tmp"};
    struct place *place = place_new();
    char whole[128], path[512];
    (void)state;
    fill_place(place);
    snprintf(whole, sizeof whole, "%s/whole", place->dir);
    place_copy(place->kv, whole);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", place->kv, names[i]);
        place_copy(whole, path);
    }
    assert_int_equal(unlinkat(AT_FDCWD, strcat(path, "/CURRENT"), 0), 0); /* in part */
    struct kv *kv = place_open(place);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", place->kv, names[i]);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_int_equal(refused_rows(kv), 0);
    assert_int_equal(kv->calls->verify(kv, NULL), ERR_OK);
    kv->calls->close(kv);
    place_free(place);
}

/* The largest table of a store; its length. */
static size_t largest_table(const struct place *place, char *ret_path, size_t room)
{
    char path[512];
    struct stat st;
    size_t largest = 0;
    DIR *entries = opendir(place->kv);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", place->kv, entry->d_name);
        if (!bytes_ends_with(bytes_of_str(path), BYTES_LIT(".sst")) || stat(path, &st) ||
            (size_t)st.st_size <= largest)
            continue;
        largest = (size_t)st.st_size;
        snprintf(ret_path, room, "%s", path);
    }
    closedir(entries);
    return largest;
}

static void flip_bit(const char *path, size_t at)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

/* KV-ROT-2: blocks that the cache holds are read from the disk all the same. */
static void test_verify_does_not_trust_the_cache(void **state)
{
    struct place *place = place_new();
    struct err err = {0};
    char path[512];
    (void)state;
    fill_place(place);
    struct kv *kv = place_open(place);
    assert_int_equal(refused_rows(kv), 0);
    assert_int_equal(kv->calls->verify(kv, &err), ERR_OK);
    assert_true(place_newest(place->kv, ".sst", path, sizeof path));
    flip_bit(path, 1000);
    assert_int_equal(kv->calls->verify(kv, &err), ERR_CORRUPT);
    assert_int_equal(put_row(kv, ROWS, true), ERR_OK); /* the rest goes on */
    assert_int_equal(check_row(kv, ROWS), ERR_OK);
    kv->calls->close(kv);
    snprintf(path, sizeof path, "%s/verify", place->kv);
    assert_int_not_equal(access(path, F_OK), 0); /* nothing is left behind */
    place_free(place);
}

/* Write rows over those that are there, so that tables overlap, until one fails; its code. */
static enum err_code write_over(struct kv *kv, uint32_t rows, struct err *err)
{
    enum err_code code = ERR_OK;
    for (uint32_t n = 0; n < rows && !code; n++) {
        struct row row;
        make_row(n * 7 % ROWS, &row);
        struct kv_op op = {KV_PUT, KV_BODIES, bytes_of(row.key, 8), bytes_of(row.value, row.len)};
        code = kv->calls->write(kv, &op, 1, false, err);
    }
    return code;
}

/* KV-ROT-3: a compaction that meets damage stops writes, names the table and changes nothing;
 * reopened, the store takes writes for good. */
static void test_a_compaction_that_meets_damage(void **state)
{
    struct place *place = place_new();
    struct err err = {0};
    char path[512];
    (void)state;
    fill_place(place);
    size_t len = largest_table(place, path, sizeof path);
    flip_bit(path, len / 2);
    for (int restart = 0; restart < 2; restart++) {
        struct kv *kv = place_open(place);
        assert_int_equal(write_over(kv, 40 * ROWS, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.msg, strrchr(path, '/') + 1));
        assert_int_equal(write_over(kv, 1, &err), ERR_CORRUPT);
        refused_rows(kv);
        assert_int_equal(kv->calls->reopen(kv, &err), ERR_OK);
        assert_int_equal(write_over(kv, 40 * ROWS, &err), ERR_OK);
        assert_int_equal(refused_rows(kv), 0); /* each has been written anew */
        assert_int_equal(kv->calls->property(kv, "background_errors"), 0);
        kv->calls->close(kv);
    }
    place_free(place);
}

static void test_a_damaged_manifest_is_refused(void **state)
{
    struct place *place = place_new();
    struct err err = {0};
    char dir[128], path[512];
    (void)state;
    fill_place(place);
    snprintf(dir, sizeof dir, "%s/flipped", place->dir);
    DIR *entries = opendir(place->kv);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (strncmp(entry->d_name, "MANIFEST", 8) != 0)
            continue;
        size_t len;
        snprintf(path, sizeof path, "%s/%s", place->kv, entry->d_name);
        uint8_t *data = place_read(path, &len);
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        for (size_t at = 0; at < len; at += 13) {
            struct kv *kv = NULL;
            place_copy(place->kv, dir);
            data[at] ^= 1;
            place_write(path, data, len);
            data[at] ^= 1;
            enum err_code code = kv_rocks_open(dir, &place_options, &kv, &err);
            if (code == ERR_OK) {
                print_error("flip at %zu of %zu in the manifest was not seen\n", at, len);
                kv->calls->close(kv);
            }
            assert_int_equal(code, ERR_CORRUPT);
        }
        free(data);
    }
    closedir(entries);
    place_free(place);
}

/* ---- copies and numbers ---- */

/* KV-COPY-1: a checkpoint is a store with the same rows, written or not yet flushed. */
static void test_a_checkpoint_opens_and_equals(void **state)
{
    struct place *place = place_new();
    struct err err = {0};
    char dir[128];
    (void)state;
    fill_place(place);
    struct kv *kv = place_open(place);
    assert_int_equal(put_row(kv, ROWS, true), ERR_OK);
    snprintf(dir, sizeof dir, "%s/copy", place->dir);
    assert_int_equal(kv->calls->checkpoint(kv, dir, &err), ERR_OK);
    assert_int_not_equal(kv->calls->checkpoint(kv, dir, &err), ERR_OK); /* it is there */
    assert_int_equal(put_row(kv, ROWS + 1, true), ERR_OK);
    kv->calls->close(kv);
    snprintf(place->kv, sizeof place->kv, "%s/copy", place->dir);
    kv = place_open(place);
    for (uint32_t n = 0; n <= ROWS; n++)
        assert_int_equal(check_row(kv, n), ERR_OK);
    assert_int_equal(check_row(kv, ROWS + 1), ERR_NOT_FOUND);
    kv->calls->close(kv);
    place_free(place);
}

static void test_properties(void **state)
{
    struct place *place = place_new();
    (void)state;
    fill_place(place);
    struct kv *kv = place_open(place);
    assert_int_equal(refused_rows(kv), 0);
    assert_true(kv->calls->property(kv, "sst_bytes") > ROWS * 200);
    assert_true(kv->calls->property(kv, "memtable_bytes") > 0);
    assert_true(kv->calls->property(kv, "cache_bytes") > 0);
    assert_int_equal(kv->calls->property(kv, "background_errors"), 0);
    assert_int_equal(kv->calls->property(kv, "write_stopped"), 0);
    assert_int_equal(kv->calls->property(kv, "no such"), 0);
    kv->calls->close(kv);
    place_free(place);
}

/* ---- kills ---- */

/* Commit rows and tell of each that was acknowledged, until killed. */
static int commit_rows(const char *dir, uint32_t first, int tell)
{
    struct kv *kv = NULL;
    struct committer *committer = NULL;
    struct arena arena;
    if (kv_rocks_open(dir, &place_options, &kv, NULL) ||
        committer_start(kv, clock_system(), first, 0, &committer, NULL))
        return 1;
    arena_init(&arena, 1 << 20);
    for (uint32_t n = first;; n++) {
        struct commit_batch batch;
        struct row row;
        arena_reset(&arena);
        commit_batch_init(&batch, &arena);
        make_row(n, &row);
        commit_put(&batch, KV_META, bytes_of(row.key, 8), bytes_of(row.value, 100));
        commit_put(&batch, KV_BODIES, bytes_of(row.key, 8), bytes_of(row.value, row.len));
        commit_put(&batch, KV_CHANGES, bytes_of(row.key, 8), bytes_of(row.value, 50));
        if (commit(committer, &batch, NULL) || write(tell, &n, sizeof n) != sizeof n)
            return 2;
    }
}

/* Run the child until `ms` after its first commit; the number of rows acknowledged in all. */
static uint32_t run_and_kill(const struct place *place, uint32_t first, unsigned ms)
{
    uint32_t n, acknowledged = first;
    int told[2], status;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) { /* this program anew: see main */
        char number[16];
        snprintf(number, sizeof number, "%u", first);
        dup2(told[1], STDOUT_FILENO);
        close(told[0]);
        close(told[1]);
        execl("/proc/self/exe", "rocks_test", place->kv, number, (char *)NULL);
        _exit(3);
    }
    close(told[1]);
    assert_int_equal(read(told[0], &n, sizeof n), sizeof n); /* it is at work */
    acknowledged = n + 1;
    usleep(ms * 1000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(told[0], &n, sizeof n) == sizeof n)
        acknowledged = n + 1;
    close(told[0]);
    return acknowledged;
}

/* KV-DURABLE-1 */
static void test_a_kill_loses_nothing_acknowledged(void **state)
{
    struct place *place = place_new();
    uint32_t acknowledged = 0;
    (void)state;
    for (int round = 0; round < KILLS; round++) {
        acknowledged = run_and_kill(place, acknowledged, (unsigned)rand() % 150);
        struct kv *kv = place_open(place);
        for (uint32_t n = 0; n < acknowledged; n++)
            assert_int_equal(check_row(kv, n), ERR_OK);
        kv->calls->close(kv);
    }
    assert_true(acknowledged >= KILLS);
    place_free(place);
}

/* With arguments: the child of run_and_kill. */
int main(int argc, char **argv)
{
    if (argc == 3)
        return commit_rows(argv[1], (uint32_t)strtoul(argv[2], NULL, 10), STDOUT_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_read_as_it_was_written_last),
        cmocka_unit_test(test_a_verify_forgets_rows),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_places_that_cannot_be_opened),
        cmocka_unit_test(test_reopen_waits_for_values),
        cmocka_unit_test(test_a_reopen_that_fails_can_be_tried_again),
        cmocka_unit_test(test_a_flipped_bit_in_a_table_is_found),
        cmocka_unit_test(test_verify_does_not_trust_the_cache),
        cmocka_unit_test(test_leftovers_of_verify_are_removed),
        cmocka_unit_test(test_a_compaction_that_meets_damage),
        cmocka_unit_test(test_a_damaged_manifest_is_refused),
        cmocka_unit_test(test_a_checkpoint_opens_and_equals),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_a_kill_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
