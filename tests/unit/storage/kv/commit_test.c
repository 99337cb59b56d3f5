/* commit_test.c - the committer: order, groups, numbers, and what happens after
 * a write that failed. KV-COMMIT-1 to KV-COMMIT-8, KV-FULL-1 (ACC-47, ACC-48, ACC-53, ACC-54).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * Planted and caught: durable_seq raised before the write; a state that went
 * back to OPEN after a failed write; a number given twice after a failed group;
 * an operation array that did not grow; a stop that left the queue behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <semaphore.h>
#include <unistd.h>

#include "base/limits.h"
#include "storage/kv/commit.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/storage/kv/fake_kv.h"

#define THREADS 16
#define EACH    200

/* ---- a clock that the test owns ---- */

static atomic_uint_fast64_t now_ms = 1000;

static uint64_t test_now_ms(void *ctx)
{
    (void)ctx;
    return atomic_load(&now_ms);
}

static const struct clock test_clock = {test_now_ms, test_now_ms, NULL};

/* ---- a committer over the fake, whose writes can be held up ---- */

struct rig {
    struct fake_kv *fake;
    struct committer *committer;
    struct arena arena;
    sem_t entered, go; /* used while `holds` */
    atomic_bool holds;
    size_t ops_of_last_write;
    bool is_stopping; /* set before any thread starts */
};

static enum err_code on_write(void *ctx, const struct kv_op *ops, size_t count, bool sync)
{
    struct rig *rig = ctx;
    (void)ops;
    assert_true(sync);
    rig->ops_of_last_write = count;
    if (atomic_load(&rig->holds)) {
        sem_post(&rig->entered);
        sem_wait(&rig->go);
    }
    return ERR_OK;
}

static struct rig *rig_new(uint64_t last_seq, uint64_t last_stamp)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->fake = fake_kv_new();
    rig->fake->on_write = on_write;
    rig->fake->on_write_ctx = rig;
    sem_init(&rig->entered, 0, 0);
    sem_init(&rig->go, 0, 0);
    arena_init(&rig->arena, MIB(64));
    assert_int_equal(
        committer_start(&rig->fake->kv, &test_clock, last_seq, last_stamp, &rig->committer, NULL),
        ERR_OK);
    return rig;
}

static void rig_free(struct rig *rig)
{
    committer_stop(rig->committer);
    fake_kv_free(rig->fake);
    sem_destroy(&rig->entered);
    sem_destroy(&rig->go);
    arena_done(&rig->arena);
    free(rig);
}

static const uint8_t zeros[16];

/* A batch of one change whose key is its number. */
static void change_batch(struct commit_batch *batch, struct arena *arena, struct bytes text)
{
    commit_batch_init(batch, arena);
    struct commit_op *op = commit_put(batch, KV_CHANGES, bytes_of(zeros, 8), text);
    if (op)
        op->seq_in_key = 0;
}

static enum err_code commit_change(struct rig *rig, struct commit_batch *batch, struct err *err)
{
    change_batch(batch, &rig->arena, BYTES_LIT("change"));
    return commit(rig->committer, batch, err);
}

static uint64_t read_u64(struct bytes b, size_t at)
{
    uint64_t value = 0;
    assert_true(at + 8 <= b.len);
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | b.data[at + i];
    return value;
}

/* The numbers of all changes in the fake, rising; how many. */
static size_t change_seqs(struct fake_kv *fake, uint64_t *ret_seqs, size_t room)
{
    struct kv *kv = &fake->kv;
    struct kv_iter *iter = NULL;
    struct bytes key;
    size_t count = 0;
    assert_int_equal(kv->calls->iter_open(kv, NULL, KV_CHANGES, (struct bytes){0},
                                          (struct bytes){0}, &iter, NULL),
                     ERR_OK);
    for (; kv->calls->iter_at(iter, &key, NULL); kv->calls->iter_next(iter), count++) {
        assert_true(count < room);
        ret_seqs[count] = read_u64(key, 0);
    }
    kv->calls->iter_close(iter);
    return count;
}

/* ---- batches and numbers ---- */

