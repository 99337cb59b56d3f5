/* request.h - requests of a job, signed (SigV4) and ready to be sent.
 *
 * All that does not change from one request to the next is made once: the
 * signing key, the body, most of the head. A request costs one SHA-256 of some
 * 300 bytes and one HMAC, about a microsecond.
 *
 * Not here  sockets.
 * Threads   one.
 * Source    AWS Signature Version 4; aws-chunked with trailers. */
#ifndef TESTS_BENCH_REQUEST_H
#define TESTS_BENCH_REQUEST_H

#include "base/bytes.h"
#include "tests/bench/job.h"

#define REQUEST_HEAD_MAX 1024 /* bytes */

struct request_maker {
    const struct job *job; /* borrowed */
    uint8_t key[32];       /* the signing key of today */
    char host[64], date[17], scope[64];
    char payload[80]; /* x-amz-content-sha256 */
    const char *signed_headers;
    char sent_fields[256];   /* of the head, as sent: all but the signed ones */
    char signed_fields[256]; /* in canonical form, which is how they are sent, too */
    char query[256];         /* of a listing, canonical */
    uint8_t *body;           /* yours after request_maker_init: free() it */
    size_t body_len;
};

/* Make ready; ends the program where memory is out. The date is this moment's:
 * signatures are good for 15 minutes. */
void request_maker_init(struct request_maker *maker, const struct job *job);

/* Write the head of request number `n` (0, 1, …); its length. */
size_t request_head(const struct request_maker *maker, uint64_t n, char ret_head[REQUEST_HEAD_MAX]);

#endif
