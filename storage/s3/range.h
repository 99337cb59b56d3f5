/* range.h - which bytes of an object a request asks for.
 *
 * Threads   pure.
 * Source    RFC 9110 section 14. */
#ifndef STORAGE_S3_RANGE_H
#define STORAGE_S3_RANGE_H

#include "base/bytes.h"

enum range_kind {
    RANGE_WHOLE,        /* no range, one that is malformed, or several: 200 */
    RANGE_PART,         /* 206 */
    RANGE_UNSATISFIABLE /* 416, Content-Range: bytes <any>/size */
};

struct range {
    enum range_kind kind;
    uint64_t first; /* offset, bytes; 0 but for RANGE_PART */
    uint64_t len;   /* bytes, > 0 for RANGE_PART; the size for RANGE_WHOLE; else 0 */
};

/* Read a Range field. The end is clipped to the object.
 *
 * field  the value; data NULL = not there
 * size   of the object, bytes */
struct range range_read(struct bytes field, uint64_t size);

/* Read x-amz-copy-source-range: "bytes=first-last", both there, first <= last.
 *
 * ret_first, ret_last  offsets, inclusive; not compared with the source's size
 * returns              false where it is not of that form */
bool range_read_copy(struct bytes field, uint64_t *ret_first, uint64_t *ret_last);

#endif
