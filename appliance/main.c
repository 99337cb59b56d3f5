/* main.c - where the program begins: makes the process fit, then hands over to
 * the table of subcommands (cmd/cmd.c).
 *
 * Threads   there is one until a command starts more; see cmd/serve.c. */
#include "appliance/cmd/cmd.h"
#include "appliance/lifecycle.h"
#include "base/seal.h"

int main(int argc, char **argv)
{
    lifecycle_prepare();
    struct err err;
    if (seal_start(&err) != ERR_OK)
        return cmd_fail(&err);
    return cmd_main(argc, argv);
}
