/* checksum.c - see checksum.h. */
#include "storage/s3/checksum.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"

#define HEADER_PREFIX     "x-amz-checksum-"
#define TRAILER_SIGNATURE "x-amz-trailer-signature"
#define FULL_OBJECT       "FULL_OBJECT"
#define COMPOSITE         "COMPOSITE"

static const struct row {
    const char *name, *header, *element;
    bool may_be_full, may_be_composite; /* of a multipart object */
} rows[HASH_KINDS] = {
    [HASH_SHA1] = {"SHA1", HEADER_PREFIX "sha1", "ChecksumSHA1", false, true},
    [HASH_SHA256] = {"SHA256", HEADER_PREFIX "sha256", "ChecksumSHA256", false, true},
    [HASH_CRC32] = {"CRC32", HEADER_PREFIX "crc32", "ChecksumCRC32", true, true},
    [HASH_CRC32C] = {"CRC32C", HEADER_PREFIX "crc32c", "ChecksumCRC32C", true, true},
    [HASH_CRC64NVME] = {"CRC64NVME", HEADER_PREFIX "crc64nvme", "ChecksumCRC64NVME", true, false},
};

/* Of an upload whose client named no algorithm. */
static const struct checksum_policy undeclared = {true, HASH_CRC64NVME, false};

/* Headers that begin alike and hold no value. */
static const char *const not_values[] = {HEADER_PREFIX "algorithm", HEADER_PREFIX "type",
                                         HEADER_PREFIX "mode"};

static const struct row *row_of(enum hash_kind kind)
{
    assert(kind < HASH_KINDS && rows[kind].name);
    return &rows[kind];
}

const char *checksum_name(enum hash_kind kind)
{
    return row_of(kind)->name;
}

const char *checksum_header(enum hash_kind kind)
{
    return row_of(kind)->header;
}

const char *checksum_element(enum hash_kind kind)
{
    return row_of(kind)->element;
}

const char *checksum_type_name(bool composite)
{
    return composite ? COMPOSITE : FULL_OBJECT;
}

bool checksum_of_name(struct bytes name, enum hash_kind *ret_kind)
{
    for (int kind = 0; kind < HASH_KINDS; kind++)
        if (rows[kind].name && bytes_equal_nocase(name, bytes_of_str(rows[kind].name))) {
            *ret_kind = (enum hash_kind)kind;
            return true;
        }
    return false;
}

bool checksum_of_header(struct bytes header, enum hash_kind *ret_kind)
{
    struct bytes prefix = BYTES_LIT(HEADER_PREFIX);
    return bytes_equal_nocase(bytes_first(header, prefix.len), prefix) &&
           checksum_of_name(bytes_from(header, prefix.len), ret_kind);
}

void checksum_text(const struct record_checksum *checksum, uint32_t parts,
                   char ret_text[CHECKSUM_TEXT_MAX])
{
    struct bytes value = bytes_of(checksum->value.data, checksum->value.len);
    size_t len = CODEC_BASE64_LEN(value.len);
    codec_base64(value, ret_text);
    if (checksum->composite)
        snprintf(ret_text + len, CHECKSUM_TEXT_MAX - len, "-%" PRIu32, parts);
}

bool checksum_parse(enum hash_kind kind, struct bytes text, struct hash_value *ret_value)
{
    struct hash_value value = {.len = hash_len(kind)};
    if (codec_unbase64(text, value.data, sizeof(value.data)) != (ptrdiff_t)value.len)
        return false;
    *ret_value = value;
    return true;
}

static bool is_value_header(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(not_values); i++)
        if (bytes_equal_str(name, not_values[i]))
            return false;
    return bytes_starts_with(name, BYTES_LIT(HEADER_PREFIX));
}

static enum err_code bad_value(enum hash_kind kind, struct err *err)
{
    return s3_fail_because(err, S3_INVALID_REQUEST, "Value for %s header is invalid.",
                           checksum_header(kind));
}

/* The one x-amz-checksum-* field with a value. An unknown kind of checksum
 * cannot be checked, so it is refused.
 *
 * ret_value  data NULL: there is none */
