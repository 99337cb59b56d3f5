/* move_faults_test.c - a body that moves out of a sparse segment, with every failure
 * (OBJ-FAULT-5): it has moved, or it lies where it was; it is read in either case.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "storage/obj/compact_internal.h"
#include "tests/unit/storage/obj/step_faults.h"

#define LEN KIB(300)

static uint64_t body;

/* The first segment is to be emptied: we say so, the thread finds nothing to do. */
static void prepare(struct fixture *f)
{
    struct err err;
    struct record_object object;
    assert_ok(put_bytes(f, "key", LEN, 1, &object, &err));
    body = object.body.id;
    fixture_restart(f); /* the segment is nobody's current one any more */
    step_wait_recovered(f);
    f->store->compact->victims[0] = 1;
    f->store->compact->victim_count = 1;
}

static enum err_code run_move(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    return compact_move(f->store->compact, body, err);
}

static bool is_moved(struct fixture *f)
{
    struct err err;
    assert_ok(get(f, "key", LEN, 1, &err));
    return metrics_get(&store_stats(f->store)->bodies_moved) == 1;
}

static const struct step steps[] = {{"move", prepare, run_move, is_moved}};

static void test_faults(void **state UNUSED)
{
    assert_true(STEP_SWEEP(steps, fault_allocations) > 10);
    assert_true(STEP_SWEEP(steps, fault_reads) > 3);
}

/* Too many old places are read: later. */
static void test_busy(void **state)
{
    struct fixture *f = *state;
    struct err err;
    prepare(f);
    f->store->compact->moved_count = COMPACT_MOVED_MAX;
    assert_int_equal(run_move(f, &f->arena, &err), ERR_BUSY);
    f->store->compact->moved_count = 0;
    assert_false(is_moved(f));
}

/* Extents that end in the middle of a block, as nobody writes them: the body stays. */
static void test_odd(void **state)
{
    struct fixture *f = *state;
    struct err err;
    static const uint8_t crcs[(100 + LEN + OBJ_BLOCK_BYTES - 1) / OBJ_BLOCK_BYTES * 4];
    struct record_extent list[] = {{1, 0, 100}, {1, SEGMENT_ALIGN, LEN}};
    struct record_extents extents = {.length = 100 + LEN,
                                     .block_bytes = OBJ_BLOCK_BYTES,
                                     .extents = list,
                                     .extent_count = 2,
                                     .block_crcs = bytes_of(crcs, sizeof(crcs))};
    prepare(f);
    struct key row = key_number(TAG_BODY, body);
    fake_kv_set(f->fake, KV_META, key_bytes(&row), record_encode_extents(&extents, &f->arena));
    assert_int_equal(run_move(f, &f->arena, &err), ERR_OK);
    assert_int_equal(metrics_get(&store_stats(f->store)->bodies_moved), 0);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    fixture_in_memory();
    fixture_compaction = (struct store_compaction){.below_percent = 1, .wait_ms = 600000};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        TEST(test_busy),
        TEST(test_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
