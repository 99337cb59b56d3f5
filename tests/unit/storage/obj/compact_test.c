/* compact_test.c - sparse segments are emptied while bodies are read, deleted,
 * held and lost (OBJ-COMPACT).
 *
 * Planted bugs that it caught: old places freed although readers from before are
 * there (wrong bytes); a part of a manifest that is not pinned (the same); a move
 * that does not look whether the row is still the same; a copy that is not synced;
 * one whose space is kept although its commit was refused.
 *
 * LINK: -Wl,--wrap=hold_free_begin
 */
#include "storage/obj/compact.h"
#include "tests/unit/storage/obj/obj_fixture.h"

#define BLOCK MIB(1) /* bytes of most bodies here: four fill a segment */

/* What happens right before a move is committed, once. */
static void (*_Atomic before_commit)(void);

bool __real_hold_free_begin(struct hold *hold);
bool __wrap_hold_free_begin(struct hold *hold);
bool __wrap_hold_free_begin(struct hold *hold)
{
    void (*hook)(void) = atomic_exchange(&before_commit, NULL);
    if (hook)
        hook();
    return __real_hold_free_begin(hold);
}

static struct fixture *new_fixture(unsigned below_percent, uint64_t bytes_per_second)
{
    fixture_compaction = (struct store_compaction){.below_percent = below_percent,
                                                   .bytes_per_second = bytes_per_second};
    return fixture_new();
}

static const char *const names[] = {"a", "b", "c", "d"};

/* Four bodies that fill the first segment, and one behind them; after the deletes of
 * three the fourth is alone there. */
static void fill(struct fixture *f)
{
    for (uint32_t i = 0; i < 4; i++)
        put(f, names[i], BLOCK, i);
    put(f, "next", BLOCK, 9);
}

static void delete_three(struct fixture *f)
{
    for (size_t i = 0; i < 3; i++)
        delete_key(f, names[i]);
}

static bool has_segment(const struct fixture *f, unsigned number)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/bodies/%08x.seg", f->dir, number);
    return access(path, F_OK) == 0;
}

static void wait_segment_gone(const struct fixture *f, unsigned number)
{
    for (int i = 0; i < 500 && has_segment(f, number); i++)
        usleep(10000);
    assert_false(has_segment(f, number));
}

static uint64_t moved(const struct fixture *f)
{
    return metrics_get(&store_stats(f->store)->bodies_moved);
}

static void wait_moved(const struct fixture *f, uint64_t count)
{
    for (int i = 0; i < 500 && moved(f) < count; i++)
        usleep(10000);
    assert_int_equal(moved(f), count);
}

static void free_fixture(struct fixture *f)
{
    assert_int_equal(metrics_get(&store_stats(f->store)->sweep_errors), 0);
    fixture_free(f);
}

static uint64_t syncs(const struct fixture *f)
{
    struct segments_stats stats;
    segments_get_stats(f->store->segments, &stats);
    return stats.syncs;
}

static struct fixture *watched;
static _Atomic uint64_t syncs_at_move; /* when the commit of a move came */

static enum err_code watch_write(void *ctx, const struct kv_op *ops, size_t count, bool sync)
{
    (void)ctx, (void)sync;
    bool body = false, freed = false;
    for (size_t i = 0; i < count; i++) {
        body |= ops[i].kind == KV_PUT && ops[i].key.data[0] == TAG_BODY;
        freed |= ops[i].kind == KV_PUT && ops[i].key.data[0] == TAG_FREE;
    }
    if (body && freed)
        syncs_at_move = syncs(watched);
    return ERR_OK;
}

/* OBJ-COMPACT-1: what is alive in a sparse segment moves, is synced before it counts, and
 * the segment goes. */
static void test_moves(void **state)
{
    (void)state;
    struct fixture *f = watched = new_fixture(50, 0);
    struct err err;
    fill(f);
    const uint64_t before = syncs(f);
    syncs_at_move = 0;
    f->fake->on_write = watch_write;
    delete_three(f);
    wait_segment_gone(f, 1);
    assert_int_equal(moved(f), 1);
    assert_int_equal(syncs_at_move, before + 1);
    wait_live(f, 2 * BLOCK);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    assert_ok(get(f, "next", BLOCK, 9, &err));
    fixture_restart(f);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    delete_key(f, "d");
    delete_key(f, "next");
    assert_nothing_left(f);
    free_fixture(f);
}

