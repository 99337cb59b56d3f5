/* object_faults_test.c - objects and versions with every failure (OBJ-FAULT-5).
 *
 * Planted bugs that it caught: object_delete that took a batch without memory
 * for one with nothing to do, and said that the version was deleted; a value of
 * the store not given back when a version's key could not be copied.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "tests/unit/storage/obj/step_faults.h"

#define SMALL_LEN 1000
#define LARGE_LEN KIB(200)

static struct object_version old; /* a version that prepare made */
static const struct object_version latest = {.kind = VERSION_LATEST};
static const struct object_version null_version = {.kind = VERSION_NULL};

static void set_versioning(struct fixture *f, enum bucket_versioning versioning)
{
    struct err err;
    assert_ok(bucket_set_versioning(f->store, f->bucket, versioning, OWNER, &err));
}

static void prepare_small(struct fixture *f)
{
    put(f, "key", SMALL_LEN, 1);
}

static void prepare_large(struct fixture *f)
{
    put(f, "key", LARGE_LEN, 1);
}

/* A null version, an old one, the latest. */
static void prepare_versions(struct fixture *f)
{
    struct err err;
    struct record_object object;
    put(f, "key", 10, 1);
    set_versioning(f, BUCKET_ENABLED);
    assert_ok(put_bytes(f, "key", 20, 2, &object, &err));
    old = version_of(&object);
    put(f, "key", 30, 3);
}

static void prepare_suspended(struct fixture *f)
{
    prepare_versions(f);
    set_versioning(f, BUCKET_SUSPENDED);
}

static void prepare_marker(struct fixture *f)
{
    prepare_versions(f);
    delete_key(f, "key");
}

static enum err_code run_put(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct record_object object;
    return put_bytes(f, "key", 77, 9, &object, err);
}

static bool is_put(struct fixture *f)
{
    return step_has(f, "key", 77);
}

static enum err_code run_put_large(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct record_object object;
    return put_bytes(f, "key", LARGE_LEN + 1, 9, &object, err);
}

/* More than a writer's buffer. */
static enum err_code run_put_huge(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct record_object object;
    return put_bytes(f, "key", MIB(3), 9, &object, err);
}

static bool is_put_huge(struct fixture *f)
{
    return step_has(f, "key", MIB(3));
}

static bool is_put_large(struct fixture *f)
{
    return step_has(f, "key", LARGE_LEN + 1);
}

static enum err_code head(struct fixture *f, struct object_version version, uint64_t len,
                          struct arena *arena, struct err *err)
{
    struct record_object object;
    enum err_code rc =
        object_head(f->store, f->bucket, BYTES_LIT("key"), version, arena, &object, err);
    if (rc == ERR_OK)
        assert_int_equal(object.length, len);
    return rc;
}

static enum err_code run_head_old(struct fixture *f, struct arena *arena, struct err *err)
{
    return head(f, old, 20, arena, err);
}

static enum err_code run_head_null(struct fixture *f, struct arena *arena, struct err *err)
{
    return head(f, null_version, 10, arena, err);
}

/* That there is a marker is an answer. */
static enum err_code run_head_marker(struct fixture *f, struct arena *arena, struct err *err)
{
    enum err_code rc = head(f, latest, 0, arena, err);
    return rc == ERR_NOT_FOUND && err->reason == STORE_DELETE_MARKER ? ERR_OK : rc;
}

static enum err_code run_get_small(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return get(f, "key", SMALL_LEN, 1, err);
}

static enum err_code run_get_large(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return get(f, "key", LARGE_LEN, 1, err);
}

static enum err_code delete_one(struct fixture *f, struct object_version version,
                                struct arena *arena, struct err *err)
{
    struct object_deleted deleted;
    struct object_delete request = {.key = BYTES_LIT("key"), .version = version, .user = OWNER};
    return object_delete(f->store, f->bucket, &request, arena, &deleted, err);
}

