/* obj_fixture.h - a whole object store for tests: the fake ordered store, the
 * real committer, segments in a temporary folder, one bucket "bkt". */
#ifndef TESTS_UNIT_STORAGE_OBJ_FIXTURE_H
#define TESTS_UNIT_STORAGE_OBJ_FIXTURE_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/seal.h"
#include "storage/obj/internal.h"
#include "storage/obj/list.h"
#include "storage/obj/object.h"
#include "storage/obj/upload.h"
#include "tests/unit/storage/kv/fake_kv.h"

#define OWNER BYTES_LIT("1111111111111111111111111111111111111111111111111111111111111111")
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != ERR_OK)                                                                      \
            fail_msg("%s: %s at %s", #call, err.msg, err.at);                                      \
    } while (0)

struct fixture {
    char dir[64];
    struct fake_kv *fake;
    struct committer *committer;
    struct store *store;
    struct bucket *bucket;
    struct arena arena;
};

static const char *fixture_root = "/var/tmp"; /* where its folders are made */

/* Make them in memory from now on, where there is room: for tests that make hundreds of
 * them and do not ask what a disk keeps. */
static inline void fixture_in_memory(void)
{
    struct statvfs fs;
    if (statvfs("/dev/shm", &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >= MIB(512))
        fixture_root = "/dev/shm";
}

/* Of every store that is opened from now on; at first there is none. */
static struct store_compaction fixture_compaction;

static inline enum err_code fixture_start(struct fixture *f, struct err *err)
{
    uint64_t seq, stamp;
    enum err_code rc = store_last_seq(&f->fake->kv, &seq, &stamp, err);
    if (rc == ERR_OK)
        rc = committer_start(&f->fake->kv, clock_system(), seq, stamp, &f->committer, err);
    if (rc != ERR_OK)
        return rc;
    struct store_options options = {.dir = f->dir,
                                    .segment_bytes = MIB(4),
                                    .changes_max = 1000,
                                    .clock = clock_system(),
                                    .compact = fixture_compaction};
    rc = store_open(&f->fake->kv, f->committer, &options, &f->store, err);
    if (rc != ERR_OK)
        committer_stop(TAKE(f->committer));
    return rc;
}

static inline void fixture_halt(struct fixture *f)
{
    bucket_release(TAKE(f->bucket));
    store_close(TAKE(f->store));
    if (f->committer)
        committer_stop(TAKE(f->committer));
}

static inline struct fixture *fixture_new(void)
{
    struct err err;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_ok(seal_start(&err));
    snprintf(f->dir, sizeof(f->dir), "%s/valise-test-XXXXXX", fixture_root);
    assert_non_null(mkdtemp(f->dir));
    f->fake = fake_kv_new();
    arena_init(&f->arena, MIB(16));
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_create(f->store, BYTES_LIT("bkt"), OWNER, (struct bytes){0}, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
    return f;
}

/* Close and open again, as a restart does. */
static inline void fixture_restart(struct fixture *f)
{
    struct err err;
    fixture_halt(f);
    assert_ok(fixture_start(f, &err));
    assert_ok(bucket_acquire(f->store, BYTES_LIT("bkt"), &f->bucket, &err));
}

static inline void fixture_remove_dir(const char *dir)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static inline void fixture_free(struct fixture *f)
{
    fixture_halt(f);
    arena_done(&f->arena);
    fake_kv_free(f->fake);
    fixture_remove_dir(f->dir);
    free(f);
}

/* Bytes that tell where they are from: any misplaced block is seen. */
static inline void pattern(uint8_t *to, size_t len, uint64_t at, uint32_t salt)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t x = (at + i) * 0x9E3779B97F4A7C15u + salt * 0xD6E8FEB86659FD93u;
        to[i] = (uint8_t)(x >> 32 ^ x >> 56);
    }
}

