/* help.h - prints what the tables of commands, options and settings say.
 *
 * Threads   the main thread. */
#ifndef APPLIANCE_CMD_HELP_H
#define APPLIANCE_CMD_HELP_H

#include <stdio.h>

#include "appliance/cmd/cmd.h"

/* Every command, a line each. */
void help_all(FILE *to);

/* One command: how to call it, its options, its settings. */
void help_one(const struct cmd *cmd, FILE *to);

/* The commands that begin with this word, a line each; returns  how many */
size_t help_group(const char *word, FILE *to);

#endif
