/* parts.h - what the operations of multipart uploads have in common.
 *
 * Threads   the request's.
 * Source    Amazon S3 user guide, "Uploading and copying objects using multipart upload". */
#ifndef STORAGE_S3_PARTS_H
#define STORAGE_S3_PARTS_H

#include "storage/obj/upload.h"
#include "storage/s3/call.h"
#include "storage/s3/checksum.h"
#include "storage/s3/xml_write.h"

/* ?uploadId=; it may name no upload. */
struct bytes parts_upload_id(const struct call *call);

/* ?partNumber=, which must be there. errors  S3_INVALID_ARGUMENT */
MUST_USE enum err_code parts_number(struct call *call, uint32_t *ret_number, struct err *err);

/* The upload that the request names. errors  those of upload_find() */
MUST_USE enum err_code parts_find(struct call *call, struct record_upload *ret_upload,
                                  struct err *err);

/* After an operation on an upload failed: tells its id where there is none.
 *
 * returns  err->code, never ERR_OK */
enum err_code parts_failed(struct call *call, struct err *err);

/* What the upload was created with. */
struct checksum_policy parts_policy(const struct record_upload *upload);

/* ETag with quotes, and ChecksumX, of an object or part. */
void parts_write_etag(struct xml_write *xml, const uint8_t *etag, uint32_t parts);
void parts_write_checksum(struct xml_write *xml, const struct record_checksum *checksum,
                          uint32_t parts);

/* ChecksumAlgorithm and ChecksumType of an upload. */
void parts_write_policy(struct xml_write *xml, const struct record_upload *upload);

#endif
