/* export_faults_test.c - what copies the store as a whole, with every failure, and
 * with rows and bytes that are not what was stored (OBJ-FAULT-5, OBJ-FAULT-6).
 *
 * Planted bug that it caught: a body whose last block was never checked.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 * LINK: -Wl,--wrap=open64,--wrap=openat64,--wrap=opendir
 */
#include <fcntl.h>

#include "storage/obj/import.h"
#include "tests/unit/storage/obj/step_faults.h"

#define LARGE_LEN KIB(200)

static const struct object_version latest = {.kind = VERSION_LATEST};

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    return io_fail_now() ? -1 : __real_open64(path, flags, mode);
}

int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...)
{
    return io_fail_now() ? -1 : __real_openat64(dir, path, flags);
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
    return io_fail_now() ? NULL : __real_opendir(path);
}

/* Two large bodies: small ones come with the rows. */
static void prepare(struct fixture *f)
{
    put(f, "one", LARGE_LEN, 1);
    put(f, "two", LARGE_LEN, 2);
}

static enum err_code run_list(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct export_page page;
    enum err_code rc = export_list(f->store, 0, UINT64_MAX, &page, err);
    if (rc == ERR_OK)
        assert_int_equal(page.count, 2);
    return rc;
}

static enum err_code run_open(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct export_page page;
    AUTO(body_reader) struct body_reader *reader = NULL;
    enum err_code rc = export_list(f->store, 0, UINT64_MAX, &page, err);
    if (rc == ERR_OK)
        rc = export_open(f->store, &page.bodies[0], &reader, err);
    return rc == ERR_OK ? check_range(reader, 0, LARGE_LEN, OBJ_BLOCK_BYTES, 1, 0, err) : rc;
}

static enum err_code import_one(struct import *import, uint32_t salt, struct err *err)
{
    static uint8_t bytes[LARGE_LEN];
    struct export_body body;
    bool found;
    enum err_code rc = import_next(import, &body, &found, err);
    if (rc != ERR_OK)
        return rc;
    assert_true(found && body.length == LARGE_LEN);
    pattern(bytes, LARGE_LEN, 0, salt);
    rc = import_write(import, bytes_of(bytes, 5000), err);
    if (rc == ERR_OK)
        rc = import_write(import, bytes_of(bytes + 5000, LARGE_LEN - 5000), err);
    return rc == ERR_OK ? import_end(import, err) : rc;
}

/* Over the same rows, into the same segments. */
static enum err_code run_import(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    AUTO(import) struct import *import = NULL;
    struct export_body body;
    bool found;
    enum err_code rc = import_open(&f->fake->kv, f->dir, &import, err);
    for (uint32_t salt = 1; rc == ERR_OK && salt <= 2; salt++)
        rc = import_one(import, salt, err);
    if (rc == ERR_OK)
        rc = import_next(import, &body, &found, err);
    return rc == ERR_OK ? import_finish(import, err) : rc;
}

static const struct step steps[] = {
    {"list", prepare, run_list, NULL},
    {"open", prepare, run_open, NULL},
    {"import", prepare, run_import, NULL},
};

static void test_faults(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_allocations) > 10);
    assert_true(STEP_SWEEP(steps, fault_reads) > 5);
    assert_true(STEP_SWEEP(steps, fault_files) > 10);
}

#define assert_fails(call, wanted)                                                                 \
    do {                                                                                           \
        enum err_code got = (call);                                                                \
        if (got != (wanted))                                                                       \
            fail_msg("%s: %s, %s", #call, err_code_name(got), got ? err.msg : "");                 \
    } while (0)

/* The ordered store cannot be copied: nothing is held after it. */
static void test_no_copy(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t before;
    assert_fails(export_begin(f->store, "/nowhere", &before, &err), ERR_UNSUPPORTED);
    assert_true(hold_free_begin(&f->store->hold));
    hold_free_end(&f->store->hold);
}

/* A body's row that is damaged is told with length 0; one whose key is, ends the list. */
static void test_rows(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct export_page page;
    struct export_body body = {.id = 4711, .length = 1};
    bool found;
    struct body_reader *reader;
    AUTO(import) struct import *import = NULL;
    struct key damaged = key_number(TAG_BODY, 1), long_key = key_owned(TAG_BODY, 2, 1);
    fake_kv_set(f->fake, KV_META, key_bytes(&damaged), BYTES_LIT("\x07"));
    assert_ok(export_list(f->store, 0, UINT64_MAX, &page, &err));
    assert_true(page.count == 1 && page.bodies[0].length == 0);
    assert_fails(export_open(f->store, &page.bodies[0], &reader, &err), ERR_CORRUPT);
    assert_fails(export_open(f->store, &body, &reader, &err), ERR_CORRUPT);
    fake_kv_set(f->fake, KV_META, key_bytes(&long_key), BYTES_LIT("\x07"));
    assert_fails(export_list(f->store, 0, UINT64_MAX, &page, &err), ERR_CORRUPT);
    assert_ok(import_open(&f->fake->kv, f->dir, &import, &err));
    assert_fails(import_next(import, &body, &found, &err), ERR_CORRUPT);
    assert_fails(import_next(import, &body, &found, &err), ERR_CORRUPT);
}

/* Bytes that are not what was stored: wrong, too few, too many. */
static void test_bytes(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static uint8_t bytes[LARGE_LEN + 1];
    static char deep[5000];
    struct export_body body;
    bool found;
    AUTO(import) struct import *import = NULL;
    prepare(f);
    memset(deep, 'd', sizeof(deep) - 1);
    assert_fails(import_open(&f->fake->kv, deep, &import, &err), ERR_INVALID);
    assert_ok(import_open(&f->fake->kv, f->dir, &import, &err));
    assert_ok(import_next(import, &body, &found, &err));
    pattern(bytes, LARGE_LEN, 0, 1);
    assert_fails(import_write(import, bytes_of(bytes, LARGE_LEN + 1), &err), ERR_CORRUPT);
    assert_ok(import_write(import, bytes_of(bytes, LARGE_LEN - 1), &err));
    assert_fails(import_end(import, &err), ERR_CORRUPT);
    assert_fails(import_write(import, BYTES_LIT("!"), &err), ERR_CORRUPT);
}

/* A record of another body than its row's: the row is gone when it is looked for. */
static void test_gone(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_object object;
    prepare(f);
    assert_ok(object_head(f->store, f->bucket, BYTES_LIT("one"), latest, &f->arena, &object, &err));
    struct export_body body = {.id = object.body.id + 1000, .length = LARGE_LEN};
    struct body_reader *reader;
    assert_fails(export_open(f->store, &body, &reader, &err), ERR_CORRUPT);
    assert_true(export_bytes(f->store) >= 2 * LARGE_LEN);
    assert_ok(export_verify(f->store, &err));
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    fixture_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        TEST(test_no_copy),
        TEST(test_rows),
        TEST(test_bytes),
        TEST(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
