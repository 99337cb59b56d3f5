/* upload_faults_test.c - multipart uploads, and objects made of parts, with every
 * failure (OBJ-FAULT-5).
 *
 * Planted bug that it caught: parts that could not be read taken for the end of
 * their list.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 * LINK: -Wl,--wrap=pwrite64,--wrap=pread64,--wrap=fdatasync,--wrap=fsync
 * LINK: -Wl,--wrap=posix_fallocate64,--wrap=fallocate64,--wrap=ftruncate64
 */
#include "tests/unit/storage/obj/step_faults.h"

#define KEY       BYTES_LIT("big")
#define FIRST_LEN (MIB(5) + 3)
#define LAST_LEN  1000
#define RANGE_LEN KIB(100)

static char id[UPLOAD_ID_TEXT]; /* of prepare */
static const struct object_version latest = {.kind = VERSION_LATEST};

static enum err_code create(struct fixture *f, bool composite, struct arena *arena, char *ret_id,
                            struct err *err)
{
    struct record_upload upload = {.object = {.owner = OWNER},
                                   .initiator = OWNER,
                                   .has_checksum = true,
                                   .composite = composite,
                                   .checksum_kind = HASH_SHA256};
    return upload_create(f->store, f->bucket, KEY, &upload, arena, ret_id, err);
}

/* One part's body is the pattern of its number. */
static enum err_code put_part(struct fixture *f, uint32_t number, size_t len, struct arena *arena,
                              struct err *err)
{
    static uint8_t bytes[FIRST_LEN];
    struct body_writer *writer;
    enum err_code rc = body_writer_open(f->store, len, &writer, err);
    if (rc != ERR_OK)
        return rc;
    pattern(bytes, len, 0, number);
    rc = body_writer_write(writer, bytes_of(bytes, len), err);
    if (rc != ERR_OK) {
        body_writer_free(writer);
        return rc;
    }
    struct record_part part = {.number = number, .etag = {(uint8_t)number}};
    part.checksum.present = true;
    part.checksum.kind = HASH_SHA256;
    part.checksum.value = hash_once(HASH_SHA256, bytes_of(bytes, len));
    return upload_put_part(f->store, f->bucket, KEY, bytes_of_str(id), &part, writer, arena, err);
}

static void prepare_upload(struct fixture *f)
{
    struct err err;
    assert_ok(create(f, true, &f->arena, id, &err));
}

static void prepare_parts(struct fixture *f)
{
    struct err err;
    prepare_upload(f);
    assert_ok(put_part(f, 1, FIRST_LEN, &f->arena, &err));
    assert_ok(put_part(f, 2, LAST_LEN, &f->arena, &err));
}

static enum err_code complete(struct fixture *f, struct arena *arena, struct err *err)
{
    struct upload_part_named named[] = {{.number = 1, .etag = {1}}, {.number = 2, .etag = {2}}};
    struct upload_complete request = {
        .parts = named, .part_count = 2, .expected_length = UINT64_MAX};
    struct record_object object;
    return upload_complete(f->store, f->bucket, KEY, bytes_of_str(id), &request, arena, &object,
                           err);
}

static void prepare_object(struct fixture *f)
{
    struct err err;
    prepare_parts(f);
    assert_ok(complete(f, &f->arena, &err));
}

static void prepare_source(struct fixture *f)
{
    prepare_object(f);
    prepare_upload(f);
}

static void prepare_completed(struct fixture *f)
{
    struct err err;
    prepare_object(f);
    prepare_upload(f);
    assert_ok(put_part(f, 1, FIRST_LEN, &f->arena, &err));
    assert_ok(put_part(f, 2, LAST_LEN, &f->arena, &err));
}

/* How many parts the upload has; -1 where there is no upload. */
static int count_parts(struct fixture *f)
{
    struct err err;
    struct record_part *parts;
    size_t count;
    bool more;
    return step_is_there(upload_parts(f->store, f->bucket, KEY, bytes_of_str(id), 0, 10, &f->arena,
                                      &parts, &count, &more, &err),
                         &err)
               ? (int)count
               : -1;
}

static enum err_code run_create(struct fixture *f, struct arena *arena, struct err *err)
{
    char made[UPLOAD_ID_TEXT];
    return create(f, false, arena, made, err);
}

static bool is_created(struct fixture *f)
{
    return count_tag(f, TAG_UPLOAD) == 1;
}

static enum err_code run_find(struct fixture *f, struct arena *arena, struct err *err)
{
    struct record_upload upload;
    return upload_find(f->store, f->bucket, KEY, bytes_of_str(id), arena, &upload, err);
}

static enum err_code run_put_small(struct fixture *f, struct arena *arena, struct err *err)
{
    return put_part(f, 3, LAST_LEN, arena, err);
}

static enum err_code run_put_large(struct fixture *f, struct arena *arena, struct err *err)
{
    return put_part(f, 3, KIB(200), arena, err);
}

static bool is_third_there(struct fixture *f)
{
    return count_parts(f) == 3;
}

static enum err_code copy_range(struct fixture *f, uint64_t first, struct arena *arena,
                                struct err *err)
{
    struct upload_copy_part request = {.source_bucket = f->bucket,
                                       .source_key = KEY,
                                       .has_range = true,
                                       .first = first,
                                       .last = first + RANGE_LEN - 1};
    struct record_object source;
    struct record_part part;
    return upload_copy_part(f->store, f->bucket, KEY, bytes_of_str(id), 3, &request, arena, &source,
                            &part, err);
}

