/* intake.h - the body of a request on its way in: HTTP's pieces, then
 * aws-chunked where the client uses it, through the digests that are wanted, to
 * a document in memory or to a body of the store. One pass, whatever the length.
 *
 *     intake_open()   at the head: what is announced, what is legal
 *     intake_start()  last at the head: where it goes
 *     intake_take()   a piece
 *     intake_end()    everything came, and is what it was said to be
 *
 * Nothing that came this way is visible to anybody before intake_end() said so.
 *
 * Owns      digests, decoder and writer of one request.
 * Threads   the request's.
 * Source    s3.md section 2; Amazon S3 API Reference, PutObject. */
#ifndef STORAGE_S3_INTAKE_H
#define STORAGE_S3_INTAKE_H

#include "storage/obj/body.h"
#include "storage/s3/checksum.h"
#include "storage/s3/chunked.h"

struct call; /* call.h */

struct intake {
    uint64_t length;     /* bytes of the body proper as announced, or BODY_LENGTH_UNKNOWN */
    uint64_t received;   /* of them, so far */
    uint64_t max;        /* bytes; more is refused */
    unsigned kinds;      /* HASH_BIT of each digest computed */
    enum hash_kind keep; /* the checksum to keep; begin() may choose another */
    struct checksum_request checksum; /* what the client says of the body */
    struct hash_set *hashes;
    struct chunked *chunked;    /* NULL: the body is what it is */
    struct body_writer *writer; /* ROUTE_STREAM; the operation takes it */

    /* After intake_end(), of a ROUTE_STREAM. */
    uint8_t md5[RECORD_ETAG_LEN];
    struct record_checksum kept; /* of the kind `keep`: the client's, else CRC64NVME */
};

/* Look at what the head says of the body.
 *
 * errors  S3_MISSING_LENGTH, S3_ENTITY_TOO_LARGE, S3_MAX_MESSAGE_LENGTH,
 *         S3_INVALID_ARGUMENT (x-amz-decoded-content-length), those of checksum_read() */
MUST_USE enum err_code intake_open(struct call *call, struct err *err);

/* Make ready for the pieces. errors  those of body_writer_open(), ERR_NO_MEMORY */
MUST_USE enum err_code intake_start(struct call *call, struct err *err);

/* errors  S3_ENTITY_TOO_LARGE, S3_MAX_MESSAGE_LENGTH, those of chunked_push(),
 *         sign_check_chunk() and body_writer_write() */
MUST_USE enum err_code intake_take(struct call *call, struct bytes piece, struct err *err);

/* errors  S3_INCOMPLETE_BODY, S3_SHA256_MISMATCH, S3_BAD_DIGEST, S3_SIGNATURE_MISMATCH,
 *         those of checksum_take_trailer() */
MUST_USE enum err_code intake_end(struct call *call, struct err *err);

void intake_done(struct intake *intake);

#endif
