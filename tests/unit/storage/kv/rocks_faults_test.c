/* rocks_faults_test.c - the ordered store with every failure, one at a time
 * (KV-FAULT): allocations, RocksDB's own calls, calls on files, the committer's
 * thread. What failed says so; once the fault is gone it works, and every row is there.
 *
 * Planted bug that it caught: an iterator that could not be made, and stayed inside
 * the gate, so that nothing could be reopened any more.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=rocksdb_get_pinned_cf,--wrap=rocksdb_write
 * LINK: -Wl,--wrap=rocksdb_open_column_families,--wrap=rocksdb_iter_get_error
 * LINK: -Wl,--wrap=rocksdb_open_for_read_only_column_families
 * LINK: -Wl,--wrap=rocksdb_checkpoint_object_create,--wrap=rocksdb_checkpoint_create
 * LINK: -Wl,--wrap=open64,--wrap=fstat64,--wrap=stat64,--wrap=opendir,--wrap=statvfs64
 * LINK: -Wl,--wrap=pread64,--wrap=ftruncate64,--wrap=fsync,--wrap=pthread_create
 */
#include "tests/unit/storage/kv/place.h"

#include <errno.h>
#include <limits.h>
#include <sys/statvfs.h>

#include "storage/kv/commit.h"
#include "storage/kv/log_file.h"
#include "storage/kv/manifest.h"
#include "storage/kv/rocks_verify.h"
#include "storage/kv/wal.h"
#include "tests/unit/arena_fail.h"

#define ROWS     50
#define READ_ROW 7

/* What a counted call belongs to. */
enum sort { ROCKS, FILES, FULL, THREADS };

static atomic_int sort;
static atomic_long left; /* calls of that sort until the one that fails; 0 and below: none will */
static atomic_bool hit, stays;

static bool fails(enum sort mine)
{
    if (atomic_load(&sort) != (int)mine)
        return false;
    bool now = atomic_load(&left) > 0 && atomic_fetch_sub(&left, 1) == 1;
    if (now)
        atomic_store(&hit, true);
    return now || (atomic_load(&stays) && atomic_load(&hit));
}

/* RocksDB's calls: the message is RocksDB's to free. */
static bool rocks_fails(char **message)
{
    static const char TEXT[] = "IO error: made to fail";
    if (!fails(ROCKS))
        return false;
    *message = __real_malloc(sizeof TEXT);
    memcpy(*message, TEXT, sizeof TEXT);
    return true;
}

#define ROCKS_WRAP(type, name, parameters, arguments, failure)                                     \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return rocks_fails(message) ? failure : __real_##name arguments;                           \
    }

ROCKS_WRAP(void *, rocksdb_get_pinned_cf,
           (void *db, const void *options, void *family, const char *key, size_t len,
            char **message),
           (db, options, family, key, len, message), NULL)
ROCKS_WRAP(void, rocksdb_write, (void *db, const void *options, void *batch, char **message),
           (db, options, batch, message), (void)0)
ROCKS_WRAP(void *, rocksdb_open_column_families,
           (const void *options, const char *dir, int count, const char *const *names,
            const void *const *each, void **families, char **message),
           (options, dir, count, names, each, families, message), NULL)
ROCKS_WRAP(void *, rocksdb_open_for_read_only_column_families,
           (const void *options, const char *dir, int count, const char *const *names,
            const void *const *each, void **families, unsigned char strict, char **message),
           (options, dir, count, names, each, families, strict, message), NULL)
ROCKS_WRAP(void, rocksdb_iter_get_error, (const void *iter, char **message), (iter, message),
           (void)0)
ROCKS_WRAP(void *, rocksdb_checkpoint_object_create, (void *db, char **message), (db, message),
           NULL)
ROCKS_WRAP(void, rocksdb_checkpoint_create,
           (void *checkpoint, const char *dir, uint64_t flush, char **message),
           (checkpoint, dir, flush, message), (void)0)

/* Calls on files. */
static bool file_fails(void)
{
    if (!fails(FILES))
        return false;
    errno = EIO;
    return true;
}

#define FILE_WRAP(type, name, parameters, arguments, failure)                                      \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return file_fails() ? failure : __real_##name arguments;                                   \
    }

