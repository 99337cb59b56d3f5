/* job.h - what one run of the load generator is to do; read once, then const. */
#ifndef TESTS_BENCH_JOB_H
#define TESTS_BENCH_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum job_op { JOB_PUT, JOB_GET, JOB_HEAD, JOB_DELETE, JOB_LIST, JOB_PART, JOB_OPS };

struct job {
    const char *name; /* of the case, for the report; everything here is borrowed */
    const char *access_key, *secret_key;
    const char *address; /* IPv4 */
    const char *bucket;
    const char *prefix; /* of the keys; of a listing: what is asked for */
    const char *upload; /* JOB_PART: the upload's id, percent-encoded */
    enum job_op op;
    pid_t pid; /* of the server */
    uint16_t port;
    uint32_t connections; /* > 0 */
    uint32_t ms;          /* no request begins after them */
    uint64_t count;       /* requests at most */
    uint64_t first;       /* number of the first key written, deleted, or part sent */
    uint64_t keys;        /* GET, HEAD: how many keys there are, from 0 on */
    uint32_t folders;     /* > 0: keys are spread over so many folders */
    uint64_t size;        /* bytes of a body sent */
    bool trailer;         /* send bodies aws-chunked, a CRC32 behind them */
    bool hashed;          /* sign the SHA-256 of bodies */
    bool delimited;       /* list what stands before the next '/' */
};

#endif