/* A writer that was opened for `expected` bytes and got `len`. */
static inline enum err_code open_filled(struct fixture *f, uint64_t expected, size_t len,
                                        uint32_t salt, struct body_writer **ret_writer,
                                        struct err *err)
{
    enum err_code rc = body_writer_open(f->store, expected, ret_writer, err);
    if (rc != ERR_OK)
        return rc;
    uint8_t piece[7001]; /* odd on purpose */
    for (size_t at = 0; rc == ERR_OK && at < len; at += sizeof(piece)) {
        size_t now = len - at < sizeof(piece) ? len - at : sizeof(piece);
        pattern(piece, now, at, salt);
        rc = body_writer_write(*ret_writer, bytes_of(piece, now), err);
    }
    if (rc != ERR_OK)
        body_writer_free(TAKE(*ret_writer));
    return rc;
}

static inline enum err_code put_bytes(struct fixture *f, const char *key, size_t len, uint32_t salt,
                                      struct record_object *ret, struct err *err)
{
    struct body_writer *writer;
    enum err_code rc = open_filled(f, len, len, salt, &writer, err);
    if (rc != ERR_OK)
        return rc;
    struct object_put put = {.key = bytes_of_str(key),
                             .object = {.owner = OWNER},
                             .body = writer,
                             .operation = CHANGE_OBJECT_PUT};
    return object_put(f->store, f->bucket, &put, &f->arena, ret, err);
}

static inline void put(struct fixture *f, const char *key, size_t len, uint32_t salt)
{
    struct err err;
    struct record_object object;
    assert_ok(put_bytes(f, key, len, salt, &object, &err));
}

/* Read [from, until) in pieces of `step` and compare with the pattern. */
static inline enum err_code check_range(struct body_reader *reader, uint64_t from, uint64_t until,
                                        size_t step, uint32_t salt, uint64_t pattern_at,
                                        struct err *err)
{
    static uint8_t got[MIB(1)], want[MIB(1)]; /* no malloc: a test may make it fail */
    assert_true(step <= sizeof(got));
    enum err_code rc = ERR_OK;
    for (uint64_t at = from; rc == ERR_OK && at < until;) {
        size_t room = until - at < step ? (size_t)(until - at) : step, len = 0;
        rc = body_reader_read(reader, at, got, room, &len, err);
        if (rc != ERR_OK)
            break;
        assert_true(len >= 1 && len <= room);
        pattern(want, len, pattern_at + (at - from), salt);
        assert_memory_equal(got, want, len);
        at += len;
    }
    return rc;
}

static inline enum err_code get_version(struct fixture *f, const char *key,
                                        struct object_version version, uint64_t len, uint32_t salt,
                                        struct err *err)
{
    struct record_object object;
    AUTO(body_reader) struct body_reader *reader = NULL;
    enum err_code rc = object_get(f->store, f->bucket, bytes_of_str(key), version, &f->arena,
                                  &object, &reader, err);
    if (rc != ERR_OK)
        return rc;
    assert_int_equal(object.length, len);
    return check_range(reader, 0, len, OBJ_BLOCK_BYTES, salt, 0, err);
}

static inline enum err_code get(struct fixture *f, const char *key, uint64_t len, uint32_t salt,
                                struct err *err)
{
    return get_version(f, key, (struct object_version){.kind = VERSION_LATEST}, len, salt, err);
}

static inline enum err_code delete_version(struct fixture *f, const char *key,
                                           struct object_version version,
                                           struct object_deleted *ret, struct err *err)
{
    struct object_delete request = {.key = bytes_of_str(key), .version = version, .user = OWNER};
    return object_delete(f->store, f->bucket, &request, &f->arena, ret, err);
}

static inline void delete_key(struct fixture *f, const char *key)
{
    struct err err;
    struct object_deleted deleted;
    assert_ok(
        delete_version(f, key, (struct object_version){.kind = VERSION_LATEST}, &deleted, &err));
}

static inline enum err_code keep_all(void *ctx UNUSED, const struct record_object *source UNUSED,
                                     struct record_object *copy UNUSED, struct err *err UNUSED)
{
    return ERR_OK;
}

