/* sweep_faults_test.c - every failure, one at a time (OBJ-FAULT): the 1st
 * allocation fails, then the 2nd, … until none does; the same for reads and
 * writes of the ordered store and for every call on a segment file.
 *
 * A script of operations runs until one fails. Then, without faults and after a
 * restart: what was acknowledged is there, byte for byte; what was under way is
 * there whole or not at all; and once all is deleted nothing is left behind.
 *
 * Planted bugs that it caught: object_put that kept its key locked when the
 * batch ran out of memory (hangs); a body given back although its commit had
 * failed after the write (wrong bytes after the restart).
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "tests/unit/storage/obj/obj_fixture.h"

#include "tests/unit/alloc_fail.h"
#include "tests/unit/io_fail.h"

/* What a key may hold: the last acknowledged content, or the one under way. */
struct content {
    bool present;
    size_t len;
    uint32_t salt;
};

enum { SMALL, LARGE, COPY, BIG, KEYS };
static const char *const names[KEYS] = {"small", "large", "copy", "big"};

struct script {
    struct fixture *f;
    struct content acked[KEYS], under_way[KEYS];
};

static enum err_code step_put(struct script *s, int key, size_t len, uint32_t salt, struct err *err)
{
    struct record_object object;
    s->under_way[key] = (struct content){true, len, salt};
    enum err_code rc = put_bytes(s->f, names[key], len, salt, &object, err);
    if (rc == ERR_OK)
        s->acked[key] = s->under_way[key];
    return rc;
}

static enum err_code step_get(struct script *s, int key, struct err *err)
{
    return get(s->f, names[key], s->acked[key].len, s->acked[key].salt, err);
}

static enum err_code step_delete(struct script *s, int key, struct err *err)
{
    struct object_deleted deleted;
    s->under_way[key] = (struct content){0};
    enum err_code rc = delete_version(
        s->f, names[key], (struct object_version){.kind = VERSION_LATEST}, &deleted, err);
    if (rc == ERR_OK)
        s->acked[key] = s->under_way[key];
    return rc;
}

static enum err_code keep_all(void *ctx, const struct record_object *source,
                              struct record_object *copy, struct err *err)
{
    (void)ctx, (void)source, (void)copy, (void)err;
    return ERR_OK;
}

static enum err_code step_copy(struct script *s, struct err *err)
{
    struct object_copy request = {.source_bucket = s->f->bucket,
                                  .source_key = bytes_of_str(names[LARGE]),
                                  .key = bytes_of_str(names[COPY]),
                                  .change = keep_all};
    struct record_object source, copy;
    s->under_way[COPY] = s->acked[LARGE];
    enum err_code rc =
        object_copy(s->f->store, s->f->bucket, &request, &s->f->arena, &source, &copy, err);
    if (rc == ERR_OK)
        s->acked[COPY] = s->under_way[COPY];
    return rc;
}

static enum err_code put_part(struct fixture *f, const char *id, uint32_t number, size_t len,
                              uint32_t salt, struct err *err)
{
    struct body_writer *writer;
    enum err_code rc = body_writer_open(f->store, BODY_LENGTH_UNKNOWN, &writer, err);
    if (rc != ERR_OK)
        return rc;
    static uint8_t bytes[KIB(200)];
    pattern(bytes, len, 0, salt);
    rc = body_writer_write(writer, bytes_of(bytes, len), err);
    if (rc != ERR_OK) {
        body_writer_free(writer);
        return rc;
    }
    struct record_part part = {.number = number};
    return upload_put_part(f->store, f->bucket, bytes_of_str(names[BIG]), bytes_of_str(id), &part,
                           writer, &f->arena, err);
}

