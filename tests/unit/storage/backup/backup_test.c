/* backup_test.c - a box copied while it serves, and made anew of the copy
 * (BACKUP): the engine, on RocksDB and real files.
 *
 * Planted bugs that it caught: bodies known by their id alone (the restored box
 * and the first one, both going on, mixed each other's bytes); a sweeper that did
 * not ask the hold (bodies gone before they were copied). */
#include "storage/backup/backup.h"

#include "storage/obj/export.h"
#include "tests/unit/storage/backup/backup_fixture.h"

static void check(struct box *b, const char *key, size_t len, uint32_t salt)
{
    struct err err;
    assert_ok(get(&b->f, key, len, salt, &err));
}

static void assert_gone(struct box *b, const char *key)
{
    struct err err;
    assert_int_equal(get(&b->f, key, 0, 0, &err), ERR_NOT_FOUND);
}

/* Restore the newest, or that one, and open it. */
static struct box *restored(struct box *b, uint32_t generation)
{
    struct err err;
    struct restore_result result;
    assert_ok(box_restore(b, generation, &result, &err));
    assert_int_equal(result.missing, 0);
    assert_int_equal(result.bytes, result.generation.bytes);
    return box_open_restored(b);
}

/* BACKUP-COPY-1: what was there at its moment is what a restored box has, no more. */
static void test_round_trip(void **state)
{
    struct box *b = *state;
    put(&b->f, "small", 1000, 1);
    put(&b->f, "large", MIB(9) + 5, 2);
    put(&b->f, "replaced", MIB(1), 3);
    put(&b->f, "replaced", KIB(300), 4);
    put(&b->f, "deleted", MIB(1), 5);
    put(&b->f, "empty", 0, 6);
    delete_key(&b->f, "deleted");
    const struct backup_status *status = box_back_up(b);
    assert_int_equal(status->generation, 1);
    assert_int_equal(status->damaged, 0);
    assert_int_equal(status->bytes, status->copied_bytes);
    put(&b->f, "later", MIB(1), 7);
    delete_key(&b->f, "small");
    struct box *other = restored(b, 0);
    check(other, "small", 1000, 1);
    check(other, "large", MIB(9) + 5, 2);
    check(other, "replaced", KIB(300), 4);
    check(other, "empty", 0, 6);
    assert_gone(other, "deleted");
    assert_gone(other, "later");
    put(&other->f, "new", MIB(1), 8);
    check(other, "new", MIB(1), 8);
    check(b, "later", MIB(1), 7);
    box_close_restored(other);
}

/* BACKUP-EPOCH-1: the same box, in another epoch. */
static void test_epoch(void **state)
{
    struct box *b = *state;
    put(&b->f, "large", MIB(1), 1);
    box_back_up(b);
    struct box *other = restored(b, 0);
    const struct record_system *first = store_system(b->f.store);
    const struct record_system *second = store_system(other->f.store);
    assert_memory_equal(first->box_id, second->box_id, sizeof(first->box_id));
    assert_true(first->epoch != second->epoch);
    assert_true(second->parent_epoch == first->epoch);
    assert_true(second->parent_ids > 0);
    box_close_restored(other);
    assert_int_equal(box_shell(b, "cmp box/box.key new/box.key; echo $?"), 0);
    assert_int_equal(box_shell(b, "stat -c %a new/box.key"), 600);
}

/* BACKUP-NEW-1: what is there already is not copied again. */
static void test_incremental(void **state)
{
    struct box *b = *state;
    put(&b->f, "first", MIB(8), 1);
    assert_true(box_back_up(b)->copied_bytes >= MIB(8));
    const struct backup_status *status = box_back_up(b);
    assert_int_equal(status->generation, 2);
    assert_true(status->bytes >= MIB(8) && status->copied_bytes < MIB(1));
    put(&b->f, "second", MIB(2), 2);
    status = box_back_up(b);
    assert_true(status->copied_bytes >= MIB(2) && status->copied_bytes < MIB(3));
    struct box *other = restored(b, 0);
    check(other, "first", MIB(8), 1);
    check(other, "second", MIB(2), 2);
    box_close_restored(other);
    other = restored(b, 2);
    check(other, "first", MIB(8), 1);
    assert_gone(other, "second");
    box_close_restored(other);
}