static enum err_code run_delete(struct fixture *f, struct arena *arena, struct err *err)
{
    return delete_one(f, latest, arena, err);
}

static enum err_code run_delete_old(struct fixture *f, struct arena *arena, struct err *err)
{
    return delete_one(f, old, arena, err);
}

static enum err_code run_delete_null(struct fixture *f, struct arena *arena, struct err *err)
{
    return delete_one(f, null_version, arena, err);
}

static bool has_version(struct fixture *f, struct object_version version)
{
    struct err err;
    struct record_object object;
    return step_is_there(
        object_head(f->store, f->bucket, BYTES_LIT("key"), version, &f->arena, &object, &err),
        &err);
}

static bool is_deleted(struct fixture *f)
{
    return !has_version(f, latest);
}

static bool is_old_deleted(struct fixture *f)
{
    return !has_version(f, old);
}

static bool is_null_deleted(struct fixture *f)
{
    return !has_version(f, null_version);
}

/* The latest version goes, so that the one before it comes back. */
static void prepare_two(struct fixture *f)
{
    struct err err;
    struct record_object object;
    set_versioning(f, BUCKET_ENABLED);
    put(f, "key", 10, 1);
    assert_ok(put_bytes(f, "key", 20, 2, &object, &err));
    old = version_of(&object);
}

static bool is_promoted(struct fixture *f)
{
    bool promoted = step_has(f, "key", 10);
    assert_true(promoted || step_has(f, "key", 20));
    return promoted;
}

/* The marker goes. */
static void prepare_marker_on_top(struct fixture *f)
{
    struct err err;
    struct object_deleted deleted;
    set_versioning(f, BUCKET_ENABLED);
    put(f, "key", 10, 1);
    assert_ok(delete_version(f, "key", latest, &deleted, &err));
    old.kind = VERSION_ID;
    assert_true(object_version_parse(bytes_of_str(deleted.version_id), &old));
}

static bool is_marker_gone(struct fixture *f)
{
    return step_has(f, "key", 10);
}

static void prepare_three(struct fixture *f)
{
    put(f, "a", 10, 1);
    put(f, "b", LARGE_LEN, 1);
    put(f, "c", 10, 1);
}

static const char *const many_keys[] = {"a", "b", "c"};
static struct object_delete_result many_results[3];
static enum err_code many_rc;

/* Some keys may fail and others not; the first that fails is told. */
static enum err_code run_delete_many(struct fixture *f, struct arena *arena, struct err *err)
{
    struct object_delete requests[3];
    for (int i = 0; i < 3; i++)
        requests[i] = (struct object_delete){.key = bytes_of_str(many_keys[i]), .user = OWNER};
    many_rc = object_delete_many(f->store, f->bucket, requests, 3, arena, many_results, err);
    for (int i = 0; many_rc == ERR_OK && i < 3; i++)
        if (many_results[i].err.code != ERR_OK)
            *err = many_results[i].err;
    return many_rc == ERR_OK ? err->code : many_rc;
}

/* Each key is as its answer says. */
static bool is_many_deleted(struct fixture *f)
{
    bool all = true;
    for (int i = 0; i < 3; i++) {
        bool there = step_has(f, many_keys[i], i == 1 ? LARGE_LEN : 10);
        bool said = many_rc == ERR_OK && many_results[i].err.code == ERR_OK;
        assert_true(there != said);
        all = all && !there;
    }
    return all;
}

static enum err_code run_copy(struct fixture *f, struct arena *arena, struct err *err)
{
    return copy_key(f, "key", "copy", arena, err);
}

static bool is_small_copied(struct fixture *f)
{
    return step_has(f, "copy", SMALL_LEN);
}

static bool is_large_copied(struct fixture *f)
{
    return step_has(f, "copy", LARGE_LEN);
}

static struct record_pair tag = {BYTES_LIT("name"), BYTES_LIT("value")};