/* OBJ-COMPACT-1: a segment that is not sparse, or is written to, stays as it is. */
static void test_stays(void **state)
{
    (void)state;
    struct fixture *f = new_fixture(50, 0);
    fill(f);
    delete_key(f, "a");
    delete_key(f, "b");
    wait_swept(f);
    usleep(100000);
    assert_int_equal(moved(f), 0);
    assert_true(has_segment(f, 1));
    fixture_free(f);
}

/* OBJ-COMPACT-1: of a body in several segments only what lies in a sparse one moves. */
static void test_parts_of_a_body(void **state)
{
    (void)state;
    struct fixture *f = new_fixture(50, 0);
    struct err err;
    const size_t long_len = MIB(8) + 12345;
    put(f, "a", BLOCK, 1);
    put(f, "b", 2 * BLOCK + 1000, 2);
    put(f, "long", long_len, 3); /* the last of segment 1, all of 2, the first of 3 */
    put(f, "c", 2 * BLOCK, 4);
    put(f, "d", BLOCK, 5);
    delete_key(f, "a");
    delete_key(f, "b");
    wait_segment_gone(f, 1);
    assert_int_equal(moved(f), 1);
    assert_true(metrics_get(&store_stats(f->store)->bytes_moved) < BLOCK);
    assert_true(has_segment(f, 2) && has_segment(f, 3));
    assert_ok(get(f, "long", long_len, 3, &err));
    fixture_restart(f);
    assert_ok(get(f, "long", long_len, 3, &err));
    assert_ok(get(f, "c", 2 * BLOCK, 4, &err));
    delete_key(f, "long");
    delete_key(f, "c");
    delete_key(f, "d");
    assert_nothing_left(f);
    free_fixture(f);
}

/* A multipart object of one part. */
static void put_multipart(struct fixture *f, const char *key, size_t len, uint32_t salt)
{
    struct err err;
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    char id[UPLOAD_ID_TEXT];
    static uint8_t bytes[BLOCK];
    struct body_writer *writer;
    struct record_part part = {.number = 1};
    struct record_object object;
    struct upload_part_named named = {.number = 1};
    struct upload_complete request = {
        .parts = &named, .part_count = 1, .expected_length = UINT64_MAX};
    assert_true(len <= sizeof(bytes));
    pattern(bytes, len, 0, salt);
    assert_ok(upload_create(f->store, f->bucket, bytes_of_str(key), &upload, &f->arena, id, &err));
    assert_ok(body_writer_open(f->store, len, &writer, &err));
    assert_ok(body_writer_write(writer, bytes_of(bytes, len), &err));
    assert_ok(upload_put_part(f->store, f->bucket, bytes_of_str(key), bytes_of_str(id), &part,
                              writer, &f->arena, &err));
    assert_ok(upload_complete(f->store, f->bucket, bytes_of_str(key), bytes_of_str(id), &request,
                              &f->arena, &object, &err));
}

static struct body_reader *open_reader(struct fixture *f, const char *key)
{
    struct err err;
    struct record_object object;
    struct body_reader *reader;
    assert_ok(object_get(f->store, f->bucket, bytes_of_str(key), (struct object_version){0},
                         &f->arena, &object, &reader, &err));
    return reader;
}

/* OBJ-COMPACT-2: who reads a body, or a part, while it moves gets its bytes to the end;
 * who comes later reads the new place. */
static void read_while_moving(bool multipart)
{
    struct fixture *f = new_fixture(50, 0);
    struct err err;
    for (uint32_t i = 0; i < 3; i++)
        put(f, names[i], BLOCK, i);
    if (multipart)
        put_multipart(f, "d", BLOCK, 3);
    else
        put(f, "d", BLOCK, 3);
    put(f, "next", BLOCK, 9);
    struct body_reader *early = open_reader(f, "d");
    assert_ok(check_range(early, 0, 10, 10, 3, 0, &err));
    delete_three(f);
    wait_moved(f, 1);
    struct body_reader *late = open_reader(f, "d");
    usleep(300000); /* in which the sweeper would punch */
    assert_true(has_segment(f, 1));
    assert_ok(check_range(early, 10, BLOCK, 9999, 3, 10, &err));
    assert_ok(check_range(late, 0, BLOCK, OBJ_BLOCK_BYTES, 3, 0, &err));
    body_reader_free(early);
    wait_segment_gone(f, 1); /* the late one is no reason to keep it */
    assert_ok(check_range(late, 0, BLOCK, OBJ_BLOCK_BYTES, 3, 0, &err));
    body_reader_free(late);
    delete_key(f, "d");
    delete_key(f, "next");
    assert_nothing_left(f);
    free_fixture(f);
}