/* KV-COMMIT-4: the number, its complement and the stamp stand where they were asked for. */
static void test_placeholders_are_filled(void **state)
{
    struct rig *rig = rig_new(41, 7 << 16);
    struct commit_batch batch;
    struct kv_value value = {0};
    static const uint8_t key[] = {'v', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xd5};
    (void)state;
    commit_batch_init(&batch, &rig->arena);
    struct commit_op *op = commit_put(&batch, KV_META, bytes_of("v........", 9),
                                      bytes_of("headSSSSSSSSTTTTTTTTtail", 24));
    op->inverse_in_key = 1;
    op->seq_in_value = 4;
    commit_put(&batch, KV_META, BYTES_LIT("plain"), BYTES_LIT("stays"));
    op = commit_put(&batch, KV_CHANGES, bytes_of(zeros, 8), BYTES_LIT(""));
    op->seq_in_key = 0;
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    assert_int_equal(batch.ret_seq, 42);
    assert_int_equal(batch.ret_stamp, clock_hybrid_next(7 << 16, 1000));
    assert_int_equal(kv_get(&rig->fake->kv, KV_META, bytes_of(key, 9), &value, NULL), ERR_OK);
    assert_int_equal(read_u64(value.bytes, 4), 42);
    assert_int_equal(read_u64(value.bytes, 12), batch.ret_stamp);
    assert_memory_equal(value.bytes.data, "head", 4);
    assert_memory_equal(value.bytes.data + 20, "tail", 4);
    kv_value_free(&rig->fake->kv, &value);
    assert_int_equal(kv_get(&rig->fake->kv, KV_META, BYTES_LIT("plain"), &value, NULL), ERR_OK);
    kv_value_free(&rig->fake->kv, &value);
    uint64_t seqs[4];
    assert_int_equal(change_seqs(rig->fake, seqs, 4), 1);
    assert_int_equal(seqs[0], 42);
    rig_free(rig);
}

/* KV-COMMIT-4: a batch that asks for no number uses none up. */
static void test_batches_without_placeholders_use_no_number(void **state)
{
    struct rig *rig = rig_new(5, 0);
    struct commit_batch batch;
    (void)state;
    commit_batch_init(&batch, &rig->arena);
    commit_put(&batch, KV_META, BYTES_LIT("a"), BYTES_LIT("1"));
    commit_put_borrowed(&batch, KV_META, BYTES_LIT("b"), BYTES_LIT("2"));
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    assert_int_equal(batch.ret_seq, 5);
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_OK);
    assert_int_equal(batch.ret_seq, 6);
    commit_batch_init(&batch, &rig->arena);
    commit_delete(&batch, KV_META, BYTES_LIT("a"));
    commit_delete_range(&batch, KV_CHANGES, BYTES_LIT(""), BYTES_LIT("\xff"));
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    assert_int_equal(fake_kv_count(rig->fake, KV_META), 1);
    assert_int_equal(fake_kv_count(rig->fake, KV_CHANGES), 0);
    commit_batch_init(&batch, &rig->arena); /* nothing at all */
    size_t writes = rig->fake->writes;
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    assert_int_equal(rig->fake->writes, writes);
    assert_int_equal(committer_durable_seq(rig->committer), 6);
    rig_free(rig);
}

/* KV-COMMIT-4: a batch of several changes has a number for each. */
static void test_a_batch_may_take_several_numbers(void **state)
{
    struct rig *rig = rig_new(10, 0);
    struct commit_batch batch;
    uint64_t seqs[8], stamp = 0;
    (void)state;
    commit_batch_init(&batch, &rig->arena);
    for (batch.number = 0; batch.number < 5; batch.number++) {
        commit_put(&batch, KV_META, BYTES_LIT("between"), BYTES_LIT(""));
        commit_put(&batch, KV_CHANGES, bytes_of(zeros, 8), bytes_of(zeros, 16))->seq_in_key = 0;
        batch.ops[batch.count - 1].seq_in_value = 0;
    }
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    assert_int_equal(batch.ret_seq, 11);
    assert_int_equal(change_seqs(rig->fake, seqs, 8), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(seqs[i], 11 + i);
        assert_int_equal(read_u64(batch.ops[2 * i + 1].op.value, 0), 11 + i);
        assert_true(read_u64(batch.ops[2 * i + 1].op.value, 8) > stamp);
        stamp = read_u64(batch.ops[2 * i + 1].op.value, 8);
    }
    assert_int_equal(committer_durable_seq(rig->committer), 15);
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_OK);
    assert_int_equal(batch.ret_seq, 16);
    assert_true(batch.ret_stamp > stamp);
    rig_free(rig);
}

