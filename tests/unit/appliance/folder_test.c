/* folder_test.c - what counts as a box, an empty folder, a half-made box, and
 * what must not be touched (BOX-INIT-2, BOX-LOCK-1).
 *
 * Caught on purpose: a box that counts as free to be made. */
#include "appliance/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static const char *in(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int setup(void **state UNUSED)
{
    strcpy(dir, "/tmp/valise-folder-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
    static const char *const names[] = {"kv/000001.log", "kv",         "bodies", "box.key",
                                        "reserve",       "lost+found", "lock",   "making",
                                        "restoring",     "notes.txt",  ""};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        remove(in(names[i]));
    return 0;
}

static void make_file(const char *name)
{
    int fd = open(in(name), O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool is_there(const char *name)
{
    return access(in(name), F_OK) == 0;
}

static enum folder_state look(void)
{
    enum folder_state ret_state;
    struct err err;
    assert_int_equal(folder_look(dir, &ret_state, &err), ERR_OK);
    return ret_state;
}

static void empty_is_empty(void **state UNUSED)
{
    assert_int_equal(look(), FOLDER_EMPTY);
    assert_int_equal(mkdir(in("lost+found"), 0700), 0);
    make_file("lock");
    assert_int_equal(look(), FOLDER_EMPTY);
}

static void absent_is_empty(void **state UNUSED)
{
    enum folder_state ret_state;
    assert_int_equal(folder_look(in("none"), &ret_state, NULL), ERR_OK);
    assert_int_equal(ret_state, FOLDER_EMPTY);
}

static void a_file_is_no_folder(void **state UNUSED)
{
    enum folder_state ret_state;
    make_file("notes.txt");
    assert_int_equal(folder_look(in("notes.txt"), &ret_state, NULL), ERR_INVALID);
}

static void foreign_files_are_left_alone(void **state UNUSED)
{
    make_file("notes.txt");
    int fd;
    assert_int_equal(look(), FOLDER_FOREIGN);
    assert_int_equal(folder_begin(dir, &fd, NULL), ERR_EXISTS);
    assert_true(is_there("notes.txt"));
    assert_false(is_there("lock"));
    assert_false(is_there("making"));
}

static void a_box_is_not_made_twice(void **state UNUSED)
{
    make_file("box.key");
    int fd;
    assert_int_equal(look(), FOLDER_BOX);
    assert_int_equal(folder_begin(dir, &fd, NULL), ERR_EXISTS);
    assert_true(is_there("box.key"));
}

static void begin_locks_and_finish_ends(void **state UNUSED)
{
    int fd, second;
    assert_int_equal(folder_begin(dir, &fd, NULL), ERR_OK);
    assert_int_equal(look(), FOLDER_HALF_MADE);
    assert_int_equal(folder_begin(dir, &second, NULL), ERR_BUSY);
    make_file("box.key");
    assert_int_equal(folder_finish(dir, NULL), ERR_OK);
    assert_int_equal(look(), FOLDER_BOX);
    close(fd);
}

static void half_made_is_erased(void **state UNUSED)
{
    int fd;
    make_file("making");
    make_file("box.key");
    make_file("reserve");
    assert_int_equal(mkdir(in("kv"), 0700), 0);
    make_file("kv/000001.log");
    assert_int_equal(folder_begin(dir, &fd, NULL), ERR_OK);
    assert_false(is_there("box.key"));
    assert_false(is_there("reserve"));
    assert_false(is_there("kv"));
    assert_true(is_there("making"));
    close(fd);
}

/* BOX-RESTORE-1: what a restore left is for a restore alone; a new box is not made of it. */
static void half_restored_is_restored_again(void **state UNUSED)
{
    int fd;
    assert_int_equal(folder_begin_restore(dir, &fd, NULL), ERR_OK);
    close(fd);
    make_file("box.key");
    assert_int_equal(look(), FOLDER_HALF_RESTORED);
    assert_int_equal(folder_begin(dir, &fd, NULL), ERR_EXISTS);
    assert_true(is_there("box.key"));
    assert_int_equal(folder_begin_restore(dir, &fd, NULL), ERR_OK);
    assert_false(is_there("box.key"));
    make_file("box.key");
    assert_int_equal(folder_finish_restore(dir, NULL), ERR_OK);
    assert_int_equal(look(), FOLDER_BOX);
    assert_int_equal(folder_begin_restore(dir, &fd, NULL), ERR_EXISTS);
    close(fd);
}

/* BOX-RESTORE-1: no marker is left that would have a restored box erased. */
static void restored_over_a_half_made_box(void **state UNUSED)
{
    int fd;
    for (int both = 0; both < 2; both++) {
        make_file("making");
        if (both) /* stopped between the new marker and the old one's end */
            make_file("restoring");
        make_file("box.key");
        assert_int_equal(folder_begin_restore(dir, &fd, NULL), ERR_OK);
        assert_false(is_there("box.key"));
        make_file("box.key");
        assert_int_equal(folder_finish_restore(dir, NULL), ERR_OK);
        assert_int_equal(look(), FOLDER_BOX);
        close(fd);
        remove(in("box.key"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_is_empty),
        TEST(absent_is_empty),
        TEST(a_file_is_no_folder),
        TEST(foreign_files_are_left_alone),
        TEST(a_box_is_not_made_twice),
        TEST(begin_locks_and_finish_ends),
        TEST(half_made_is_erased),
        TEST(half_restored_is_restored_again),
        TEST(restored_over_a_half_made_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
