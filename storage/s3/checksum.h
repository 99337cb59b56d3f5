/* checksum.h - the checksums that clients declare: names, values, rules.
 *
 * Not here  computing them (base/hash.h, storage/obj).
 * Threads   pure.
 * Source    Amazon S3 user guide, "Checking object integrity". */
#ifndef STORAGE_S3_CHECKSUM_H
#define STORAGE_S3_CHECKSUM_H

#include "base/http/head.h"
#include "storage/obj/record.h"
#include "storage/s3/error.h"

#define CHECKSUM_TEXT_MAX 56 /* base64 of 32 bytes, '-', ten digits, NUL */

/* Names of a kind (any but HASH_MD5); static. */
const char *checksum_name(enum hash_kind kind);    /* "CRC32" */
const char *checksum_header(enum hash_kind kind);  /* "x-amz-checksum-crc32" */
const char *checksum_element(enum hash_kind kind); /* "ChecksumCRC32" */

/* "FULL_OBJECT" or "COMPOSITE". */
const char *checksum_type_name(bool composite);

/* The kind of that name ("CRC32", in either case) or header.
 *
 * returns  false where there is none */
bool checksum_of_name(struct bytes name, enum hash_kind *ret_kind);
bool checksum_of_header(struct bytes header, enum hash_kind *ret_kind);

/* Base64, and -N for a composite one; NUL-terminated.
 *
 * parts  the N; not looked at where the checksum is not composite */
void checksum_text(const struct record_checksum *checksum, uint32_t parts,
                   char ret_text[CHECKSUM_TEXT_MAX]);

/* Read base64 of exactly the kind's length.
 *
 * returns  false where it is not that */
bool checksum_parse(enum hash_kind kind, struct bytes text, struct hash_value *ret_value);

/* What the head of a request with a body says about its digest. */
struct checksum_request {
    bool declared;              /* an algorithm is named: compute it */
    bool in_trailer;            /* its value comes in the trailer */
    enum hash_kind kind;        /* where declared */
    struct hash_value expected; /* len 0: not known, or not yet */
    struct hash_value md5;      /* Content-MD5; len 0: not sent */
};

/* Content-MD5.
 *
 * ret_md5  left as it is where none was sent
 * errors   S3_INVALID_DIGEST */
MUST_USE enum err_code checksum_read_md5(const struct http_head *head, struct hash_value *ret_md5,
                                         struct err *err);

/* Collect x-amz-checksum-*, x-amz-trailer, x-amz-sdk-checksum-algorithm, Content-MD5.
 *
 * errors  S3_INVALID_REQUEST (two values, value and trailer, a malformed value, an
 *         unknown trailer or algorithm, an algorithm without value or trailer or with that of
 *         another), S3_NOT_IMPLEMENTED (x-amz-checksum- of an unknown kind), S3_INVALID_DIGEST */
MUST_USE enum err_code checksum_read(const struct http_head *head,
                                     struct checksum_request *ret_request, struct err *err);

/* Take the value out of the trailer that came (chunked_trailer(), or none).
 *
 * request  changed: expected is set where in_trailer
 * errors   S3_INCOMPLETE_BODY (announced and missing), S3_INVALID_REQUEST
 *          (malformed, or fields that were not announced) */
MUST_USE enum err_code checksum_take_trailer(struct checksum_request *request,
                                             const struct record_pairs *trailer, struct err *err);

/* Compare what came with what was expected (len 0: nothing was).
 *
 * kind    HASH_MD5 too, for Content-MD5
 * errors  S3_BAD_DIGEST, naming the kind */
MUST_USE enum err_code checksum_verify(enum hash_kind kind, const struct hash_value *expected,
                                       const struct hash_value *computed, struct err *err);

/* What a multipart upload's checksums are to be. */
struct checksum_policy {
    bool declared;
    enum hash_kind kind;
    bool composite; /* else FULL_OBJECT */
};

/* CreateMultipartUpload: x-amz-checksum-algorithm and x-amz-checksum-type.
 *
 * errors  S3_INVALID_REQUEST (unknown, type without algorithm, a pair that S3 does not have) */
MUST_USE enum err_code checksum_read_policy(const struct http_head *head,
                                            struct checksum_policy *ret_policy, struct err *err);

/* CompleteMultipartUpload: the whole object's checksum, where the client gives it.
 *
 * policy        of the upload; one that declared nothing has CRC64NVME, FULL_OBJECT
 * ret_checksum  present = given
 * errors        S3_INVALID_REQUEST (two, malformed, -N where N is not `parts`, a type
 *               that is not the upload's), S3_BAD_DIGEST (of another algorithm) */
MUST_USE enum err_code checksum_read_object(const struct http_head *head,
                                            const struct checksum_policy *policy, uint32_t parts,
                                            struct record_checksum *ret_checksum, struct err *err);

#endif