static void test_read_while_moving(void **state)
{
    (void)state;
    read_while_moving(false);
    read_while_moving(true);
}

static void damage(const struct fixture *f, unsigned segment, uint64_t at)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/bodies/%08x.seg", f->dir, segment);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

/* OBJ-COMPACT-3: a rotten body stays where it is, with its segment; the others move. */
static void test_rotten(void **state)
{
    (void)state;
    struct fixture *f = new_fixture(50, 0);
    struct err err;
    fill(f);
    put(f, "e", BLOCK, 10); /* so that segment 2 fills up */
    put(f, "f", BLOCK, 11);
    put(f, "g", BLOCK, 12);
    put(f, "h", BLOCK, 13);
    damage(f, 1, 3 * BLOCK + 300000);
    delete_three(f);
    delete_key(f, "next");
    delete_key(f, "f");
    delete_key(f, "g");
    wait_segment_gone(f, 2);
    assert_int_equal(moved(f), 1);
    assert_true(has_segment(f, 1));
    assert_int_equal(get(f, "d", BLOCK, 3, &err), ERR_CORRUPT);
    assert_ok(get(f, "e", BLOCK, 10, &err));
    assert_true(metrics_get(&store_stats(f->store)->rot_found) > 0);
    delete_key(f, "d");
    delete_key(f, "e");
    delete_key(f, "h");
    assert_nothing_left(f);
    free_fixture(f);
}

/* Wait until a write of the compaction or the sweeper failed. */
static void wait_refused(const struct fixture *f)
{
    const struct store_stats *stats = store_stats(f->store);
    uint64_t errors = 0;
    for (int i = 0; i < 500 && errors == 0; i++) {
        errors = metrics_get(&stats->compact_errors) + metrics_get(&stats->sweep_errors);
        usleep(10000);
    }
    assert_true(errors > 0);
}

/* OBJ-COMPACT-4: a stop between the copy and its commit, and one between the commit and the
 * sweep: nothing is lost, and nothing is left. */
static void stop_at_write(unsigned nth, enum err_code code)
{
    struct fixture *f = new_fixture(50, 0);
    struct err err;
    fill(f);
    delete_key(f, "a");
    delete_key(f, "b");
    wait_swept(f);
    f->fake->fail_write_code = code;
    f->fake->fail_writes_after = true;
    f->fake->fail_write = 2 + nth; /* behind that of the delete, and of its sweep */
    delete_key(f, "c");
    wait_refused(f);
    if (nth == 1 && code == ERR_NO_SPACE)
        wait_live(f, 2 * BLOCK); /* the copy is given up at once */
    fixture_halt(f);
    f->fake->fail_write = 0;
    f->fake->fail_writes_after = false;
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    assert_ok(get(f, "d", BLOCK, 3, &err));
    wait_segment_gone(f, 1);
    wait_live(f, 2 * BLOCK);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    assert_ok(get(f, "next", BLOCK, 9, &err));
    delete_key(f, "d");
    delete_key(f, "next");
    assert_nothing_left(f);
    free_fixture(f);
}

static void test_stopped(void **state)
{
    (void)state;
    static const enum err_code codes[] = {ERR_IO, ERR_NO_SPACE, ERR_CORRUPT};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        for (unsigned nth = 1; nth <= 2; nth++)
            stop_at_write(nth, codes[i]);
}

/* OBJ-COMPACT-5: while a backup holds bodies nothing moves; then it does. */
static void test_held(void **state)
{
    (void)state;
    struct fixture *f = new_fixture(50, 0);
    struct err err;
    fill(f);
    fixture_restart(f);
    wait_live(f, 5 * BLOCK);
    delete_three(f);
    wait_swept(f);
    fixture_halt(f);
    assert_ok(fixture_start(f, &err));
    hold_begin(&f->store->hold);
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    uint64_t before = moved(f);
    usleep(300000);
    assert_int_equal(moved(f), before);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    hold_end(&f->store->hold);
    wait_segment_gone(f, 1);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    free_fixture(f);
}

