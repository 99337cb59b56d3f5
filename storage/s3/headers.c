/* headers.c - see headers.h. */
#include "storage/s3/headers.h"

#define HEADERS_COMMON BYTES_LIT("x-amz-")
#define HEADERS_OWN    BYTES_LIT("x-valise-")

struct header_row {
    const char *name;   /* lower case, without "x-amz-" */
    size_t len;         /* of name */
    bool is_prefix;     /* whatever begins so */
    const char *values; /* allowed ones, separated by '|'; NULL = any */
};

/* Any value: read by an operation, by sign.h, or without effect here. */
#define ANY(name)                                                                                  \
    {                                                                                              \
        name, sizeof(name) - 1, false, NULL                                                        \
    }
#define ANY_PREFIX(name)                                                                           \
    {                                                                                              \
        name, sizeof(name) - 1, true, NULL                                                         \
    }
/* Only these values, which ask for what is so anyway. */
#define ONLY(name, values)                                                                         \
    {                                                                                              \
        name, sizeof(name) - 1, false, values                                                      \
    }

/* Frequent ones first. */
static const struct header_row rows[] = {
    ANY("content-sha256"),
    ANY("date"),
    ANY("security-token"),
    ANY_PREFIX("meta-"),
    ANY_PREFIX("checksum-"),
    ANY("sdk-checksum-algorithm"),
    ANY("decoded-content-length"),
    ANY("trailer"),
    ANY("user-agent"),
    ANY("tagging"),
    ANY("tagging-directive"),
    ANY("metadata-directive"),
    ANY("copy-source"),
    ANY("copy-source-range"),
    ANY_PREFIX("copy-source-if-"),
    ANY("object-attributes"),
    ANY("max-parts"),
    ANY("part-number-marker"),
    ANY("mp-object-size"),
    ANY("expected-bucket-owner"),
    ANY("source-expected-bucket-owner"),
    /* Parameters of presigned requests. */
    ANY("algorithm"),
    ANY("credential"),
    ANY("expires"),
    ANY("signedheaders"),
    ANY("signature"),
    /* Nothing is locked, archived or paid for here. */
    ANY("bypass-governance-retention"),
    ANY("confirm-remove-self-bucket-access"),
    ANY("mfa"),
    ANY("optional-object-attributes"),
    ANY("transition-default-minimum-object-size"),
    ANY("te"),
    ONLY("request-payer", "requester"),
    ONLY("acl", "private|bucket-owner-full-control"),
    ONLY("storage-class", "STANDARD"),
    ONLY("object-ownership", "BucketOwnerEnforced"),
    ONLY("bucket-object-lock-enabled", "false|False"),
    ONLY("object-lock-legal-hold", "OFF"),
    ONLY("server-side-encryption-bucket-key-enabled", "false|False"),
};

static bool value_allowed(const char *values, struct bytes value)
{
    struct bytes rest = bytes_of_str(values), allowed;
    while (rest.len > 0) {
        bytes_cut(&rest, '|', &allowed);
        if (bytes_equal(allowed, value))
            return true;
    }
    return false;
}

static bool row_names(const struct header_row *row, struct bytes name)
{
    return (row->is_prefix ? name.len >= row->len : name.len == row->len) &&
           memcmp(name.data, row->name, row->len) == 0;
}

static bool is_known(const struct http_field *field)
{
    struct bytes name = bytes_from(field->name, HEADERS_COMMON.len);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (row_names(&rows[i], name))
            return !rows[i].values || value_allowed(rows[i].values, field->value);
    return false;
}

enum err_code headers_check(const struct http_head *head, struct bytes *ret_name, struct err *err)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        *ret_name = field->name;
        if (bytes_starts_with(field->name, HEADERS_OWN))
            return s3_fail_because(err, S3_INVALID_ARGUMENT,
                                   "The header '%" BYTES_FMT "' is kept for this server's own use",
                                   BYTES_ARG(bytes_first(field->name, 64)));
        if (bytes_starts_with(field->name, HEADERS_COMMON) && !is_known(field))
            return s3_fail_because(
                err, S3_NOT_IMPLEMENTED,
                "The header '%" BYTES_FMT
                "' with this value implies functionality that is not implemented",
                BYTES_ARG(bytes_first(field->name, 64)));
    }
    return ERR_OK;
}