static void test_a_batch_may_be_large(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    (void)state;
    commit_batch_init(&batch, &rig->arena);
    for (uint32_t i = 0; i < 10000; i++) {
        uint8_t key[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        assert_non_null(commit_put(&batch, KV_META, bytes_of(key, 4), BYTES_LIT("part")));
    }
    assert_int_equal(batch.bytes, 80000);
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    assert_int_equal(fake_kv_count(rig->fake, KV_META), 10000);
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_OK);
    rig_free(rig);
}

static void test_stamps_follow_the_clock_and_never_fall(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    uint64_t last = 0;
    (void)state;
    for (int i = 0; i < 20; i++) {
        atomic_store(&now_ms, i % 3 ? 500 : 2000 + (uint64_t)i);
        assert_int_equal(commit_change(rig, &batch, NULL), ERR_OK);
        assert_true(batch.ret_stamp > last);
        last = batch.ret_stamp;
    }
    atomic_store(&now_ms, 1000);
    rig_free(rig);
}

/* ---- order and groups ---- */

struct worker {
    pthread_t thread;
    struct rig *rig;
    size_t body_len;
    enum err_code code;
    uint64_t seqs[EACH];
    size_t count;
    size_t done;
};

static void *work(void *arg)
{
    static const uint8_t body[MIB(1)];
    struct worker *worker = arg;
    struct arena arena;
    arena_init(&arena, MIB(1));
    while (worker->done < worker->count && !worker->code) {
        struct commit_batch batch;
        struct kv_value value = {0};
        arena_reset(&arena);
        change_batch(&batch, &arena, BYTES_LIT("change"));
        commit_put_borrowed(&batch, KV_BODIES, bytes_of(&worker, sizeof worker),
                            bytes_of(body, worker->body_len));
        worker->code = commit(worker->rig->committer, &batch, NULL);
        if (worker->code)
            break;
        if (!worker->rig->is_stopping) /* else it may be gone by now */
            assert_true(committer_durable_seq(worker->rig->committer) >= batch.ret_seq);
        /* what was committed is there to read */
        assert_int_equal(
            kv_get(&worker->rig->fake->kv, KV_CHANGES, batch.ops[0].op.key, &value, NULL), ERR_OK);
        kv_value_free(&worker->rig->fake->kv, &value);
        worker->seqs[worker->done++] = batch.ret_seq;
    }
    arena_done(&arena);
    return NULL;
}

static void start_workers(struct worker *workers, size_t count, struct rig *rig, size_t each,
                          size_t body_len)
{
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.rig = rig, .count = each, .body_len = body_len};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void join_workers(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
}

/* KV-COMMIT-1, KV-COMMIT-2: every batch once, numbers rise without gaps, each
 * caller's in its order, and what was acknowledged can be read. */
static void test_sixteen_threads_get_every_number_once(void **state)
{
    static struct worker workers[THREADS];
    static uint64_t seqs[THREADS * EACH + 1];
    struct rig *rig = rig_new(100, 0);
    (void)state;
    start_workers(workers, THREADS, rig, EACH, 10);
    join_workers(workers, THREADS);
    assert_int_equal(change_seqs(rig->fake, seqs, THREADS * EACH + 1), THREADS * EACH);
    for (size_t i = 0; i < THREADS * EACH; i++)
        assert_int_equal(seqs[i], 101 + i);
    for (size_t t = 0; t < THREADS; t++)
        for (size_t i = 1; i < EACH; i++)
            assert_true(workers[t].seqs[i] > workers[t].seqs[i - 1]);
    const struct committer_stats *stats = committer_stats(rig->committer);
    assert_int_equal(metrics_get(&stats->batches), THREADS * EACH);
    assert_int_equal(metrics_get(&stats->groups), rig->fake->writes);
    assert_int_equal(rig->fake->syncs, rig->fake->writes);
    assert_int_equal(metrics_get(&stats->bytes), THREADS * EACH * (8 + 6 + sizeof(void *) + 10));
    rig_free(rig);
}

