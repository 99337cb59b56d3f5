/* sweep_test.c - freeing what nobody owns, and nothing else (OBJ-FREE).
 *
 * Planted bugs that it caught: extents counted off before the commit (another
 * body's segment is unlinked); a body claimed without a second look at its owners; one
 * that is taken for dead because its owners cannot be read; a dead body that counts
 * only up to what of it is lost (another body's segment is unlinked).
 *
 * LINK: -Wl,--wrap=pin_kill,--wrap=body_is_owned
 */
#include "storage/obj/scrub.h"
#include "tests/unit/storage/obj/obj_fixture.h"

#include <errno.h>

#define LEN KIB(100)

/* What happens between the sweeper's look at the owners and its claim, once. */
static void (*_Atomic before_kill)(void);

bool __real_pin_kill(struct pins *pins, struct pin *pin, uint64_t body);
bool __wrap_pin_kill(struct pins *pins, struct pin *pin, uint64_t body);
bool __wrap_pin_kill(struct pins *pins, struct pin *pin, uint64_t body)
{
    void (*hook)(void) = atomic_exchange(&before_kill, NULL);
    if (hook)
        hook();
    return __real_pin_kill(pins, pin, body);
}

static atomic_bool owners_unreadable; /* the next question for owners fails */

enum err_code __real_body_is_owned(struct store *store, uint64_t id, bool *ret_owned,
                                   struct err *err);
enum err_code __wrap_body_is_owned(struct store *store, uint64_t id, bool *ret_owned,
                                   struct err *err);
enum err_code __wrap_body_is_owned(struct store *store, uint64_t id, bool *ret_owned,
                                   struct err *err)
{
    enum err_code rc = __real_body_is_owned(store, id, ret_owned, err);
    if (!atomic_exchange(&owners_unreadable, false))
        return rc;
    *ret_owned = false;
    return err_fail_sys(err, EIO, "reading owners");
}

static uint64_t sweep_errors(const struct fixture *f)
{
    return metrics_get(&store_stats(f->store)->sweep_errors);
}

/* Have the sweeper try again, and wait until it failed once more. */
static void wait_failed(struct fixture *f)
{
    uint64_t before = sweep_errors(f);
    for (int i = 0; i < 500 && sweep_errors(f) == before; i++) {
        sweep_wake(f->store);
        usleep(10000);
    }
    assert_true(sweep_errors(f) > before);
}

static void check_body(struct fixture *f, const struct record_body *body, uint64_t len,
                       uint32_t salt)
{
    struct err err;
    AUTO(body_reader) struct body_reader *reader = NULL;
    bool gone;
    assert_ok(body_reader_open(f->store, body, len, &gone, &reader, &err));
    assert_false(gone);
    assert_ok(check_range(reader, 0, len, OBJ_BLOCK_BYTES, salt, 0, &err));
}

/* OBJ-FREE-2: a sweep that is repeated, because its commit failed, takes nothing
 * but what is dead: the segment stays for the others in it. */
static void test_repeated(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    put(f, "dead", LEN, 1);
    put(f, "alive", LEN, 2);
    fixture_restart(f); /* so that the segment is full */
    wait_live(f, 2 * LEN);
    f->fake->fail_write_code = ERR_NO_SPACE;
    f->fake->fail_writes_after = true;
    f->fake->fail_write = 2; /* the delete is committed */
    delete_key(f, "dead");
    for (int i = 0; i < 4; i++)
        wait_failed(f);
    assert_ok(get(f, "alive", LEN, 2, &err));
    fixture_halt(f);
    f->fake->fail_write = 0;
    f->fake->fail_writes_after = false;
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    wait_swept(f);
    wait_live(f, LEN);
    assert_ok(get(f, "alive", LEN, 2, &err));
    fixture_free(f);
}

/* OBJ-FREE-2: a stop in the middle of a sweep; the next start may give the
 * segment's number to a new one, whose bytes are not taken for the old. */
static void test_interrupted(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    struct record_object dead;
    assert_ok(put_bytes(f, "dead", LEN, 1, &dead, &err));
    fixture_restart(f);
    wait_live(f, LEN);
    f->fake->fail_write_code = ERR_IO;
    f->fake->fail_write = 2;
    delete_key(f, "dead");
    wait_failed(f);
    check_body(f, &dead.body, LEN, 1); /* who goes by the rows, a backup, finds no damage */
    fixture_restart(f);
    put(f, "new", LEN, 2);
    wait_swept(f);
    assert_ok(get(f, "new", LEN, 2, &err));
    delete_key(f, "new");
    assert_nothing_left(f);
    fixture_free(f);
}

