/* manifest_test.c - a manifest that a power cut tore is cut, one that rots is refused, and so
 * is a CURRENT that names nothing. KV-LOG-3, KV-LOG-4 (ACC-51).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted and caught: no group at the end (a hole before a whole record of the same sync was
 * called rot); a group without an end (a hole far from the end was cut); a CURRENT that is
 * missing taken for a new store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "storage/kv/manifest.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/kv/place.h"
#include "tests/unit/storage/kv/record_log.h"

#define BLOCK   RECORD_LOG_BLOCK
#define SECTOR  512
#define HEADER  RECORD_LOG_HEADER
#define RECORDS 200
#define GROUP   3 /* records of the last sync */
#define NAME    "MANIFEST-000007"

struct image {
    struct place *place;
    char path[160]; /* of the manifest */
    uint8_t data[4 * BLOCK];
    size_t len;
    size_t ends[RECORDS]; /* of each record */
};

static struct image image;

/* ---- a manifest of our own ---- */

static void make_image(void)
{
    uint8_t payload[1500];
    for (size_t i = 0; i < RECORDS; i++) {
        size_t len = i % 50 == 7 ? 1500 : 60 + (size_t)rand() % 400;
        for (size_t k = 0; k < len; k++)
            payload[k] = (uint8_t)(rand() | 1);
        record_log_add(image.data, &image.len, bytes_of(payload, len));
        image.ends[i] = image.len;
    }
    assert_true(image.len > BLOCK);
}

static int set_up(void **state)
{
    char current[160];
    (void)state;
    image.place = place_new();
    make_image();
    assert_int_equal(mkdir(image.place->kv, 0700), 0);
    snprintf(current, sizeof current, "%s/CURRENT", image.place->kv);
    place_write(current, (const uint8_t *)NAME "\n", sizeof NAME);
    snprintf(image.path, sizeof image.path, "%s/" NAME, image.place->kv);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_free(image.place);
    return 0;
}

/* Try a manifest; the file's length afterwards. */
static enum err_code try_manifest(const uint8_t *data, size_t len, size_t *ret_len)
{
    struct err err = {0};
    struct stat st;
    place_write(image.path, data, len);
    enum err_code code = manifest_check(image.place->kv, &err);
    assert_int_equal(stat(image.path, &st), 0);
    *ret_len = (size_t)st.st_size;
    if (code)
        assert_non_null(strstr(err.msg, NAME));
    return code;
}

static void expect_cut(const uint8_t *data, size_t len, size_t want)
{
    size_t after = 0;
    assert_int_equal(try_manifest(data, len, &after), ERR_OK);
    assert_int_equal(after, want);
}

static void expect_rot(const uint8_t *data, size_t len)
{
    size_t after = 0;
    assert_int_equal(try_manifest(data, len, &after), ERR_CORRUPT);
    assert_int_equal(after, len);
}

/* The last record that ends at or before `at`; its end. */
static size_t prefix_end(size_t at)
{
    size_t end = 0;
    for (size_t i = 0; i < RECORDS; i++)
        if (image.ends[i] <= at)
            end = image.ends[i];
    return end;
}

/* KV-LOG-3 */
static void test_whole_and_cut_ones(void **state)
{
    (void)state;
    expect_cut(image.data, image.len, image.len);
    for (size_t len = image.ends[0]; len < image.len; len += 1 + (size_t)rand() % 50)
        expect_cut(image.data, len, prefix_end(len));
}

/* KV-LOG-3: any sectors of the last group were written, and others were not. */
static void test_holes_in_the_last_group_are_cut(void **state)
{
    size_t synced = image.ends[RECORDS - GROUP - 1];
    static uint8_t copy[sizeof image.data];
    (void)state;
    for (unsigned written = 0; written < 16; written++) {
        size_t first_hole = image.len;
        memcpy(copy, image.data, image.len);
        for (size_t at = synced / SECTOR * SECTOR, i = 0; at < image.len; at += SECTOR, i++) {
            size_t from = at < synced ? synced : at;
            size_t until = at + SECTOR < image.len ? at + SECTOR : image.len;
            if (written >> i & 1 || until - from < HEADER)
                continue;
            memset(copy + from, 0, until - from);
            first_hole = from < first_hole ? from : first_hole;
        }
        expect_cut(copy, image.len, prefix_end(first_hole));
    }
}