/* BACKUP-NEW-1: small objects too, once they are in a table file. */
static void test_tables(void **state)
{
    struct box *b = *state;
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        put(&b->f, key, KIB(60), (uint32_t)i);
    }
    box_close(b);
    box_open(b); /* the logs become table files */
    box_use_bucket(b);
    box_back_up(b);
    const struct backup_status *status = box_back_up(b);
    assert_true(status->bytes > MIB(10));
    assert_true(status->copied_bytes < MIB(1));
    struct box *other = restored(b, 0);
    check(other, "key-0", KIB(60), 0);
    check(other, "key-199", KIB(60), 199);
    box_close_restored(other);
}

/* OBJ-HOLD-1: deleted while it is copied: it stays until then, and is freed afterwards. */
static void test_deletes_meanwhile(void **state)
{
    struct box *b = *state;
    struct err err;
    for (int i = 0; i < 16; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%02d", i);
        put(&b->f, key, KIB(256), (uint32_t)i);
    }
    assert_ok(box_begin(b, 7, MIB(8), &err));
    backup_get_status(b->backup, &box_status);
    for (int i = 0; i < 5000 && box_status.phase < BACKUP_BODIES; i++) {
        usleep(1000);
        backup_get_status(b->backup, &box_status);
    }
    assert_int_equal(box_status.phase, BACKUP_BODIES);
    for (int i = 0; i < 16; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%02d", i);
        delete_key(&b->f, key);
    }
    assert_string_equal(box_wait(b)->problem, "");
    assert_int_equal(box_status.damaged, 0);
    wait_live(&b->f, 0);
    struct box *other = restored(b, 0);
    for (int i = 0; i < 16; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%02d", i);
        check(other, key, KIB(256), (uint32_t)i);
    }
    box_close_restored(other);
}

/* BACKUP-STOP-1: one that was stopped copied nothing in vain, and left the one before as it was. */
static void test_stopped(void **state)
{
    struct box *b = *state;
    struct err err;
    put(&b->f, "old", MIB(1), 1);
    box_back_up(b);
    for (int i = 0; i < 32; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%02d", i);
        put(&b->f, key, MIB(4), (uint32_t)i);
    }
    assert_ok(box_begin(b, 7, MIB(160), &err));
    assert_int_equal(box_begin(b, 7, 0, &err), ERR_BUSY);
    backup_get_status(b->backup, &box_status);
    for (int i = 0; i < 20000 && box_status.copied_bytes < MIB(100); i++) {
        usleep(1000);
        backup_get_status(b->backup, &box_status);
    }
    backup_stop(b->backup, "enough");
    assert_string_equal(box_wait(b)->problem, "enough");
    assert_false(box_status.complete);
    assert_true(box_status.copied_bytes >= MIB(100));
    assert_int_equal(box_shell(b, "ls box | grep -c backup.tmp; true"), 0);
    struct box *other = restored(b, 0);
    check(other, "old", MIB(1), 1);
    assert_gone(other, "key-00");
    box_close_restored(other);
    const struct backup_status *status = box_back_up(b);
    assert_true(status->copied_bytes <= MIB(128 - 60)); /* whole batches of it are known */
    assert_true(status->bytes >= MIB(129));
    other = restored(b, 0);
    check(other, "key-31", MIB(4), 31);
    box_close_restored(other);
    /* Nothing lies there twice, nothing that no generation needs. */
    assert_int_equal(box_shell(b, "find dest/bodies -type f | wc -l"), 33);
}