FILE_WRAP(int, fstat64, (int fd, void *ret), (fd, ret), -1)
FILE_WRAP(int, stat64, (const char *path, void *ret), (path, ret), -1)
FILE_WRAP(DIR *, opendir, (const char *path), (path), NULL)
FILE_WRAP(ssize_t, pread64, (int fd, void *data, size_t len, off_t at), (fd, data, len, at), -1)
FILE_WRAP(int, ftruncate64, (int fd, off_t len), (fd, len), -1)
FILE_WRAP(int, fsync, (int fd), (fd), -1)

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    return file_fails() ? -1 : __real_open64(path, flags, mode);
}

int __real_statvfs64(const char *path, struct statvfs *ret);
int __wrap_statvfs64(const char *path, struct statvfs *ret);
int __wrap_statvfs64(const char *path, struct statvfs *ret)
{
    int rc = file_fails() ? -1 : __real_statvfs64(path, ret);
    if (fails(FULL))
        ret->f_bavail = 0;
    return rc;
}

int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *),
                          void *ctx);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *),
                          void *ctx);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *),
                          void *ctx)
{
    return fails(THREADS) ? EAGAIN : __real_pthread_create(ret, attr, run, ctx);
}

/* ---- faults ---- */

struct fault {
    const char *name;
    int sort; /* -1: allocations */
    bool stays;
};

static void arm(const struct fault *fault, long nth)
{
    atomic_store(&hit, false);
    atomic_store(&stays, fault->stays);
    atomic_store(&sort, fault->sort);
    atomic_store(&left, fault->sort < 0 ? 0 : nth);
    if (fault->sort >= 0)
        return;
    if (fault->stays)
        alloc_fail_arm_from(nth);
    else
        alloc_fail_arm(nth);
}

static bool disarm(void)
{
    bool alloc_hit = alloc_fail_disarm();
    atomic_store(&left, 0);
    atomic_store(&stays, false);
    return atomic_exchange(&hit, false) || alloc_hit;
}

/* ---- steps ---- */

struct step {
    const char *name;
    enum err_code (*run)(struct kv *kv, struct err *err);
    bool may_retry; /* it tries another way by itself: one fault need not show */
    bool may_spare; /* it allocates for a later call alone */
};

static struct place *place;

static struct bytes key_of(uint8_t i, uint8_t key[2])
{
    key[0] = 'k';
    key[1] = i;
    return bytes_of(key, 2);
}

static enum err_code run_get(struct kv *kv, struct err *err)
{
    uint8_t key[2];
    struct kv_value value = {0};
    enum err_code code = kv_get(kv, KV_META, key_of(READ_ROW, key), &value, err);
    if (!code)
        assert_int_equal(value.bytes.len, 1);
    kv_value_free(kv, &value);
    return code;
}

static enum err_code run_iterate(struct kv *kv, struct err *err)
{
    struct kv_iter *iter;
    struct bytes key, value, none = {0};
    size_t count = 0;
    enum err_code code = kv->calls->iter_open(kv, NULL, KV_META, none, none, &iter, err);
    if (code)
        return code;
    for (; kv->calls->iter_at(iter, &key, &value); kv->calls->iter_next(iter))
        count++;
    code = kv->calls->iter_check(iter, err);
    kv->calls->iter_close(iter);
    if (!code)
        assert_int_equal(count, ROWS);
    return code;
}

static enum err_code run_snapshot(struct kv *kv, struct err *err)
{
    uint8_t key[2];
    struct kv_value value = {0};
    bool found;
    struct kv_snapshot *snapshot = kv->calls->snapshot_open(kv);
    if (!snapshot)
        return err_fail(err, ERR_NO_MEMORY, "snapshot");
    enum err_code code = kv_find_in(kv, snapshot, KV_META, key_of(3, key), &found, &value, err);
    if (!code)
        assert_true(found);
    kv_value_free(kv, &value);
    kv->calls->snapshot_close(kv, snapshot);
    return code;
}

static enum err_code run_write(struct kv *kv, struct err *err)
{
    struct kv_op op = {KV_PUT, KV_BODIES, BYTES_LIT("body"), BYTES_LIT("bytes")};
    return kv->calls->write(kv, &op, 1, true, err);
}

static enum err_code run_reopen(struct kv *kv, struct err *err)
{
    return kv->calls->reopen(kv, err);
}

