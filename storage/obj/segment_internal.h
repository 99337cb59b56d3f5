/* segment_internal.h - the table of segments, shared by the segment*.c files.
 *
 *   offset 0                  bump                            size
 *   | kept | freed | kept | ... | taken by writers |  free    |
 *            hole                                    preallocated
 *
 * Locks     segments.lock guards the table and every counter in it; a segment's
 *           sync.lock guards its round of fdatasync. Neither is held over the other. */
#ifndef STORAGE_OBJ_SEGMENT_INTERNAL_H
#define STORAGE_OBJ_SEGMENT_INTERNAL_H

#include "storage/obj/segment.h"
#include "storage/obj/segment_sync.h"

#define SEGMENT_PATH_MAX 4096

struct live_range {
    uint64_t from, until; /* bytes */
};

struct segment {
    uint32_t number;
    int fd;           /* for writing; -1 once sealed and without writers */
    uint64_t size;    /* bytes of the file */
    uint64_t bump;    /* bytes handed out */
    uint64_t live;    /* bytes that are kept or taken */
    uint32_t writers; /* spaces not given back */
    bool sealed;      /* nothing more is handed out */
    bool earlier;     /* of an earlier run, not yet recovered */
    uint64_t tried;   /* bytes that were alive when the rest had been moved away; 0: not yet */
    struct segment_sync sync;
    struct live_range *ranges; /* earlier: what segments_live told */
    size_t range_count, range_room;
};

struct segments {
    char *dir;
    uint64_t segment_bytes;
    pthread_mutex_t lock;
    struct segment **table; /* by number */
    size_t count, room;
    struct segment *active; /* NULL: the next take makes one */
    uint32_t next_number;
    uint64_t syncs;
};

void segment_path(const struct segments *segments, uint32_t number,
                  char ret_path[SEGMENT_PATH_MAX]);

/* The segment of that number, or NULL; the lock is held. */
struct segment *segment_find(const struct segments *segments, uint32_t number);

/* The same, and the lock is taken here; the segment stays while its caller holds a
 * space or extent of it. */
struct segment *segment_held(struct segments *segments, uint32_t number);

/* segment.c: append a segment with the highest number so far. errors  ERR_NO_MEMORY */
MUST_USE enum err_code segment_add(struct segments *segments, uint32_t number,
                                   struct segment **ret_segment, struct err *err);

/* segment_new.c; the lock is held: make a file for new bodies, with room for `want`
 * bytes at once where a whole segment has that. errors  ERR_IO, ERR_NO_SPACE, ERR_NO_MEMORY */
MUST_USE enum err_code segment_make_active(struct segments *segments, uint64_t want,
                                           struct err *err);
/* The lock is held: more room behind what is handed out, up to a whole segment. Where the
 * disk has no more, it stays as it is. */
void segment_grow(struct segments *segments, struct segment *segment, uint64_t want);
/* Have blocks behind [at, at + len) of a file. returns  0 or an errno */
int segment_allocate(int fd, uint64_t at, uint64_t len);

/* Make a hole. A file system without holes keeps the space until the segment is empty.
 *
 * returns  0 or an errno */
int segment_punch(int fd, uint64_t offset, uint64_t len);

/* The lock is held: when nothing in it is alive and nobody writes to it, the
 * file goes, and the struct with it. */
void segment_unlink_if_empty(struct segments *segments, struct segment *segment);

#endif