static enum err_code step_upload(struct script *s, struct err *err)
{
    struct fixture *f = s->f;
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    char id[UPLOAD_ID_TEXT];
    struct bytes key = bytes_of_str(names[BIG]);
    enum err_code rc = upload_create(f->store, f->bucket, key, &upload, &f->arena, id, err);
    if (rc == ERR_OK)
        rc = put_part(f, id, 1, KIB(10), 1, err);
    if (rc == ERR_OK)
        rc = put_part(f, id, 2, KIB(150), 2, err);
    struct record_object source, object;
    struct record_part copied;
    struct upload_copy_part from = {.source_bucket = f->bucket,
                                    .source_key = bytes_of_str(names[LARGE]),
                                    .has_range = true,
                                    .first = 0,
                                    .last = KIB(100)};
    if (rc == ERR_OK)
        rc = upload_copy_part(f->store, f->bucket, key, bytes_of_str(id), 3, &from, &f->arena,
                              &source, &copied, err);
    struct upload_part_named named = {.number = 2};
    struct upload_complete request = {
        .parts = &named, .part_count = 1, .expected_length = UINT64_MAX};
    s->under_way[BIG] = (struct content){true, KIB(150), 2};
    if (rc == ERR_OK)
        rc = upload_complete(f->store, f->bucket, key, bytes_of_str(id), &request, &f->arena,
                             &object, err);
    if (rc == ERR_OK)
        s->acked[BIG] = s->under_way[BIG];
    return rc;
}

