/* bucket_faults_test.c - buckets, listings, the change log, opening and the scrub
 * with every failure (OBJ-FAULT-5).
 *
 * Planted bugs that it caught: a bucket put into the table although its commit
 * had failed; a lane that could not be read taken for the end of a listing.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "storage/obj/change.h"
#include "storage/obj/scrub.h"
#include "tests/unit/storage/obj/step_faults.h"

#define READER BYTES_LIT("reader")

static bool has_bucket(struct fixture *f, struct bytes name)
{
    struct err err;
    AUTO(bucket) struct bucket *bucket = NULL;
    return step_is_there(bucket_acquire(f->store, name, &bucket, &err), &err);
}

static enum err_code run_create(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return bucket_create(f->store, BYTES_LIT("another"), OWNER, BYTES_LIT("eu"), err);
}

/* In memory as in the store. */
static bool is_created(struct fixture *f)
{
    bool created = has_bucket(f, BYTES_LIT("another"));
    assert_int_equal(count_tag(f, TAG_BUCKET), f->store->bucket_count);
    return created;
}

/* So many that the next one makes the table grow. */
static void prepare_full_table(struct fixture *f)
{
    struct err err;
    char name[16];
    for (int i = 1; i < 16; i++) {
        snprintf(name, sizeof(name), "bucket-%d", i);
        assert_ok(bucket_create(f->store, bytes_of_str(name), OWNER, (struct bytes){0}, &err));
    }
}

static enum err_code run_delete(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return bucket_delete(f->store, f->bucket, OWNER, err);
}

static bool is_deleted(struct fixture *f)
{
    bool deleted = !has_bucket(f, BYTES_LIT("bkt"));
    assert_int_equal(count_tag(f, TAG_BUCKET), f->store->bucket_count);
    return deleted;
}

static enum err_code run_version(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, err);
}

static bool is_versioned(struct fixture *f)
{
    return bucket_info(f->bucket).versioning == BUCKET_ENABLED;
}

static struct record_pair tag = {BYTES_LIT("name"), BYTES_LIT("value")};

static enum err_code run_tag(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct record_pairs tags = {&tag, 1};
    return bucket_set_tags(f->store, f->bucket, &tags, OWNER, err);
}

static bool is_tagged(struct fixture *f)
{
    struct err err;
    struct record_pairs tags;
    assert_ok(bucket_get_tags(f->bucket, &f->arena, &tags, &err));
    return tags.count == 1;
}

static void prepare_tags(struct fixture *f)
{
    struct err err;
    assert_ok(run_tag(f, &f->arena, &err));
}

static enum err_code run_get_tags(struct fixture *f, struct arena *arena, struct err *err)
{
    struct record_pairs tags;
    enum err_code rc = bucket_get_tags(f->bucket, arena, &tags, err);
    if (rc == ERR_OK)
        assert_int_equal(tags.count, 1);
    return rc;
}

static enum err_code run_list_buckets(struct fixture *f, struct arena *arena, struct err *err)
{
    struct bucket_entry *list;
    size_t count;
    bool more;
    enum err_code rc = bucket_list(f->store, OWNER, (struct bytes){0}, (struct bytes){0}, 100,
                                   arena, &list, &count, &more, err);
    if (rc == ERR_OK)
        assert_int_equal(count, 16);
    return rc;
}

/* Listings. */

static void prepare_listing(struct fixture *f)
{
    struct err err;
    assert_ok(run_version(f, &f->arena, &err));
    put(f, "a", 10, 1);
    put(f, "b/1", 10, 1);
    put(f, "b/2", 10, 1);
    put(f, "c", 10, 1);
    put(f, "c", 11, 1);
    delete_key(f, "a");
}

static enum err_code run_list(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return walk_list(f, &(struct list_options){.delimiter = BYTES_LIT("/")}, 2, err);
}

static enum err_code run_list_after(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return walk_list(f, &(struct list_options){.after = BYTES_LIT("b/1")}, 2, err);
}

static enum err_code run_list_folded(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return walk_list(
        f, &(struct list_options){.delimiter = BYTES_LIT("/"), .after = BYTES_LIT("b/")}, 1, err);
}

static enum err_code run_list_versions(struct fixture *f, struct arena *arena UNUSED,
                                       struct err *err)
{
    return walk_list(f, &(struct list_options){.versions = true, .delimiter = BYTES_LIT("/")}, 5,
                     err);
}

/* Behind a version that is the first of its key: the rest of the key, and of the bucket. */
static enum err_code run_list_after_version(struct fixture *f, struct arena *arena UNUSED,
                                            struct err *err)
{
    struct list_options options = {
        .versions = true, .after = BYTES_LIT("c"), .has_after_version = true, .after_seq = 7};
    return walk_list(f, &options, 1, err);
}

