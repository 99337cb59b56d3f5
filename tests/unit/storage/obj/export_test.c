/* export_test.c - the large bodies of a store, told in order and read checked, for
 * who copies them all (BACKUP-COPY-1, BACKUP-ROT-1). */
#include "storage/obj/export.h"

#include "tests/unit/storage/obj/obj_fixture.h"

static struct export_page page; /* large */

static void list(struct fixture *f, uint64_t from, uint64_t before)
{
    struct err err;
    assert_ok(export_list(f->store, from, before, &page, &err));
}

/* All of them, page by page, small bodies left out; none from `before` on. */
static void test_list(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < EXPORT_PAGE + 3; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        put(f, key, i % 3 ? KIB(100) : 100, (uint32_t)i);
    }
    put(f, "twice", KIB(100), 1);
    list(f, 0, UINT64_MAX);
    size_t wanted = (EXPORT_PAGE + 3) - (EXPORT_PAGE + 3 + 2) / 3 + 1;
    assert_int_equal(page.count, wanted);
    for (size_t i = 0; i < page.count; i++) {
        assert_int_equal(page.bodies[i].length, KIB(100));
        assert_true(i == 0 || page.bodies[i - 1].id < page.bodies[i].id);
    }
    uint64_t third = page.bodies[3].id;
    list(f, 0, third);
    assert_int_equal(page.count, 3);
    list(f, third + 1, third + 1);
    assert_int_equal(page.count, 0);
    list(f, third, UINT64_MAX);
    assert_int_equal(page.count, wanted - 3);
    assert_int_equal(page.bodies[0].id, third);
}

/* Bodies of the same bytes have the same sums, others not. */
static void test_sums(void **state)
{
    struct fixture *f = *state;
    put(f, "a", KIB(300), 1);
    put(f, "b", KIB(300), 1);
    put(f, "c", KIB(300), 2);
    put(f, "d", KIB(300) - 1, 1);
    list(f, 0, UINT64_MAX);
    assert_int_equal(page.count, 4);
    assert_memory_equal(page.bodies[0].sums.data, page.bodies[1].sums.data, 32);
    assert_memory_not_equal(page.bodies[0].sums.data, page.bodies[2].sums.data, 32);
    assert_memory_not_equal(page.bodies[0].sums.data, page.bodies[3].sums.data, 32);
}

static void test_read(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "large", MIB(5) + 7, 1);
    list(f, 0, UINT64_MAX);
    AUTO(body_reader) struct body_reader *reader = NULL;
    assert_ok(export_open(f->store, &page.bodies[0], &reader, &err));
    assert_ok(check_range(reader, 0, MIB(5) + 7, MIB(1), 1, 0, &err));
}

/* A damaged row is told as such, not skipped; a body that is gone is damage, too. */
static void test_damaged_rows(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct body_reader *reader;
    put(f, "large", KIB(100), 1);
    list(f, 0, UINT64_MAX);
    struct export_body body = page.bodies[0];
    struct key row = key_number(TAG_BODY, body.id);
    fake_kv_set(f->fake, KV_META, key_bytes(&row), BYTES_LIT("\x01no row of a body"));
    list(f, 0, UINT64_MAX);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.bodies[0].id, body.id);
    assert_int_equal(page.bodies[0].length, 0);
    assert_int_equal(export_open(f->store, &page.bodies[0], &reader, &err), ERR_CORRUPT);
    assert_int_equal(export_open(f->store, &body, &reader, &err), ERR_CORRUPT);
    body.id++;
    assert_int_equal(export_open(f->store, &body, &reader, &err), ERR_CORRUPT);
    const uint8_t cut[3] = {TAG_BODY, 0, 1};
    fake_kv_set(f->fake, KV_META, bytes_of(cut, sizeof(cut)), BYTES_LIT("x"));
    assert_int_equal(export_list(f->store, 0, UINT64_MAX, &page, &err), ERR_CORRUPT);
}

/* Without a copy nothing is held. */
static void test_begin_fails(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t before;
    char dir[96];
    snprintf(dir, sizeof(dir), "%s/copy", f->dir);
    assert_int_equal(export_begin(f->store, dir, &before, &err), ERR_UNSUPPORTED);
    assert_true(hold_free_begin(&f->store->hold));
    hold_free_end(&f->store->hold);
    assert_ok(export_verify(f->store, &err));
    put(f, "large", KIB(100), 1);
    assert_int_equal(export_bytes(f->store), KIB(100));
}

/* The reads of the ordered store fail, one after the other. */
static void test_failing_reads(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "a", KIB(100), 1);
    put(f, "b", KIB(100), 1);
    f->fake->fail_read = 1;
    assert_int_equal(export_list(f->store, 0, UINT64_MAX, &page, &err), ERR_IO);
    f->fake->fail_iter = 2;
    assert_int_equal(export_list(f->store, 0, UINT64_MAX, &page, &err), ERR_IO);
    list(f, 0, UINT64_MAX);
    assert_int_equal(page.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_list),        TEST(test_sums),
                                       TEST(test_read),        TEST(test_damaged_rows),
                                       TEST(test_begin_fails), TEST(test_failing_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
