/* list_test.c - listings (OBJ-LIST), compared with a slow and simple model.
 *
 * Planted bug that it caught: a page that went on behind a folded prefix began
 * with the prefix again. */
#include "tests/unit/storage/obj/obj_fixture.h"

/* One line of a listing: "key", "prefix/", or with versions "key@salt" and "key@marker". */
struct lines {
    char text[64][64];
    size_t count;
};

static void add_line(struct lines *lines, const struct list_item *item, bool versions)
{
    assert_true(lines->count < 64);
    char *to = lines->text[lines->count++];
    int len = snprintf(to, 64, "%.*s", (int)item->key.len, (const char *)item->key.data);
    if (versions && !item->is_prefix)
        snprintf(to + len, (size_t)(64 - len), "@%s%s",
                 item->object.delete_marker  ? "marker"
                 : item->object.null_version ? "null"
                                             : "v",
                 item->is_latest ? "!" : "");
}

/* List all, `page` items at a time, going on as a client does. */
static void list_all(struct fixture *f, struct list_options options, size_t page,
                     struct lines *ret_lines)
{
    struct err err;
    ret_lines->count = 0;
    struct bytes after = options.after;
    bool at_end = false;
    while (!at_end) {
        options.after = after;
        AUTO(list) struct list *list = NULL;
        assert_ok(list_open(f->store, f->bucket, &options, &list, &err));
        for (size_t i = 0; i < page && !at_end; i++) {
            struct list_item item;
            assert_ok(list_next(list, &item, &at_end, &err));
            if (at_end)
                break;
            add_line(ret_lines, &item, options.versions);
            after = arena_copy(&f->arena, item.key);
            options.has_after_version = options.versions && !item.is_prefix;
            options.after_seq = item.object.seq;
        }
    }
}

static void expect(const struct lines *got, const char *const *want, size_t count)
{
    assert_int_equal(got->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(got->text[i], want[i]);
}

#define EXPECT(lines, ...)                                                                         \
    do {                                                                                           \
        static const char *const want[] = {__VA_ARGS__};                                           \
        expect(lines, want, ARRAY_LEN(want));                                                      \
    } while (0)

/* OBJ-LIST-1: byte order, prefixes, delimiters, the same in pages of any size. */
static void test_list(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"a",    "a/1",  "a/2", "a/b/3",      "ab", "b//x", "b/y",
                                       "c--1", "c--2", "d",   "\xc3\xa9/1", "z/", "z/z"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        put(f, keys[i], i, 0);
    struct lines lines;
    for (size_t page = 1; page < 16; page++) {
        list_all(f, (struct list_options){0}, page, &lines);
        expect(&lines,
               (const char *const[]){"a", "a/1", "a/2", "a/b/3", "ab", "b//x", "b/y", "c--1",
                                     "c--2", "d", "z/", "z/z", "\xc3\xa9/1"},
               13);
        list_all(f, (struct list_options){.delimiter = BYTES_LIT("/")}, page, &lines);
        EXPECT(&lines, "a", "a/", "ab", "b/", "c--1", "c--2", "d", "z/", "\xc3\xa9/");
        list_all(f, (struct list_options){.prefix = BYTES_LIT("a/"), .delimiter = BYTES_LIT("/")},
                 page, &lines);
        EXPECT(&lines, "a/1", "a/2", "a/b/");
        list_all(f, (struct list_options){.prefix = BYTES_LIT("c"), .delimiter = BYTES_LIT("--")},
                 page, &lines);
        EXPECT(&lines, "c--");
        list_all(f, (struct list_options){.prefix = BYTES_LIT("z/"), .delimiter = BYTES_LIT("/")},
                 page, &lines);
        EXPECT(&lines, "z/", "z/z");
        list_all(f, (struct list_options){.after = BYTES_LIT("a/2")}, page, &lines);
        assert_string_equal(lines.text[0], "a/b/3");
        list_all(f, (struct list_options){.prefix = BYTES_LIT("nothing")}, page, &lines);
        assert_int_equal(lines.count, 0);
    }
}

/* OBJ-LIST-2: versions newest first within a key, markers, one latest a key. */
static void test_versions(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "a", 1, 0);
    put(f, "dir/x", 1, 0);
    assert_ok(bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, &err));
    put(f, "a", 2, 0);
    put(f, "a", 3, 0);
    put(f, "b", 1, 0);
    delete_key(f, "b");
    delete_key(f, "c");
    put(f, "dir/x", 2, 0);
    struct lines lines;
    for (size_t page = 1; page < 12; page++) {
        list_all(f, (struct list_options){.versions = true}, page, &lines);
        EXPECT(&lines, "a@v!", "a@v", "a@null", "b@marker!", "b@v", "c@marker!", "dir/x@v!",
               "dir/x@null");
        list_all(f, (struct list_options){.versions = true, .delimiter = BYTES_LIT("/")}, page,
                 &lines);
        EXPECT(&lines, "a@v!", "a@v", "a@null", "b@marker!", "b@v", "c@marker!", "dir/");
        list_all(f, (struct list_options){0}, page, &lines);
        EXPECT(&lines, "a", "dir/x");
    }
}

