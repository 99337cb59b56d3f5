/* cmd.c - see cmd.h. */
#include "appliance/cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/cmd/args.h"
#include "appliance/cmd/help.h"

#define STOPPED_BOX (CMD_BIT(CMD_DATA) | CMD_BIT(CMD_CONFIG) | CMD_BIT(CMD_HELP))

const struct cmd cmd_table[] = {
    {"init", NULL, "Make a new box and print its first credentials once, as one JSON object",
     STOPPED_BOX | CMD_BIT(CMD_ACCESS_KEY) | CMD_BIT(CMD_SECRET_KEY_FILE), 0, true, cmd_init},
    {"serve", NULL, "Run a box in the foreground; a new one is made where DIR is empty",
     STOPPED_BOX, 0, true, cmd_serve},
    {"key create", NULL, "Make an access key, and its user where there is none of that name",
     STOPPED_BOX | CMD_BIT(CMD_USER) | CMD_BIT(CMD_JSON), CMD_BIT(CMD_USER), false, cmd_key_create},
    {"key list", NULL, "List the access keys", STOPPED_BOX | CMD_BIT(CMD_JSON), 0, false,
     cmd_key_list},
    {"key disable", "ID", "Refuse an access key from now on", STOPPED_BOX, 0, false,
     cmd_key_disable},
    {"key delete", "ID", "Delete an access key", STOPPED_BOX, 0, false, cmd_key_delete},
    {"status", NULL, "Tell how a box is, running or not", STOPPED_BOX | CMD_BIT(CMD_JSON), 0, false,
     cmd_status},
    {"scrub", NULL, "Read everything that is stored, and report what is not what was stored",
     STOPPED_BOX | CMD_BIT(CMD_JSON), 0, false, cmd_scrub},
    {"backup stop", NULL, "Stop the backup that a box makes; the next one goes on where it was",
     CMD_BIT(CMD_DATA) | CMD_BIT(CMD_HELP), 0, false, cmd_backup_stop},
    {"backup list", "DEST", "List the generations of a backup",
     CMD_BIT(CMD_JSON) | CMD_BIT(CMD_HELP), 0, false, cmd_backup_list},
    {"backup verify", "DEST", "Read all of a backup, and name what is not what was written",
     CMD_BIT(CMD_GENERATION) | CMD_BIT(CMD_JSON) | CMD_BIT(CMD_HELP), 0, false, cmd_backup_verify},
    {"backup", "DEST", "Copy a box, running or not, into a folder on another disk",
     STOPPED_BOX | CMD_BIT(CMD_KEEP) | CMD_BIT(CMD_JSON), 0, false, cmd_backup,
     "DEST is not there yet, empty, or holds earlier backups of this box: what is there already "
     "is\n"
     "not copied again. It gets the box's key too, so it is as secret as the box. A running box\n"
     "goes on by itself when this command is interrupted. Exit code 1 also where something in the\n"
     "box was damaged and could not be copied: it is named. Beside it: backup list DEST,\n"
     "backup verify DEST, backup stop, and restore.\n"},
    {"restore", "SOURCE", "Make a box of a backup, in a folder that is empty or not there",
     STOPPED_BOX | CMD_BIT(CMD_GENERATION) | CMD_BIT(CMD_JSON), 0, false, cmd_restore,
     "It has the same id, objects, users and keys as the box that was backed up, which should not\n"
     "be used any more. Every byte is checked. Run it again where it was interrupted.\n"},
    {"audit", NULL, "List who did what to this box, or check that nobody rewrote that list",
     STOPPED_BOX | CMD_BIT(CMD_JSON) | CMD_BIT(CMD_VERIFY) | CMD_BIT(CMD_SINCE), 0, false,
     cmd_audit},
    {"env", NULL,
     "Print shell lines that let an AWS SDK or CLI use the box: eval \"$(valise env)\"",
     STOPPED_BOX, 0, false, cmd_env},
    {"version", NULL, "Print the version", CMD_BIT(CMD_HELP), 0, false, cmd_version},
};
const size_t cmd_count = ARRAY_LEN(cmd_table);

int cmd_fail(const struct err *err)
{
    fflush(stdout);
    fprintf(stderr, "valise: %s\n", err->msg);
    return CMD_FAILED;
}

int cmd_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return CMD_OK;
    fprintf(stderr, "valise: writing the output: %s\n", strerror(errno));
    return CMD_FAILED;
}

static int fail_usage(const char *command, const char *message)
{
    fprintf(stderr, "valise: %s; see 'valise help%s%s'\n", message, command[0] ? " " : "", command);
    return CMD_USAGE;
}

/* Whether the words at argv are the command's name. ret_words  how many it has */
static bool is_named(const struct cmd *cmd, int argc, char **argv, int *ret_words)
{
    size_t len = strcspn(cmd->name, " ");
    const char *second = cmd->name[len] ? cmd->name + len + 1 : NULL;
    *ret_words = second ? 2 : 1;
    return argc >= *ret_words && strlen(argv[0]) == len && strncmp(cmd->name, argv[0], len) == 0 &&
           (!second || strcmp(argv[1], second) == 0);
}

static const struct cmd *find(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < cmd_count; i++)
        if (is_named(&cmd_table[i], argc, argv, ret_words))
            return &cmd_table[i];
    return NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int help(int argc, char **argv)
{
    int words;
    const struct cmd *cmd = find(argc, argv, &words);
    if (cmd)
        help_one(cmd, stdout);
    else if (argc == 0)
        help_all(stdout);
    else if (help_group(argv[0], stdout) == 0)
        return fail_usage("", "there is no such command");
    return cmd_flush();
}

static int fail_unknown(int argc, char **argv)
{
    char message[160];
    if (argc > 1 && is_help(argv[1]))
        return help(1, argv);
    bool is_group = strcmp(argv[0], "key") == 0;
    snprintf(message, sizeof(message),
             is_group ? "'%.60s' wants create, list, disable or delete"
                      : "there is no command '%.60s'",
             argv[0]);
    return fail_usage(is_group ? argv[0] : "", message);
}

static int run(const struct cmd *cmd, int argc, char **argv, int at)
{
    struct cmd_args args = {0};
    arena_init(&args.arena, CMD_ARENA_MAX);
    struct err err;
    enum err_code code = args_read(cmd, argc, argv, at, &args, &err);
    int exit_code;
    if (code == ERR_INVALID || code == ERR_NOT_FOUND)
        exit_code = fail_usage(cmd->name, err.msg);
    else if (code != ERR_OK)
        exit_code = cmd_fail(&err);
    else if (args.option[CMD_HELP])
        exit_code = (help_one(cmd, stdout), cmd_flush());
    else
        exit_code = cmd->run(&args);
    arena_done(&args.arena);
    return exit_code;
}

int cmd_main(int argc, char **argv)
{
    if (argc < 2)
        return fail_usage("", "say what to do");
    argc--;
    argv++;
    if (is_help(argv[0]))
        return help(argc - 1, argv + 1);
    if (strcmp(argv[0], "--version") == 0)
        return cmd_version(NULL);
    int words;
    const struct cmd *cmd = find(argc, argv, &words);
    return cmd ? run(cmd, argc, argv, words) : fail_unknown(argc, argv);
}
