/* client.h - sends a job's requests over kept-alive connections, each as soon as
 * the one before it on its connection was answered, and takes the times.
 *
 * Not here  what a request says: see request.h.
 * Threads   one; epoll. Answers' bodies are discarded inside the kernel (MSG_TRUNC),
 *           so that a large GET costs this side next to nothing. */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

#include "tests/bench/histogram.h"
#include "tests/bench/request.h"

struct client_result {
    struct histogram times;
    uint64_t sent, errors;
    uint64_t bytes;      /* of bodies, in either direction, of requests that succeeded */
    uint64_t elapsed_ns; /* from the first request to the last answer */
};

struct client; /* opaque: client.c */

/* Open all connections; ends the program with a message where one fails. */
struct client *client_open(const struct request_maker *maker);

/* Run the job to its end; the connections stay open. */
void client_run(struct client *client, struct client_result *result);

void client_close(struct client *client);

/* A blocking connection to the job's server; ends the program where there is none. */
int client_connect(const struct job *job);

#endif