/* Within one body: shared. */
static enum err_code run_copy_within(struct fixture *f, struct arena *arena, struct err *err)
{
    return copy_range(f, 10, arena, err);
}

/* Over the end of one: copied. */
static enum err_code run_copy_over(struct fixture *f, struct arena *arena, struct err *err)
{
    return copy_range(f, FIRST_LEN + LAST_LEN - RANGE_LEN, arena, err);
}

static bool is_one_there(struct fixture *f)
{
    return count_parts(f) == 1;
}

static bool is_complete(struct fixture *f)
{
    bool done = step_has(f, "big", FIRST_LEN + LAST_LEN);
    assert_int_equal(count_parts(f), done ? -1 : 2);
    return done;
}

static bool is_complete_again(struct fixture *f)
{
    assert_true(step_has(f, "big", FIRST_LEN + LAST_LEN));
    return count_parts(f) == -1;
}

static enum err_code run_abort(struct fixture *f, struct arena *arena, struct err *err)
{
    return upload_abort(f->store, f->bucket, KEY, bytes_of_str(id), arena, err);
}

static bool is_aborted(struct fixture *f)
{
    return count_parts(f) == -1;
}

static enum err_code run_expire(struct fixture *f, struct arena *arena UNUSED, struct err *err)
{
    size_t count;
    enum err_code rc = upload_expire(f->store, UINT64_MAX, 10, &count, err);
    if (rc == ERR_OK)
        assert_int_equal(count, 1);
    return rc;
}

static enum err_code run_parts(struct fixture *f, struct arena *arena, struct err *err)
{
    struct record_part *parts;
    size_t count;
    bool more;
    enum err_code rc = upload_parts(f->store, f->bucket, KEY, bytes_of_str(id), 1, 10, arena,
                                    &parts, &count, &more, err);
    if (rc == ERR_OK)
        assert_true(count == 1 && parts[0].number == 2 && !more);
    return rc;
}

static void prepare_uploads(struct fixture *f)
{
    struct err err;
    struct record_upload upload = {.object = {.owner = OWNER}, .initiator = OWNER};
    static const char *const keys[] = {"a", "b/1", "b/2", "c"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_ok(upload_create(f->store, f->bucket, bytes_of_str(keys[i]), &upload, &f->arena, id,
                                &err));
}

static enum err_code run_list(struct fixture *f, struct arena *arena, struct err *err)
{
    struct upload_list_options options = {.delimiter = BYTES_LIT("/"), .max = 10};
    struct upload_item *items;
    size_t count;
    bool more;
    enum err_code rc =
        upload_list(f->store, f->bucket, &options, arena, &items, &count, &more, err);
    if (rc == ERR_OK)
        assert_true(count == 3 && items[1].is_prefix && !more);
    return rc;
}

/* The object of parts. */

static enum err_code run_get(struct fixture *f, struct arena *arena, struct err *err)
{
    struct record_object object;
    AUTO(body_reader) struct body_reader *reader = NULL;
    enum err_code rc = object_get(f->store, f->bucket, KEY, latest, arena, &object, &reader, err);
    if (rc == ERR_OK)
        rc = check_range(reader, 0, FIRST_LEN, KIB(256), 1, 0, err);
    if (rc == ERR_OK)
        rc = check_range(reader, FIRST_LEN, FIRST_LEN + LAST_LEN, KIB(256), 2, 0, err);
    return rc;
}

static enum err_code run_object_parts(struct fixture *f, struct arena *arena, struct err *err)
{
    struct record_object object;
    struct record_part part;
    uint64_t offset;
    enum err_code rc = object_head(f->store, f->bucket, KEY, latest, arena, &object, err);
    if (rc == ERR_OK)
        rc = object_part_find(f->store, &object, 2, arena, &offset, &part, err);
    if (rc == ERR_OK)
        assert_true(offset == FIRST_LEN && part.length == LAST_LEN);
    return rc;
}

static enum err_code run_copy(struct fixture *f, struct arena *arena, struct err *err)
{
    return copy_key(f, "big", "copy", arena, err);
}

static bool is_copied(struct fixture *f)
{
    return step_has(f, "copy", FIRST_LEN + LAST_LEN);
}

static const struct step steps[] = {
    {"create", NULL, run_create, is_created},
    {"find", prepare_upload, run_find, NULL},
    {"put a part", prepare_parts, run_put_small, is_third_there},
    {"put a large part", prepare_parts, run_put_large, is_third_there},
    {"copy a part, within", prepare_source, run_copy_within, is_one_there},
    {"copy a part, over", prepare_source, run_copy_over, is_one_there},
    {"complete", prepare_parts, complete, is_complete},
    {"complete over", prepare_completed, complete, is_complete_again},
    {"complete again", prepare_object, complete, NULL},
    {"abort", prepare_parts, run_abort, is_aborted},
    {"expire", prepare_parts, run_expire, is_aborted},
    {"parts", prepare_parts, run_parts, NULL},
    {"list", prepare_uploads, run_list, NULL},
    {"get of parts", prepare_object, run_get, NULL},
    {"find a part", prepare_object, run_object_parts, NULL},
    {"copy of parts", prepare_object, run_copy, is_copied},
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
    assert_true(STEP_SWEEP(steps, fault_files) > 5);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    fixture_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_commits),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