/* BACKUP-ROT-1: rot in the box is told, and never takes the place of a good copy. */
static void test_rot_in_the_box(void **state)
{
    struct box *b = *state;
    struct err err;
    put(&b->f, "kept", MIB(1), 1);
    box_back_up(b);
    put(&b->f, "rotten", MIB(1), 2);
    put(&b->f, "whole", MIB(1), 3);
    /* One bit of each of the first two; the second was never copied. */
    assert_int_equal(box_shell(b, "for at in 5000 1100000; do printf '\\377' | dd status=none "
                                  "of=box/bodies/00000001.seg bs=1 conv=notrunc seek=$at; done"),
                     0);
    const struct backup_status *status = box_back_up(b);
    assert_int_equal(status->damaged, 1);
    assert_int_equal(status->finding_count, 1);
    assert_non_null(strstr(status->findings[0], "checksum mismatch"));
    struct restore_result result;
    assert_ok(box_restore(b, 0, &result, &err));
    assert_int_equal(result.missing, 1);
    struct box *other = box_open_restored(b);
    check(other, "kept", MIB(1), 1);
    check(other, "whole", MIB(1), 3);
    assert_int_equal(get(&other->f, "rotten", MIB(1), 2, &err), ERR_CORRUPT);
    box_close_restored(other);
    /* The newest whole one is kept, however many damaged ones follow. */
    for (int i = 0; i < 3; i++) {
        assert_ok(box_begin(b, 1, 0, &err));
        assert_int_equal(box_wait(b)->damaged, 1);
    }
    assert_int_equal(box_shell(b, "ls dest/generations/*.manifest | wc -l"), 2);
    assert_ok(box_restore(b, 1, &result, &err));
}

/* BACKUP-ROT-1: a damaged row of a body is told, and keeps nothing else from being restored. */
static void test_rotten_row(void **state)
{
    struct box *b = *state;
    struct err err;
    struct export_page *page = calloc(1, sizeof(*page));
    assert_non_null(page);
    put(&b->f, "rotten", MIB(1), 1);
    put(&b->f, "whole", MIB(1), 2);
    assert_ok(export_list(b->f.store, 0, UINT64_MAX, page, &err));
    struct key row = key_number(TAG_BODY, page->bodies[0].id);
    const struct kv_op op = {KV_PUT, KV_META, key_bytes(&row), BYTES_LIT("\x01no row")};
    free(page);
    for (int known = 1; known >= 0; known--) {
        if (known)
            box_back_up(b);
        else
            fixture_remove_dir(b->dest);
        assert_ok(b->kv->calls->write(b->kv, &op, 1, true, &err));
        assert_int_equal(box_back_up(b)->damaged, 1);
        struct restore_result result;
        assert_ok(box_restore(b, 0, &result, &err));
        assert_int_equal(result.missing, 1);
        struct box *other = box_open_restored(b);
        check(other, "whole", MIB(1), 2);
        assert_int_equal(get(&other->f, "rotten", MIB(1), 1, &err), ERR_CORRUPT);
        box_close_restored(other);
    }
}

/* BACKUP-VERIFY-1: what changed in the backup is found, named, and not restored. */
static void test_rot_in_the_backup(void **state)
{
    static const char *const files[] = {"dest/bodies/*/*", "dest/kv/MANIFEST*", "dest/box.key*",
                                        "dest/generations/*.catalog", "dest/kv/*.log-*"};
    struct box *b = *state;
    struct err err;
    struct restore_result result;
    put(&b->f, "large", MIB(1), 1);
    put(&b->f, "small", KIB(10), 1);
    box_back_up(b);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char command[256];
        snprintf(command, sizeof(command),
                 "cp -a dest good && f=$(ls -S %s | head -1) && printf '\\125' | "
                 "dd status=none of=$f bs=1 conv=notrunc seek=17",
                 files[i]);
        box_shell(b, command);
        assert_int_equal(box_restore(b, 0, &result, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.msg, "/dest/"));
        const struct restore_options options = {.source = b->dest};
        enum err_code rc = restore_verify(&options, &result, &err);
        assert_true(rc == ERR_CORRUPT || (rc == ERR_OK && result.damaged == 1));
        box_shell(b, "rm -r dest && mv good dest");
    }
    assert_ok(box_restore(b, 0, &result, &err));
    /* A body that is gone is copied anew. */
    box_shell(b, "rm dest/bodies/*/*");
    assert_int_equal(box_restore(b, 0, &result, &err), ERR_CORRUPT);
    assert_true(box_back_up(b)->copied_bytes >= MIB(1));
    assert_ok(box_restore(b, 0, &result, &err));
}