static enum err_code find_value(const struct http_head *head, enum hash_kind *ret_kind,
                                struct bytes *ret_value, struct err *err)
{
    *ret_value = bytes_of(NULL, 0);
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        if (!is_value_header(field->name))
            continue;
        if (ret_value->data)
            return s3_fail_because(err, S3_INVALID_REQUEST,
                                   "Expecting a single x-amz-checksum- header. Multiple checksum "
                                   "Types are not allowed.");
        if (!checksum_of_header(field->name, ret_kind))
            return s3_fail_because(err, S3_NOT_IMPLEMENTED,
                                   "The checksum of the header '%" BYTES_FMT "' is not implemented",
                                   BYTES_ARG(bytes_first(field->name, 64)));
        *ret_value = field->value.data ? field->value : BYTES_LIT("");
    }
    return ERR_OK;
}

static enum err_code read_value(const struct http_head *head, struct checksum_request *request,
                                struct err *err)
{
    struct bytes text;
    enum err_code code = find_value(head, &request->kind, &text, err);
    if (code || !text.data)
        return code;
    request->declared = true;
    return checksum_parse(request->kind, text, &request->expected) ? ERR_OK
                                                                   : bad_value(request->kind, err);
}

/* x-amz-trailer: the names of the fields to come, one checksum among them at most. */
static enum err_code read_announcement(const struct http_head *head,
                                       struct checksum_request *request, struct err *err)
{
    struct bytes list = http_head_find(head, "x-amz-trailer"), name;
    while (list.len > 0) {
        bytes_cut(&list, ',', &name);
        name = bytes_trim(name);
        if (bytes_equal_nocase(name, BYTES_LIT(TRAILER_SIGNATURE)))
            continue;
        if (request->declared)
            return s3_fail_because(err, S3_INVALID_REQUEST,
                                   "Expecting a single checksum, in a header or in the trailer");
        if (!checksum_of_header(name, &request->kind))
            return s3_fail_because(
                err, S3_INVALID_REQUEST,
                "The value specified in the x-amz-trailer header is not supported");
        request->declared = request->in_trailer = true;
    }
    return ERR_OK;
}

/* x-amz-sdk-checksum-algorithm adds nothing, but must agree with the rest. */
static enum err_code check_sdk_algorithm(const struct http_head *head,
                                         const struct checksum_request *request, struct err *err)
{
    struct bytes name = http_head_find(head, "x-amz-sdk-checksum-algorithm");
    enum hash_kind kind;
    if (!name.data)
        return ERR_OK;
    if (!checksum_of_name(name, &kind) || (request->declared && kind != request->kind))
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    if (!request->declared)
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                               "x-amz-checksum-* or x-amz-trailer headers were found.");
    return ERR_OK;
}

enum err_code checksum_read_md5(const struct http_head *head, struct hash_value *ret_md5,
                                struct err *err)
{
    struct bytes text = http_head_find(head, "content-md5");
    if (text.data && !checksum_parse(HASH_MD5, text, ret_md5))
        return s3_fail(err, S3_INVALID_DIGEST);
    return ERR_OK;
}

enum err_code checksum_read(const struct http_head *head, struct checksum_request *ret_request,
                            struct err *err)
{
    struct checksum_request request = {.declared = false};
    enum err_code code = read_value(head, &request, err);
    if (code == ERR_OK)
        code = read_announcement(head, &request, err);
    if (code == ERR_OK)
        code = check_sdk_algorithm(head, &request, err);
    if (code == ERR_OK)
        code = checksum_read_md5(head, &request.md5, err);
    if (code == ERR_OK)
        *ret_request = request;
    return code;
}

enum err_code checksum_take_trailer(struct checksum_request *request,
                                    const struct record_pairs *trailer, struct err *err)
{
    enum hash_kind kind;
    for (size_t i = 0; i < trailer->count; i++) {
        const struct record_pair *field = &trailer->items[i];
        if (!request->in_trailer || request->expected.len > 0 ||
            !checksum_of_header(field->name, &kind) || kind != request->kind)
            return s3_fail_because(err, S3_INVALID_REQUEST,
                                   "The trailer '%" BYTES_FMT "' was not announced",
                                   BYTES_ARG(bytes_first(field->name, 64)));
        if (!checksum_parse(kind, field->value, &request->expected))
            return bad_value(kind, err);
    }
    if (request->in_trailer && request->expected.len == 0)
        return s3_fail_because(err, S3_INCOMPLETE_BODY,
                               "The trailer '%s' was announced and did not come",
                               checksum_header(request->kind));
    return ERR_OK;
}

