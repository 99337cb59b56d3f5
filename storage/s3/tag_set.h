/* tag_set.h - Tagging documents of a request and a reply.
 *
 * Not here  what a tag may be (tagging.h).
 * Threads   the request's. */
#ifndef STORAGE_S3_TAG_SET_H
#define STORAGE_S3_TAG_SET_H

#include "storage/s3/call.h"

/* Read the request's document: at most `max` tags.
 *
 * errors  those of xml_read() and tagging_read_xml() */
MUST_USE enum err_code tag_set_read(struct call *call, size_t max, struct record_pairs *ret_tags,
                                    struct err *err);

void tag_set_write(struct buf *to, const struct record_pairs *tags);

#endif
