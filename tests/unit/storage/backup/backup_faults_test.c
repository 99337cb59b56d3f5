/* backup_faults_test.c - every failure of a backup and of a restore, one at a
 * time (BACKUP-FAULT): the 1st allocation fails, then the 2nd, … until none does;
 * the same for every call that touches a disk, with EIO and with ENOSPC.
 *
 * After each: the newest complete generation is whole. At the end one without
 * faults goes on, and what it restores is what was stored.
 *
 * Planted bug that it caught: a sync of DEST whose failure was not looked at.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync,--wrap=syncfs
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "tests/unit/storage/backup/backup_fixture.h"

#include "tests/unit/alloc_fail.h"
#include "tests/unit/io_fail.h"

#define FAULTS_MAX 5000

int __real_syncfs(int fd);
int __wrap_syncfs(int fd);

static bool sync_failed; /* DEST has not what was written before */

int __wrap_syncfs(int fd)
{
    if (io_fail_now()) {
        sync_failed = true;
        return -1;
    }
    return __real_syncfs(fd);
}

/* What counts as complete is complete. */
static void check_newest(struct box *b)
{
    struct err err;
    struct restore_result result;
    const struct restore_options options = {.source = b->dest};
    assert_ok(restore_verify(&options, &result, &err));
    assert_int_equal(result.damaged, 0);
}

static void check_all(struct box *b)
{
    struct err err;
    struct restore_result result;
    assert_string_equal(box_back_up(b)->problem, "");
    assert_int_equal(box_status.damaged, 0);
    assert_ok(box_restore(b, 0, &result, &err));
    struct box *other = box_open_restored(b);
    assert_ok(get(&other->f, "large", MIB(1) + 5, 1, &err));
    assert_ok(get(&other->f, "small", 1000, 2, &err));
    assert_ok(get(&other->f, "second", KIB(300), 3, &err));
    box_close_restored(other);
}

static void begin(struct box *b)
{
    put(&b->f, "large", MIB(1) + 5, 1);
    put(&b->f, "small", 1000, 2);
    box_back_up(b);
    put(&b->f, "second", KIB(300), 3);
}

static void one_backup(struct box *b)
{
    struct err err;
    if (box_begin(b, 2, 0, &err) != ERR_OK)
        return;
    box_wait(b);
    assert_true(box_status.complete || box_status.problem[0]);
}

/* BACKUP-FAULT-1: memory that is out leaves a complete backup, and a box that goes on. */
static void test_memory(void **state)
{
    struct box *b = *state;
    begin(b);
    bool hit = true;
    for (long nth = 1; hit && nth < FAULTS_MAX; nth += 1 + nth / 20) {
        put(&b->f, "second", KIB(300), 3); /* something to copy, each time */
        alloc_fail_arm(nth);
        one_backup(b);
        hit = alloc_fail_disarm();
        check_newest(b);
    }
    assert_false(hit);
    check_all(b);
}

/* BACKUP-FAULT-2: the same for every read, write and sync. A read of the box that fails is damage
 * that is told. */
static void io_faults(struct box *b, int errno_value)
{
    bool hit = true;
    for (long nth = 1; hit && nth < FAULTS_MAX; nth++) {
        put(&b->f, "second", KIB(300), 3);
        sync_failed = false;
        io_fail_arm(nth, errno_value);
        one_backup(b);
        hit = io_fail_disarm();
        assert_false(sync_failed && box_status.complete && !box_status.problem[0]);
        check_newest(b);
    }
    assert_false(hit);
}

static void test_disk(void **state)
{
    struct box *b = *state;
    begin(b);
    io_faults(b, EIO);
    io_faults(b, ENOSPC);
    check_all(b);
}

/* BACKUP-FAULT-3: a restore that failed says so. */
static void test_restore(void **state)
{
    struct box *b = *state;
    struct err err;
    struct restore_result result;
    begin(b);
    box_back_up(b);
    bool hit = true;
    for (long nth = 1; hit && nth < FAULTS_MAX; nth++) {
        io_fail_arm(nth, nth % 2 ? EIO : ENOSPC);
        enum err_code rc = box_restore(b, 0, &result, &err);
        hit = io_fail_disarm();
        assert_true(hit == (rc != ERR_OK));
    }
    hit = true;
    for (long nth = 1; hit && nth < FAULTS_MAX; nth += 1 + nth / 20) {
        alloc_fail_arm(nth);
        enum err_code rc = box_restore(b, 0, &result, &err);
        hit = alloc_fail_disarm();
        assert_true(hit || rc == ERR_OK);
    }
    check_all(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {BOX_TEST(test_memory), BOX_TEST(test_disk),
                                       BOX_TEST(test_restore)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
