/* route.c - see route.h. Rows with a header come before the same row without. */
#include "storage/s3/route.h"

#include "storage/s3/op/op.h"

/* clang-format off */
#define NOT_BUILT(name, method, scope, query) \
    {name, ROUTE_##method, ROUTE_##scope, query, NULL, ROUTE_NO_BODY, 0, 0, not_built_begin, NULL}
/* A setting that nobody can set: GET tells that it is not there, DELETE has nothing to do. */
#define NOT_SET(name, query, absent) \
    {name, ROUTE_GET, ROUTE_BUCKET, query, NULL, ROUTE_NO_BODY, 0, absent, not_set_begin, NULL}
#define EMPTY(name, query) \
    {name, ROUTE_GET, ROUTE_BUCKET, query, NULL, ROUTE_NO_BODY, 0, 0, NULL, empty_setting_run}
#define NOT_THERE(name, query) \
    {name, ROUTE_DELETE, ROUTE_BUCKET, query, NULL, ROUTE_NO_BODY, 0, 0, NULL, not_there_run}

#define OP(name, method, scope, query, body, begin, run) \
    {name, ROUTE_##method, ROUTE_##scope, query, NULL, ROUTE_##body, 0, 0, begin, run}
/* Changes a bucket. */
#define AUDITED(name, method, query, body, run) \
    {name, ROUTE_##method, ROUTE_BUCKET, query, NULL, ROUTE_##body, ROUTE_AUDITED, 0, NULL, run}
#define PREFLIGHT(name, scope) \
    {name, ROUTE_OPTIONS, ROUTE_##scope, NULL, NULL, ROUTE_NO_BODY, \
     ROUTE_PUBLIC | ROUTE_NEW_BUCKET, S3_ACCESS_FORBIDDEN, not_set_begin, NULL}

static const struct route routes[] = {
    {"CopyObject", ROUTE_PUT, ROUTE_OBJECT, NULL, "x-amz-copy-source", ROUTE_NO_BODY, 0, 0, NULL,
     copy_object_run},
    {"UploadPartCopy", ROUTE_PUT, ROUTE_OBJECT, "uploadId", "x-amz-copy-source", ROUTE_NO_BODY, 0, 0,
     NULL, upload_part_copy_run},
    OP("PutObject", PUT, OBJECT, NULL, STREAM, put_object_begin, put_object_run),
    OP("GetObject", GET, OBJECT, NULL, NO_BODY, NULL, get_object_run),
    OP("HeadObject", HEAD, OBJECT, NULL, NO_BODY, NULL, head_object_run),
    OP("DeleteObject", DELETE, OBJECT, NULL, NO_BODY, NULL, delete_object_run),
    OP("GetObjectAttributes", GET, OBJECT, "attributes", NO_BODY, NULL, get_object_attributes_run),
    OP("GetObjectTagging", GET, OBJECT, "tagging", NO_BODY, NULL, get_object_tagging_run),
    OP("PutObjectTagging", PUT, OBJECT, "tagging", DOCUMENT, NULL, put_object_tagging_run),
    OP("DeleteObjectTagging", DELETE, OBJECT, "tagging", NO_BODY, NULL, delete_object_tagging_run),
    OP("GetObjectAcl", GET, OBJECT, "acl", NO_BODY, NULL, get_object_acl_run),
    OP("PutObjectAcl", PUT, OBJECT, "acl", DOCUMENT, NULL, put_object_acl_run),

    OP("CreateMultipartUpload", POST, OBJECT, "uploads", NO_BODY, NULL, create_multipart_upload_run),
    OP("UploadPart", PUT, OBJECT, "uploadId", STREAM, upload_part_begin, upload_part_run),
    {"CompleteMultipartUpload", ROUTE_POST, ROUTE_OBJECT, "uploadId", NULL, ROUTE_DOCUMENT,
     ROUTE_OF_OBJECT, 0, NULL, complete_multipart_upload_run},
    OP("AbortMultipartUpload", DELETE, OBJECT, "uploadId", NO_BODY, NULL, abort_multipart_upload_run),
    OP("ListParts", GET, OBJECT, "uploadId", NO_BODY, NULL, list_parts_run),
    OP("ListMultipartUploads", GET, BUCKET, "uploads", NO_BODY, NULL, list_multipart_uploads_run),

    OP("ListBuckets", GET, SERVICE, NULL, NO_BODY, NULL, list_buckets_run),
    {"CreateBucket", ROUTE_PUT, ROUTE_BUCKET, NULL, NULL, ROUTE_DOCUMENT,
     ROUTE_NEW_BUCKET | ROUTE_AUDITED, 0, create_bucket_begin, create_bucket_run},
    OP("HeadBucket", HEAD, BUCKET, NULL, NO_BODY, NULL, head_bucket_run),
    AUDITED("DeleteBucket", DELETE, NULL, NO_BODY, delete_bucket_run),
    OP("ListObjects", GET, BUCKET, NULL, NO_BODY, NULL, list_objects_run),
    OP("ListObjectsV2", GET, BUCKET, "list-type", NO_BODY, NULL, list_objects_v2_run),
    OP("ListObjectVersions", GET, BUCKET, "versions", NO_BODY, NULL, list_versions_run),
    OP("DeleteObjects", POST, BUCKET, "delete", DOCUMENT, NULL, delete_objects_run),
    OP("GetBucketLocation", GET, BUCKET, "location", NO_BODY, NULL, get_bucket_location_run),
    OP("GetBucketVersioning", GET, BUCKET, "versioning", NO_BODY, NULL, get_bucket_versioning_run),
    AUDITED("PutBucketVersioning", PUT, "versioning", DOCUMENT, put_bucket_versioning_run),
    OP("GetBucketTagging", GET, BUCKET, "tagging", NO_BODY, NULL, get_bucket_tagging_run),
    AUDITED("PutBucketTagging", PUT, "tagging", DOCUMENT, put_bucket_tagging_run),
    AUDITED("DeleteBucketTagging", DELETE, "tagging", NO_BODY, delete_bucket_tagging_run),
    OP("GetBucketAcl", GET, BUCKET, "acl", NO_BODY, NULL, get_bucket_acl_run),
    OP("PutBucketAcl", PUT, BUCKET, "acl", DOCUMENT, NULL, put_bucket_acl_run),

    PREFLIGHT("PreflightService", SERVICE),
    PREFLIGHT("PreflightBucket", BUCKET),
    PREFLIGHT("PreflightObject", OBJECT),

    EMPTY("GetBucketAccelerateConfiguration", "accelerate"),
    EMPTY("GetBucketLogging", "logging"),
    EMPTY("GetBucketNotificationConfiguration", "notification"),
    EMPTY("GetBucketRequestPayment", "requestPayment"),
    EMPTY("ListBucketAnalyticsConfigurations", "analytics"),
    EMPTY("ListBucketIntelligentTieringConfigurations", "intelligent-tiering"),
    EMPTY("ListBucketInventoryConfigurations", "inventory"),
    EMPTY("ListBucketMetricsConfigurations", "metrics"),

    NOT_SET("GetBucketCors", "cors", S3_NO_SUCH_CORS),
    NOT_SET("GetBucketEncryption", "encryption", S3_NO_ENCRYPTION),
    NOT_SET("GetBucketLifecycleConfiguration", "lifecycle", S3_NO_SUCH_LIFECYCLE),
    NOT_SET("GetBucketOwnershipControls", "ownershipControls", S3_NO_OWNERSHIP_CONTROLS),
    NOT_SET("GetBucketPolicy", "policy", S3_NO_SUCH_POLICY),
    NOT_SET("GetBucketPolicyStatus", "policyStatus", S3_NO_SUCH_POLICY),
    NOT_SET("GetBucketReplication", "replication", S3_NO_REPLICATION),
    NOT_SET("GetBucketWebsite", "website", S3_NO_SUCH_WEBSITE),
    NOT_SET("GetObjectLockConfiguration", "object-lock", S3_NO_OBJECT_LOCK),
    NOT_SET("GetPublicAccessBlock", "publicAccessBlock", S3_NO_SUCH_ACCESS_BLOCK),

    NOT_THERE("DeleteBucketCors", "cors"),
    NOT_THERE("DeleteBucketEncryption", "encryption"),
    NOT_THERE("DeleteBucketLifecycle", "lifecycle"),
    NOT_THERE("DeleteBucketOwnershipControls", "ownershipControls"),
    NOT_THERE("DeleteBucketPolicy", "policy"),
    NOT_THERE("DeleteBucketReplication", "replication"),
    NOT_THERE("DeleteBucketWebsite", "website"),
    NOT_THERE("DeletePublicAccessBlock", "publicAccessBlock"),


    NOT_BUILT("GetObjectLegalHold", GET, OBJECT, "legal-hold"),
    NOT_BUILT("PutObjectLegalHold", PUT, OBJECT, "legal-hold"),
    NOT_BUILT("GetObjectRetention", GET, OBJECT, "retention"),
    NOT_BUILT("PutObjectRetention", PUT, OBJECT, "retention"),
    NOT_BUILT("GetObjectTorrent", GET, OBJECT, "torrent"),
    NOT_BUILT("RenameObject", PUT, OBJECT, "renameObject"),
    NOT_BUILT("RestoreObject", POST, OBJECT, "restore"),
    NOT_BUILT("SelectObjectContent", POST, OBJECT, "select"),
    NOT_BUILT("UpdateObjectEncryption", PUT, OBJECT, "encryption"),
    NOT_BUILT("PostObject", POST, BUCKET, NULL),
    NOT_BUILT("CreateSession", GET, BUCKET, "session"),
    NOT_BUILT("GetBucketAbac", GET, BUCKET, "abac"),
    NOT_BUILT("PutBucketAbac", PUT, BUCKET, "abac"),
    NOT_BUILT("PutBucketAccelerateConfiguration", PUT, BUCKET, "accelerate"),
    NOT_BUILT("PutBucketAnalyticsConfiguration", PUT, BUCKET, "analytics"),
    NOT_BUILT("DeleteBucketAnalyticsConfiguration", DELETE, BUCKET, "analytics"),
    NOT_BUILT("PutBucketCors", PUT, BUCKET, "cors"),
    NOT_BUILT("PutBucketEncryption", PUT, BUCKET, "encryption"),
    NOT_BUILT("PutBucketIntelligentTieringConfiguration", PUT, BUCKET, "intelligent-tiering"),
    NOT_BUILT("DeleteBucketIntelligentTieringConfiguration", DELETE, BUCKET, "intelligent-tiering"),
    NOT_BUILT("PutBucketInventoryConfiguration", PUT, BUCKET, "inventory"),
    NOT_BUILT("DeleteBucketInventoryConfiguration", DELETE, BUCKET, "inventory"),
    NOT_BUILT("PutBucketLifecycleConfiguration", PUT, BUCKET, "lifecycle"),
    NOT_BUILT("PutBucketLogging", PUT, BUCKET, "logging"),
    NOT_BUILT("GetBucketMetadataConfiguration", GET, BUCKET, "metadataConfiguration"),
    NOT_BUILT("CreateBucketMetadataConfiguration", POST, BUCKET, "metadataConfiguration"),
    NOT_BUILT("DeleteBucketMetadataConfiguration", DELETE, BUCKET, "metadataConfiguration"),
    NOT_BUILT("GetBucketMetadataTableConfiguration", GET, BUCKET, "metadataTable"),
    NOT_BUILT("CreateBucketMetadataTableConfiguration", POST, BUCKET, "metadataTable"),
    NOT_BUILT("DeleteBucketMetadataTableConfiguration", DELETE, BUCKET, "metadataTable"),
    NOT_BUILT("UpdateBucketMetadataInventoryTableConfiguration", PUT, BUCKET, "metadataInventoryTable"),
    NOT_BUILT("UpdateBucketMetadataJournalTableConfiguration", PUT, BUCKET, "metadataJournalTable"),
    NOT_BUILT("PutBucketMetricsConfiguration", PUT, BUCKET, "metrics"),
    NOT_BUILT("DeleteBucketMetricsConfiguration", DELETE, BUCKET, "metrics"),
    NOT_BUILT("PutBucketNotificationConfiguration", PUT, BUCKET, "notification"),
    NOT_BUILT("PutObjectLockConfiguration", PUT, BUCKET, "object-lock"),
    NOT_BUILT("PutBucketOwnershipControls", PUT, BUCKET, "ownershipControls"),
    NOT_BUILT("PutBucketPolicy", PUT, BUCKET, "policy"),
    NOT_BUILT("PutPublicAccessBlock", PUT, BUCKET, "publicAccessBlock"),
    NOT_BUILT("PutBucketReplication", PUT, BUCKET, "replication"),
    NOT_BUILT("PutBucketRequestPayment", PUT, BUCKET, "requestPayment"),
    NOT_BUILT("PutBucketWebsite", PUT, BUCKET, "website"),
};
/* clang-format on */

/* Parameters that may come with an empty value and are no sub-resource. */
static const char *const parameters[] = {
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "bucket-region",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "id",
    "key-marker",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "partNumber",
    "prefix",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "select-type",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "versionId",
    "x-id",
};

static const char *const methods[ROUTE_METHODS] = {
    [ROUTE_GET] = "GET",   [ROUTE_HEAD] = "HEAD",     [ROUTE_PUT] = "PUT",
    [ROUTE_POST] = "POST", [ROUTE_DELETE] = "DELETE", [ROUTE_OPTIONS] = "OPTIONS",
};

static bool method_of(struct bytes text, enum route_method *ret_method)
{
    for (size_t i = 0; i < ROUTE_METHODS; i++)
        if (bytes_equal_str(text, methods[i])) {
            *ret_method = (enum route_method)i;
            return true;
        }
    return false;
}

/* The table's own text of a sub-resource, NULL where no row has it. */
static const char *subresource_of(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].query && bytes_equal_str(name, routes[i].query))
            return routes[i].query;
    return NULL;
}

static bool is_parameter(struct bytes name)
{
    if (bytes_equal_nocase(bytes_first(name, 6), BYTES_LIT("x-amz-")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
        if (bytes_equal_str(name, parameters[i]))
            return true;
    return false;
}

/* Which sub-resource the query names, NULL where none. */
static enum err_code find_subresource(const struct record_pairs *query, const char **ret_name,
                                      struct err *err)
{
    *ret_name = NULL;
    for (size_t i = 0; i < query->count; i++) {
        struct bytes name = query->items[i].name;
        const char *found = subresource_of(name);
        if (!found && query->items[i].value.len == 0 && !is_parameter(name))
            return s3_fail_because(err, S3_NOT_IMPLEMENTED,
                                   "The sub-resource '%" BYTES_FMT "' is not implemented",
                                   BYTES_ARG(bytes_first(name, 64)));
        if (!found)
            continue;
        if (*ret_name && !bytes_equal_str(name, *ret_name))
            return s3_fail_because(err, S3_INVALID_ARGUMENT,
                                   "Conflicting query string parameters: %s, %s", *ret_name, found);
        *ret_name = found;
    }
    return ERR_OK;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool row_fits(const struct route *row, const struct http_head *head, enum route_scope scope,
                     const char *query)
{
    return row->scope == scope && same(row->query, query) &&
           (!row->header || http_head_find(head, row->header).data);
}

enum err_code route_find(const struct http_head *head, enum route_scope scope,
                         const struct record_pairs *query, const struct route **ret_route,
                         struct err *err)
{
    enum route_method method;
    bool method_known = method_of(head->method, &method);
    bool scope_has_query = false;
    const char *name;
    if (find_subresource(query, &name, err))
        return err->code;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!row_fits(&routes[i], head, scope, name))
            continue;
        if (method_known && routes[i].method == method) {
            *ret_route = &routes[i];
            return ERR_OK;
        }
        scope_has_query = true;
    }
    if (name && !scope_has_query)
        return s3_fail_because(err, S3_NOT_IMPLEMENTED,
                               "The sub-resource '%s' is not implemented here", name);
    return s3_fail(err, S3_METHOD_NOT_ALLOWED);
}

size_t route_count(void)
{
    return ARRAY_LEN(routes);
}

const struct route *route_at(size_t index)
{
    return &routes[index];
}

size_t route_index(const struct route *route)
{
    return (size_t)(route - routes);
}

const char *route_method_name(enum route_method method)
{
    return methods[method];
}