static inline enum err_code copy_key(struct fixture *f, const char *from, const char *to,
                                     struct arena *arena, struct err *err)
{
    struct object_copy request = {.source_bucket = f->bucket,
                                  .source_key = bytes_of_str(from),
                                  .key = bytes_of_str(to),
                                  .change = keep_all};
    struct record_object source, copy;
    return object_copy(f->store, f->bucket, &request, arena, &source, &copy, err);
}

/* List to the end: so many items. */
static inline enum err_code walk_list(struct fixture *f, const struct list_options *options,
                                      size_t want, struct err *err)
{
    AUTO(list) struct list *list = NULL;
    enum err_code rc = list_open(f->store, f->bucket, options, &list, err);
    bool at_end = false;
    size_t count = 0;
    while (rc == ERR_OK && !at_end) {
        struct list_item item;
        rc = list_next(list, &item, &at_end, err);
        count += rc == ERR_OK && !at_end;
    }
    if (rc == ERR_OK)
        assert_int_equal(count, want);
    return rc;
}

static inline struct object_version version_of(const struct record_object *object)
{
    if (object->null_version)
        return (struct object_version){.kind = VERSION_NULL};
    return (struct object_version){VERSION_ID, object->seq, object->origin.site};
}

/* Wait until the sweeper has nothing left to do. */
static inline void wait_swept(struct fixture *f)
{
    const struct kv_calls *calls = f->fake->kv.calls;
    struct err err;
    for (int i = 0; i < 500; i++) {
        const uint8_t first = TAG_FREE, behind = TAG_FREE + 1;
        struct kv_iter *iter;
        assert_ok(calls->iter_open(&f->fake->kv, NULL, KV_META, bytes_of(&first, 1),
                                   bytes_of(&behind, 1), &iter, &err));
        struct bytes key, value;
        bool any = calls->iter_at(iter, &key, &value);
        calls->iter_close(iter);
        if (!any)
            return;
        usleep(10000);
    }
    fail_msg("the sweeper left rows behind");
}

/* Wait until this many bytes of segments are alive: a restart learns it in the background. */
static inline void wait_live(struct fixture *f, uint64_t bytes)
{
    struct segments_stats stats;
    for (int i = 0; i < 500; i++) {
        segments_get_stats(f->store->segments, &stats);
        if (stats.live_bytes == bytes)
            return;
        usleep(10000);
    }
    assert_int_equal(stats.live_bytes, bytes);
}

/* Rows of a tag in KV_META. */
static inline size_t count_tag(struct fixture *f, uint8_t tag)
{
    const struct kv_calls *calls = f->fake->kv.calls;
    struct err err;
    const uint8_t behind = tag + 1;
    struct kv_iter *iter;
    assert_ok(calls->iter_open(&f->fake->kv, NULL, KV_META, bytes_of(&tag, 1), bytes_of(&behind, 1),
                               &iter, &err));
    size_t count = 0;
    struct bytes key, value;
    for (; calls->iter_at(iter, &key, &value); calls->iter_next(iter))
        count++;
    calls->iter_close(iter);
    return count;
}

/* Nothing is stored any more: no row of an object, no byte of a body. */
static inline void assert_nothing_left(struct fixture *f)
{
    static const char tags[] = {TAG_CURRENT, TAG_VERSION, TAG_NULL,      TAG_UPLOAD,  TAG_PART,
                                TAG_BODY,    TAG_FREE,    TAG_REFERENCE, TAG_MANIFEST};
    wait_swept(f);
    for (size_t i = 0; i < sizeof(tags); i++)
        assert_int_equal(count_tag(f, (uint8_t)tags[i]), 0);
    assert_int_equal(fake_kv_count(f->fake, KV_BODIES), 0);
    wait_live(f, 0);
}

static inline int fixture_setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

/* A test with a fixture of its own in *state. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