/* Hold the writer in its first write until `queued` batches stand behind it. */
static void hold_and_queue(struct rig *rig, struct worker *workers, size_t queued, size_t body_len)
{
    atomic_store(&rig->holds, true);
    start_workers(workers, 1, rig, 1, 10);
    sem_wait(&rig->entered);
    start_workers(workers + 1, queued, rig, 1, body_len);
    usleep(200000);
}

/* KV-COMMIT-3: what waits goes out in one write with one sync. */
static void test_those_who_wait_share_one_write(void **state)
{
    static struct worker workers[THREADS + 1];
    struct rig *rig = rig_new(0, 0);
    (void)state;
    hold_and_queue(rig, workers, THREADS, 10);
    assert_int_equal(committer_durable_seq(rig->committer), 0); /* nothing before its write */
    atomic_store(&rig->holds, false);
    sem_post(&rig->go);
    join_workers(workers, THREADS + 1);
    assert_int_equal(rig->fake->writes, 2);
    assert_int_equal(rig->ops_of_last_write, THREADS * 2);
    assert_int_equal(committer_durable_seq(rig->committer), THREADS + 1);
    rig_free(rig);
}

/* KV-COMMIT-3: a group has a cap. */
static void test_a_group_ends_at_its_cap(void **state)
{
    static struct worker workers[THREADS + 1];
    struct rig *rig = rig_new(0, 0);
    (void)state;
    hold_and_queue(rig, workers, THREADS, MIB(1));
    atomic_store(&rig->holds, false);
    sem_post(&rig->go);
    join_workers(workers, THREADS + 1);
    assert_int_equal(rig->fake->writes, 1 + (THREADS + 2) / 3); /* three of them fit */
    rig_free(rig);
}

/* ---- failures ---- */

/* KV-COMMIT-5, KV-COMMIT-6: all of the failed group learn of it, and nobody
 * writes afterwards; the first cause is told. */
static void test_a_failed_write_refuses_all_later_ones(void **state)
{
    static struct worker workers[THREADS + 1];
    static const enum err_code codes[] = {ERR_IO, ERR_NO_MEMORY};
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(codes); c++) {
        struct rig *rig = rig_new(0, 0);
        struct commit_batch batch;
        struct err err = {0};
        hold_and_queue(rig, workers, THREADS, 10);
        rig->fake->fail_write = 2;
        rig->fake->fail_write_code = codes[c];
        assert_int_equal(committer_health(rig->committer, &err), ERR_OK);
        atomic_store(&rig->holds, false);
        sem_post(&rig->go);
        join_workers(workers, THREADS + 1);
        assert_int_equal(workers[0].code, ERR_OK);
        for (size_t i = 1; i <= THREADS; i++)
            assert_int_equal(workers[i].code, codes[c]);
        for (int i = 0; i < 3; i++)
            assert_int_equal(commit_change(rig, &batch, &err), ERR_READ_ONLY);
        assert_non_null(strstr(err.msg, "the fake fails this write"));
        assert_int_equal(committer_health(rig->committer, &err), ERR_READ_ONLY);
        assert_int_equal(rig->fake->writes, 2);
        assert_int_equal(rig->fake->reopens, 0);
        assert_int_equal(committer_durable_seq(rig->committer), 1);
        rig_free(rig);
    }
}

/* KV-COMMIT-5: those who queued before it became known are refused as well. */
static void test_poison_refuses_those_who_wait(void **state)
{
    static struct worker workers[THREADS + 1];
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    struct err why = {0}, err = {0};
    (void)state;
    err_fail(&why, ERR_IO, "segment 7 did not sync");
    hold_and_queue(rig, workers, THREADS, 10);
    committer_poison(rig->committer, &why);
    err_fail(&why, ERR_IO, "a later cause");
    committer_poison(rig->committer, &why);
    assert_int_equal(commit_change(rig, &batch, &err), ERR_READ_ONLY);
    atomic_store(&rig->holds, false);
    sem_post(&rig->go);
    join_workers(workers, THREADS + 1);
    assert_int_equal(workers[0].code, ERR_OK); /* was being written */
    for (size_t i = 1; i <= THREADS; i++)
        assert_int_equal(workers[i].code, ERR_READ_ONLY);
    assert_non_null(strstr(err.msg, "segment 7"));
    assert_int_equal(rig->fake->writes, 1);
    rig_free(rig);
}

