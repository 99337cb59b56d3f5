/* scrub_test.c - finding rot before it is asked for (OBJ-SCRUB).
 *
 * Planted bug that it caught: a scrub that read through the page cache called a
 * flipped bit fine. */
#include "storage/obj/scrub.h"

#include "tests/unit/storage/obj/obj_fixture.h"

static struct scrub_status wait_done(struct fixture *f)
{
    struct err err;
    struct scrub_status status;
    for (int i = 0; i < 1000; i++) {
        assert_ok(scrub_get_status(f->store, &status, &err));
        if (!status.running)
            return status;
        usleep(10000);
    }
    fail_msg("the scrub does not end");
    return status;
}

/* Flip one bit of the segment at `at`. */
static void flip(struct fixture *f, off_t at)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/bodies/00000001.seg", f->dir);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseeko(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseeko(file, at, SEEK_SET), 0);
    fputc(byte ^ 0x10, file);
    assert_int_equal(fclose(file), 0);
}

/* Flip one bit of the first small body. */
static void flip_small(struct fixture *f)
{
    const struct kv_calls *calls = f->fake->kv.calls;
    struct err err;
    struct kv_iter *iter;
    assert_ok(calls->iter_open(&f->fake->kv, NULL, KV_BODIES, (struct bytes){0}, (struct bytes){0},
                               &iter, &err));
    struct bytes key, value;
    assert_true(calls->iter_at(iter, &key, &value));
    uint8_t changed[256];
    assert_true(value.len <= sizeof(changed));
    memcpy(changed, value.data, value.len);
    changed[value.len / 2] ^= 1;
    struct kv_op op = {KV_PUT, KV_BODIES, key, bytes_of(changed, value.len)};
    assert_ok(calls->write(&f->fake->kv, &op, 1, true, &err));
    calls->iter_close(iter);
}

static bool has_finding(struct fixture *f, const char *text)
{
    struct err err;
    struct scrub_finding *findings;
    size_t count;
    assert_ok(scrub_get_findings(f->store, &f->arena, &findings, &count, &err));
    for (size_t i = 0; i < count; i++)
        if (bytes_find_bytes(findings[i].what, bytes_of_str(text)) >= 0)
            return true;
    return false;
}

/* OBJ-SCRUB-1: what is whole is called whole. */
static void test_clean(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "small", 100, 1);
    put(f, "large", MIB(1) + 5, 2);
    put(f, "empty", 0, 3);
    struct scrub_status status;
    assert_ok(scrub_get_status(f->store, &status, &err));
    assert_int_equal(status.started_unix_ms, 0);
    assert_ok(scrub_start(f->store, 0, &err));
    status = wait_done(f);
    assert_int_equal(status.phase, SCRUB_DONE);
    assert_int_equal(status.rot, 0);
    assert_int_equal(status.bodies, 2);
    assert_int_equal(status.bytes, 104 + MIB(1) + 5);
    assert_false(status.failed);
}

/* OBJ-SCRUB-2: every rotten body is found and named, small, large, of a part, of a version. */
static void test_rot(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "first-large", MIB(1), 1);
    put(f, "second-large", MIB(1), 2);
    put(f, "tiny", 100, 3);
    flip(f, MIB(1) + 70000);
    flip_small(f);
    assert_ok(scrub_start(f->store, 0, &err));
    struct scrub_status status = wait_done(f);
    assert_int_equal(status.rot, 2);
    assert_true(has_finding(f, "bkt/second-large (version null)"));
    assert_true(has_finding(f, "bkt/tiny "));
    assert_false(has_finding(f, "first-large"));
    /* A second one counts anew. */
    delete_key(f, "tiny");
    delete_key(f, "second-large");
    wait_swept(f);
    assert_ok(scrub_start(f->store, 0, &err));
    assert_int_equal(wait_done(f).rot, 0);
}

/* OBJ-SCRUB-3: a slow one can be stopped and goes on after a restart, keeping to its rate. */
static void test_resume(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (int i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        put(f, key, KIB(256), 1);
    }
    uint64_t begin = clock_mono_ms(clock_system());
    assert_ok(scrub_start(f->store, MIB(2), &err));
    assert_int_equal(scrub_start(f->store, 0, &err), ERR_BUSY);
    usleep(400000);
    scrub_stop(f->store);
    struct scrub_status status = wait_done(f);
    assert_true(status.phase < SCRUB_DONE);
    uint64_t bytes = status.bytes;
    assert_true(bytes > 0 && bytes < MIB(2));
    fixture_restart(f);
    assert_ok(scrub_start(f->store, MIB(2), &err));
    status = wait_done(f);
    assert_int_equal(status.phase, SCRUB_DONE);
    assert_true(status.bytes >= MIB(2) && status.bytes <= MIB(2) + KIB(512));
    assert_true(clock_mono_ms(clock_system()) - begin >= 900);
}

/* OBJ-SCRUB-3: one that is stopped in the middle of a body has not seen the rest of it. */
static void test_stopped_in_body(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "large", MIB(2), 1);
    flip(f, MIB(2) - 100);
    assert_ok(scrub_start(f->store, MIB(1), &err));
    usleep(500000);
    scrub_stop(f->store);
    struct scrub_status status = wait_done(f);
    assert_int_equal(status.phase, SCRUB_LARGE);
    assert_int_equal(status.rot, 0);
    assert_ok(scrub_start(f->store, 0, &err));
    assert_int_equal(wait_done(f).rot, 1);
}

/* OBJ-SCRUB-5: a slow one holds nothing of the ordered store while it reads bodies. */
static void test_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct err err;
    put(f, "large", MIB(1), 1);
    assert_ok(scrub_start(f->store, MIB(1), &err));
    size_t held = 1;
    for (int i = 0; i < 50 && held; i++) {
        usleep(10000);
        pthread_mutex_lock(&f->fake->lock);
        held = f->fake->held;
        pthread_mutex_unlock(&f->fake->lock);
    }
    struct scrub_status status;
    assert_ok(scrub_get_status(f->store, &status, &err));
    assert_true(status.running && status.bytes > 0);
    assert_int_equal(held, 0);
    scrub_stop(f->store);
}

/* OBJ-SCRUB-4: deletes and overwrites under way are no rot. */
static void test_busy_store(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 4; i++) {
            char key[16];
            snprintf(key, sizeof(key), "key-%d", i);
            put(f, key, i % 2 ? KIB(300) : 2000, (uint32_t)round);
        }
        enum err_code rc = scrub_start(f->store, 0, &err);
        assert_true(rc == ERR_OK || rc == ERR_BUSY);
        delete_key(f, "key-1");
    }
    assert_int_equal(wait_done(f).rot, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_clean),         TEST(test_rot),
                                       TEST(test_resume),        TEST(test_stopped_in_body),
                                       TEST(test_holds_nothing), TEST(test_busy_store)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
