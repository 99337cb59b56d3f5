/* upload_internal.h - what the upload*.c files share. */
#ifndef STORAGE_OBJ_UPLOAD_INTERNAL_H
#define STORAGE_OBJ_UPLOAD_INTERNAL_H

#include "storage/obj/object_edit.h"
#include "storage/obj/upload.h"

/* returns  false where the text is no upload id */
bool upload_id_parse(struct bytes text, uint64_t *ret_id);
void upload_id_text(uint64_t id, char ret_text[UPLOAD_ID_TEXT]);

/* Read the row of an upload. errors  ERR_NOT_FOUND with STORE_NO_UPLOAD */
MUST_USE enum err_code upload_row(struct store *store, uint32_t bucket, struct bytes key,
                                  struct bytes id, struct arena *arena, uint64_t *ret_id,
                                  struct record_upload *ret_upload, struct err *err);

/* Store the row of a part whose body is in the batch already, in place of one of
 * the same number. Takes the key's lock. */
MUST_USE enum err_code upload_commit_part(struct store *store, struct bucket *bucket,
                                          struct bytes key, struct bytes id,
                                          const struct record_part *part,
                                          const struct commit_batch *body_rows, struct err *err);

/* upload_checksum.c: what the parts' checksums make for the whole.
 *
 * errors  ERR_INVALID with STORE_BAD_PART: a part has no checksum of that kind */
MUST_USE enum err_code upload_checksum(const struct record_upload *upload,
                                       const struct record_part *const *parts, size_t count,
                                       struct record_checksum *ret_checksum, struct err *err);

/* MD5 of the parts' MD5s. errors  ERR_NO_MEMORY */
MUST_USE enum err_code upload_etag(const struct record_part *const *parts, size_t count,
                                   uint8_t ret_etag[RECORD_ETAG_LEN], struct err *err);

#endif
