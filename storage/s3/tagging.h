/* tagging.h - tags as clients send them: in a header or in a document.
 *
 * Threads   pure.
 * Source    Amazon S3 user guide, "Object tagging"; S3 API Reference, PutObjectTagging. */
#ifndef STORAGE_S3_TAGGING_H
#define STORAGE_S3_TAGGING_H

#include "storage/obj/record.h"
#include "storage/s3/error.h"
#include "storage/s3/xml_read.h"

#define TAGGING_KEY_MAX   128 /* characters of Unicode */
#define TAGGING_VALUE_MAX 256

/* Read x-amz-tagging: percent-encoded pairs, "a=1&b=2"; empty = no tags.
 *
 * ret_tags  arena memory
 * errors    S3_INVALID_ARGUMENT (encoding), S3_BAD_REQUEST (more than S3_TAGS_MAX), S3_INVALID_TAG
 *           (empty or long key, long value, one of S3's forbidden characters, twice the same
 *           key, key beginning with "aws:"), ERR_NO_MEMORY */
MUST_USE enum err_code tagging_read_header(struct bytes field, struct arena *arena,
                                           struct record_pairs *ret_tags, struct err *err);

/* Read a Tagging document (the tree that xml_read(…, "Tagging", …) gave).
 *
 * max     S3_TAGS_MAX or S3_BUCKET_TAGS_MAX
 * errors  as above, and S3_MALFORMED_XML */
MUST_USE enum err_code tagging_read_xml(const struct xml_node *root, size_t max,
                                        struct arena *arena, struct record_pairs *ret_tags,
                                        struct err *err);

#endif
