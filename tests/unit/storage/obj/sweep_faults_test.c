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
#include "tests/unit/storage/obj/faults.h"

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

static enum err_code step_copy(struct script *s, struct err *err)
{
    s->under_way[COPY] = s->acked[LARGE];
    enum err_code rc = copy_key(s->f, names[LARGE], names[COPY], &s->f->arena, err);
    if (rc == ERR_OK)
        s->acked[COPY] = s->under_way[COPY];
    return rc;
}

static enum err_code put_part(struct fixture *f, const char *id, uint32_t number, size_t len,
                              uint32_t salt, struct err *err)
{
    struct body_writer *writer;
    enum err_code rc = open_filled(f, BODY_LENGTH_UNKNOWN, len, salt, &writer, err);
    if (rc != ERR_OK)
        return rc;
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
        rc = walk_list(f, &(struct list_options){.versions = true}, KEYS, err);
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

/* A fault that the sweeper took may show in a step as writes refused since. */
static bool run_with_fault(const struct fault *fault, long nth)
{
    struct script script = {.f = fixture_new()};
    struct err err;
    fault->arm(script.f, nth);
    enum err_code rc = run_script(&script, &err);
    bool hit = fault->disarm(script.f);
    if (rc != ERR_OK && !(hit && (rc == fault->code || fault->poisons)))
        fail_msg("%s %ld, %shit: %s at %s", fault->name, nth, hit ? "" : "not ", err.msg, err.at);
    check_after(&script);
    fixture_free(script.f);
    return hit;
}

/* OBJ-FAULT-1 */
static void test_allocations(void **state UNUSED)
{
    assert_true(fault_each(&fault_allocations[0], run_with_fault) > 4);
}

/* OBJ-FAULT-2 */
static void test_files(void **state UNUSED)
{
    assert_true(fault_each(&fault_files[0], run_with_fault) > 4);
    assert_true(fault_each(&fault_full_disk, run_with_fault) > 4);
}

/* OBJ-FAULT-3 */
static void test_reads(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(fault_reads); i++)
        assert_true(fault_each(&fault_reads[i], run_with_fault) > 4);
}

/* OBJ-FAULT-4 */
static void test_writes(void **state UNUSED)
{
    assert_true(fault_each(&fault_commits[0], run_with_fault) > 4);
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