/* BACKUP-KEEP-1: old generations go with all that only they need. */
static void test_keep(void **state)
{
    struct box *b = *state;
    struct err err;
    for (int i = 0; i < 3; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        put(&b->f, key, KIB(100), (uint32_t)i);
        if (i > 0)
            delete_key(&b->f, i == 1 ? "key-0" : "key-1");
        wait_live(&b->f, KIB(100));
        assert_ok(box_begin(b, 2, 0, &err));
        assert_string_equal(box_wait(b)->problem, "");
    }
    assert_int_equal(box_shell(b, "ls dest/generations/*.manifest | wc -l"), 2);
    assert_int_equal(box_shell(b, "ls dest/generations/*.catalog | wc -l"), 2);
    assert_int_equal(box_shell(b, "find dest/bodies -type f | wc -l"), 2);
    assert_int_equal(box_shell(b, "ls dest/box.key* | wc -l"), 2);
    struct box *other = restored(b, 2);
    check(other, "key-1", KIB(100), 1);
    box_close_restored(other);
    other = restored(b, 3);
    check(other, "key-2", KIB(100), 2);
    assert_gone(other, "key-1");
    box_close_restored(other);
}

/* BACKUP-EPOCH-1: the restored box goes on with the backup; what both boxes made since is not
 * mixed, and the first one is not let in any more. */
static void test_goes_on_after_restore(void **state)
{
    struct box *b = *state;
    struct err err;
    put(&b->f, "common", MIB(4), 1);
    box_back_up(b);
    box_close(b);
    box_open(b); /* from now on it gives ids that the restored one gives, too */
    box_use_bucket(b);
    put(&b->f, "mine", MIB(1), 2);
    box_back_up(b);
    struct box *other = restored(b, 1);
    put(&other->f, "mine", MIB(1), 3);
    const struct backup_status *status = box_back_up(other);
    assert_true(status->copied_bytes >= MIB(1) && status->copied_bytes < MIB(3));
    box_close_restored(other);
    other = restored(b, 0);
    check(other, "common", MIB(4), 1);
    check(other, "mine", MIB(1), 3);
    box_close_restored(other);
    other = restored(b, 2);
    check(other, "mine", MIB(1), 2);
    box_close_restored(other);
    assert_ok(box_begin(b, 7, 0, &err));
    assert_non_null(strstr(box_wait(b)->problem, "another box"));
}

/* BACKUP-DEST-1: only what is empty or a backup of this box is written to. */
static void test_wrong_places(void **state)
{
    struct box *b = *state;
    struct err err;
    box_shell(b, "mkdir dest && touch dest/mine");
    assert_ok(box_begin(b, 7, 0, &err));
    assert_non_null(strstr(box_wait(b)->problem, "neither empty nor a backup"));
    assert_int_equal(box_shell(b, "ls dest | wc -l"), 1);
    box_shell(b, "rm -r dest");
    box_back_up(b);
    struct box *other = box_new();
    memcpy(other->dest, b->dest, sizeof(b->dest));
    assert_ok(box_begin(other, 7, 0, &err));
    assert_non_null(strstr(box_wait(other)->problem, "the backup of another box"));
    box_free(other);
    struct backup_request request = {.dest = b->dir, .keep = 1};
    assert_int_equal(backup_start(b->backup, &request, &err), ERR_INVALID);
    char inside[128];
    snprintf(inside, sizeof(inside), "%s/new/deep", b->dir);
    request.dest = inside;
    assert_int_equal(backup_start(b->backup, &request, &err), ERR_INVALID);
    request.dest = "relative";
    assert_int_equal(backup_start(b->backup, &request, &err), ERR_INVALID);
    assert_int_equal(restore_look(b->dir, 0, &err), ERR_NOT_FOUND);
    assert_int_equal(restore_look(b->dest, 9, &err), ERR_NOT_FOUND);
    assert_ok(restore_look(b->dest, 1, &err));
}

