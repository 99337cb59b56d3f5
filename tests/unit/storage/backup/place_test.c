/* place_test.c - names in a backup: none leads out of it (BACKUP-VERIFY), and each
 * is found again from where its file lies. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "storage/backup/place.h"

#define LONG_NAME                                                                                  \
    "kv/"                                                                                          \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "a"                                                                                            \
    "aaaaaaaaaa"

/* BACKUP-VERIFY-3: a catalog that somebody wrote by hand names nothing outside. */
static void test_names(void **state)
{
    static const char *const good[] = {"box.key", "kv/CURRENT", "kv/MANIFEST-000004",
                                       "kv/000007.sst", "bodies/00000100000000ab"};
    static const char *const bad[] = {"",
                                      "kv/",
                                      "kv/..",
                                      "kv/../x",
                                      "kv/.hidden",
                                      "kv/a/b",
                                      "/etc/passwd",
                                      "../box.key",
                                      "box.key/x",
                                      "bodies/..",
                                      "bodies/00000100",
                                      "bodies/00000100000000AB",
                                      "kv/a b",
                                      "kv/a\nb",
                                      "lock",
                                      "bodies/00000100000000abc",
                                      "kv/-x",
                                      "first-run.json",
                                      LONG_NAME,
                                      "bodies/../../../../../x"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(place_name_ok(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(place_name_ok(bad[i]));
}

static void check_path(const char *name, const char *path)
{
    char made[PLACE_PATH_MAX], folder[PLACE_PATH_MAX], found[PLACE_NAME_MAX];
    uint32_t made_by;
    place_path(name, 0x1f, made);
    assert_string_equal(made, path);
    char *slash = strrchr(strcpy(folder, made), '/');
    if (slash)
        *slash = '\0';
    assert_true(place_parse(slash ? folder : "", slash ? slash + 1 : made, found, &made_by));
    assert_string_equal(found, name);
    assert_int_equal(made_by, 0x1f);
}

static void test_paths(void **state)
{
    static const char *const foreign[] = {
        "lost+found",        "lock",       "x-1", "valise-backup", "box.key-0000001g",
        "box.key-000000001", ".x-00000001"};
    char found[PLACE_NAME_MAX];
    uint32_t made_by;
    (void)state;
    check_path("box.key", "box.key-0000001f");
    check_path("kv/MANIFEST-000004", "kv/MANIFEST-000004-0000001f");
    check_path("bodies/00000100000000ab", "bodies/ab/00000100000000ab-0000001f");
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        assert_false(place_parse("", foreign[i], found, &made_by));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