/* KV-COMMIT-6, KV-COMMIT-7: whichever write fails, nothing is acknowledged from
 * it on, and no number is used twice. */
static void test_every_write_may_be_the_one_that_fails(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 10; nth++) {
        struct rig *rig = rig_new(0, 0);
        struct commit_batch batch;
        uint64_t seqs[16];
        rig->fake->fail_write = nth;
        for (unsigned i = 1; i <= 10; i++)
            assert_int_equal(commit_change(rig, &batch, NULL), i < nth    ? ERR_OK
                                                               : i == nth ? ERR_IO
                                                                          : ERR_READ_ONLY);
        assert_int_equal(change_seqs(rig->fake, seqs, 16), nth - 1);
        assert_int_equal(committer_durable_seq(rig->committer), nth - 1);
        rig_free(rig);
    }
}

/* KV-FULL-1, KV-COMMIT-7: a full disk is told, and left again without a restart. */
static void test_a_full_disk_is_left_when_there_is_room(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    struct err err = {0};
    (void)state;
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_OK);
    rig->fake->fail_write = 1;
    rig->fake->fail_write_code = ERR_NO_SPACE;
    rig->fake->reopen_code = ERR_NO_SPACE;
    assert_int_equal(commit_change(rig, &batch, &err), ERR_NO_SPACE);
    for (int i = 0; i < 5; i++) /* one look for room, and no write */
        assert_int_equal(commit_change(rig, &batch, &err), ERR_NO_SPACE);
    assert_int_equal(rig->fake->writes, 2);
    assert_int_equal(rig->fake->reopens, 1);
    assert_int_equal(committer_health(rig->committer, &err), ERR_NO_SPACE);
    rig->fake->reopen_code = ERR_BUSY; /* somebody reads */
    atomic_fetch_add(&now_ms, 1000);
    assert_int_equal(commit_change(rig, &batch, &err), ERR_NO_SPACE);
    assert_int_equal(rig->fake->reopens, 2);
    rig->fake->reopen_code = ERR_OK;
    atomic_fetch_add(&now_ms, 1000);
    assert_int_equal(commit_change(rig, &batch, &err), ERR_OK);
    assert_int_equal(batch.ret_seq, 3); /* 2 was the failed one's */
    assert_int_equal(committer_health(rig->committer, &err), ERR_OK);
    assert_int_equal(committer_durable_seq(rig->committer), 3);
    rig_free(rig);
}

/* KV-FULL-1: even where nobody writes. */
static void test_a_full_disk_is_left_by_itself(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    (void)state;
    rig->fake->fail_write = 1;
    rig->fake->fail_write_code = ERR_NO_SPACE;
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_NO_SPACE);
    assert_int_equal(committer_health(rig->committer, NULL), ERR_NO_SPACE);
    for (int i = 0; i < 500 && committer_health(rig->committer, NULL); i++)
        usleep(10000);
    assert_int_equal(committer_health(rig->committer, NULL), ERR_OK);
    rig_free(rig);
}

/* KV-ROT-3: a damaged file stops the store once; it is reopened, and goes on. */
static void test_a_damaged_file_is_left_once(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    struct err err = {0};
    (void)state;
    rig->fake->fail_write = 1;
    rig->fake->fail_write_code = ERR_CORRUPT;
    rig->fake->reopen_code = ERR_BUSY; /* somebody reads */
    assert_int_equal(commit_change(rig, &batch, &err), ERR_CORRUPT);
    assert_int_equal(commit_change(rig, &batch, &err), ERR_READ_ONLY);
    assert_non_null(strstr(err.msg, "the fake fails this write"));
    assert_int_equal(committer_health(rig->committer, &err), ERR_READ_ONLY);
    assert_int_equal(rig->fake->writes, 1);
    assert_int_equal(rig->fake->reopens, 1);
    rig->fake->reopen_code = ERR_OK;
    atomic_fetch_add(&now_ms, 1000);
    assert_int_equal(commit_change(rig, &batch, &err), ERR_OK);
    assert_int_equal(batch.ret_seq, 2); /* 1 was the failed one's */
    assert_int_equal(committer_health(rig->committer, &err), ERR_OK);
    assert_int_equal(rig->fake->reopens, 2);
    rig->fake->fail_write = 1;
    assert_int_equal(commit_change(rig, &batch, &err), ERR_CORRUPT);
    atomic_fetch_add(&now_ms, 1000);
    assert_int_equal(commit_change(rig, &batch, &err), ERR_READ_ONLY);
    assert_int_equal(rig->fake->reopens, 2);
    rig_free(rig);
}

