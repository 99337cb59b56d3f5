/* backup_fixture.h - a whole box's store on RocksDB with its backup, and places to
 * back it up to: DIR/box, DIR/dest, DIR/new. Objects are made and checked by
 * obj_fixture.h, whose store is this one's. */
#ifndef TESTS_UNIT_STORAGE_BACKUP_FIXTURE_H
#define TESTS_UNIT_STORAGE_BACKUP_FIXTURE_H

#include "tests/unit/storage/obj/obj_fixture.h"

#include "base/file.h"
#include "storage/backup/backup.h"
#include "storage/backup/restore.h"

struct box {
    struct fixture f; /* its `fake` is not used */
    char home[64], dir[80], dest[80], new_dir[80];
    struct kv *kv;
    struct backup *backup;
};

static const struct kv_rocks_options small_kv = {.cache_bytes = MIB(1), .memtable_bytes = MIB(4)};

static inline void box_paths(struct box *b, const char *home)
{
    snprintf(b->home, sizeof(b->home), "%s", home);
    snprintf(b->dir, sizeof(b->dir), "%s/box", home);
    snprintf(b->dest, sizeof(b->dest), "%s/dest", home);
    snprintf(b->new_dir, sizeof(b->new_dir), "%s/new", home);
}

static inline void box_open(struct box *b)
{
    struct err err;
    char path[128];
    uint64_t seq, stamp;
    snprintf(path, sizeof(path), "%s/kv", b->dir);
    assert_ok(kv_rocks_open(path, &small_kv, &b->kv, &err));
    assert_ok(store_last_seq(b->kv, &seq, &stamp, &err));
    assert_ok(committer_start(b->kv, clock_system(), seq, stamp, &b->f.committer, &err));
    const struct store_options options = {
        .dir = b->dir, .segment_bytes = MIB(4), .changes_max = 1000, .clock = clock_system()};
    assert_ok(store_open(b->kv, b->f.committer, &options, &b->f.store, &err));
    const struct backup_options backup = {b->kv, b->f.committer, b->f.store, b->dir,
                                          clock_system()};
    assert_ok(backup_new(&backup, &b->backup, &err));
}

static inline void box_close(struct box *b)
{
    backup_free(TAKE(b->backup));
    fixture_halt(&b->f);
    if (b->kv)
        b->kv->calls->close(TAKE(b->kv));
}

static inline void box_use_bucket(struct box *b)
{
    struct err err;
    assert_ok(bucket_acquire(b->f.store, BYTES_LIT("bkt"), &b->f.bucket, &err));
}

static inline struct box *box_new(void)
{
    struct err err;
    char home[64] = "/var/tmp/valise-test-XXXXXX", path[128];
    struct box *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    assert_ok(seal_start(&err));
    assert_non_null(mkdtemp(home));
    box_paths(b, home);
    assert_int_equal(mkdir(b->dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/box.key", b->dir);
    assert_ok(file_replace(path, 0600, BYTES_LIT("the key of this box"), &err));
    arena_init(&b->f.arena, MIB(64));
    box_open(b);
    assert_ok(bucket_create(b->f.store, BYTES_LIT("bkt"), OWNER, (struct bytes){0}, &err));
    box_use_bucket(b);
    return b;
}

static inline void box_free(struct box *b)
{
    box_close(b);
    arena_done(&b->f.arena);
    fixture_remove_dir(b->home);
    free(b);
}

static inline int box_setup(void **state)
{
    *state = box_new();
    return 0;
}

static inline int box_teardown(void **state)
{
    box_free(*state);
    return 0;
}

#define BOX_TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

static struct backup_status box_status;

static inline const struct backup_status *box_wait(struct box *b)
{
    for (int i = 0; i < 6000; i++) {
        backup_get_status(b->backup, &box_status);
        if (!box_status.running)
            return &box_status;
        usleep(5000);
    }
    fail_msg("the backup does not end");
    return NULL;
}

static inline enum err_code box_begin(struct box *b, uint32_t keep, uint64_t rate, struct err *err)
{
    const struct backup_request request = {.dest = b->dest, .keep = keep, .bytes_per_second = rate};
    return backup_start(b->backup, &request, err);
}

/* One that must succeed. */
static inline const struct backup_status *box_back_up(struct box *b)
{
    struct err err;
    assert_ok(box_begin(b, 7, 0, &err));
    const struct backup_status *status = box_wait(b);
    assert_string_equal(status->problem, "");
    assert_true(status->complete);
    return status;
}

static inline enum err_code box_restore(struct box *b, uint32_t generation,
                                        struct restore_result *ret_result, struct err *err)
{
    const struct restore_options options = {
        .source = b->dest, .generation = generation, .dir = b->new_dir, .kv = &small_kv};
    fixture_remove_dir(b->new_dir);
    assert_int_equal(mkdir(b->new_dir, 0700), 0);
    return restore_run(&options, ret_result, err);
}

/* The box that was restored, open, with its own backup; beside the other. To be closed by
 * box_close_restored. */
static inline struct box *box_open_restored(struct box *b)
{
    struct box *other = calloc(1, sizeof(*other));
    assert_non_null(other);
    box_paths(other, b->home);
    memcpy(other->dir, b->new_dir, sizeof(other->dir));
    arena_init(&other->f.arena, MIB(64));
    box_open(other);
    box_use_bucket(other);
    return other;
}

static inline void box_close_restored(struct box *other)
{
    box_close(other);
    arena_done(&other->f.arena);
    free(other);
}

/* Run a shell command in the box's home; returns  the first word it prints, as a number */
static inline long box_shell(const struct box *b, const char *command)
{
    char line[512], answer[64] = "";
    snprintf(line, sizeof(line), "cd %s && %s", b->home, command);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    (void)!fgets(answer, sizeof(answer), pipe);
    assert_int_equal(pclose(pipe), 0);
    return atol(answer);
}

#endif
