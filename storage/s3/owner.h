/* owner.h - owners in replies: their canonical id and name.
 *
 * Threads   the request's. */
#ifndef STORAGE_S3_OWNER_H
#define STORAGE_S3_OWNER_H

#include "storage/s3/call.h"
#include "storage/s3/xml_write.h"

/* Write an element `name` with ID, and DisplayName where it is who asks. */
void owner_write(struct call *call, struct xml_write *xml, const char *name, struct bytes id);

/* The ID and DisplayName alone. */
void owner_write_identity(struct call *call, struct xml_write *xml, struct bytes id);

#endif
