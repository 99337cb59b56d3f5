/* escape.h - texts that strangers wrote, for people's eyes: nothing in them breaks a
 * line, looks like a line of ours, or steers a terminal. A byte that is not shown as
 * it is becomes \xHH.
 *
 * Not here  log lines, which have quotes of their own: log.h.
 * Threads   pure functions. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/bytes.h"

/* What is shown as it is. */
enum escape_style {
    ESCAPE_TO_WORD,  /* printable ASCII but for spaces; a backslash becomes \\ */
    ESCAPE_TO_LINE,  /* the same, and spaces */
    ESCAPE_CONTROLS, /* UTF-8 but for controls, U+0080 to U+009F too; a backslash, so it is not
                        for texts that shall be read back */
};

#define ESCAPE_ROOM 5 /* bytes: \xHH and a NUL */

/* Cut the next piece off `rest`, which is not empty:
 *     while (rest.len > 0)
 *         buf_append(&shown, escape_next(&rest, ESCAPE_TO_LINE, room));
 *
 * returns  what to show for it: from `rest` as it is, or in `room`; at most 4 bytes
 *          for each that was cut off */
struct bytes escape_next(struct bytes *rest, enum escape_style style, char room[ESCAPE_ROOM]);

#endif
