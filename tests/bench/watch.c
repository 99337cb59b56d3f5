/* watch.c - see watch.h. */
#include "tests/bench/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "tests/bench/client.h"

#define PAGE_MAX (1 << 18) /* bytes of a file in /proc, or of the metrics */

static uint64_t ticks_to_ns(uint64_t ticks)
{
    return ticks * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* The start of a file; empty where it cannot be read. */
static void read_text(const char *path, char *ret_text, size_t room)
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(ret_text, 1, room - 1, file) : 0;
    ret_text[len] = 0;
    if (file)
        fclose(file);
}

static void read_proc(const struct job *job, const char *name, char *ret_text, size_t room)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)job->pid, name);
    read_text(path, ret_text, room);
}

/* The number behind `label`, 0 where it is not there. */
static uint64_t number_after(const char *text, const char *label)
{
    const char *found = strstr(text, label);
    return found ? strtoull(found + strlen(label), NULL, 10) : 0;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t server_ns(const struct job *job)
{
    clockid_t clock;
    return clock_getcpuclockid(job->pid, &clock) == 0 ? clock_ns(clock) : 0;
}

static uint64_t server_sys_ns(const struct job *job)
{
    char text[1024];
    unsigned long long ticks = 0;
    read_proc(job, "stat", text, sizeof(text));
    const char *rest = strrchr(text, ')'); /* the name may hold spaces */
    if (!rest ||
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %llu", &ticks) != 1)
        return 0;
    return ticks_to_ns(ticks);
}

static uint64_t machine_ns(void)
{
    char text[512];
    unsigned long long user, nice, sys, idle, iowait, irq, softirq;
    read_text("/proc/stat", text, sizeof(text));
    if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &sys, &idle, &iowait,
               &irq, &softirq) != 7)
        return 0;
    return ticks_to_ns(user + nice + sys + irq + softirq);
}

void watch_forget_peak(const struct job *job)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)job->pid);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

void watch_look(const struct job *job, struct watch_point *point)
{
    char text[4096];
    read_proc(job, "status", text, sizeof(text));
    point->rss_kib = number_after(text, "VmRSS:");
    point->peak_kib = number_after(text, "VmHWM:");
    read_proc(job, "io", text, sizeof(text));
    point->disk_bytes = number_after(text, "\nwrite_bytes:");
    point->server_ns = server_ns(job);
    point->server_sys_ns = server_sys_ns(job);
    point->client_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    point->machine_ns = machine_ns();
}

uint64_t watch_syncs(const struct job *job)
{
    static const char request[] =
        "GET /-/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static char page[PAGE_MAX];
    size_t len = 0;
    ssize_t got = 1;
    int fd = client_connect(job);
    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
        got = 0;
    while (got > 0 && len < sizeof(page) - 1) {
        got = recv(fd, page + len, sizeof(page) - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    page[len] = 0;
    close(fd);
    return number_after(page, "\nvalise_commit_groups_total ") +
           number_after(page, "\nvalise_segment_syncs_total ");
}
