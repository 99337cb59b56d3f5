/* args.c - see args.h. */
#include "appliance/cmd/args.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/settings.h"

struct option {
    const char *name, *value, *help;
};

static const struct option options[CMD_OPTIONS] = {
    [CMD_DATA] = {"--data", "DIR", "Folder of the box; without it VALISE_DATA is looked at"},
    [CMD_CONFIG] = {"--config", "FILE", "Settings as rows 'key = value'; flags come before them"},
    [CMD_USER] = {"--user", "NAME", "User of the key, made with the first one"},
    [CMD_ACCESS_KEY] = {"--access-key", "ID", "Use this access key instead of making one"},
    [CMD_SECRET_KEY_FILE] = {"--secret-key-file", "FILE", "Its secret: the content of a file"},
    [CMD_JSON] = {"--json", "", "Print JSON"},
    [CMD_KEEP] = {"--keep", "N", "Generations to keep, older ones are removed; without it 7"},
    [CMD_GENERATION] = {"--generation", "N", "That one, as 'backup list' shows it, not the newest"},
    [CMD_VERIFY] =
        {"--verify", "",
         "Check the chain, print its last hash: noted elsewhere, it vouches for all before it"},
    [CMD_SINCE] = {"--since", "N", "From entry N on"},
    [CMD_HELP] = {"--help", "", "Print this help"},
};

struct reader {
    const struct cmd *cmd;
    int argc;
    char **argv;
    int at;
    bool only_positional; /* after "--" */
    struct cmd_args *args;
};

const char *args_option_name(enum cmd_option option)
{
    return options[option].name;
}

const char *args_option_value(enum cmd_option option)
{
    return options[option].value;
}

const char *args_option_help(enum cmd_option option)
{
    return options[option].help;
}

/* Which of the command's options the word is; CMD_OPTIONS where none.
 *
 * ret_value  what stands behind '=', NULL without one */
static enum cmd_option find_option(const struct cmd *cmd, const char *word, const char **ret_value)
{
    for (enum cmd_option option = 0; option < CMD_OPTIONS; option++) {
        size_t len = strlen(options[option].name);
        if (!(cmd->options & CMD_BIT(option)) || strncmp(word, options[option].name, len) != 0)
            continue;
        if (word[len] == '\0' || word[len] == '=') {
            *ret_value = word[len] ? word + len + 1 : NULL;
            return option;
        }
    }
    return CMD_OPTIONS;
}

static enum err_code take_option(struct reader *reader, enum cmd_option option, const char *value,
                                 struct err *err)
{
    bool wants_value = options[option].value[0] != '\0';
    reader->at++;
    if (!wants_value && value)
        return err_fail(err, ERR_INVALID, "%s takes no value", options[option].name);
    if (wants_value && !value && reader->at < reader->argc)
        value = reader->argv[reader->at++];
    if (wants_value && (!value || !value[0]))
        return err_fail(err, ERR_INVALID, "%s wants a value: %s", options[option].name,
                        options[option].value);
    reader->args->option[option] = wants_value ? value : "";
    return ERR_OK;
}

static enum err_code take_positional(struct reader *reader, struct err *err)
{
    const char *word = reader->argv[reader->at++];
    if (!reader->cmd->positional || reader->args->positional)
        return err_fail(err, ERR_INVALID, "'%.60s' is one word too many", word);
    reader->args->positional = word;
    return ERR_OK;
}

static enum err_code take_flag(struct reader *reader, struct err *err)
{
    bool taken = false;
    const char *word = reader->argv[reader->at];
    if (reader->cmd->settings) {
        enum err_code code = settings_take_flag(reader->args->settings, reader->argc, reader->argv,
                                                &reader->at, &taken, err);
        if (code != ERR_OK)
            return code;
    }
    return taken ? ERR_OK : err_fail(err, ERR_INVALID, "unknown option '%.60s'", word);
}

static enum err_code take_word(struct reader *reader, struct err *err)
{
    const char *word = reader->argv[reader->at];
    if (reader->only_positional || word[0] != '-' || word[1] == '\0')
        return take_positional(reader, err);
    if (strcmp(word, "--") == 0) {
        reader->only_positional = true;
        reader->at++;
        return ERR_OK;
    }
    const char *value;
    if (strcmp(word, "-h") == 0)
        word = options[CMD_HELP].name;
    enum cmd_option option = find_option(reader->cmd, word, &value);
    return option < CMD_OPTIONS ? take_option(reader, option, value, err) : take_flag(reader, err);
}

static enum err_code take_words(struct reader reader, struct err *err)
{
    memset(reader.args->option, 0, sizeof(reader.args->option));
    reader.args->positional = NULL;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && reader.at < reader.argc && !reader.args->option[CMD_HELP])
        code = take_word(&reader, err);
    return code;
}

static void find_dir(struct cmd_args *args)
{
    const char *fallback = getenv("VALISE_DATA");
    args->dir = args->option[CMD_DATA];
    if (!args->dir && fallback && fallback[0])
        args->dir = fallback;
}

static enum err_code check_complete(const struct cmd *cmd, const struct cmd_args *args,
                                    struct err *err)
{
    if ((cmd->options & CMD_BIT(CMD_DATA)) && !args->dir)
        return err_fail(err, ERR_INVALID, "say where the box is: --data DIR, or VALISE_DATA");
    for (enum cmd_option option = 0; option < CMD_OPTIONS; option++)
        if ((cmd->required & CMD_BIT(option)) && !args->option[option])
            return err_fail(err, ERR_INVALID, "%s %s is missing", options[option].name,
                            options[option].value);
    if (cmd->positional && !args->positional)
        return err_fail(err, ERR_INVALID, "%s is missing", cmd->positional);
    return ERR_OK;
}

/* The words are read twice: to find --config, and so that flags win over it. */
static enum err_code read_config(const struct reader *reader, struct err *err)
{
    const char *path = reader->args->option[CMD_CONFIG];
    enum err_code code = path ? settings_read_file(reader->args->settings, path, err) : ERR_OK;
    if (code == ERR_OK && path)
        code = take_words(*reader, err);
    return code == ERR_OK ? settings_check(reader->args->settings, err) : code;
}

enum err_code args_read(const struct cmd *cmd, int argc, char **argv, int at, struct cmd_args *args,
                        struct err *err)
{
    size_t count;
    const struct setting *rows = settings_rows(&count);
    enum err_code code = settings_new(rows, count, &args->arena, &args->settings, err);
    const struct reader reader = {cmd, argc, argv, at, false, args};
    if (code == ERR_OK)
        code = take_words(reader, err);
    if (code != ERR_OK || args->option[CMD_HELP])
        return code;
    find_dir(args);
    code = check_complete(cmd, args, err);
    return code == ERR_OK ? read_config(&reader, err) : code;
}
