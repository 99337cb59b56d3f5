/* etag.h - entity tags as text: "hex", or "hex-N" of a multipart object.
 *
 * Threads   pure. */
#ifndef STORAGE_S3_ETAG_H
#define STORAGE_S3_ETAG_H

#include "storage/obj/record.h"

#define ETAG_TEXT_MAX 56 /* two quotes, 32 hex digits, '-', a number, NUL */

/* Write a tag with its quotes, NUL-terminated.
 *
 * etag   RECORD_ETAG_LEN bytes
 * parts  0: not multipart */
void etag_text(const uint8_t *etag, uint32_t parts, char ret_text[ETAG_TEXT_MAX]);

/* Read a tag, with or without quotes, hex in either case.
 *
 * ret_parts  0: not multipart
 * returns    false where it is none of ours */
bool etag_parse(struct bytes text, uint8_t ret_etag[RECORD_ETAG_LEN], uint32_t *ret_parts);

#endif