static enum err_code run_checkpoint(struct kv *kv, struct err *err)
{
    char dir[128];
    snprintf(dir, sizeof dir, "%s/copy", place->dir);
    enum err_code code = kv->calls->checkpoint(kv, dir, err);
    place_remove(dir);
    return code;
}

static enum err_code run_verify(struct kv *kv, struct err *err)
{
    return kv->calls->verify(kv, err);
}

static enum err_code run_committer(struct kv *kv, struct err *err)
{
    struct committer *committer = NULL;
    enum err_code code = committer_start(kv, clock_system(), 1, 1, &committer, err);
    if (!code)
        committer_stop(committer);
    return code;
}

static const struct step steps[] = {
    {"get", run_get, false, true},
    {"iterate", run_iterate, false, false},
    {"snapshot", run_snapshot, false, false},
    {"write", run_write, false, false},
    {"checkpoint", run_checkpoint, false, false},
    {"verify", run_verify, true, false},
    {"start a committer", run_committer, false, false},
};

static const struct fault faults[] = {
    {"allocation", -1, false},         {"allocations from", -1, true},
    {"call of RocksDB", ROCKS, false}, {"calls from", ROCKS, true},
    {"call on a file", FILES, false},  {"a full disk", FULL, false},
    {"a thread", THREADS, false},
};

static void put_row(struct kv *kv, uint8_t i, bool sync)
{
    struct err err;
    uint8_t key[2];
    struct kv_op op = {KV_PUT, KV_META, key_of(i, key), bytes_of(&i, 1)};
    assert_int_equal(kv->calls->write(kv, &op, 1, sync, &err), ERR_OK);
}

static void fill(struct kv *kv)
{
    for (uint8_t i = 0; i < ROWS; i++)
        put_row(kv, i, i + 1 == ROWS);
}

/* A reopening that failed leaves it closed, until one succeeds. The row that is read is
 * written, so that the next reading asks RocksDB. */
static void heal(struct kv *kv)
{
    struct err err;
    if (run_get(kv, &err) && run_reopen(kv, &err))
        fail_msg("it does not heal: %s", err.msg);
    assert_int_equal(run_iterate(kv, &err), ERR_OK);
    put_row(kv, READ_ROW, false);
}

static long sweep(struct kv *kv, const struct step *step, const struct fault *fault)
{
    for (long nth = 1;; nth++) {
        struct err err = {0};
        arm(fault, nth);
        enum err_code code = step->run(kv, &err);
        bool was_hit = disarm();
        bool may_succeed = !was_hit || step->may_retry || (step->may_spare && fault->sort < 0);
        if ((code == ERR_OK && !may_succeed) || (code != ERR_OK && !was_hit))
            fail_msg("%s, %s %ld: %s %s", step->name, fault->name, nth, err_code_name(code),
                     err.msg);
        heal(kv);
        if (!was_hit)
            return nth - 1;
    }
}

/* KV-FAULT-1 */
static void test_steps(void **state UNUSED)
{
    long total = 0;
    struct err err;
    struct kv *kv = place_open(place);
    fill(kv);
    assert_int_equal(run_reopen(kv, &err), ERR_OK); /* makes tables of the rows */
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        for (size_t k = 0; k < ARRAY_LEN(faults); k++)
            total += sweep(kv, &steps[i], &faults[k]);
    assert_int_equal(run_reopen(kv, &err), ERR_OK); /* nobody is left inside */
    kv->calls->close(kv);
    print_message("%ld faults\n", total);
    assert_true(total > 20);
}

/* The begin of a record behind the newest log's last, as a power cut leaves it: opening
 * mends it. */
static void cut_log(const char *dir)
{
    char path[512];
    size_t len;
    assert_true(place_newest(dir, ".log", path, sizeof path));
    free(place_read(path, &len));
    int fd = __real_open64(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0 && write(fd, "\x01\x02\x03\x04\x05", 5) == 5);
    close(fd);
}

/* What an opening or reopening found, and that every row is there. */
static void judge(struct kv *kv, const struct fault *fault, long nth, enum err_code code,
                  bool was_hit)
{
    struct err err;
    if ((code == ERR_OK) == was_hit)
        fail_msg("%s %ld: %s", fault->name, nth, err_code_name(code));
    for (size_t i = 0; i < ARRAY_LEN(steps) && run_get(kv, &err); i++) /* it is closed */
        if (steps[i].run != run_committer)
            assert_int_not_equal(steps[i].run(kv, &err), ERR_OK);
    heal(kv);
    assert_int_equal(run_write(kv, &err), ERR_OK);
    kv->calls->close(kv);
}