static void test_poison_holds_on_a_full_disk_too(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    struct err why = {0};
    (void)state;
    rig->fake->fail_write = 1;
    rig->fake->fail_write_code = ERR_NO_SPACE;
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_NO_SPACE);
    err_fail(&why, ERR_IO, "a sync failed");
    committer_poison(rig->committer, &why);
    for (int i = 0; i < 3; i++)
        assert_int_equal(commit_change(rig, &batch, NULL), ERR_READ_ONLY);
    rig_free(rig);
}

/* KV-COMMIT-8: a slow disk delays, and acknowledges nothing early. */
static void test_a_slow_write_acknowledges_nothing(void **state)
{
    struct worker worker;
    struct rig *rig = rig_new(0, 0);
    (void)state;
    hold_and_queue(rig, &worker, 0, 0);
    assert_int_equal(committer_wait(rig->committer, 0, 100), 0);
    assert_int_equal(fake_kv_count(rig->fake, KV_CHANGES), 0);
    atomic_store(&rig->holds, false);
    sem_post(&rig->go);
    assert_int_equal(committer_wait(rig->committer, 0, 10000), 1);
    join_workers(&worker, 1);
    assert_int_equal(worker.code, ERR_OK);
    rig_free(rig);
}

/* ---- waiting and stopping ---- */

static void *watch(void *arg)
{
    struct rig *rig = arg;
    uint64_t seen = 0, now;
    while ((now = committer_wait(rig->committer, seen, 60000)) > seen)
        seen = now;
    return NULL; /* stopped */
}

static void test_watchers_see_numbers_rise_and_the_end(void **state)
{
    static struct worker workers[4];
    struct rig *rig = rig_new(0, 0);
    pthread_t watchers[3];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(watchers); i++)
        assert_int_equal(pthread_create(&watchers[i], NULL, watch, rig), 0);
    start_workers(workers, ARRAY_LEN(workers), rig, EACH, 10);
    join_workers(workers, ARRAY_LEN(workers));
    uint64_t start_ms = clock_mono_ms(clock_system());
    assert_int_equal(committer_wait(rig->committer, 4 * EACH, 50), 4 * EACH);
    assert_true(clock_mono_ms(clock_system()) - start_ms >= 49);
    usleep(20000);
    rig_free(rig); /* wakes the watchers */
    for (size_t i = 0; i < ARRAY_LEN(watchers); i++)
        pthread_join(watchers[i], NULL);
}

static void *stop(void *arg)
{
    committer_stop(arg);
    return NULL;
}

static void test_a_stop_commits_what_waits(void **state)
{
    static struct worker workers[THREADS + 1];
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    pthread_t stopper;
    (void)state;
    rig->is_stopping = true;
    hold_and_queue(rig, workers, THREADS, 10);
    assert_int_equal(pthread_create(&stopper, NULL, stop, rig->committer), 0);
    usleep(100000);
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_CLOSED);
    atomic_store(&rig->holds, false);
    sem_post(&rig->go);
    join_workers(workers, THREADS + 1);
    pthread_join(stopper, NULL);
    for (size_t i = 0; i <= THREADS; i++)
        assert_int_equal(workers[i].code, ERR_OK);
    assert_int_equal(fake_kv_count(rig->fake, KV_CHANGES), THREADS + 1);
    rig->committer = NULL;
    rig_free(rig);
}

/* ---- out of memory ---- */