/* OBJ-COMPACT-5: nor is anything copied in vain meanwhile. */
static void test_held_before(void **state)
{
    (void)state;
    fixture_compaction = (struct store_compaction){0};
    struct fixture *f = fixture_new();
    struct err err;
    fill(f);
    delete_three(f);
    wait_swept(f);
    fixture_compaction = (struct store_compaction){.below_percent = 50, .wait_ms = 300};
    fixture_halt(f);
    assert_ok(fixture_start(f, &err));
    hold_begin(&f->store->hold);
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    usleep(600000);
    assert_false(has_segment(f, 3)); /* where the copy would go */
    hold_end(&f->store->hold);
    compact_wake(f->store);
    wait_segment_gone(f, 1);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    free_fixture(f);
}

static struct fixture *changing;
static uint64_t changing_body;

/* Another row of the body: as if somebody else had moved it. It says less than before. */
static void change_row(void)
{
    struct err err;
    struct arena arena;
    arena_init(&arena, MIB(1));
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    struct key key = key_number(TAG_BODY, changing_body);
    struct kv *kv = &changing->fake->kv;
    struct kv_value value;
    struct record_extents extents;
    bool found;
    if (kv_find(kv, KV_META, key_bytes(&key), &found, &value, &err) != ERR_OK || !found ||
        record_decode_extents(value.bytes, &arena, &extents, &err) != ERR_OK)
        abort(); /* cmocka does not know this thread */
    kv_value_free(kv, &value);
    extents.extents[0].offset = 0;
    commit_put(&batch, KV_META, key_bytes(&key), record_encode_extents(&extents, &arena));
    if (commit(changing->committer, &batch, &err) != ERR_OK)
        abort();
    arena_done(&arena);
}

/* OBJ-COMPACT-4: a body whose row changed while it was copied does not move by that copy. */
static void test_changed_meanwhile(void **state)
{
    (void)state;
    struct err err;
    struct record_object object;
    fixture_compaction = (struct store_compaction){0};
    changing = fixture_new();
    fill(changing);
    assert_ok(object_head(changing->store, changing->bucket, BYTES_LIT("d"),
                          (struct object_version){0}, &changing->arena, &object, &err));
    changing_body = object.body.id;
    delete_three(changing);
    wait_swept(changing);
    fixture_compaction = (struct store_compaction){.below_percent = 50};
    fixture_halt(changing);
    atomic_store(&before_commit, change_row);
    assert_ok(fixture_start(changing, &err));
    for (int i = 0; i < 500 && atomic_load(&before_commit); i++)
        usleep(10000);
    usleep(200000);
    assert_int_equal(moved(changing), 0);
    assert_int_equal(count_tag(changing, TAG_BODY), 2);
    assert_true(has_segment(changing, 1));
    fixture_free(changing);
}

/* OBJ-COMPACT-6: it keeps to its rate, and is interrupted in the middle of a body. */
static void test_rate(void **state)
{
    (void)state;
    struct fixture *f = new_fixture(50, KIB(512));
    struct err err;
    fill(f);
    delete_three(f);
    wait_swept(f);
    uint64_t begin = clock_mono_ms(clock_system());
    usleep(200000);
    assert_int_equal(moved(f), 0);
    fixture_halt(f);
    assert_true(clock_mono_ms(clock_system()) - begin < 1000);
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    begin = clock_mono_ms(clock_system());
    wait_segment_gone(f, 1);
    assert_true(clock_mono_ms(clock_system()) - begin >= 1400);
    assert_ok(get(f, "d", BLOCK, 3, &err));
    free_fixture(f);
}

/* OBJ-COMPACT-7: segments that stops cut short do not grow in number for ever. */
static void test_many_starts(void **state)
{
    (void)state;
    struct fixture *f = new_fixture(50, 0);
    struct err err;
    struct segments_stats stats;
    for (uint32_t i = 0; i < 40; i++) {
        char key[8];
        snprintf(key, sizeof(key), "%u", i);
        put(f, key, KIB(100), i);
        fixture_restart(f);
        wait_live(f, (i + 1) * KIB(100));
    }
    for (int i = 0; i < 300; i++) {
        segments_get_stats(f->store->segments, &stats);
        if (stats.files <= 12)
            break;
        usleep(10000);
    }
    assert_in_range(stats.files, 1, 12);
    for (uint32_t i = 0; i < 40; i++) {
        char key[8];
        snprintf(key, sizeof(key), "%u", i);
        assert_ok(get(f, key, KIB(100), i, &err));
        delete_key(f, key);
    }
    assert_nothing_left(f);
    free_fixture(f);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_stays),
        cmocka_unit_test(test_parts_of_a_body),
        cmocka_unit_test(test_read_while_moving),
        cmocka_unit_test(test_rotten),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_held_before),
        cmocka_unit_test(test_changed_meanwhile),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_many_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
