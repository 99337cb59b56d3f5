/* place.h - a folder of a test's own on a real disk, with a store in it.
 *
 * Include after cmocka.h.
 * Threads   those of the test. */
#ifndef TESTS_UNIT_STORAGE_KV_PLACE_H
#define TESTS_UNIT_STORAGE_KV_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "storage/kv/kv.h"

/* RocksDB is not instrumented: what happens inside looks like races to TSan. */
UNUSED const char *__tsan_default_suppressions(void);
UNUSED const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:librocksdb\n" /* and what it calls of C++ */
           "called_from_lib:libstdc++\n";
}

/* Our children start threads of their own after the fork. */
UNUSED const char *__tsan_default_options(void);
UNUSED const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

struct place {
    char dir[64]; /* the test's folder */
    char kv[80];  /* the store's, in it */
};

static const struct kv_rocks_options place_options = {
    .cache_bytes = 8 << 20,
    .memtable_bytes = 8 << 20,
};

static inline int place_remove_one(const char *path, const struct stat *st, int type,
                                   struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static inline void place_remove(const char *path)
{
    nftw(path, place_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct place *place_new(void)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->dir, sizeof place->dir, "/var/tmp/valise-kv-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->kv, sizeof place->kv, "%s/kv", place->dir);
    return place;
}

static inline void place_free(struct place *place)
{
    place_remove(place->dir);
    free(place);
}

static inline struct kv *place_open(const struct place *place)
{
    struct kv *kv = NULL;
    struct err err = {0};
    enum err_code code = kv_rocks_open(place->kv, &place_options, &kv, &err);
    if (code)
        print_error("%s\n", err.msg);
    assert_int_equal(code, ERR_OK);
    return kv;
}

/* The number in a file's name. */
static inline long place_number(const char *name)
{
    return strtol(name, NULL, 10);
}

/* The path of the newest file in `dir` whose name ends so; whether there is one. */
static inline bool place_newest(const char *dir, const char *ending, char *ret_path, size_t room)
{
    long newest = -1;
    DIR *entries = opendir(dir);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct bytes name = bytes_of_str(entry->d_name);
        if (!bytes_ends_with(name, bytes_of_str(ending)) || place_number(entry->d_name) <= newest)
            continue;
        newest = place_number(entry->d_name);
        snprintf(ret_path, room, "%s/%s", dir, entry->d_name);
    }
    closedir(entries);
    return newest >= 0;
}

/* A whole file; free it. */
static inline uint8_t *place_read(const char *path, size_t *ret_len)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    uint8_t *data = malloc((size_t)st.st_size + 1);
    assert_non_null(data);
    assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_len = (size_t)st.st_size;
    return data;
}

static inline void place_write(const char *path, const uint8_t *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

/* Copy the files of a folder that has none below it. */
static inline void place_copy(const char *from, const char *to)
{
    char source[512], target[512];
    size_t len;
    place_remove(to);
    assert_int_equal(mkdir(to, 0700), 0);
    DIR *entries = opendir(from);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        uint8_t *data = place_read(source, &len);
        place_write(target, data, len);
        free(data);
    }
    closedir(entries);
}

#endif
