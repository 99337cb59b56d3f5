/* bucket_test.c - buckets (OBJ-BUCKET).
 *
 * Planted bug that it caught: ids given again after a bucket was deleted and the
 * store restarted (the new bucket showed the old one's rows). */
#include "tests/unit/storage/obj/obj_fixture.h"

/* OBJ-BUCKET-1: the names S3 allows, and no others. */
static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {
        "abc",
        "a.b.c",
        "my-bucket",
        "1bucket",
        "a--b",
        "192.168.1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    static const char *const bad[] = {
        "",          "ab",
        "Abc",       "a_b",
        "-abc",      "abc-",
        ".abc",      "abc.",
        "a..b",      "a.-b",
        "a-.b",      "1.2.3.4",
        "xn--abc",   "abc-s3alias",
        "a--ol-s3",  "sthree-a",
        "a/b",       "a b",
        "a\nb",      "\xc3\xa9-ab",
        "abc--x-s3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!bucket_name_ok(bytes_of_str(good[i])))
            fail_msg("'%s' was refused", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (bucket_name_ok(bytes_of_str(bad[i])))
            fail_msg("'%s' was accepted", bad[i]);
}

/* OBJ-BUCKET-2: one of a name; deleted only when empty; an old handle answers that it is gone. */
static void test_life(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_int_equal(bucket_create(f->store, BYTES_LIT("bkt"), OWNER, (struct bytes){0}, &err),
                     ERR_EXISTS);
    assert_int_equal(err.reason, STORE_BUCKET_EXISTS);
    put(f, "key", 10, 0);
    assert_int_equal(bucket_delete(f->store, f->bucket, OWNER, &err), ERR_EXISTS);
    assert_int_equal(err.reason, STORE_BUCKET_NOT_EMPTY);
    delete_key(f, "key");
    assert_ok(bucket_delete(f->store, f->bucket, OWNER, &err));
    struct record_object object;
    assert_int_equal(put_bytes(f, "key", 10, 0, &object, &err), ERR_NOT_FOUND);
    assert_int_equal(err.reason, STORE_NO_BUCKET);
    assert_int_equal(bucket_delete(f->store, f->bucket, OWNER, &err), ERR_NOT_FOUND);
    struct bucket *again;
    assert_int_equal(bucket_acquire(f->store, BYTES_LIT("bkt"), &again, &err), ERR_NOT_FOUND);
    uint32_t id = bucket_info(f->bucket).id;
    bucket_release(f->bucket);
    f->bucket = NULL;
    fixture_halt(f);
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_create(f->store, BYTES_LIT("bkt"), OWNER, (struct bytes){0}, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    assert_true(bucket_info(f->bucket).id > id);
}

/* A delete marker and a version keep a bucket, too. */
static void test_markers_keep(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_ok(bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, &err));
    delete_key(f, "key");
    assert_int_equal(bucket_delete(f->store, f->bucket, OWNER, &err), ERR_EXISTS);
    assert_int_equal(bucket_set_versioning(f->store, f->bucket, BUCKET_UNVERSIONED, OWNER, &err),
                     ERR_INVALID);
    fixture_restart(f);
    assert_int_equal(bucket_info(f->bucket).versioning, BUCKET_ENABLED);
}

/* OBJ-BUCKET-3: an owner's buckets, in order, page by page. */
static void test_list(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const char *const names[] = {"zoo", "abc", "mmm", "abd"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_ok(bucket_create(f->store, bytes_of_str(names[i]), i == 2 ? BYTES_LIT("x") : OWNER,
                                BYTES_LIT("eu-west-1"), &err));
    static const char *const want[] = {"abc", "abd", "bkt", "zoo"};
    struct bytes after = {0};
    bool more = true;
    for (size_t i = 0; more; i++) {
        struct bucket_entry *list;
        size_t count;
        assert_ok(bucket_list(f->store, OWNER, (struct bytes){0}, after, 1, &f->arena, &list,
                              &count, &more, &err));
        assert_int_equal(count, 1);
        assert_true(bytes_equal_str(list[0].name, want[i]));
        after = list[0].name;
    }
    struct bucket_entry *list;
    size_t count;
    assert_ok(bucket_list(f->store, OWNER, BYTES_LIT("ab"), (struct bytes){0}, 10, &f->arena, &list,
                          &count, &more, &err));
    assert_int_equal(count, 2);
    assert_false(more);
}

/* OBJ-BUCKET-4: tags are kept whole, over a restart; an empty set removes them. */
static void test_tags(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct record_pair pairs[] = {{BYTES_LIT("k"), BYTES_LIT("v")}, {BYTES_LIT("empty"), {0}}};
    struct record_pairs tags = {pairs, ARRAY_LEN(pairs)}, got;
    assert_ok(bucket_set_tags(f->store, f->bucket, &tags, OWNER, &err));
    assert_ok(bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, &err));
    fixture_restart(f);
    assert_ok(bucket_get_tags(f->bucket, &f->arena, &got, &err));
    assert_int_equal(got.count, 2);
    assert_true(bytes_equal_str(record_pair_find(&got, "k"), "v"));
    assert_ok(bucket_set_tags(f->store, f->bucket, &(struct record_pairs){0}, OWNER, &err));
    assert_ok(bucket_get_tags(f->bucket, &f->arena, &got, &err));
    assert_int_equal(got.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        TEST(test_life),
        TEST(test_markers_keep),
        TEST(test_list),
        TEST(test_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