/* Each in a fresh copy: every opening leaves files for the next one to look at. */
static bool open_once(const char *image, const struct fault *fault, long nth)
{
    struct kv *kv = NULL;
    struct err err = {0};
    place_copy(image, place->kv);
    cut_log(place->kv);
    arm(fault, nth);
    enum err_code code = kv_rocks_open(place->kv, &place_options, &kv, &err);
    bool was_hit = disarm();
    if (code != ERR_OK)
        kv = place_open(place);
    judge(kv, fault, nth, code, was_hit);
    return was_hit;
}

/* A box that is new. */
static bool open_new_once(const struct fault *fault, long nth)
{
    struct kv *kv = NULL;
    struct err err = {0};
    place_remove(place->kv);
    arm(fault, nth);
    enum err_code code = kv_rocks_open(place->kv, &place_options, &kv, &err);
    bool was_hit = disarm();
    if ((code == ERR_OK) == was_hit)
        fail_msg("new, %s %ld: %s", fault->name, nth, err_code_name(code));
    if (code != ERR_OK)
        kv = place_open(place);
    fill(kv);
    kv->calls->close(kv);
    return was_hit;
}

static bool reopen_once(const char *image, const struct fault *fault, long nth)
{
    struct err err = {0};
    place_copy(image, place->kv);
    struct kv *kv = place_open(place);
    arm(fault, nth);
    enum err_code code = run_reopen(kv, &err);
    bool was_hit = disarm();
    judge(kv, fault, nth, code, was_hit);
    return was_hit;
}

/* KV-FAULT-2 */
static void test_open(void **state UNUSED)
{
    char image[128];
    snprintf(image, sizeof image, "%s/image", place->dir);
    struct kv *kv = place_open(place);
    fill(kv);
    kv->calls->close(kv);
    place_copy(place->kv, image);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        for (long nth = 1; open_once(image, &faults[i], nth); nth++)
            ;
        for (long nth = 1; reopen_once(image, &faults[i], nth); nth++)
            ;
        for (long nth = 1; open_new_once(&faults[i], nth); nth++)
            ;
    }
}

/* A folder so deep that a file's path in it has no room. */
static void test_long_path(void **state UNUSED)
{
    struct err err;
    struct log_file_finding finding;
    static char dir[8000];
    memset(dir, 'a', sizeof dir - 1);
    dir[0] = '/';
    assert_int_equal(log_file_judge(dir, "000001.log", 0, &finding, &err), ERR_INVALID);
    assert_int_not_equal(wal_check(dir, &err), ERR_OK);
    assert_int_not_equal(manifest_check(dir, &err), ERR_OK);
    assert_int_equal(rocks_verify_clean(dir, &err), ERR_INVALID);
}

/* One where CURRENT still has room, and what it names has not. */
static void test_deep_path(void **state UNUSED)
{
    struct err err;
    char dir[PATH_MAX], path[PATH_MAX + 16];
    size_t len = (size_t)snprintf(dir, sizeof dir, "%s", place->dir);
    while (len < PATH_MAX - 12) {
        size_t more = PATH_MAX - 12 - len < 200 ? PATH_MAX - 12 - len : 200;
        memset(dir + len, 'd', more);
        dir[len] = '/';
        dir[len += more] = 0;
        assert_int_equal(mkdir(dir, 0700), 0);
    }
    snprintf(path, sizeof path, "%s/CURRENT", dir);
    place_write(path, (const uint8_t *)"MANIFEST-000001\n", 16);
    assert_int_equal(manifest_check(dir, &err), ERR_INVALID);
}

/* In memory where there is such a place: it is opened some two hundred times, and what
 * syncs are for is not looked at here. */
static int setup(void **state UNUSED)
{
    place = place_new();
    char dir[] = "/dev/shm/valise-kv-XXXXXX";
    if (mkdtemp(dir)) {
        place_remove(place->dir);
        snprintf(place->dir, sizeof place->dir, "%s", dir);
        snprintf(place->kv, sizeof place->kv, "%s/kv", dir);
    }
    return 0;
}

static int teardown(void **state UNUSED)
{
    place_free(place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open, setup, teardown),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test_setup_teardown(test_deep_path, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