/* BACKUP-FULL-1: the box's full disk wins. */
static void test_full(void **state)
{
    struct box *b = *state;
    struct err err;
    put(&b->f, "large", MIB(4), 1);
    store_set_full(b->f.store, true);
    assert_int_equal(box_begin(b, 7, 0, &err), ERR_NO_SPACE);
    store_set_full(b->f.store, false);
    assert_ok(box_begin(b, 7, MIB(1), &err));
    backup_give_up(b->backup, "the disk is full");
    assert_string_equal(box_wait(b)->problem, "the disk is full");
    assert_true(hold_free_begin(&b->f.store->hold));
    hold_free_end(&b->f.store->hold);
}

/* BACKUP-KEEP-1: while a backup is read no generation goes, and none is read while one is written.
 */
static void test_readers(void **state)
{
    struct box *b = *state;
    struct err err;
    struct place place;
    put(&b->f, "large", MIB(4), 1);
    box_back_up(b);
    assert_ok(place_open_read(b->dest, &place, &err));
    assert_ok(place_keep(&place, &err));
    assert_ok(restore_look(b->dest, 0, &err)); /* there may be several */
    assert_ok(box_begin(b, 7, 0, &err));
    assert_non_null(strstr(box_wait(b)->problem, "or reads it"));
    place_close(&place);
    put(&b->f, "larger", MIB(8), 1);
    assert_ok(box_begin(b, 7, MIB(8), &err));
    backup_get_status(b->backup, &box_status);
    for (int i = 0; i < 5000 && box_status.phase < BACKUP_BODIES; i++) {
        usleep(1000);
        backup_get_status(b->backup, &box_status);
    }
    assert_int_equal(restore_look(b->dest, 0, &err), ERR_BUSY);
    assert_string_equal(box_wait(b)->problem, "");
    assert_ok(restore_look(b->dest, 0, &err));
}

/* BACKUP-LAST-1: how it ended is known after a restart. */
static void test_last(void **state)
{
    struct box *b = *state;
    struct err err;
    struct backup_last last;
    assert_ok(backup_get_last(b->backup, &last, &err));
    assert_int_equal(last.finished_unix_ms, 0);
    box_back_up(b);
    box_close(b);
    box_open(b);
    box_use_bucket(b);
    assert_ok(backup_get_last(b->backup, &last, &err));
    assert_int_equal(last.generation, 1);
    assert_true(last.succeeded_unix_ms && last.succeeded_unix_ms == last.finished_unix_ms);
    box_shell(b, "rm -r dest && touch dest");
    assert_ok(box_begin(b, 7, 0, &err));
    assert_string_not_equal(box_wait(b)->problem, "");
    assert_ok(backup_get_last(b->backup, &last, &err));
    assert_int_equal(last.generation, 0);
    assert_true(last.succeeded_unix_ms && last.succeeded_unix_ms < last.finished_unix_ms);
    assert_string_equal(last.problem, box_status.problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOX_TEST(test_round_trip),
        BOX_TEST(test_epoch),
        BOX_TEST(test_incremental),
        BOX_TEST(test_tables),
        BOX_TEST(test_deletes_meanwhile),
        BOX_TEST(test_stopped),
        BOX_TEST(test_rot_in_the_box),
        BOX_TEST(test_rot_in_the_backup),
        BOX_TEST(test_keep),
        BOX_TEST(test_goes_on_after_restore),
        BOX_TEST(test_wrong_places),
        BOX_TEST(test_full),
        BOX_TEST(test_last),
        BOX_TEST(test_rotten_row),
        BOX_TEST(test_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