/* KV-LOG-4: one bit, anywhere, in the last record too. */
static void test_a_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < image.len; at += 1 + (size_t)rand() % 60) {
        if (at % BLOCK >= BLOCK - HEADER + 1)
            continue; /* may be padding */
        uint8_t bit = (uint8_t)(1 << rand() % 8);
        image.data[at] ^= bit;
        expect_rot(image.data, image.len);
        image.data[at] ^= bit;
    }
}

/* KV-LOG-4: each bit of each length, and of the last record's where the file ends there. */
static void test_a_flipped_length_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < RECORDS; i++)
        for (unsigned bit = 0; bit < 16; bit += 1 + i % 3) {
            size_t at = image.ends[i] + 4 + bit / 8;
            image.data[at] ^= (uint8_t)(1 << bit % 8);
            expect_rot(image.data, image.len);
            expect_rot(image.data, image.ends[i + 1]);
            image.data[at] ^= (uint8_t)(1 << bit % 8);
        }
}

/* KV-LOG-4: sectors of zeros where something was synced long ago. */
static void test_a_hole_far_from_the_end_is_refused(void **state)
{
    static uint8_t copy[sizeof image.data];
    (void)state;
    for (size_t at = 0; at + 16 * 1024 < image.len; at += SECTOR) {
        memcpy(copy, image.data, image.len);
        memset(copy + at, 0, SECTOR);
        expect_rot(copy, image.len);
    }
}

/* KV-LOG-4: what CURRENT names was synced before it was named. */
static void test_an_empty_one_is_refused(void **state)
{
    static const uint8_t zeros[1000];
    (void)state;
    expect_rot(image.data, 0);
    expect_rot(image.data, image.ends[0] - 1);
    expect_rot(zeros, sizeof zeros);
}

