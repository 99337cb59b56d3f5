/* watch.h - what the server spent: CPU, memory, disk, syncs; and how busy others were.
 *
 * Threads   one.
 * Source    proc(5); the server's /-/metrics. */
#ifndef TESTS_BENCH_WATCH_H
#define TESTS_BENCH_WATCH_H

#include "tests/bench/job.h"

struct watch_point {
    uint64_t server_ns;     /* CPU of all its threads, those that ended, too */
    uint64_t server_sys_ns; /* of it, in the kernel (to 10 ms) */
    uint64_t client_ns;     /* CPU of this process */
    uint64_t machine_ns;    /* CPU of everybody */
    uint64_t disk_bytes;    /* written by the server */
    uint64_t syncs;         /* synced commits and syncs of segments */
    uint64_t rss_kib, peak_kib;
};

/* Forget the peak of the server's memory. */
void watch_forget_peak(const struct job *job);

/* Look at everything but the syncs; what cannot be read is 0. */
void watch_look(const struct job *job, struct watch_point *point);

/* How many syncs the server has done: one request to it. */
uint64_t watch_syncs(const struct job *job);

#endif
