/* frame_test.c - records of a backup as they lie in its files: what was cut or
 * changed is found, whatever the byte (BACKUP-VERIFY). */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "storage/backup/frame.h"

static enum err_code read_one(const uint8_t *data, size_t len, char ret_name[64])
{
    struct err err;
    struct arena arena;
    ProtobufCMessage *message = NULL;
    FILE *file = fmemopen((void *)(uintptr_t)data, len ? len : 1, "r");
    assert_non_null(file);
    if (len == 0)
        (void)fgetc(file);
    arena_init(&arena, FRAME_ARENA_MAX);
    enum err_code rc = frame_read(file, &valise__backup__file__descriptor, &arena, &message, &err);
    snprintf(ret_name, 64, "%s",
             rc == ERR_OK && message ? ((const Valise__Backup__File *)message)->name : "");
    arena_done(&arena);
    fclose(file);
    return rc;
}

static void make(struct buf *to)
{
    Valise__Backup__File file = VALISE__BACKUP__FILE__INIT;
    file.name = (char *)(uintptr_t) "kv/000007.sst";
    file.length = 123456789;
    file.made_by = 3;
    buf_init(to, FRAME_MAX);
    frame_append(to, &file.base);
    assert_true(buf_ok(to));
}

/* BACKUP-VERIFY-2: every changed bit, every cut, every length. */
static void test_damage(void **state)
{
    struct buf good;
    char name[64];
    (void)state;
    make(&good);
    assert_int_equal(read_one(good.data, good.len, name), ERR_OK);
    assert_string_equal(name, "kv/000007.sst");
    assert_int_equal(read_one(good.data, 0, name), ERR_OK);
    assert_string_equal(name, "");
    for (size_t len = 1; len < good.len; len++)
        assert_int_equal(read_one(good.data, len, name), ERR_CORRUPT);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        good.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum err_code rc = read_one(good.data, good.len, name);
        assert_true(rc == ERR_CORRUPT || (rc == ERR_UNSUPPORTED && bit < 8));
        good.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    buf_done(&good);
}

static void test_too_long(void **state)
{
    uint8_t head[FRAME_MAX * 2] = {1, 0, 0, FRAME_MAX / 256, 1};
    char name[64];
    (void)state;
    assert_int_equal(read_one(head, sizeof(head), name), ERR_CORRUPT);
    memset(head + 1, 0xff, 4);
    assert_int_equal(read_one(head, sizeof(head), name), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage),
                                       cmocka_unit_test(test_too_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