/* OBJ-SCRUB-4: what a full disk had back before its row could go is no rot. */
static void test_punched_before(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    struct scrub_status status;
    put(f, "dead", LEN, 1);
    put(f, "alive", LEN, 2);
    f->fake->fail_write_code = ERR_NO_SPACE;
    f->fake->fail_write = 2;
    delete_key(f, "dead");
    for (int i = 0; i < 500 && sweep_errors(f) == 0; i++)
        usleep(10000);
    assert_int_equal(count_tag(f, TAG_BODY), 2);
    assert_ok(scrub_start(f->store, 0, &err));
    do {
        usleep(10000);
        assert_ok(scrub_get_status(f->store, &status, &err));
    } while (status.running);
    assert_false(status.failed);
    assert_int_equal(status.rot, 0);
    assert_int_equal(metrics_get(&store_stats(f->store)->rot_found), 0);
    assert_int_equal(count_tag(f, TAG_BODY), 2); /* all that time */
    fixture_restart(f);
    wait_swept(f);
    assert_ok(get(f, "alive", LEN, 2, &err));
    wait_live(f, LEN);
    fixture_free(f);
}

/* OBJ-FREE-2: a stop between a sweep's unlink and its rows, as a disk may bring it back
 * after a power cut: the segment is gone, a row still names it. That is no damage. */
static void test_segment_gone(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    put(f, "dead", LEN, 1);
    fixture_restart(f);
    wait_live(f, LEN);
    f->fake->fail_write_code = ERR_IO;
    f->fake->fail_write = 2;
    delete_key(f, "dead");
    wait_failed(f);
    fixture_halt(f);
    char path[128];
    snprintf(path, sizeof(path), "%s/bodies/00000001.seg", f->dir);
    assert_int_equal(unlink(path), 0);
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    wait_swept(f);
    assert_int_equal(sweep_errors(f), 0);
    assert_nothing_left(f);
    fixture_free(f);
}

/* Delete `key`, stop in the middle of the sweep, and do what a broken disk may do
 * before the next start. */
static void stop_in_sweep(struct fixture *f, const char *key)
{
    f->fake->fail_write_code = ERR_IO;
    f->fake->fail_write = 2;
    delete_key(f, key);
    wait_failed(f);
    fixture_halt(f);
}

static void start_again(struct fixture *f)
{
    struct err err;
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
}

static void segment_name(const struct fixture *f, unsigned number, char ret_path[128])
{
    snprintf(ret_path, 128, "%s/bodies/%08x.seg", f->dir, number);
}

/* OBJ-FREE-2: the same, but only one of the segments of the dead body is gone. What it
 * has in the other counts until it is freed, and the other's bodies stay. */
static void test_segment_gone_in_part(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    char path[128];
    put(f, "dead", MIB(5), 1); /* all of segment 1, the first of 2 */
    put(f, "alive", LEN, 2);
    fixture_restart(f);
    wait_live(f, MIB(5) + LEN);
    stop_in_sweep(f, "dead");
    segment_name(f, 1, path);
    assert_int_equal(unlink(path), 0);
    start_again(f);
    wait_swept(f);
    assert_ok(get(f, "alive", LEN, 2, &err));
    wait_live(f, LEN);
    delete_key(f, "alive");
    assert_nothing_left(f);
    fixture_free(f);
}

/* OBJ-FREE-2: the same where the segment is there, but cut before the dead body. */
static void test_segment_cut(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    char path[128];
    put(f, "alive", LEN, 2);
    put(f, "dead", LEN, 1);
    fixture_restart(f);
    wait_live(f, 2 * LEN);
    stop_in_sweep(f, "dead");
    segment_name(f, 1, path);
    assert_int_equal(truncate(path, LEN), 0);
    start_again(f);
    wait_swept(f);
    assert_ok(get(f, "alive", LEN, 2, &err));
    wait_live(f, LEN);
    delete_key(f, "alive");
    assert_nothing_left(f);
    fixture_free(f);
}

/* OBJ-SEGMENT-4: the last segment is lost while rows name it. Its number is not given to a
 * new one, where the sweep of the old would take other bytes. */
