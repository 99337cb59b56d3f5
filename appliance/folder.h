/* folder.h - what lies in DIR: whether it is a box, and the marker that a new
 * or restored box carries until it is complete.
 *
 * A new box is made between folder_begin and folder_finish. What a crash leaves
 * in between still has the marker: nobody was told its keys, so the next
 * folder_begin erases it and starts over. A restore does the same between its own
 * two, with a marker of its own: what it left is filled by a restore alone, never
 * made a new box.
 *
 * Owns      DIR/lock, DIR/making, DIR/restoring.
 * Not here  what the files hold: box.c.
 * Threads   one. */
#ifndef APPLIANCE_FOLDER_H
#define APPLIANCE_FOLDER_H

#include "base/attr.h"
#include "base/err.h"

enum folder_state {
    FOLDER_EMPTY,         /* not there, or nothing in it: a box can be made */
    FOLDER_HALF_MADE,     /* the marker is there */
    FOLDER_HALF_RESTORED, /* that of a restore */
    FOLDER_BOX,
    FOLDER_FOREIGN /* something else: hands off */
};

/* Look at DIR without changing it.
 *
 * errors  ERR_INVALID (no folder), ERR_DENIED, ERR_IO */
MUST_USE enum err_code folder_look(const char *dir, enum folder_state *ret_state, struct err *err);

/* Take DIR/lock.
 *
 * ret_fd  yours; closing it releases the lock
 * errors  ERR_BUSY (another valise process), ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code folder_lock(const char *dir, int *ret_fd, struct err *err);

/* Make DIR where it is not there, lock it, erase a half-made box, set the marker.
 *
 * ret_lock_fd  yours, also for a caller that fails afterwards
 * errors       ERR_EXISTS (a box, or anything else, is there), ERR_BUSY, ERR_IO, ERR_NO_SPACE */
MUST_USE enum err_code folder_begin(const char *dir, int *ret_lock_fd, struct err *err);

/* The box is complete: take the marker away. effect  durable */
MUST_USE enum err_code folder_finish(const char *dir, struct err *err);

/* The same two for a restore, which may begin where another one was broken off, too. */
MUST_USE enum err_code folder_begin_restore(const char *dir, int *ret_lock_fd, struct err *err);
MUST_USE enum err_code folder_finish_restore(const char *dir, struct err *err);

#endif