static bool build_and_commit(void *ctx)
{
    struct rig *rig = ctx;
    struct commit_batch batch;
    struct arena arena;
    static const uint8_t body[KIB(64)];
    arena_init(&arena, MIB(8));
    commit_batch_init(&batch, &arena);
    for (uint8_t i = 0; i < 40; i++)
        commit_put(&batch, KV_META, bytes_of(&i, 1), bytes_of(body, sizeof body));
    commit_delete(&batch, KV_META, BYTES_LIT("x"));
    commit_delete_range(&batch, KV_META, BYTES_LIT("y"), BYTES_LIT("z"));
    enum err_code code = commit(rig->committer, &batch, NULL);
    arena_done(&arena);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

/* KV-COMMIT-9 */
static void test_no_memory_for_a_batch_fails_that_batch_alone(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    (void)state;
    assert_true(alloc_fail_sweep(build_and_commit, rig) > 3);
    assert_int_equal(commit_change(rig, &batch, NULL), ERR_OK);
    commit_batch_init(&batch, &rig->arena); /* more operations than the group's array holds */
    for (uint16_t i = 0; i < 3000; i++)
        assert_non_null(commit_put(&batch, KV_META, bytes_of(&i, 2), BYTES_LIT("")));
    alloc_fail_arm(1);
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_NO_MEMORY);
    assert_true(alloc_fail_disarm());
    assert_int_equal(committer_health(rig->committer, NULL), ERR_OK);
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_OK);
    rig_free(rig);
}

static void test_an_arena_at_its_cap_fails_the_batch(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    struct arena arena;
    static const uint8_t body[KIB(8)];
    (void)state;
    arena_init(&arena, KIB(4));
    commit_batch_init(&batch, &arena);
    assert_null(commit_put(&batch, KV_META, BYTES_LIT("a"), bytes_of(body, sizeof body)));
    assert_int_equal(commit(rig->committer, &batch, NULL), ERR_NO_MEMORY);
    assert_int_equal(rig->fake->writes, 0);
    arena_done(&arena);
    rig_free(rig);
}

/* A value that could not be made is no empty value. */
static void test_no_value_fails_the_batch(void **state)
{
    struct rig *rig = rig_new(0, 0);
    struct commit_batch batch;
    struct arena arena;
    (void)state;
    arena_init(&arena, KIB(4));
    for (int borrowed = 0; borrowed < 2; borrowed++) {
        commit_batch_init(&batch, &arena);
        assert_null((borrowed ? commit_put_borrowed : commit_put)(&batch, KV_META, BYTES_LIT("a"),
                                                                  bytes_of(NULL, 0)));
        assert_int_equal(commit(rig->committer, &batch, NULL), ERR_NO_MEMORY);
    }
    assert_int_equal(rig->fake->writes, 0);
    arena_done(&arena);
    rig_free(rig);
}

static bool start_and_stop(void *ctx)
{
    struct fake_kv *fake = ctx;
    struct committer *committer = NULL;
    struct err err = {0};
    enum err_code code = committer_start(&fake->kv, &test_clock, 0, 0, &committer, &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    committer_stop(committer);
    return code == ERR_OK;
}

static void test_no_memory_to_start(void **state)
{
    struct fake_kv *fake = fake_kv_new();
    (void)state;
    assert_true(alloc_fail_sweep(start_and_stop, fake) >= 2);
    fake_kv_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders_are_filled),
        cmocka_unit_test(test_batches_without_placeholders_use_no_number),
        cmocka_unit_test(test_a_batch_may_take_several_numbers),
        cmocka_unit_test(test_a_batch_may_be_large),
        cmocka_unit_test(test_stamps_follow_the_clock_and_never_fall),
        cmocka_unit_test(test_sixteen_threads_get_every_number_once),
        cmocka_unit_test(test_those_who_wait_share_one_write),
        cmocka_unit_test(test_a_group_ends_at_its_cap),
        cmocka_unit_test(test_a_failed_write_refuses_all_later_ones),
        cmocka_unit_test(test_poison_refuses_those_who_wait),
        cmocka_unit_test(test_every_write_may_be_the_one_that_fails),
        cmocka_unit_test(test_a_full_disk_is_left_when_there_is_room),
        cmocka_unit_test(test_a_full_disk_is_left_by_itself),
        cmocka_unit_test(test_a_damaged_file_is_left_once),
        cmocka_unit_test(test_poison_holds_on_a_full_disk_too),
        cmocka_unit_test(test_a_slow_write_acknowledges_nothing),
        cmocka_unit_test(test_watchers_see_numbers_rise_and_the_end),
        cmocka_unit_test(test_a_stop_commits_what_waits),
        cmocka_unit_test(test_no_memory_for_a_batch_fails_that_batch_alone),
        cmocka_unit_test(test_an_arena_at_its_cap_fails_the_batch),
        cmocka_unit_test(test_no_value_fails_the_batch),
        cmocka_unit_test(test_no_memory_to_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
