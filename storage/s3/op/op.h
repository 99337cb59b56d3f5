/* op.h - the operations of S3, a file each in this folder. The table that
 * calls them, and says when, is in storage/s3/route.c.
 *
 * X_begin()  looks at the head alone, before a body is asked for; what it
 *            prepares hangs on call->state
 * X_run()    has the checked body (call->document or call->intake) and
 *            sends the reply
 *
 * Both return ERR_OK, or an error that s3.c turns into S3's reply (error.h).
 *
 * Threads   the request's. */
#ifndef STORAGE_S3_OP_OP_H
#define STORAGE_S3_OP_OP_H

#include "storage/s3/call.h"

#define OP_DECLARE(name) MUST_USE enum err_code name(struct call *call, struct err *err);

/* Objects. */
OP_DECLARE(put_object_begin)
OP_DECLARE(put_object_run)
OP_DECLARE(get_object_run)
OP_DECLARE(head_object_run)
OP_DECLARE(delete_object_run)
OP_DECLARE(delete_objects_run)
OP_DECLARE(get_object_tagging_run)
OP_DECLARE(put_object_tagging_run)
OP_DECLARE(delete_object_tagging_run)
OP_DECLARE(get_object_acl_run)
OP_DECLARE(put_object_acl_run)

OP_DECLARE(copy_object_run)
OP_DECLARE(get_object_attributes_run)

/* Multipart uploads. */
OP_DECLARE(create_multipart_upload_run)
OP_DECLARE(upload_part_begin)
OP_DECLARE(upload_part_run)
OP_DECLARE(upload_part_copy_run)
OP_DECLARE(complete_multipart_upload_run)
OP_DECLARE(abort_multipart_upload_run)
OP_DECLARE(list_parts_run)
OP_DECLARE(list_multipart_uploads_run)

/* Buckets. */
OP_DECLARE(list_buckets_run)
OP_DECLARE(create_bucket_begin)
OP_DECLARE(create_bucket_run)
OP_DECLARE(head_bucket_run)
OP_DECLARE(delete_bucket_run)
OP_DECLARE(get_bucket_location_run)
OP_DECLARE(get_bucket_versioning_run)
OP_DECLARE(put_bucket_versioning_run)
OP_DECLARE(get_bucket_tagging_run)
OP_DECLARE(put_bucket_tagging_run)
OP_DECLARE(delete_bucket_tagging_run)
OP_DECLARE(get_bucket_acl_run)
OP_DECLARE(put_bucket_acl_run)

/* Listings. */
OP_DECLARE(list_objects_run)
OP_DECLARE(list_objects_v2_run)
OP_DECLARE(list_versions_run)

/* What this server does not have: 501, "not set", "nothing to delete", an empty document. */
OP_DECLARE(not_built_begin)
OP_DECLARE(not_set_begin)
OP_DECLARE(not_there_run)
OP_DECLARE(empty_setting_run)

#undef OP_DECLARE

#endif
