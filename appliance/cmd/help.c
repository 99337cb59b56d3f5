/* help.c - see help.h. */
#include "appliance/cmd/help.h"

#include <string.h>

#include "appliance/cmd/args.h"
#include "appliance/settings.h"

#define NAME_COLUMNS 28

static void print_option(enum cmd_option option, FILE *to)
{
    const char *value = args_option_value(option);
    fprintf(to, " %s%s%s", args_option_name(option), value[0] ? " " : "", value);
}

/* --access-key and --secret-key-file go together, --help is understood. */
static void print_call(const struct cmd *cmd, FILE *to)
{
    fprintf(to, "valise %s", cmd->name);
    if (cmd->positional)
        fprintf(to, " %s", cmd->positional);
    for (enum cmd_option option = 0; option < CMD_HELP; option++) {
        if (!(cmd->options & CMD_BIT(option)))
            continue;
        bool required = option == CMD_DATA || (cmd->required & CMD_BIT(option));
        fputs(required ? "" : " [", to);
        if (required)
            print_option(option, to);
        else
            fprintf(to, "%s%s%s]", args_option_name(option),
                    args_option_value(option)[0] ? " " : "", args_option_value(option));
    }
    if (cmd->settings)
        fputs(" [--SETTING VALUE]...", to);
    fputc('\n', to);
}

static void print_options(const struct cmd *cmd, FILE *to)
{
    fputs("\nOptions:\n", to);
    for (enum cmd_option option = 0; option < CMD_OPTIONS; option++) {
        if (!(cmd->options & CMD_BIT(option)))
            continue;
        int len = fprintf(to, "  %s %s", args_option_name(option), args_option_value(option));
        fprintf(to, "%*s%s\n", len < NAME_COLUMNS ? NAME_COLUMNS - len : 1, "",
                args_option_help(option));
    }
}

static void print_summary(const struct cmd *cmd, FILE *to)
{
    fprintf(to, "  %-14s %s\n", cmd->name, cmd->summary);
}

void help_one(const struct cmd *cmd, FILE *to)
{
    fputs("Usage: ", to);
    print_call(cmd, to);
    fprintf(to, "\n%s.\n", cmd->summary);
    if (cmd->details)
        fprintf(to, "\n%s", cmd->details);
    print_options(cmd, to);
    if (!cmd->settings)
        return;
    size_t count;
    const struct setting *rows = settings_rows(&count);
    fputs("\nSettings, as flags here or as rows 'key = value' of --config FILE"
          " (--api-region is api.region):\n",
          to);
    settings_print_help(rows, count, to);
}

size_t help_group(const char *word, FILE *to)
{
    size_t found = 0, len = strlen(word);
    for (size_t i = 0; i < cmd_count; i++)
        if (strncmp(cmd_table[i].name, word, len) == 0 && cmd_table[i].name[len] == ' ') {
            print_summary(&cmd_table[i], to);
            found++;
        }
    return found;
}

void help_all(FILE *to)
{
    fputs("valise - an object store in a box, for any S3 client\n\n"
          "Usage: valise COMMAND [OPTION]...\n\nCommands:\n",
          to);
    for (size_t i = 0; i < cmd_count; i++)
        print_summary(&cmd_table[i], to);
    fputs("  help COMMAND   Print a command's options\n\n"
          "A first box:  valise serve --data DIR    then read DIR/first-run.json\n",
          to);
}
