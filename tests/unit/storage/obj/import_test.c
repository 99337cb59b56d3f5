/* import_test.c - bodies put back where their rows say, and nothing that is not
 * what was stored (BACKUP-VERIFY-1). */
#include "storage/obj/import.h"

#include "tests/unit/storage/obj/obj_fixture.h"

#define LENGTH (MIB(5) + 7) /* crosses a segment's end */

static uint8_t bytes[LENGTH];

static void make(struct fixture *f, char ret_dir[96])
{
    put(f, "large", LENGTH, 1);
    pattern(bytes, LENGTH, 0, 1);
    snprintf(ret_dir, 96, "%s/new", f->dir);
    assert_int_equal(mkdir(ret_dir, 0700), 0);
}

/* In pieces of this size. */
static enum err_code write_all(struct import *import, size_t len, size_t step, struct err *err)
{
    enum err_code rc = ERR_OK;
    for (size_t at = 0; rc == ERR_OK && at < len; at += step)
        rc = import_write(import, bytes_of(bytes + at, len - at < step ? len - at : step), err);
    return rc;
}

static struct import *begin(struct fixture *f, const char *dir)
{
    struct err err;
    struct import *import;
    struct export_body body;
    bool found;
    assert_ok(import_open(&f->fake->kv, dir, &import, &err));
    assert_ok(import_next(import, &body, &found, &err));
    assert_true(found);
    assert_int_equal(body.length, LENGTH);
    return import;
}

/* Byte for byte where it was, whatever the pieces. */
static void test_round_trip(void **state)
{
    static const size_t steps[] = {MIB(1), 7001, OBJ_BLOCK_BYTES, LENGTH};
    struct fixture *f = *state;
    struct err err;
    char dir[96], command[256];
    struct export_body body;
    bool found;
    make(f, dir);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct import *import = begin(f, dir);
        assert_ok(write_all(import, LENGTH, steps[i], &err));
        assert_ok(import_end(import, &err));
        assert_ok(import_next(import, &body, &found, &err));
        assert_false(found);
        assert_ok(import_finish(import, &err));
        import_free(import);
        /* What is preallocated behind the bodies is not copied. */
        snprintf(command, sizeof(command),
                 "cd %s/new/bodies && for s in *; do cmp -n $(stat -c %%s $s) $s ../../bodies/$s; "
                 "done && rm *",
                 f->dir);
        assert_int_equal(system(command), 0);
    }
}

/* One wrong bit, one byte less, one more: found. */
static void test_wrong_bytes(void **state)
{
    static const size_t places[] = {0, OBJ_BLOCK_BYTES, MIB(4) + 1, LENGTH - 1};
    struct fixture *f = *state;
    struct err err;
    char dir[96];
    make(f, dir);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct import *import = begin(f, dir);
        bytes[places[i]] ^= 4;
        assert_int_equal(write_all(import, LENGTH, MIB(1), &err), ERR_CORRUPT);
        bytes[places[i]] ^= 4;
        import_free(import);
    }
    struct import *import = begin(f, dir);
    assert_ok(write_all(import, LENGTH - 1, MIB(1), &err));
    assert_int_equal(import_end(import, &err), ERR_CORRUPT);
    assert_ok(import_write(import, bytes_of(bytes + LENGTH - 1, 1), &err));
    assert_ok(import_end(import, &err));
    assert_int_equal(import_write(import, bytes_of(bytes, 1), &err), ERR_CORRUPT);
    import_free(import);
}

static void test_damaged_rows(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char dir[96];
    struct import *import;
    struct export_body body;
    bool found;
    make(f, dir);
    struct key row = key_number(TAG_BODY, 7);
    fake_kv_set(f->fake, KV_META, key_bytes(&row), BYTES_LIT("\x01no row"));
    assert_ok(import_open(&f->fake->kv, dir, &import, &err));
    assert_int_equal(import_next(import, &body, &found, &err), ERR_CORRUPT);
    assert_int_equal(body.id, 7);
    assert_int_equal(body.length, 0);
    assert_int_equal(import_write(import, bytes_of(bytes, 1), &err), ERR_CORRUPT);
    assert_ok(import_next(import, &body, &found, &err)); /* it goes on behind it */
    assert_int_equal(body.length, LENGTH);
    import_free(import);
    const uint8_t cut[3] = {TAG_BODY};
    fake_kv_set(f->fake, KV_META, bytes_of(cut, sizeof(cut)), BYTES_LIT("x"));
    assert_ok(import_open(&f->fake->kv, dir, &import, &err));
    assert_int_equal(import_next(import, &body, &found, &err), ERR_CORRUPT);
    assert_int_equal(body.id, 0);
    import_free(import);
}

/* Its segments are there as long as they must be, or a store on them would miss them for ever. */
static void test_body_left_out(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char dir[96], command[256];
    make(f, dir);
    struct import *import = begin(f, dir);
    assert_ok(import_finish(import, &err));
    import_free(import);
    snprintf(command, sizeof(command),
             "cd %s/new/bodies && [ $(ls | wc -l) = $(ls ../../bodies | wc -l) ] && "
             "[ $(cat * | wc -c) -ge %zu ]",
             f->dir, (size_t)LENGTH);
    assert_int_equal(system(command), 0);
}

/* The folder is a file, a path is too long, a segment is no file. */
static void test_bad_places(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char dir[96], path[128], long_dir[PATH_MAX];
    struct import *import;
    make(f, dir);
    memset(long_dir, 'a', sizeof(long_dir) - 1);
    long_dir[sizeof(long_dir) - 1] = '\0';
    assert_int_equal(import_open(&f->fake->kv, long_dir, &import, &err), ERR_INVALID);
    assert_int_equal(import_open(&f->fake->kv, "/proc/self", &import, &err), ERR_IO);
    assert_ok(import_open(&f->fake->kv, dir, &import, &err));
    snprintf(path, sizeof(path), "%s/bodies/00000001.seg", dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    struct export_body body;
    bool found;
    assert_int_equal(import_next(import, &body, &found, &err), ERR_IO);
    assert_int_equal(import_finish(import, &err), ERR_IO);
    import_free(import);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_round_trip), TEST(test_wrong_bytes),
                                       TEST(test_damaged_rows), TEST(test_body_left_out),
                                       TEST(test_bad_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
