/* open_faults_test.c - threads that cannot be started, files and folders that
 * cannot be opened or looked at, each in turn (OBJ-FAULT-2).
 *
 * Planted bug that it caught: a block read into memory that was not there.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 * LINK: -Wl,--wrap=open64,--wrap=opendir,--wrap=stat64,--wrap=pthread_create
 * LINK: -Wl,--wrap=aligned_alloc
 */
#include <fcntl.h>

#include "storage/obj/scrub.h"
#include "tests/unit/storage/obj/step_faults.h"

static atomic_long left; /* calls until the one that fails; 0 and below: none will */
static atomic_bool hit;
static atomic_int kind; /* of call that fails */
enum { THREAD, OPEN, EINVAL_OPEN, MEMORY };

static bool fails(int this_kind)
{
    bool now = atomic_load(&kind) == this_kind && atomic_load(&left) > 0 &&
               atomic_fetch_sub(&left, 1) == 1;
    if (now)
        atomic_store(&hit, true);
    return now;
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    if (fails(OPEN) || (flags & O_DIRECT && fails(EINVAL_OPEN))) {
        errno = atomic_load(&kind) == OPEN ? EMFILE : EINVAL;
        return -1;
    }
    return __real_open64(path, flags, mode);
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
    errno = EMFILE;
    return fails(OPEN) ? NULL : __real_opendir(path);
}

int __real_stat64(const char *path, void *ret);
int __wrap_stat64(const char *path, void *ret);
int __wrap_stat64(const char *path, void *ret)
{
    errno = EIO;
    return fails(OPEN) ? -1 : __real_stat64(path, ret);
}

int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *),
                          void *ctx);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *),
                          void *ctx);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *),
                          void *ctx)
{
    return fails(THREAD) ? EAGAIN : __real_pthread_create(ret, attr, run, ctx);
}

void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return align > 16 && fails(MEMORY) ? NULL
                                       : __real_aligned_alloc(align, size); /* 16: the fake's */
}

static void arm(int wanted, long nth)
{
    atomic_store(&kind, wanted);
    atomic_store(&hit, false);
    atomic_store(&left, nth);
}

static void arm_thread(struct fixture *f UNUSED, long nth)
{
    arm(THREAD, nth);
}

static void arm_open(struct fixture *f UNUSED, long nth)
{
    arm(OPEN, nth);
}

static void arm_direct(struct fixture *f UNUSED, long nth)
{
    arm(EINVAL_OPEN, nth);
}

static void arm_memory(struct fixture *f UNUSED, long nth)
{
    arm(MEMORY, nth);
}

static bool disarm(struct fixture *f UNUSED)
{
    atomic_store(&left, 0);
    return atomic_load(&hit);
}

static const struct fault faults[] = {
    {"thread", arm_thread, disarm, ERR_OK, false},
    {"open", arm_open, disarm, ERR_OK, false},
    {"memory", arm_memory, disarm, ERR_NO_MEMORY, false},
};

static void prepare(struct fixture *f)
{
    put(f, "large", KIB(300), 1);
    put(f, "gone", KIB(200), 2);
    delete_key(f, "gone");
}

/* A restart. */
static enum err_code run_start(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct err again;
    fixture_halt(f);
    enum err_code rc = fixture_start(f, err);
    if (rc != ERR_OK && fixture_start(f, &again) != ERR_OK)
        fail_msg("it does not open any more: %s", again.msg);
    if (bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &again) != ERR_OK)
        fail_msg("%s", again.msg);
    step_wait_recovered(f);
    return rc;
}

static enum err_code run_recover(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return recover_space(f->store, err);
}

static enum err_code run_put(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct record_object object;
    return put_bytes(f, "key", KIB(200), 9, &object, err);
}

static bool is_put(struct fixture *f)
{
    return step_has(f, "key", KIB(200));
}

/* In small pieces, through the reader's own block. */
static enum err_code run_get(struct fixture *f, struct arena *arena, struct err *err)
{
    struct record_object object;
    AUTO(body_reader) struct body_reader *reader = NULL;
    enum err_code rc =
        object_get(f->store, f->bucket, BYTES_LIT("large"),
                   (struct object_version){.kind = VERSION_LATEST}, arena, &object, &reader, err);
    return rc == ERR_OK ? check_range(reader, 0, KIB(300), 5000, 1, 0, err) : rc;
}

static enum err_code run_scrub(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct scrub_status status = {.running = true};
    enum err_code rc = scrub_start(f->store, 0, err);
    while (rc == ERR_OK && status.running) {
        usleep(1000);
        rc = scrub_get_status(f->store, &status, err);
    }
    return rc == ERR_OK && status.failed ? err_fail(err, ERR_NO_MEMORY, "it gave up") : rc;
}

static const struct step steps[] = {
    {"start", prepare, run_start, NULL},
    {"recover", prepare, run_recover, NULL},
    {"put", NULL, run_put, is_put},
    {"put again", prepare, run_put, is_put},
    {"get in pieces", prepare, run_get, NULL},
    {"scrub", prepare, run_scrub, NULL},
};

static void test_faults(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, faults) > 10);
}

/* A file system without O_DIRECT serves all the same. */
static void test_no_direct(void **state UNUSED)
{
    struct err err;
    struct record_object object;
    struct fixture *f = fixture_new();
    for (int i = 1; i < 4; i++) {
        arm_direct(f, 1);
        assert_ok(put_bytes(f, "key", KIB(200), 9, &object, &err));
        assert_ok(get(f, "key", KIB(200), 9, &err));
        assert_ok(run_scrub(f, &f->arena, &err));
        fixture_restart(f);
        disarm(f);
    }
    fixture_free(f);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_direct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
