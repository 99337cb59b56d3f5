/* cmd.h - the command line: a table of subcommands, and what they share.
 *
 * Exit codes: 0 done, 1 failed (one line on stderr), 2 usage.
 *
 * Threads   the main thread. */
#ifndef APPLIANCE_CMD_CMD_H
#define APPLIANCE_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"

#define CMD_ARENA_MAX (1u << 20) /* bytes: settings, certificates, file names */

enum cmd_exit { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

/* Options that are no settings. */
enum cmd_option {
    CMD_DATA,
    CMD_USER,
    CMD_ACCESS_KEY,
    CMD_SECRET_KEY_FILE,
    CMD_JSON,
    CMD_KEEP,
    CMD_GENERATION,
    CMD_VERIFY,
    CMD_SINCE,
    CMD_CONFIG,
    CMD_HELP,
    CMD_OPTIONS
};
#define CMD_BIT(option) (1u << (option))

/* What was typed, read by args.c. */
struct cmd_args {
    struct arena arena;
    struct settings *settings;       /* defaults, then the file, then flags */
    const char *option[CMD_OPTIONS]; /* the value, "" for one without; NULL = not given */
    const char *positional;          /* NULL = none */
    const char *dir;                 /* from --data or VALISE_DATA; NULL = neither */
};

struct cmd {
    const char *name;       /* "init", "key create": one or two words */
    const char *positional; /* "ID" where one is needed, else NULL */
    const char *summary;    /* one sentence without a full stop */
    unsigned options;       /* CMD_BIT of each that it takes */
    unsigned required;      /* CMD_BIT of each that it needs */
    bool settings;          /* takes flags of settings */
    int (*run)(struct cmd_args *args);
    const char *details; /* further lines of its help; NULL = none */
};

/* The table. Registration is by hand, in cmd.c. */
extern const struct cmd cmd_table[];
extern const size_t cmd_count;

/* Run the command line. returns  the exit code */
int cmd_main(int argc, char **argv);

/* Tell why it failed: "valise: MESSAGE" on stderr. returns  CMD_FAILED */
int cmd_fail(const struct err *err);

/* Flush stdout: what was printed has left us, or the command failed. returns  the exit code */
int cmd_flush(void);

/* The commands, one a file. */
int cmd_init(struct cmd_args *args);
int cmd_serve(struct cmd_args *args);
int cmd_key_create(struct cmd_args *args);
int cmd_key_list(struct cmd_args *args);
int cmd_key_disable(struct cmd_args *args);
int cmd_key_delete(struct cmd_args *args);
int cmd_status(struct cmd_args *args);
int cmd_scrub(struct cmd_args *args);
int cmd_audit(struct cmd_args *args);
int cmd_backup(struct cmd_args *args);
int cmd_backup_stop(struct cmd_args *args);
int cmd_backup_list(struct cmd_args *args);
int cmd_backup_verify(struct cmd_args *args);
int cmd_restore(struct cmd_args *args);
int cmd_env(struct cmd_args *args);
int cmd_version(struct cmd_args *args);

#endif