static enum err_code step_list(struct script *s, size_t want, struct err *err)
{
    struct list_options options = {.versions = true};
    AUTO(list) struct list *list = NULL;
    enum err_code rc = list_open(s->f->store, s->f->bucket, &options, &list, err);
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

static enum err_code run_script(struct script *s, struct err *err)
{
    struct fixture *f = s->f;
    enum err_code rc = step_put(s, SMALL, 1000, 1, err);
    if (rc == ERR_OK)
        rc = step_put(s, LARGE, KIB(300), 2, err);
    if (rc == ERR_OK)
        rc = step_get(s, SMALL, err);
    if (rc == ERR_OK)
        rc = step_get(s, LARGE, err);
    if (rc == ERR_OK)
        rc = step_copy(s, err);
    if (rc == ERR_OK)
        rc = step_upload(s, err);
    if (rc == ERR_OK)
        rc = step_list(s, KEYS, err);
    if (rc == ERR_OK)
        rc = step_put(s, SMALL, KIB(100), 3, err);
    if (rc == ERR_OK)
        rc = bucket_set_versioning(f->store, f->bucket, BUCKET_ENABLED, OWNER, err);
    if (rc == ERR_OK)
        rc = step_put(s, SMALL, 50, 4, err);
    if (rc == ERR_OK)
        rc = step_delete(s, SMALL, err);
    if (rc == ERR_OK)
        rc = bucket_set_versioning(f->store, f->bucket, BUCKET_SUSPENDED, OWNER, err);
    if (rc == ERR_OK)
        rc = step_put(s, SMALL, 60, 5, err);
    if (rc == ERR_OK)
        rc = step_delete(s, LARGE, err);
    return rc;
}

static bool holds(struct script *s, int key, struct content content)
{
    struct err err;
    struct record_object object;
    enum err_code rc =
        object_head(s->f->store, s->f->bucket, bytes_of_str(names[key]),
                    (struct object_version){.kind = VERSION_LATEST}, &s->f->arena, &object, &err);
    if (rc == ERR_NOT_FOUND)
        return !content.present;
    assert_int_equal(rc, ERR_OK);
    if (!content.present || object.length != content.len)
        return false;
    assert_ok(get(s->f, names[key], content.len, content.salt, &err));
    return true;
}

static void delete_everything(struct fixture *f)
{
    struct err err;
    struct list_options options = {.versions = true};
    bool at_end = false;
    while (!at_end) {
        AUTO(list) struct list *list = NULL;
        assert_ok(list_open(f->store, f->bucket, &options, &list, &err));
        struct list_item item;
        assert_ok(list_next(list, &item, &at_end, &err));
        if (at_end)
            break;
        char key[16];
        snprintf(key, sizeof(key), "%.*s", (int)item.key.len, (const char *)item.key.data);
        struct object_deleted gone;
        assert_ok(delete_version(f, key, version_of(&item.object), &gone, &err));
    }
    size_t count;
    assert_ok(upload_expire(f->store, UINT64_MAX, 100, &count, &err));
}

static void check_after(struct script *s)
{
    fixture_restart(s->f);
    for (int key = 0; key < KEYS; key++)
        if (!holds(s, key, s->acked[key]) && !holds(s, key, s->under_way[key]))
            fail_msg("'%s' is neither what was acknowledged nor what was under way", names[key]);
    delete_everything(s->f);
    fixture_restart(s->f); /* what a failed write left of a body goes at the start */
    assert_nothing_left(s->f);
}

struct fault {
    void (*arm)(struct script *s, long nth);
    bool (*disarm)(struct script *s);
};

static void sweep(const struct fault *fault, const char *what)
{
    long nth = 0;
    for (bool hit = true; hit;) {
        struct script script = {.f = fixture_new()};
        struct err err;
        fault->arm(&script, ++nth);
        enum err_code rc = run_script(&script, &err);
        hit = fault->disarm(&script);
        if (!hit && rc != ERR_OK)
            fail_msg("%s: no fault, yet %s at %s", what, err.msg, err.at);
        check_after(&script);
        fixture_free(script.f);
    }
    print_message("%s: %ld faults\n", what, nth - 1);
    assert_true(nth > 5);
}

static void arm_alloc(struct script *s, long nth)
{
    (void)s;
    alloc_fail_arm(nth);
}

static bool disarm_alloc(struct script *s)
{
    (void)s;
    return alloc_fail_disarm();
}

/* OBJ-FAULT-1 */
static void test_allocations(void **state)
{
    (void)state;
    sweep(&(struct fault){arm_alloc, disarm_alloc}, "allocations");
}

static void arm_eio(struct script *s, long nth)
{
    (void)s;
    io_fail_arm(nth, EIO);
}

static void arm_enospc(struct script *s, long nth)
{
    (void)s;
    io_fail_arm(nth, ENOSPC);
}

static bool disarm_io(struct script *s)
{
    (void)s;
    return io_fail_disarm();
}

/* OBJ-FAULT-2 */
static void test_files(void **state)
{
    (void)state;
    sweep(&(struct fault){arm_eio, disarm_io}, "calls on segments, EIO");
    sweep(&(struct fault){arm_enospc, disarm_io}, "calls on segments, ENOSPC");
}

static void arm_read(struct script *s, long nth)
{
    s->f->fake->fail_read = (unsigned)nth;
}

static bool disarm_read(struct script *s)
{
    bool hit = s->f->fake->fail_read == 0;
    s->f->fake->fail_read = 0;
    return hit;
}

static void arm_iter(struct script *s, long nth)
{
    s->f->fake->fail_iter = (unsigned)nth;
}

static bool disarm_iter(struct script *s)
{
    bool hit = s->f->fake->fail_iter == 0;
    s->f->fake->fail_iter = 0;
    return hit;
}

/* OBJ-FAULT-3 */
static void test_reads(void **state)
{
    (void)state;
    sweep(&(struct fault){arm_read, disarm_read}, "reads of the ordered store");
    sweep(&(struct fault){arm_iter, disarm_iter}, "steps of iterators");
}

static void arm_write(struct script *s, long nth)
{
    s->f->fake->fail_write_code = ERR_IO;
    s->f->fake->fail_write = (unsigned)nth;
}

static bool disarm_write(struct script *s)
{
    bool hit = s->f->fake->fail_write == 0;
    s->f->fake->fail_write = 0;
    return hit;
}

/* OBJ-FAULT-4 */
static void test_writes(void **state)
{
    (void)state;
    sweep(&(struct fault){arm_write, disarm_write}, "commits");
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
