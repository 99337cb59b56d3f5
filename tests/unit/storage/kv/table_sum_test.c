/* table_sum_test.c - each bit of a table counts, and a manifest may say anything. KV-ROT-2.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted and caught: a checksum that is not compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "storage/kv/table_sum.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/kv/place.h"
#include "tests/unit/storage/kv/record_log.h"

#define FLIPS  300
#define ROUNDS 3000

struct fixture {
    struct place *place;
    char table[512], manifest[512]; /* paths */
    uint8_t *table_data, *manifest_data;
    size_t table_len, manifest_len;
};

static void put_rows(const struct place *place)
{
    struct kv *kv = place_open(place);
    uint8_t body[5000];
    for (uint32_t n = 0; n < 800; n++) {
        for (size_t i = 0; i < sizeof body; i++)
            body[i] = (uint8_t)rand();
        struct kv_op op = {KV_PUT, KV_BODIES, bytes_of(&n, sizeof n), bytes_of(body, sizeof body)};
        assert_int_equal(kv->calls->write(kv, &op, 1, false, NULL), ERR_OK);
    }
    kv->calls->close(kv);
    kv = place_open(place); /* the log becomes tables */
    kv->calls->close(kv);
}

static void find_manifest(struct fixture *f)
{
    char path[512];
    size_t len;
    snprintf(path, sizeof path, "%s/CURRENT", f->place->kv);
    uint8_t *current = place_read(path, &len);
    snprintf(f->manifest, sizeof f->manifest, "%s/%.*s", f->place->kv, (int)len - 1,
             (char *)current);
    free(current);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *state = f;
    f->place = place_new();
    put_rows(f->place);
    find_manifest(f);
    assert_true(place_newest(f->place->kv, ".sst", f->table, sizeof f->table));
    f->table_data = place_read(f->table, &f->table_len);
    f->manifest_data = place_read(f->manifest, &f->manifest_len);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    place_free(f->place);
    free(f->table_data);
    free(f->manifest_data);
    free(f);
    return 0;
}

static void expect_rot(struct fixture *f)
{
    struct err err = {0};
    assert_int_equal(table_sum_check(f->place->kv, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.msg, strrchr(f->table, '/') + 1));
}

static void expect_sound(struct fixture *f)
{
    struct err err = {0};
    enum err_code code = table_sum_check(f->place->kv, &err);
    if (code)
        print_error("%s\n", err.msg);
    assert_int_equal(code, ERR_OK);
}

static void test_every_bit_counts(void **state)
{
    struct fixture *f = *state;
    expect_sound(f);
    for (int i = 0; i < FLIPS; i++) {
        size_t at = i < 100 ? f->table_len - 1 - (size_t)i : (size_t)rand() % f->table_len;
        uint8_t bit = (uint8_t)(1 << rand() % 8);
        f->table_data[at] ^= bit;
        place_write(f->table, f->table_data, f->table_len);
        expect_rot(f);
        f->table_data[at] ^= bit;
    }
    place_write(f->table, f->table_data, f->table_len);
    expect_sound(f);
}

static void test_a_cut_or_longer_table_is_found(void **state)
{
    struct fixture *f = *state;
    for (size_t cut = 1; cut < f->table_len; cut = cut * 5 + 1) {
        place_write(f->table, f->table_data, f->table_len - cut);
        expect_rot(f);
    }
    place_write(f->table, f->table_data, 0);
    expect_rot(f);
    f->table_data[f->table_len] = 0; /* place_read leaves room */
    place_write(f->table, f->table_data, f->table_len + 1);
    expect_rot(f);
    place_write(f->table, f->table_data, f->table_len);
    expect_sound(f);
}

static void write_manifest(struct fixture *f, struct bytes record)
{
    static uint8_t log[4 * RECORD_LOG_BLOCK];
    size_t len = 0;
    memset(log, 0, sizeof log);
    record_log_add(log, &len, record);
    place_write(f->manifest, log, len);
}

/* Nothing is concluded from what is not known. */
static void test_what_is_not_known_is_left_alone(void **state)
{
    struct fixture *f = *state;
    static const uint8_t unknown[] = {99, 1, 2, 3};
    f->table_data[10] ^= 1;
    place_write(f->table, f->table_data, f->table_len);
    expect_rot(f);
    write_manifest(f, bytes_of(unknown, sizeof unknown));
    expect_sound(f);
    f->table_data[10] ^= 1;
    place_write(f->table, f->table_data, f->table_len);
    place_write(f->manifest, f->manifest_data, f->manifest_len);
}

/* Records whose checksum is right and whose content is anything: no memory is touched that
 * is not theirs, and tables are sound or not. */
static void test_hostile_records(void **state)
{
    struct fixture *f = *state;
    uint8_t record[300];
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = 1 + (size_t)rand() % sizeof record;
        const uint8_t *from = f->manifest_data + (size_t)rand() % (f->manifest_len - sizeof record);
        for (size_t i = 0; i < len; i++)
            record[i] = rand() % 20 ? from[i] : (uint8_t)rand();
        record[0] = round % 2 ? 103 : record[0];
        write_manifest(f, bytes_of(record, len));
        enum err_code code = table_sum_check(f->place->kv, NULL);
        assert_true(code == ERR_OK || code == ERR_CORRUPT);
    }
    place_write(f->manifest, f->manifest_data, f->manifest_len);
}

static void test_folders_without_a_store(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    assert_int_equal(table_sum_check("/nowhere/at/all", &err), ERR_NOT_FOUND);
    assert_int_equal(table_sum_check(f->place->dir, &err), ERR_NOT_FOUND);
}

static bool check_once(void *ctx)
{
    struct err err = {0};
    enum err_code code = table_sum_check(ctx, &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void test_out_of_memory_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_true(alloc_fail_sweep(check_once, f->place->kv) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_a_cut_or_longer_table_is_found),
        cmocka_unit_test(test_what_is_not_known_is_left_alone),
        cmocka_unit_test(test_hostile_records),
        cmocka_unit_test(test_folders_without_a_store),
        cmocka_unit_test(test_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
