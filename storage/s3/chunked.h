/* chunked.h - aws-chunked bodies: a decoder that is pushed pieces as they come.
 *
 * The boundaries of the pieces mean nothing: they may fall anywhere, inside a
 * size line or between CR and LF. Payload goes on at once, before the signature
 * of its chunk is known: nothing may become visible until chunked_finish().
 *
 * Owns      the framing, a digest of each chunk where chunks are signed, the trailer's fields.
 * Not here  keys and signatures (storage/auth/sign.h, by way of the callbacks),
 *           HTTP's own chunks (base/http), what the trailer's fields mean (checksum.h).
 * Threads   a decoder belongs to one thread at a time.
 * Source    Amazon S3 API Reference, "Signature calculations: transferring payload
 *           in multiple chunks", "Trailing headers". */
#ifndef STORAGE_S3_CHUNKED_H
#define STORAGE_S3_CHUNKED_H

#include "base/attr.h"
#include "base/bytes.h"
#include "storage/obj/record.h"
#include "storage/s3/error.h"

struct chunked; /* opaque: chunked.c */

#define CHUNKED_LENGTH_UNKNOWN UINT64_MAX

/* Who gets what is decoded. An error of a callback is chunked_push()'s. */
struct chunked_sink {
    /* Payload, in order, one byte or more; borrowed for the call. */
    enum err_code (*data)(void *ctx, struct bytes piece, struct err *err);
    /* A chunk is over, also the last one, of 0 bytes: the SHA-256 of its payload and the 64 hex
     * digits that the client sent for it. Signed bodies only. */
    enum err_code (*chunk)(void *ctx, const uint8_t sha256[32], struct bytes signature,
                           struct err *err);
    /* The trailer is over: the SHA-256 of its lines ("name:value\n", names in lower case,
     * without the signature's own) and x-amz-trailer-signature. Signed trailers only. */
    enum err_code (*trailer)(void *ctx, const uint8_t sha256[32], struct bytes signature,
                             struct err *err);
    void *ctx;
};

struct chunked_options {
    bool is_signed;       /* chunk-signature in each size line, must be 64 hex digits */
    bool has_trailer;     /* fields may follow the last chunk */
    uint64_t decoded_len; /* bytes, x-amz-decoded-content-length; or CHUNKED_LENGTH_UNKNOWN */
    struct chunked_sink sink;
};

/* ret_chunked  yours: chunked_free
 * errors       ERR_NO_MEMORY */
MUST_USE enum err_code chunked_new(const struct chunked_options *options,
                                   struct chunked **ret_chunked, struct err *err);
void chunked_free(struct chunked *chunked);
AUTO_DEFINE(chunked, struct chunked, chunked_free)

/* Decode the next piece of the body, any length, 0 too. After an error the
 * decoder is only fit to be freed.
 *
 * errors  S3_INVALID_REQUEST (framing, a line above S3_CHUNK_LINE_MAX, a trailer
 *         above S3_TRAILER_MAX, bytes behind the end), S3_INCOMPLETE_BODY (more
 *         payload than decoded_len), ERR_NO_MEMORY, those of the sink */
MUST_USE enum err_code chunked_push(struct chunked *chunked, struct bytes piece, struct err *err);

/* The body is over: it must have ended where it should.
 *
 * errors  S3_INCOMPLETE_BODY (cut off, or the payload is not decoded_len bytes),
 *         S3_INVALID_REQUEST (signed trailer without signature), those of the sink */
MUST_USE enum err_code chunked_finish(struct chunked *chunked, struct err *err);

/* Bytes of payload so far. */
uint64_t chunked_decoded(const struct chunked *chunked);

/* The trailer's fields, after chunked_finish(): names in lower case, values
 * without spaces at both ends, without x-amz-trailer-signature. Valid until chunked_free(). */
const struct record_pairs *chunked_trailer(const struct chunked *chunked);

#endif
