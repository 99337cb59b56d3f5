/* error.c - see error.h. The tables that translate stand here, by reason and by class. */
#include "storage/s3/error.h"

#include <assert.h>

#include "storage/auth/sign.h"
#include "storage/obj/store.h"

#define S3_ERROR_ROW(symbol, code, status, message)                                                \
    [S3_##symbol - S3_ERROR_FIRST] = {code, status, message},
static const struct error_row rows[S3_ERROR_COUNT] = {S3_ERRORS(S3_ERROR_ROW)};

/* enum store_reason. A version asked for by id that is a marker is refused by
 * the operation, with 405; here it is the latest, so there is no such key. */
static const enum s3_error of_store[] = {
    [STORE_NO_BUCKET] = S3_NO_SUCH_BUCKET,          [STORE_NO_KEY] = S3_NO_SUCH_KEY,
    [STORE_NO_VERSION] = S3_NO_SUCH_VERSION,        [STORE_NO_UPLOAD] = S3_NO_SUCH_UPLOAD,
    [STORE_DELETE_MARKER] = S3_NO_SUCH_KEY,         [STORE_BUCKET_EXISTS] = S3_BUCKET_EXISTS,
    [STORE_BUCKET_NOT_EMPTY] = S3_BUCKET_NOT_EMPTY, [STORE_BAD_PART] = S3_INVALID_PART,
    [STORE_PART_ORDER] = S3_INVALID_PART_ORDER,     [STORE_PART_TOO_SMALL] = S3_ENTITY_TOO_SMALL,
    [STORE_BAD_RANGE] = S3_INVALID_ARGUMENT,        [STORE_BAD_CHECKSUM] = S3_BAD_DIGEST,
    [STORE_BAD_LENGTH] = S3_INVALID_REQUEST,
};

/* enum err_code, for failures without a reason. */
static const enum s3_error of_class[ERR_CODES] = {
    [ERR_OK] = S3_INTERNAL_ERROR,
    [ERR_INVALID] = S3_INVALID_ARGUMENT,
    [ERR_NOT_FOUND] = S3_NO_SUCH_KEY,
    [ERR_EXISTS] = S3_CONDITIONAL_CONFLICT,
    [ERR_PRECONDITION] = S3_PRECONDITION_FAILED,
    [ERR_DENIED] = S3_ACCESS_DENIED,
    [ERR_LIMIT] = S3_ENTITY_TOO_LARGE,
    [ERR_NO_MEMORY] = S3_SERVICE_UNAVAILABLE,
    [ERR_NO_SPACE] = S3_STORAGE_FULL,
    [ERR_IO] = S3_INTERNAL_ERROR,
    [ERR_CORRUPT] = S3_INTERNAL_ERROR,
    [ERR_READ_ONLY] = S3_SERVICE_UNAVAILABLE,
    [ERR_BUSY] = S3_SLOW_DOWN,
    [ERR_TIMEOUT] = S3_REQUEST_TIMEOUT,
    [ERR_CLOSED] = S3_SERVICE_UNAVAILABLE,
    [ERR_UNSUPPORTED] = S3_NOT_IMPLEMENTED,
};

/* enum sign_reason. */
static const enum s3_error of_sign[] = {
    [SIGN_ACCESS_DENIED] = S3_ACCESS_DENIED,
    [SIGN_MALFORMED_HEADER] = S3_AUTHORIZATION_HEADER_MALFORMED,
    [SIGN_MALFORMED_QUERY] = S3_AUTHORIZATION_QUERY_ERROR,
    [SIGN_WRONG_REGION] = S3_AUTHORIZATION_HEADER_MALFORMED,
    [SIGN_MISMATCH] = S3_SIGNATURE_MISMATCH,
    [SIGN_SKEWED] = S3_TIME_TOO_SKEWED,
    [SIGN_EXPIRED] = S3_ACCESS_DENIED,
    [SIGN_BAD_TOKEN] = S3_INVALID_TOKEN,
    [SIGN_EXPIRED_TOKEN] = S3_EXPIRED_TOKEN,
    [SIGN_BAD_PAYLOAD_HEADER] = S3_INVALID_REQUEST,
    [SIGN_TWO_CREDENTIALS] = S3_INVALID_ARGUMENT,
    [SIGN_UNSUPPORTED] = S3_NOT_IMPLEMENTED,
    [SIGN_UNSIGNED_HEADER] = S3_ACCESS_DENIED,
};

static bool is_ours(const struct err *err)
{
    return err->reason >= S3_ERROR_FIRST && err->reason < S3_ERROR_END;
}

const struct error_row *error_row(enum s3_error error)
{
    assert(error >= S3_ERROR_FIRST && error < S3_ERROR_END);
    return &rows[error - S3_ERROR_FIRST];
}

enum s3_error error_of(const struct err *err)
{
    if (is_ours(err))
        return (enum s3_error)err->reason;
    if (err->reason > 0 && (size_t)err->reason < ARRAY_LEN(of_store) && of_store[err->reason])
        return of_store[err->reason];
    return err->code < ERR_CODES ? of_class[err->code] : S3_INTERNAL_ERROR;
}

const char *error_message(const struct err *err)
{
    return is_ours(err) && err->msg[0] ? err->msg : error_row(error_of(err))->message;
}

enum err_code error_from_sign(struct err *err)
{
    if (err->reason > 0 && (size_t)err->reason < ARRAY_LEN(of_sign))
        err->reason = (int)of_sign[err->reason];
    else if (!is_ours(err))
        err->reason = (int)of_class[err->code];
    return err->code;
}