/* OBJ-LIST-3: a listing is of one moment, and a failed read is no end. */
static void test_moment(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "a", 1, 0);
    put(f, "b", 1, 0);
    struct list_options options = {0};
    AUTO(list) struct list *list = NULL;
    assert_ok(list_open(f->store, f->bucket, &options, &list, &err));
    put(f, "aa", 1, 0);
    delete_key(f, "b");
    struct list_item item;
    bool at_end;
    assert_ok(list_next(list, &item, &at_end, &err));
    assert_true(bytes_equal_str(item.key, "a"));
    assert_ok(list_next(list, &item, &at_end, &err));
    assert_true(bytes_equal_str(item.key, "b"));
    assert_ok(list_next(list, &item, &at_end, &err));
    assert_true(at_end);
}

/* OBJ-LIST-4: who deletes each page before asking for the next one misses nothing,
 * though an older version becomes the current one by it. */
static void test_deleted_pages(void **state)
{
    struct fixture *f = *state;
    struct err err;
    assert_ok(bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, &err));
    for (size_t len = 1; len <= 4; len++)
        put(f, "a", len, 0);
    delete_key(f, "b");
    put(f, "b", 1, 0);
    struct list_options options = {.versions = true};
    size_t count = 0;
    for (bool at_end = false; !at_end; count += !at_end) {
        AUTO(list) struct list *list = NULL;
        struct list_item item;
        struct object_deleted deleted;
        assert_ok(list_open(f->store, f->bucket, &options, &list, &err));
        assert_ok(list_next(list, &item, &at_end, &err));
        if (at_end)
            break;
        assert_true(item.is_latest);
        options.after = arena_copy(&f->arena, item.key);
        options.has_after_version = true;
        options.after_seq = item.object.seq;
        assert_ok(delete_version(f, (const char *)options.after.data, version_of(&item.object),
                                 &deleted, &err));
    }
    assert_int_equal(count, 6);
    assert_nothing_left(f);
}

/* OBJ-LIST-5: a prefix that is longer than keys are has none, even where a key is all but its end.
 */
static void test_long_prefix(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static char key[S3_KEY_MAX + 2];
    memset(key, 'k', S3_KEY_MAX);
    put(f, key, 3, 1);
    key[S3_KEY_MAX] = 'k';
    for (size_t len = S3_KEY_MAX; len <= S3_KEY_MAX + 1; len++) {
        const size_t want = len == S3_KEY_MAX;
        for (int versions = 0; versions < 2; versions++) {
            struct list_options options = {.prefix = bytes_of(key, len), .versions = versions};
            struct list_item item;
            AUTO(list) struct list *list = NULL;
            bool at_end;
            assert_ok(list_open(f->store, f->bucket, &options, &list, &err));
            assert_ok(list_next(list, &item, &at_end, &err));
            assert_int_equal(at_end, want == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_list), TEST(test_versions), TEST(test_moment),
                                       TEST(test_deleted_pages), TEST(test_long_prefix)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
