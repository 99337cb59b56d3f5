/* reading.h - what GetObject and HeadObject have in common: which version,
 * whether it is wanted at all, which bytes of it, and the fields of the reply.
 *
 *     reading_start()    what the request asks, before the object is looked up
 *     reading_missing()  there is no such object: the fields of that reply
 *     reading_settle()   there is: conditions, range or part
 *     reading_send()     the fields of the reply
 *
 * Threads   the request's.
 * Source    Amazon S3 API Reference, GetObject, HeadObject; s3.md 14, 15. */
#ifndef STORAGE_S3_READING_H
#define STORAGE_S3_READING_H

#include "storage/s3/call.h"

struct reading {
    struct object_version version;
    uint32_t part_number;            /* 0: none was asked for */
    uint64_t first, len;             /* the bytes to send: offset in the object, how many */
    int status;                      /* 200, 206 */
    struct record_checksum checksum; /* to tell: the object's, the part's, or none */
};

/* errors  S3_INVALID_ARGUMENT, S3_INVALID_REQUEST (range and part; unsigned overrides) */
MUST_USE enum err_code reading_start(struct call *call, struct reading *ret_reading,
                                     struct err *err);

/* After object_get() or object_head() failed.
 *
 * object   the delete marker where that is what was found
 * returns  err->code, never ERR_OK */
enum err_code reading_missing(struct call *call, const struct reading *reading,
                              const struct record_object *object, struct err *err);

/* errors  S3_NOT_MODIFIED, S3_PRECONDITION_FAILED, S3_INVALID_RANGE, S3_INVALID_PART_NUMBER, all
 *         with the fields their replies have */
MUST_USE enum err_code reading_settle(struct call *call, const struct record_object *object,
                                      struct reading *reading, struct err *err);

void reading_send(struct call *call, const struct record_object *object,
                  const struct reading *reading);

#endif