static void test_last_segment_lost(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    char path[128];
    put(f, "lost", LEN, 1);
    fixture_restart(f);
    wait_live(f, LEN);
    fixture_halt(f);
    segment_name(f, 1, path);
    assert_int_equal(unlink(path), 0);
    start_again(f);
    put(f, "new", LEN, 2);
    delete_key(f, "lost");
    wait_swept(f);
    assert_ok(get(f, "new", LEN, 2, &err));
    fixture_free(f);
}

/* OBJ-FREE-4: whether a body with a lost segment is dead cannot be told: then nothing is
 * freed, and it is tried again. */
static void test_owners_unreadable(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    char path[128];
    put(f, "lost", LEN, 1);
    fixture_restart(f);
    fixture_halt(f);
    segment_name(f, 1, path);
    assert_int_equal(unlink(path), 0);
    atomic_store(&owners_unreadable, true);
    start_again(f);
    for (int i = 0; i < 500 && sweep_errors(f) == 0; i++)
        usleep(10000);
    assert_true(sweep_errors(f) > 0);
    assert_false(atomic_load(&owners_unreadable));
    fixture_free(f);
}

/* A part copied from an object that is deleted meanwhile: see upload_copy.c. */
static struct {
    struct fixture *f;
    struct body_reader *reader; /* holds the body */
    struct record_body body, shared;
} copier;

static void share_and_let_go(void)
{
    struct err err;
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    if (body_share(copier.f->store, &copier.body, &batch, &copier.shared, &err) != ERR_OK ||
        commit(copier.f->committer, &batch, &err) != ERR_OK)
        abort(); /* cmocka does not know this thread */
    arena_done(&arena);
    body_reader_free(TAKE(copier.reader));
}

/* OBJ-FREE-3: a body that gets an owner while the sweeper looks is kept. */
static void test_owned_meanwhile(void **state)
{
    (void)state;
    struct err err;
    struct record_object object;
    copier.f = fixture_new();
    put(copier.f, "source", LEN, 1);
    assert_ok(object_get(copier.f->store, copier.f->bucket, BYTES_LIT("source"),
                         (struct object_version){0}, &copier.f->arena, &object, &copier.reader,
                         &err));
    copier.body = object.body;
    atomic_store(&before_kill, share_and_let_go);
    delete_key(copier.f, "source");
    wait_swept(copier.f);
    assert_null(copier.reader);
    check_body(copier.f, &copier.shared, LEN, 1);
    fixture_free(copier.f);
}

static void commit_rows(struct fixture *f, void (*add)(struct commit_batch *, struct bytes),
                        const struct key *row)
{
    struct err err;
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    add(&batch, key_bytes(row));
    assert_ok(commit(f->committer, &batch, &err));
    arena_done(&arena);
}

static void add_rotten(struct commit_batch *batch, struct bytes row)
{
    commit_put(batch, KV_META, row, BYTES_LIT("rot"));
}

static void add_delete(struct commit_batch *batch, struct bytes row)
{
    commit_delete(batch, KV_META, row);
}

static size_t bodies(struct fixture *f)
{
    return count_tag(f, TAG_BODY);
}

static void wait_bodies(struct fixture *f, size_t count)
{
    for (int i = 0; i < 500 && bodies(f) != count; i++)
        usleep(10000);
    assert_int_equal(bodies(f), count);
}

/* OBJ-FREE-4: what is rotten stays, and does not keep the rest from being freed;
 * neither does a start that finds it. */
static void test_rotten(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct err err;
    struct record_object object;
    assert_ok(put_bytes(f, "rotten", LEN, 1, &object, &err));
    put(f, "first", LEN, 2);
    put(f, "second", LEN, 3);
    struct key row = key_number(TAG_BODY, object.body.id);
    commit_rows(f, add_rotten, &row);
    delete_key(f, "rotten");
    delete_key(f, "first");
    wait_bodies(f, 2);
    fixture_restart(f);
    delete_key(f, "second");
    wait_bodies(f, 1);
    assert_true(sweep_errors(f) > 0);
    commit_rows(f, add_delete, &row); /* as a repair would */
    fixture_restart(f);
    assert_nothing_left(f);
    fixture_free(f);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_segment_gone),
        cmocka_unit_test(test_owned_meanwhile),
        cmocka_unit_test(test_rotten),
        cmocka_unit_test(test_segment_gone_in_part),
        cmocka_unit_test(test_segment_cut),
        cmocka_unit_test(test_last_segment_lost),
        cmocka_unit_test(test_owners_unreadable),
        cmocka_unit_test(test_punched_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
