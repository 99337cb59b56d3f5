/* layout.h - whether a parser took a head for what its bytes say, told by where
 * the pieces lie that it shows of them. Private to base/http.
 *
 * libmicrohttpd 0.9.75 parses a head in place: it writes a NUL over each
 * separator and shows pointers into the same memory, and how long the head was.
 * In a head that follows RFC 9112 the pieces fill that length:
 *
 *     PUT·/x·HTTP/1.1··Host· a··Content-Length· 3····      · = a NUL
 *     ^   ^  ^         ^     ^  ^               ^    ^end
 *     method target version  value      one NUL for a space or colon, two for CRLF
 *
 * A folded line, a bare LF, a NUL, a line that was skipped, a line that ended
 * the head although it is not empty: each leaves a gap, or the head too long.
 *
 * Owns      nothing; reads the parser's memory between pieces that lie inside the head.
 * Not here  libmicrohttpd (mhd.c), the rules for the pieces themselves (head.c).
 * Threads   pure.
 * Source    RFC 9112 sections 2.1, 2.2, 3 and 5. */
#ifndef BASE_HTTP_LAYOUT_H
#define BASE_HTTP_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Addresses as numbers: those of a moved piece may not be compared as pointers. */
struct layout {
    uintptr_t target, target_end;
    uintptr_t at, end; /* where the next field must begin; where the head ended */
    bool broken;
};

/* Begin with the target, at the request line.
 *
 * target  where the parser has it, NUL-terminated; not kept as a pointer */
void layout_open(struct layout *layout, const char *target);

/* Go on with the rest of the request line, when the head is complete.
 *
 * method, version  where the parser has them, NUL-terminated
 * head_len         bytes from the method to the end of the head, as the parser counted */
void layout_begin(struct layout *layout, const char *method, const char *version, size_t head_len);

/* Add the next field.
 *
 * name, value  where the parser has them; value.data is NULL for one without */
void layout_add(struct layout *layout, struct bytes name, struct bytes value);

/* Whether the pieces fill the head, but for the line that ends it. */
bool layout_is_whole(const struct layout *layout);

#endif
