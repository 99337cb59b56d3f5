/* version.c - valise version. */
#include <stdio.h>

#include "appliance/cmd/cmd.h"
#include "appliance/version.h"

int cmd_version(struct cmd_args *args UNUSED)
{
    printf("valise %s\n", VERSION_TEXT);
    return cmd_flush();
}