enum err_code checksum_verify(enum hash_kind kind, const struct hash_value *expected,
                              const struct hash_value *computed, struct err *err)
{
    if (expected->len == 0 || bytes_equal(bytes_of(expected->data, expected->len),
                                          bytes_of(computed->data, computed->len)))
        return ERR_OK;
    return s3_fail_because(err, S3_BAD_DIGEST,
                           "The %s you specified did not match the calculated checksum.",
                           kind == HASH_MD5 ? "Content-MD5" : checksum_name(kind));
}

/* A type's name. */
static bool parse_type(struct bytes text, bool *ret_composite)
{
    *ret_composite = bytes_equal_nocase(text, BYTES_LIT(COMPOSITE));
    return *ret_composite || bytes_equal_nocase(text, BYTES_LIT(FULL_OBJECT));
}

static enum err_code read_policy_type(struct bytes type, struct checksum_policy *policy,
                                      struct err *err)
{
    const struct row *row = row_of(policy->kind);
    policy->composite = row->may_be_composite;
    if (type.data && !parse_type(type, &policy->composite))
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "Value for x-amz-checksum-type header is invalid.");
    if (policy->composite ? row->may_be_composite : row->may_be_full)
        return ERR_OK;
    return s3_fail_because(err, S3_INVALID_REQUEST,
                           "The %s checksum type cannot be used with the %s checksum algorithm.",
                           checksum_type_name(policy->composite), row->name);
}

enum err_code checksum_read_policy(const struct http_head *head, struct checksum_policy *ret_policy,
                                   struct err *err)
{
    struct bytes algorithm = http_head_find(head, HEADER_PREFIX "algorithm");
    struct bytes type = http_head_find(head, HEADER_PREFIX "type");
    struct checksum_policy policy = {.declared = algorithm.data != NULL};
    if (!policy.declared && type.data)
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "The x-amz-checksum-type header can only be used with the "
                               "x-amz-checksum-algorithm header.");
    if (policy.declared && !checksum_of_name(algorithm, &policy.kind))
        return s3_fail_because(err, S3_INVALID_REQUEST,
                               "Checksum algorithm provided is unsupported. Please try again with "
                               "any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    if (policy.declared && read_policy_type(type, &policy, err))
        return err->code;
    *ret_policy = policy;
    return ERR_OK;
}

/* Cut -N off a composite value; N must be the number of parts where it is there. */
static bool cut_parts(struct bytes *text, uint32_t parts)
{
    struct bytes rest = *text;
    uint64_t number;
    if (!bytes_cut(&rest, '-', text))
        return true;
    return bytes_to_u64(rest, UINT32_MAX, &number) && number == parts;
}

/* x-amz-checksum-type of a Complete must be the upload's. */
static enum err_code check_type(const struct http_head *head, const struct checksum_policy *policy,
                                struct err *err)
{
    struct bytes type = http_head_find(head, HEADER_PREFIX "type");
    bool composite;
    if (!type.data || (parse_type(type, &composite) && composite == policy->composite))
        return ERR_OK;
    return s3_fail_because(err, S3_INVALID_REQUEST,
                           "The upload was created with the checksum type %s.",
                           checksum_type_name(policy->composite));
}

/* `checksum->kind` is what the header's name says. */
static enum err_code read_object_value(struct bytes text, const struct checksum_policy *policy,
                                       uint32_t parts, struct record_checksum *checksum,
                                       struct err *err)
{
    if (checksum->kind != policy->kind)
        return s3_fail_because(err, S3_BAD_DIGEST,
                               "The upload was created using the %s checksum algorithm.",
                               checksum_name(policy->kind));
    if ((policy->composite && !cut_parts(&text, parts)) ||
        !checksum_parse(checksum->kind, text, &checksum->value))
        return bad_value(checksum->kind, err);
    checksum->composite = policy->composite;
    checksum->present = true;
    return ERR_OK;
}

enum err_code checksum_read_object(const struct http_head *head,
                                   const struct checksum_policy *policy, uint32_t parts,
                                   struct record_checksum *ret_checksum, struct err *err)
{
    struct record_checksum checksum = {.present = false};
    struct bytes text;
    enum err_code code = find_value(head, &checksum.kind, &text, err);
    if (!policy->declared)
        policy = &undeclared;
    if (code == ERR_OK)
        code = check_type(head, policy, err);
    if (code == ERR_OK && text.data)
        code = read_object_value(text, policy, parts, &checksum, err);
    if (code == ERR_OK)
        *ret_checksum = checksum;
    return code;
}
