/* progress.c - see progress.h. */
#include "appliance/cmd/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define SHOW_MS 200

static uint64_t shown_ms; /* 0: no line is there */

void progress_show(const char *what, uint64_t bytes, uint64_t total)
{
    uint64_t now = clock_mono_ms(clock_system());
    if ((shown_ms && now - shown_ms < SHOW_MS) || !isatty(STDERR_FILENO))
        return;
    shown_ms = now;
    fprintf(stderr, "\r%-10s  %.1f", what, (double)bytes / (1 << 20));
    if (total)
        fprintf(stderr, " of about %.1f", (double)(bytes > total ? bytes : total) / (1 << 20));
    fputs(" MiB \x1b[K", stderr);
}

void progress_end(void)
{
    if (shown_ms)
        fputc('\n', stderr);
    shown_ms = 0;
}