/* The change log. */

static enum err_code run_add_reader(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    uint64_t seq;
    return change_reader_add(f->store, READER, &seq, err);
}

static bool is_reader(struct fixture *f)
{
    return count_tag(f, TAG_CURSOR) == 1;
}

static void prepare_reader(struct fixture *f)
{
    struct err err;
    assert_ok(run_add_reader(f, &f->arena, &err));
    put(f, "a", 10, 1);
    put(f, "b", 10, 1);
}

static enum err_code run_remove_reader(struct fixture *f, struct arena *arena UNUSED,
                                       struct err *err)
{
    return change_reader_remove(f->store, READER, err);
}

static bool is_reader_removed(struct fixture *f)
{
    return !is_reader(f);
}

static enum err_code run_ack(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return change_reader_ack(f->store, READER, committer_durable_seq(f->committer), err);
}

static bool is_acked(struct fixture *f)
{
    struct err err;
    uint64_t lag;
    assert_ok(change_lag(f->store, &lag, &err));
    return lag == 0;
}

static enum err_code run_lag(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    uint64_t lag;
    enum err_code rc = change_lag(f->store, &lag, err);
    if (rc == ERR_OK)
        assert_int_equal(lag, 2);
    return rc;
}

static enum err_code run_read(struct fixture *f, struct arena *arena, struct err *err)
{
    struct change_page page;
    enum err_code rc = change_read(f->store, 0, 100, arena, &page, err);
    if (rc == ERR_OK)
        assert_int_equal(page.count, 3);
    return rc;
}

/* More numbers than are kept for a reader that fell behind. */
static void prepare_long_log(struct fixture *f)
{
    struct err err;
    assert_ok(run_add_reader(f, &f->arena, &err));
    pthread_mutex_lock(&f->store->readers_lock); /* so that the sweeper does not do it */
    for (int i = 0; i < 2200; i++) {
        put(f, "a", 0, 1);
        arena_reset(&f->arena);
    }
    f->store->changes_floor = 0;
    pthread_mutex_unlock(&f->store->readers_lock);
}

static enum err_code run_trim(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return change_trim(f->store, err);
}

static bool is_trimmed(struct fixture *f)
{
    return fake_kv_count(f->fake, KV_CHANGES) < 2000;
}

/* The start, and what the sweeper does first. */

static void prepare_data(struct fixture *f)
{
    prepare_full_table(f);
    put(f, "small", 100, 1);
    put(f, "large", MIB(1), 2);
    delete_key(f, "large");
    put(f, "large", MIB(5), 3);
}

static enum err_code run_open(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    struct err again;
    fixture_halt(f);
    enum err_code rc = fixture_start(f, err);
    if (rc != ERR_OK) {
        alloc_fail_disarm();
        if (fixture_start(f, &again) != ERR_OK)
            fail_msg("it does not open any more: %s", again.msg);
    }
    if (bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &again) != ERR_OK)
        fail_msg("%s", again.msg);
    step_wait_recovered(f);
    return rc;
}

/* With the compaction's thread. */
static enum err_code run_open_compacting(struct fixture *f, struct arena *arena, struct err *err)
{
    fixture_compaction = (struct store_compaction){.below_percent = 1};
    enum err_code rc = run_open(f, arena, err);
    fixture_compaction = (struct store_compaction){0};
    return rc;
}

/* A restored box, before its store is opened. */
static enum err_code run_new_epoch(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return store_new_epoch(&f->fake->kv, err);
}

static enum err_code run_recover(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return recover_space(f->store, err);
}

/* Rows to sweep, counted past the faults. */
static size_t count_free(struct fixture *f)
{
    size_t count = 0;
    pthread_mutex_lock(&f->fake->lock);
    const struct fake_table *table = f->fake->tables[KV_META];
    for (size_t i = 0; i < table->count; i++)
        count += fake_key(table->rows[i]).data[0] == TAG_FREE;
    pthread_mutex_unlock(&f->fake->lock);
    return count;
}

/* The sweeper, which finds a row for each kind of work. It fails in its own thread,
 * and is asked until it is through. */
static enum err_code run_sweep(struct fixture *f, struct arena *arena UNUSED,
                               struct err *err UNUSED)
{
    static const uint8_t kinds[] = {SWEEP_BODY, SWEEP_MANIFEST, SWEEP_PARTS};
    uint64_t errors = metrics_get(&f->store->stats.sweep_errors);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct key row = key_owned(TAG_FREE, 70 + i, 1);
        fake_kv_set(f->fake, KV_META, key_bytes(&row), bytes_of(&kinds[i], 1));
    }
    sweep_wake(f->store);
    for (int i = 0;
         i < 1000 && count_free(f) > 0 && metrics_get(&f->store->stats.sweep_errors) == errors; i++)
        usleep(1000);
    return ERR_OK;
}

