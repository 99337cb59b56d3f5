/* error.h - S3's errors: one table of codes, and how our own errors become one.
 *
 * A failure in this folder is a struct err whose reason is an enum s3_error:
 *     return s3_fail(err, S3_NO_SUCH_KEY);
 *     return s3_fail_because(err, S3_INVALID_ARGUMENT, "max-keys is not a number");
 * Errors of the store keep their own reasons; error_of() knows those. Errors of
 * sign.h are translated where they come in, by error_from_sign().
 *
 * Not here  XML and sending (reply.h).
 * Threads   pure.
 * Source    Amazon S3 API Reference, "Error responses". */
#ifndef STORAGE_S3_ERROR_H
#define STORAGE_S3_ERROR_H

#include "base/err.h"

/*  symbol, code on the wire, HTTP status, message where the failure brings none */
#define S3_ERRORS(X)                                                                               \
    X(ACCESS_DENIED, "AccessDenied", 403, "Access Denied")                                         \
    X(ACCESS_FORBIDDEN, "AccessForbidden", 403,                                                    \
      "CORSResponse: CORS is not enabled for this bucket.")                                        \
    X(AUTHORIZATION_HEADER_MALFORMED, "AuthorizationHeaderMalformed", 400,                         \
      "The authorization header you provided is invalid.")                                         \
    X(AUTHORIZATION_QUERY_ERROR, "AuthorizationQueryParametersError", 400,                         \
      "The authorization query parameters you provided are invalid.")                              \
    X(BAD_DIGEST, "BadDigest", 400,                                                                \
      "The Content-MD5 or checksum value you specified did not match what we received.")           \
    X(BAD_REQUEST, "BadRequest", 400, "The request is not valid.")                                 \
    X(BUCKET_EXISTS, "BucketAlreadyExists", 409,                                                   \
      "The requested bucket name is not available. Select a different name and try again.")        \
    X(BUCKET_YOURS, "BucketAlreadyOwnedByYou", 409,                                                \
      "Your previous request to create the named bucket succeeded and you already own it.")        \
    X(BUCKET_NOT_EMPTY, "BucketNotEmpty", 409, "The bucket you tried to delete is not empty.")     \
    X(CONDITIONAL_CONFLICT, "ConditionalRequestConflict", 409,                                     \
      "A conflicting operation occurred during the request. Try again.")                           \
    X(ENTITY_TOO_LARGE, "EntityTooLarge", 400,                                                     \
      "Your proposed upload exceeds the maximum allowed size.")                                    \
    X(ENTITY_TOO_SMALL, "EntityTooSmall", 400,                                                     \
      "Your proposed upload is smaller than the minimum allowed size.")                            \
    X(EXPIRED_TOKEN, "ExpiredToken", 400, "The provided token has expired.")                       \
    X(ILLEGAL_LOCATION, "IllegalLocationConstraintException", 400,                                 \
      "The location constraint is incompatible for the region specific endpoint this request "     \
      "was sent to.")                                                                              \
    X(ILLEGAL_VERSIONING, "IllegalVersioningConfigurationException", 400,                          \
      "The versioning configuration specified in the request is invalid.")                         \
    X(INCOMPLETE_BODY, "IncompleteBody", 400,                                                      \
      "You did not provide the number of bytes specified by the Content-Length HTTP header.")      \
    X(INTERNAL_ERROR, "InternalError", 500, "We encountered an internal error. Please try again.") \
    X(INVALID_ARGUMENT, "InvalidArgument", 400, "Invalid Argument")                                \
    X(INVALID_BUCKET_NAME, "InvalidBucketName", 400, "The specified bucket is not valid.")         \
    X(INVALID_DIGEST, "InvalidDigest", 400, "The Content-MD5 you specified is not valid.")         \
    X(INVALID_LOCATION, "InvalidLocationConstraint", 400,                                          \
      "The specified location constraint is not valid.")                                           \
    X(INVALID_PART, "InvalidPart", 400,                                                            \
      "One or more of the specified parts could not be found. The part may not have been "         \
      "uploaded, or the specified entity tag may not match the part's entity tag.")                \
    X(INVALID_PART_NUMBER, "InvalidPartNumber", 416,                                               \
      "The requested partnumber is not satisfiable")                                               \
    X(INVALID_PART_ORDER, "InvalidPartOrder", 400,                                                 \
      "The list of parts was not in ascending order. Parts must be ordered by part number.")       \
    X(INVALID_RANGE, "InvalidRange", 416, "The requested range is not satisfiable")                \
    X(INVALID_REQUEST, "InvalidRequest", 400, "Invalid Request")                                   \
    X(INVALID_TAG, "InvalidTag", 400, "The tag provided was not a valid tag.")                     \
    X(INVALID_TOKEN, "InvalidToken", 400, "The provided token is malformed or otherwise invalid.") \
    X(INVALID_URI, "InvalidURI", 400, "Couldn't parse the specified URI.")                         \
    X(KEY_TOO_LONG, "KeyTooLongError", 400, "Your key is too long")                                \
    X(MALFORMED_XML, "MalformedXML", 400,                                                          \
      "The XML you provided was not well-formed or did not validate against our published schema") \
    X(MAX_MESSAGE_LENGTH, "MaxMessageLengthExceeded", 400, "Your request was too big.")            \
    X(METADATA_TOO_LARGE, "MetadataTooLarge", 400,                                                 \
      "Your metadata headers exceed the maximum allowed metadata size")                            \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405,                                                 \
      "The specified method is not allowed against this resource.")                                \
    X(MISSING_LENGTH, "MissingContentLength", 411,                                                 \
      "You must provide the Content-Length HTTP header.")                                          \
    X(NO_SUCH_BUCKET, "NoSuchBucket", 404, "The specified bucket does not exist")                  \
    X(NO_SUCH_POLICY, "NoSuchBucketPolicy", 404, "The bucket policy does not exist")               \
    X(NO_SUCH_CONFIGURATION, "NoSuchConfiguration", 404,                                           \
      "The specified configuration does not exist.")                                               \
    X(NO_SUCH_CORS, "NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")       \
    X(NO_SUCH_KEY, "NoSuchKey", 404, "The specified key does not exist.")                          \
    X(NO_SUCH_LIFECYCLE, "NoSuchLifecycleConfiguration", 404,                                      \
      "The lifecycle configuration does not exist")                                                \
    X(NO_SUCH_ACCESS_BLOCK, "NoSuchPublicAccessBlockConfiguration", 404,                           \
      "The public access block configuration was not found")                                       \
    X(NO_SUCH_TAG_SET, "NoSuchTagSet", 404, "The TagSet does not exist")                           \
    X(NO_SUCH_UPLOAD, "NoSuchUpload", 404,                                                         \
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have " \
      "been aborted or completed.")                                                                \
    X(NO_SUCH_VERSION, "NoSuchVersion", 404, "The specified version does not exist.")              \
    X(NO_SUCH_WEBSITE, "NoSuchWebsiteConfiguration", 404,                                          \
      "The specified bucket does not have a website configuration")                                \
    X(NOT_IMPLEMENTED, "NotImplemented", 501,                                                      \
      "A header you provided implies functionality that is not implemented")                       \
    X(NOT_MODIFIED, "NotModified", 304, "Not Modified")                                            \
    X(NO_OBJECT_LOCK, "ObjectLockConfigurationNotFoundError", 404,                                 \
      "Object Lock configuration does not exist for this bucket")                                  \
    X(NO_OWNERSHIP_CONTROLS, "OwnershipControlsNotFoundError", 404,                                \
      "The bucket ownership controls were not found")                                              \
    X(PRECONDITION_FAILED, "PreconditionFailed", 412,                                              \
      "At least one of the pre-conditions you specified did not hold")                             \
    X(NO_REPLICATION, "ReplicationConfigurationNotFoundError", 404,                                \
      "The replication configuration was not found")                                               \
    X(REQUEST_TIMEOUT, "RequestTimeout", 400,                                                      \
      "Your socket connection to the server was not read from or written to within the timeout "   \
      "period.")                                                                                   \
    X(TIME_TOO_SKEWED, "RequestTimeTooSkewed", 403,                                                \
      "The difference between the request time and the current time is too large.")                \
    X(NO_ENCRYPTION, "ServerSideEncryptionConfigurationNotFoundError", 404,                        \
      "The server side encryption configuration was not found")                                    \
    X(SERVICE_UNAVAILABLE, "ServiceUnavailable", 503, "Service is unable to handle request.")      \
    X(SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403,                                            \
      "The request signature we calculated does not match the signature you provided. Check your " \
      "key and signing method.")                                                                   \
    X(SLOW_DOWN, "SlowDown", 503, "Please reduce your request rate.")                              \
    X(STORAGE_FULL, "StorageFull", 507,                                                            \
      "Storage backend has reached its minimum free drive threshold. Please delete a few objects " \
      "to proceed.")                                                                               \
    X(TOO_MANY_BUCKETS, "TooManyBuckets", 400,                                                     \
      "You have attempted to create more buckets than allowed.")                                   \
    X(SHA256_MISMATCH, "XAmzContentSHA256Mismatch", 400,                                           \
      "The provided 'x-amz-content-sha256' header does not match what was computed.")

#define S3_ERROR_FIRST                                 1000 /* above the reasons of store.h and sign.h */
#define S3_ERROR_SYMBOL(symbol, code, status, message) S3_##symbol,
enum s3_error {
    S3_ERROR_NONE = S3_ERROR_FIRST - 1,
    S3_ERRORS(S3_ERROR_SYMBOL) S3_ERROR_END /* one past the last */
};
#define S3_ERROR_COUNT (S3_ERROR_END - S3_ERROR_FIRST)

struct error_row {
    const char *code; /* as on the wire */
    int status;       /* HTTP */
    const char *message;
};

/* The table's row; `error` must be one of the enum's. */
const struct error_row *error_row(enum s3_error error);

/* Fail with an S3 error, with the table's message or with better words. */
#define s3_fail(err, error) err_set((err), ERR_INVALID, (int)(error), ERR_AT, "%s", "")
#define s3_fail_because(err, error, ...)                                                           \
    err_set((err), ERR_INVALID, (int)(error), ERR_AT, __VA_ARGS__)

/* What S3 calls this failure. Anything that is not the client's doing is
 * InternalError, ServiceUnavailable or StorageFull. */
enum s3_error error_of(const struct err *err);

/* The words for the client: the failure's own where they were chosen here, the
 * table's where there are none or they speak of our insides. */
const char *error_message(const struct err *err);

/* Turn a failure of sign.h, in place, into one of this table.
 *
 * returns  err->code */
enum err_code error_from_sign(struct err *err);

#endif
