/* args.h - reads the words behind a subcommand's name.
 *
 * Threads   the main thread. */
#ifndef APPLIANCE_CMD_ARGS_H
#define APPLIANCE_CMD_ARGS_H

#include "appliance/cmd/cmd.h"

/* Read argv[at..] for `cmd`: options as `--name value` or `--name=value`, in
 * any order, "--" before a positional word that begins with '-'. With CMD_HELP
 * given nothing else is looked at.
 *
 * args    its arena is started by the caller; argv's strings are borrowed
 * errors  ERR_INVALID, ERR_NOT_FOUND (no such setting or file of settings): wrong usage;
 *         ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code args_read(const struct cmd *cmd, int argc, char **argv, int at,
                                 struct cmd_args *args, struct err *err);

/* "--data" and what follows it ("DIR", or "" for an option without a value), and a help line. */
const char *args_option_name(enum cmd_option option);
const char *args_option_value(enum cmd_option option);
const char *args_option_help(enum cmd_option option);

#endif