static void prepare_findings(struct fixture *f)
{
    struct err err;
    struct scrub_status status = {.running = true};
    struct record_object object;
    assert_ok(put_bytes(f, "rotten", 100, 1, &object, &err));
    struct key row = key_bare(object.body.id);
    fake_kv_set(f->fake, KV_BODIES, key_bytes(&row), BYTES_LIT("not what was put"));
    assert_ok(scrub_start(f->store, 0, &err));
    for (int i = 0; i < 1000 && status.running; i++) {
        usleep(1000);
        assert_ok(scrub_get_status(f->store, &status, &err));
    }
}

static enum err_code run_findings(struct fixture *f, struct arena *arena, struct err *err)
{
    struct scrub_finding *findings;
    size_t count;
    enum err_code rc = scrub_get_findings(f->store, arena, &findings, &count, err);
    if (rc == ERR_OK)
        assert_true(count > 0);
    return rc;
}

static const struct step steps[] = {
    {"create a bucket", NULL, run_create, is_created},
    {"create the 17th", prepare_full_table, run_create, is_created},
    {"delete a bucket", NULL, run_delete, is_deleted},
    {"set versioning", NULL, run_version, is_versioned},
    {"tag a bucket", NULL, run_tag, is_tagged},
    {"get tags", prepare_tags, run_get_tags, NULL},
    {"list buckets", prepare_full_table, run_list_buckets, NULL},
    {"list", prepare_listing, run_list, NULL},
    {"list after", prepare_listing, run_list_after, NULL},
    {"list after a prefix", prepare_listing, run_list_folded, NULL},
    {"list versions", prepare_listing, run_list_versions, NULL},
    {"list after a version", prepare_listing, run_list_after_version, NULL},
    {"add a reader", NULL, run_add_reader, is_reader},
    {"remove a reader", prepare_reader, run_remove_reader, is_reader_removed},
    {"acknowledge", prepare_reader, run_ack, is_acked},
    {"lag", prepare_reader, run_lag, NULL},
    {"read changes", prepare_reader, run_read, NULL},
    {"trim", prepare_long_log, run_trim, is_trimmed},
    {"open", prepare_data, run_open, NULL},
    {"open, compacting", NULL, run_open_compacting, NULL},
    {"recover", prepare_data, run_recover, NULL},
    {"new epoch", NULL, run_new_epoch, NULL},
    {"sweep", NULL, run_sweep, NULL},
    {"findings", prepare_findings, run_findings, NULL},
};

/* OBJ-FAULT-5 */
static void test_allocations(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_allocations) > 200);
}

static void test_reads(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_reads) > 30);
}

static void test_commits(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_commits) > 5);
}

static void test_files(void **state UNUSED)
{
    static const struct step open[] = {{"open", prepare_data, run_open, NULL}};
    assert_true(STEP_SWEEP(open, fault_files) > 0);
}

/* A scrub that ran out of memory, or could not read, calls nothing rotten that is not. */
static bool scrub_once(struct fixture *f, const struct fault *fault, long nth)
{
    struct err err;
    struct scrub_status status = {.running = true};
    struct scrub_finding *findings;
    size_t count;
    fault->arm(f, nth);
    enum err_code rc = scrub_start(f->store, 0, &err);
    while (rc == ERR_OK && status.running) {
        usleep(1000);
        enum err_code asked = scrub_get_status(f->store, &status, &err);
        assert_true(asked == ERR_OK || asked == fault->code);
    }
    bool hit = fault->disarm(f);
    assert_true(hit || (rc == ERR_OK && !status.failed && status.phase == SCRUB_DONE));
    assert_true(rc == ERR_OK || rc == fault->code);
    assert_ok(scrub_get_findings(f->store, &f->arena, &findings, &count, &err));
    if (count > 0 && fault->code == ERR_NO_MEMORY)
        fail_msg("%s %ld: %" BYTES_FMT, fault->name, nth, BYTES_ARG(findings[0].what));
    return hit;
}

static void test_scrub(void **state UNUSED)
{
    static const struct fault *const faults[] = {&fault_allocations[0], &fault_reads[0],
                                                 &fault_reads[1]};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct fixture *f = fixture_new();
        prepare_data(f);
        wait_swept(f);
        for (long nth = 1; scrub_once(f, faults[i], nth); nth++)
            ;
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
        cmocka_unit_test(test_scrub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