static enum err_code set_tags(struct fixture *f, struct object_version version, struct arena *arena,
                              struct err *err)
{
    struct record_pairs tags = {&tag, 1};
    struct record_object object;
    return object_set_tags(f->store, f->bucket, BYTES_LIT("key"), version, &tags, arena, &object,
                           err);
}

static enum err_code run_tag(struct fixture *f, struct arena *arena, struct err *err)
{
    return set_tags(f, latest, arena, err);
}

static enum err_code run_tag_old(struct fixture *f, struct arena *arena, struct err *err)
{
    return set_tags(f, old, arena, err);
}

static bool has_tags(struct fixture *f, struct object_version version)
{
    struct err err;
    struct record_object object;
    assert_ok(
        object_head(f->store, f->bucket, BYTES_LIT("key"), version, &f->arena, &object, &err));
    return object.tags.count == 1;
}

static bool is_tagged(struct fixture *f)
{
    return has_tags(f, latest);
}

static bool is_old_tagged(struct fixture *f)
{
    return has_tags(f, old);
}

static const struct step steps[] = {
    {"put", NULL, run_put, is_put},
    {"put, large", NULL, run_put_large, is_put_large},
    {"put, huge", NULL, run_put_huge, is_put_huge},
    {"put over", prepare_large, run_put, is_put},
    {"put a version", prepare_versions, run_put, is_put},
    {"put, suspended", prepare_suspended, run_put, is_put},
    {"head an old version", prepare_versions, run_head_old, NULL},
    {"head the null version", prepare_versions, run_head_null, NULL},
    {"head a marker", prepare_marker, run_head_marker, NULL},
    {"get, small", prepare_small, run_get_small, NULL},
    {"get, large", prepare_large, run_get_large, NULL},
    {"delete", prepare_small, run_delete, is_deleted},
    {"delete, a marker", prepare_versions, run_delete, is_deleted},
    {"delete, suspended", prepare_suspended, run_delete, is_deleted},
    {"delete an old version", prepare_versions, run_delete_old, is_old_deleted},
    {"delete the null version", prepare_versions, run_delete_null, is_null_deleted},
    {"delete the latest version", prepare_two, run_delete_old, is_promoted},
    {"delete a marker", prepare_marker_on_top, run_delete_old, is_marker_gone},
    {"copy, small", prepare_small, run_copy, is_small_copied},
    {"copy, large", prepare_large, run_copy, is_large_copied},
    {"tag", prepare_small, run_tag, is_tagged},
    {"tag an old version", prepare_versions, run_tag_old, is_old_tagged},
};

/* Each becomes a delete marker, in the place of a null version. */
static void prepare_three_suspended(struct fixture *f)
{
    prepare_three(f);
    set_versioning(f, BUCKET_ENABLED);
    prepare_three(f);
    set_versioning(f, BUCKET_SUSPENDED);
}

static const struct step many[] = {
    {"delete many", prepare_three, run_delete_many, is_many_deleted},
    {"delete many, suspended", prepare_three_suspended, run_delete_many, is_many_deleted},
};

/* OBJ-FAULT-5 */
static void test_allocations(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_allocations) > 300);
}

static void test_reads(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_reads) > 30);
}

static void test_commits(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_commits) > 10);
}

static void test_files(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_files) >= 4);
}

/* Some of the keys are deleted and some are not; each in a fresh store. */
static void test_many(void **state UNUSED)
{
    static const struct fault *const faults[] = {&fault_allocations[0], &fault_allocations[1],
                                                 &fault_reads[0], &fault_commits[0]};
    for (size_t i = 0; i < ARRAY_LEN(faults) * ARRAY_LEN(many); i++)
        for (long nth = 1, hit = true; hit; nth++) {
            const struct step *step = &many[i % ARRAY_LEN(many)];
            struct fixture *f = step_fixture(step);
            hit = step_run(step, faults[i / ARRAY_LEN(many)], nth, &f);
            fixture_free(f);
        }
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    fixture_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations), cmocka_unit_test(test_reads),
        cmocka_unit_test(test_commits),     cmocka_unit_test(test_files),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
