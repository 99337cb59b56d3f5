/* args_test.c - the words of a command line: options in any order and form,
 * flags over files, and everything that must be refused.
 *
 * Caught on purpose: a file of settings that wins over a flag. */
#include "appliance/cmd/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 12

static const struct cmd *command(const char *name)
{
    for (size_t i = 0; i < cmd_count; i++)
        if (strcmp(cmd_table[i].name, name) == 0)
            return &cmd_table[i];
    fail();
    return NULL;
}

/* Read a NULL-terminated list of words. The arena is the test's to end. */
static enum err_code read_words(const char *name, const char *const *words, struct cmd_args *args)
{
    char *argv[WORDS_MAX];
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = (char *)words[argc];
    *args = (struct cmd_args){0};
    arena_init(&args->arena, CMD_ARENA_MAX);
    struct err err;
    return args_read(command(name), argc, argv, 0, args, &err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void reads_options_in_both_forms(void **state UNUSED)
{
    struct cmd_args args;
    assert_int_equal(read_words("key create", WORDS("--user=ann", "--json", "--data", "/d"), &args),
                     ERR_OK);
    assert_string_equal(args.dir, "/d");
    assert_string_equal(args.option[CMD_USER], "ann");
    assert_non_null(args.option[CMD_JSON]);
    arena_done(&args.arena);
}

static void reads_a_positional_anywhere(void **state UNUSED)
{
    struct cmd_args args;
    assert_int_equal(read_words("key delete", WORDS("VK1", "--data", "/d"), &args), ERR_OK);
    assert_string_equal(args.positional, "VK1");
    arena_done(&args.arena);
    assert_int_equal(read_words("key delete", WORDS("--data", "/d", "--", "-VK1"), &args), ERR_OK);
    assert_string_equal(args.positional, "-VK1");
    arena_done(&args.arena);
}

static void dir_from_the_environment(void **state UNUSED)
{
    struct cmd_args args;
    setenv("VALISE_DATA", "/e", 1);
    assert_int_equal(read_words("status", WORDS("--json"), &args), ERR_OK);
    assert_string_equal(args.dir, "/e");
    arena_done(&args.arena);
    assert_int_equal(read_words("status", WORDS("--data", "/d"), &args), ERR_OK);
    assert_string_equal(args.dir, "/d");
    arena_done(&args.arena);
    unsetenv("VALISE_DATA");
}

static void flags_win_over_the_file(void **state UNUSED)
{
    char path[] = "/tmp/valise-args-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "api.region = file\nlog.level = warn # quiet\n") > 0);
    close(fd);
    struct cmd_args args;
    assert_int_equal(
        read_words("serve", WORDS("--api-region", "flag", "--data", "/d", "--config", path), &args),
        ERR_OK);
    assert_string_equal(settings_text(args.settings, "api.region"), "flag");
    assert_string_equal(settings_text(args.settings, "log.level"), "warn");
    arena_done(&args.arena);
    unlink(path);
}

static void help_needs_nothing_else(void **state UNUSED)
{
    struct cmd_args args;
    assert_int_equal(read_words("key create", WORDS("--help"), &args), ERR_OK);
    assert_non_null(args.option[CMD_HELP]);
    arena_done(&args.arena);
}

static void refuses_wrong_usage(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *const words[WORDS_MAX];
    } wrong[] = {
        {"status", {NULL}},               /* no folder */
        {"status", {"--data", NULL}},     /* no value */
        {"status", {"--data", "", NULL}}, /* an empty one */
        {"status", {"--data=", NULL}},
        {"status", {"--data", "/d", "--json=yes", NULL}},    /* a value too many */
        {"status", {"--data", "/d", "more", NULL}},          /* a word too many */
        {"status", {"--data", "/d", "--user", "ann", NULL}}, /* another command's option */
        {"status", {"--data", "/d", "--dat", NULL}},
        {"status", {"--data", "/d", "--api", ":1", NULL}}, /* settings are not for it */
        {"status", {"--data", "/d", "-j", NULL}},
        {"key create", {"--data", "/d", NULL}}, /* whose? */
        {"key delete", {"--data", "/d", NULL}}, /* which? */
        {"key delete", {"--data", "/d", "a", "b", NULL}},
        {"serve", {"--data", "/d", "--api", NULL}},
        {"serve", {"--data", "/d", "--api-tls-cert", "c.pem", NULL}},
        {"serve", {"--data", "/d", "--store-full-percent", "200", NULL}},
        {"serve", {"--data", "/d", "--no-such-setting", "1", NULL}},
    };
    struct cmd_args args;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(read_words(wrong[i].name, wrong[i].words, &args), ERR_INVALID);
        arena_done(&args.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_options_in_both_forms),
        cmocka_unit_test(reads_a_positional_anywhere),
        cmocka_unit_test(dir_from_the_environment),
        cmocka_unit_test(flags_win_over_the_file),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(refuses_wrong_usage),
    };
    unsetenv("VALISE_DATA");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
