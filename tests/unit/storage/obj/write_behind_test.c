/* write_behind_test.c - bodies that are written by other threads while more of them
 * comes (OBJ-BEHIND), on a disk that stands still or fails when told.
 *
 * Planted bugs that it caught: a slot that is filled again before it is written; a
 * space given back while it is being written; an early sync whose failure is lost; no
 * early sync; a write after a failed one.
 *
 * LINK: -Wl,--wrap=pwrite64,--wrap=fdatasync
 */
#include "tests/unit/storage/obj/obj_fixture.h"

#include <errno.h>

#include "storage/obj/write_behind.h"

#define LONG_BODY (3 * (size_t)WRITE_BEHIND_SYNC_BYTES)

/* The disk: writes wait while it stands still. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disk_moves = PTHREAD_COND_INITIALIZER;
static bool stands_still;
static bool writes_fail, syncs_fail; /* with EIO */
static unsigned writes, syncs;

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at)
{
    pthread_mutex_lock(&disk);
    while (stands_still)
        pthread_cond_wait(&disk_moves, &disk);
    bool fail = writes_fail;
    writes++;
    pthread_mutex_unlock(&disk);
    errno = EIO;
    return fail ? -1 : __real_pwrite64(fd, data, len, at);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    pthread_mutex_lock(&disk);
    bool fail = syncs_fail;
    syncs++;
    pthread_mutex_unlock(&disk);
    errno = EIO;
    return fail ? -1 : __real_fdatasync(fd);
}

static void disk_set(bool *what, bool to)
{
    pthread_mutex_lock(&disk);
    *what = to;
    pthread_cond_broadcast(&disk_moves);
    pthread_mutex_unlock(&disk);
}

static unsigned disk_count(const unsigned *what)
{
    pthread_mutex_lock(&disk);
    unsigned count = *what;
    pthread_mutex_unlock(&disk);
    return count;
}

static int setup(void **state)
{
    stands_still = writes_fail = syncs_fail = false;
    writes = syncs = 0;
    *state = fixture_new();
    return 0;
}

static int teardown(void **state)
{
    disk_set(&stands_still, false);
    fixture_free(*state);
    return 0;
}

/* The next piece of the pattern that put_bytes() writes with salt 9. */
static enum err_code write_more(struct body_writer *writer, size_t len, struct err *err)
{
    uint8_t *piece = malloc(len);
    assert_non_null(piece);
    pattern(piece, len, body_writer_length(writer), 9);
    enum err_code rc = body_writer_write(writer, bytes_of(piece, len), err);
    free(piece);
    return rc;
}

static enum err_code store_body(struct fixture *f, struct body_writer *writer, struct err *err)
{
    struct record_object object;
    struct object_put put = {.key = BYTES_LIT("key"),
                             .object = {.owner = OWNER},
                             .body = writer,
                             .operation = CHANGE_OBJECT_PUT};
    return object_put(f->store, f->bucket, &put, &f->arena, &object, err);
}

/* Something done by a thread of its own, and whether it is done. */
struct beside {
    struct body_writer *writer;
    void (*run)(struct beside *beside);
    pthread_t thread;
    atomic_bool done;
};

static void *run_beside(void *ctx)
{
    struct beside *beside = ctx;
    beside->run(beside);
    atomic_store(&beside->done, true);
    return NULL;
}

static void beside_start(struct beside *beside)
{
    assert_int_equal(pthread_create(&beside->thread, NULL, run_beside, beside), 0);
}

/* It waits for the disk; once the disk moves it ends. */
static void beside_ends_with_disk(struct beside *beside)
{
    usleep(50000);
    assert_false(atomic_load(&beside->done));
    disk_set(&stands_still, false);
    assert_int_equal(pthread_join(beside->thread, NULL), 0);
}

static void write_a_buffer(struct beside *beside)
{
    struct err err;
    assert_ok(write_more(beside->writer, OBJ_BUFFER_BYTES, &err));
}

/* OBJ-BEHIND-1: a body fills its buffer while the disk stands still, and no byte of the
 * buffer is taken again before it is written. */
static void test_fills_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct beside beside = {.run = write_a_buffer};
    assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &beside.writer, &err));
    disk_set(&stands_still, true);
    assert_ok(write_more(beside.writer, OBJ_BUFFER_BYTES - 1, &err)); /* or it hangs */
    beside_start(&beside);
    beside_ends_with_disk(&beside);
    assert_ok(store_body(f, beside.writer, &err));
    assert_ok(get(f, "key", 2 * OBJ_BUFFER_BYTES - 1, 9, &err));
}

static void give_up(struct beside *beside)
{
    body_writer_free(beside->writer);
}

/* OBJ-BEHIND-2: what is given up keeps its space until it is not being written any more. */
static void test_given_up(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct beside beside = {.run = give_up};
    assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &beside.writer, &err));
    disk_set(&stands_still, true);
    assert_ok(write_more(beside.writer, OBJ_WRITE_BYTES, &err));
    beside_start(&beside);
    usleep(50000);
    struct segments_stats stats;
    segments_get_stats(f->store->segments, &stats);
    assert_true(stats.live_bytes >= OBJ_WRITE_BYTES);
    beside_ends_with_disk(&beside);
    wait_live(f, 0);
}

/* OBJ-BEHIND-3: after a write that failed there is no other of that body, and it is never stored.
 */
static void test_write_fails(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct body_writer *writer;
    assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &writer, &err));
    disk_set(&stands_still, true);
    disk_set(&writes_fail, true);
    assert_ok(write_more(writer, OBJ_BUFFER_BYTES - 1, &err));
    disk_set(&stands_still, false);
    assert_int_equal(write_more(writer, LONG_BODY, &err), ERR_IO);
    unsigned before = disk_count(&writes);
    assert_true(before <= WRITE_BEHIND_THREADS); /* those that were under way */
    disk_set(&writes_fail, false);
    assert_int_equal(store_body(f, writer, &err), ERR_IO);
    assert_int_equal(disk_count(&writes), before);
    assert_int_equal(store_health(f->store, &err),
                     ERR_READ_ONLY); /* the disk is not to be trusted */
}

/* OBJ-BEHIND-4: a long body is synced while it comes; where that failed, the body fails. */
static void test_synced_early(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct body_writer *writer;
    assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &writer, &err));
    assert_ok(write_more(writer, LONG_BODY, &err));
    for (int i = 0; i < 500 && disk_count(&syncs) == 0; i++)
        usleep(10000);
    assert_true(disk_count(&syncs) > 0);
    assert_ok(store_body(f, writer, &err));
    assert_ok(get(f, "key", LONG_BODY, 9, &err));

    assert_ok(body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &writer, &err));
    unsigned before = disk_count(&syncs);
    disk_set(&syncs_fail, true);
    assert_ok(write_more(writer, WRITE_BEHIND_SYNC_BYTES, &err));
    for (int i = 0; i < 500 && disk_count(&syncs) == before; i++)
        usleep(10000);
    disk_set(&syncs_fail, false);
    assert_int_equal(store_body(f, writer, &err), ERR_IO);
    assert_int_equal(store_health(f->store, &err), ERR_READ_ONLY);
}

#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {DISK_TEST(test_fills_meanwhile), DISK_TEST(test_given_up),
                                       DISK_TEST(test_write_fails), DISK_TEST(test_synced_early)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