static bool check_once(void *ctx)
{
    struct err err = {0};
    enum err_code code = manifest_check(ctx, &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void test_out_of_memory_is_an_error(void **state)
{
    (void)state;
    place_write(image.path, image.data, image.len);
    assert_true(alloc_fail_sweep(check_once, image.place->kv) > 0);
}

/* ---- a store of RocksDB's ---- */

static void put_rows(struct kv *kv, uint32_t first)
{
    uint8_t value[100] = {1};
    for (uint32_t n = first; n < first + 50; n++) {
        struct kv_op ops[] = {
            {KV_PUT, KV_META, bytes_of(&n, sizeof n), bytes_of(value, sizeof value)},
            {KV_PUT, KV_BODIES, bytes_of(&n, sizeof n), bytes_of(value, sizeof value)},
        };
        assert_int_equal(kv->calls->write(kv, ops, ARRAY_LEN(ops), true, NULL), ERR_OK);
    }
}

/* A store with rows in tables of several flushes: each opening makes one of the log. */
static struct place *make_store(void)
{
    struct place *place = place_new();
    for (uint32_t i = 0; i < 4; i++) {
        struct kv *kv = place_open(place);
        put_rows(kv, i * 50);
        kv->calls->close(kv);
    }
    return place;
}

/* The one manifest of a closed store. */
static void find_manifest(const struct place *place, char *ret_path, size_t room)
{
    DIR *entries = opendir(place->kv);
    assert_non_null(entries);
    *ret_path = 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strncmp(entry->d_name, "MANIFEST-", 9) == 0)
            snprintf(ret_path, room, "%s/%s", place->kv, entry->d_name);
    closedir(entries);
    assert_true(*ret_path);
}

static void expect_refused(const struct place *place, const char *names)
{
    struct kv *kv = NULL;
    struct err err = {0};
    char path[512];
    assert_true(place_newest(place->kv, ".sst", path, sizeof path));
    enum err_code code = kv_rocks_open(place->kv, &place_options, &kv, &err);
    if (code != ERR_CORRUPT || !strstr(err.msg, names))
        print_error("%s: %s\n", err_code_name(code), err.msg);
    assert_int_equal(code, ERR_CORRUPT);
    assert_non_null(strstr(err.msg, names));
    assert_int_equal(access(path, F_OK), 0); /* no table was deleted */
}

/* KV-LOG-4: RocksDB would forget the tables behind it. */
static void test_a_store_with_a_flipped_length_does_not_open(void **state)
{
    struct place *place = make_store();
    char path[512];
    size_t len;
    (void)state;
    find_manifest(place, path, sizeof path);
    uint8_t *data = place_read(path, &len);
    for (size_t at = 0; at + HEADER < len;) {
        size_t next = at + HEADER + data[at + 4] + data[at + 5] * 256u;
        data[at + 5] ^= 0x80;
        place_write(path, data, len);
        expect_refused(place, strrchr(path, '/') + 1);
        data[at + 5] ^= 0x80;
        at = next;
    }
    place_write(path, data, len);
    struct kv *kv = place_open(place);
    kv->calls->close(kv);
    free(data);
    place_free(place);
}

/* KV-LOG-3: with a torn record at its end it opens. */
static void test_a_store_with_a_torn_manifest_opens(void **state)
{
    struct place *place = make_store();
    char path[512];
    size_t len;
    (void)state;
    find_manifest(place, path, sizeof path);
    uint8_t *data = place_read(path, &len);
    uint8_t *longer = calloc(1, len + 600);
    assert_non_null(longer);
    memcpy(longer, data, len);
    memcpy(longer + len, data, 9); /* its header and little more */
    place_write(path, longer, len + 600);
    struct kv *kv = place_open(place);
    for (uint32_t n = 0; n < 200; n++) {
        struct kv_value value = {0};
        assert_int_equal(kv_get(kv, KV_META, bytes_of(&n, sizeof n), &value, NULL), ERR_OK);
        kv_value_free(kv, &value);
    }
    kv->calls->close(kv);
    free(longer);
    free(data);
    place_free(place);
}

/* KV-LOG-4: RocksDB would begin an empty store. */
static void test_a_store_without_its_current_does_not_open(void **state)
{
    struct place *place = make_store();
    static const struct {
        const char *content;
        const char *says;
    } rows[] = {
        {"", "'CURRENT' is damaged"},
        {"MANIFEST-000001", "'CURRENT' is damaged"},
        {"MANIFEST-\n", "'CURRENT' is damaged"},
        {"MANIFESU-000001\n", "'CURRENT' is damaged"},
        {"MANIFEST-00000q\n", "'CURRENT' is damaged"},
        {"MANIFEST-../../x\n", "'CURRENT' is damaged"},
        {"MANIFEST-900000\n", "'MANIFEST-900000', which is missing"},
        {"MANIFEST-00000000000000000000000000000000000000000000000000000000000001\n",
         "'CURRENT' is damaged"},
    };
    char path[128], aside[128];
    (void)state;
    snprintf(path, sizeof path, "%s/CURRENT", place->kv);
    snprintf(aside, sizeof aside, "%s/aside", place->dir);
    assert_int_equal(rename(path, aside), 0);
    expect_refused(place, "'CURRENT' is missing");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        place_write(path, (const uint8_t *)rows[i].content, strlen(rows[i].content));
        expect_refused(place, rows[i].says);
    }
    assert_int_equal(rename(aside, path), 0);
    struct kv *kv = place_open(place);
    kv->calls->close(kv);
    place_free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_and_cut_ones),
        cmocka_unit_test(test_holes_in_the_last_group_are_cut),
        cmocka_unit_test(test_a_flipped_bit_is_refused),
        cmocka_unit_test(test_a_flipped_length_is_refused),
        cmocka_unit_test(test_a_hole_far_from_the_end_is_refused),
        cmocka_unit_test(test_an_empty_one_is_refused),
        cmocka_unit_test(test_out_of_memory_is_an_error),
        cmocka_unit_test(test_a_store_with_a_flipped_length_does_not_open),
        cmocka_unit_test(test_a_store_with_a_torn_manifest_opens),
        cmocka_unit_test(test_a_store_without_its_current_does_not_open),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
