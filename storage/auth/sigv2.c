/* sigv2.c - signature version 2: HMAC-SHA1 over
 *
 *     method LF content-md5 LF content-type LF date or expiry LF
 *     { x-amz-name ':' values LF }… path [ '?' sub-resources ]
 *
 * Parameters that are no sub-resource are not signed (prefix, max-keys), so
 * every parameter that chooses or changes an operation is in the table. Some of
 * those are younger than version 2, and its clients do not sign them: such a
 * request is refused, for else a presigned URL could be bent by adding them.
 * x-amz-* in the query counts as a header, as boto3 presigns them.
 *
 * Threads   any. */
#include "storage/auth/sigv2.h"

#include <stdlib.h>

#include "base/codec.h"
#include "storage/auth/text.h"

#define SHA1_LEN      20
#define SIGNATURE_LEN CODEC_BASE64_LEN(SHA1_LEN)

static const char *const sub_resources[] = {
    "accelerate",
    "acl",
    "analytics",
    "append",
    "attributes",
    "cors",
    "defaultObjectAcl",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

/* What the client says, before anything is proved. */
struct claim {
    enum sign_mode mode;
    struct bytes access_key, signature;
    struct bytes date; /* the line that is signed */
};

static bool is_sub_resource(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(sub_resources); i++)
        if (bytes_equal_str(name, sub_resources[i]))
            return true;
    return false;
}

/* A header that is signed, from the head or from the query. */
struct amz_header {
    struct bytes name, value;
    size_t order; /* of arrival */
};

struct amz_headers {
    struct amz_header *headers;
    size_t count;
    size_t bytes; /* of the lines they make, at most */
};

static bool is_amz(struct bytes name)
{
    static const struct bytes prefix = BYTES_LIT("x-amz-");
    return bytes_equal_nocase(bytes_first(name, prefix.len), prefix);
}

static void add_header(struct amz_headers *list, struct bytes name, struct bytes value)
{
    list->headers[list->count] = (struct amz_header){name, bytes_trim(value), list->count};
    list->count++;
    list->bytes += name.len + value.len + 2;
}

/* data is NULL when memory is out. */
static struct bytes lower(struct arena *arena, struct bytes name)
{
    uint8_t *text = arena_alloc_raw(arena, name.len);
    for (size_t i = 0; i < name.len && text; i++) {
        uint8_t c = name.data[i];
        text[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    return bytes_of(text, name.len);
}

static enum err_code add_param(struct proof *proof, struct amz_headers *list,
                               const struct canonical_param *param)
{
    struct bytes name = lower(proof->arena, param->name);
    struct bytes value = canonical_decode(proof->arena, param->raw_value, true);
    if (!name.data || !value.data)
        return err_fail(proof->err, ERR_NO_MEMORY, "reading the signed headers");
    add_header(list, name, value);
    return ERR_OK;
}

static int compare_headers(const void *a, const void *b)
{
    const struct amz_header *left = a, *right = b;
    int order = bytes_compare(left->name, right->name);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static enum err_code collect_headers(struct proof *proof, struct amz_headers *ret_list)
{
    const struct http_head *head = proof->head;
    size_t room = head->field_count + proof->query.count;
    *ret_list =
        (struct amz_headers){arena_alloc_raw(proof->arena, room * sizeof(struct amz_header)), 0, 0};
    if (!ret_list->headers)
        return err_fail(proof->err, ERR_NO_MEMORY, "reading the signed headers");
    for (size_t i = 0; i < head->field_count; i++)
        if (is_amz(head->fields[i].name))
            add_header(ret_list, head->fields[i].name, head->fields[i].value);
    for (size_t i = 0; i < proof->query.count; i++) {
        enum err_code code = is_amz(proof->query.params[i].name)
                                 ? add_param(proof, ret_list, &proof->query.params[i])
                                 : ERR_OK;
        if (code != ERR_OK)
            return code;
    }
    qsort(ret_list->headers, ret_list->count, sizeof(*ret_list->headers), compare_headers);
    return ERR_OK;
}

static void put_headers(struct text *text, const struct amz_headers *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct amz_header *header = &list->headers[i];
        bool is_first = i == 0 || !bytes_equal(header[-1].name, header->name);
        bool is_last = i + 1 == list->count || !bytes_equal(header[1].name, header->name);
        if (is_first) {
            text_put(text, header->name);
            text_put_char(text, ':');
        }
        text_put(text, header->value);
        text_put_char(text, is_last ? '\n' : ',');
    }
}

/* The sub-resources, sorted, their values decoded. */
static enum err_code put_sub_resources(struct proof *proof, struct text *text)
{
    char separator = '?';
    for (size_t i = 0; i < proof->query.count; i++) {
        const struct canonical_param *param = &proof->query.params[i];
        if (!is_sub_resource(param->name))
            continue;
        struct bytes value = canonical_decode(proof->arena, param->raw_value, true);
        if (!value.data)
            return err_fail(proof->err, ERR_NO_MEMORY, "reading the query");
        text_put_char(text, separator);
        text_put(text, param->name);
        if (param->has_equals)
            text_put_char(text, '=');
        text_put(text, value);
        separator = '&';
    }
    return ERR_OK;
}

/* The bucket in a host BUCKET.domain; empty where the host is not of that form. */
static struct bytes bucket_of_host(struct bytes host, struct bytes domain)
{
    struct bytes name;
    bytes_cut(&host, ':', &name);
    if (domain.len == 0 || name.len < domain.len + 2 ||
        name.data[name.len - domain.len - 1] != '.' ||
        !bytes_equal_nocase(bytes_from(name, name.len - domain.len), domain))
        return bytes_of(NULL, 0);
    return bytes_first(name, name.len - domain.len - 1);
}

/* A header; where the query may hold what presigning took from the headers, from there. */
static enum err_code find_header(struct proof *proof, const struct claim *claim, const char *name,
                                 struct bytes *ret_value)
{
    *ret_value = http_head_find(proof->head, name);
    if (ret_value->data || claim->mode != SIGN_V2_QUERY)
        return ERR_OK;
    return proof_param(proof, name, ret_value);
}

static enum err_code string_to_sign(struct proof *proof, const struct claim *claim,
                                    struct bytes path_end, struct bytes *ret_text)
{
    struct bytes md5, type;
    struct amz_headers headers;
    struct text text;
    const struct http_head *head = proof->head;
    struct bytes bucket = bucket_of_host(http_head_find(head, "host"), proof->rules->domain);
    enum err_code code = find_header(proof, claim, "content-md5", &md5);
    if (code == ERR_OK)
        code = find_header(proof, claim, "content-type", &type);
    if (code == ERR_OK)
        code = collect_headers(proof, &headers);
    if (code != ERR_OK)
        return code;
    if (!text_init(&text, proof->arena,
                   head->method.len + md5.len + type.len + claim->date.len + headers.bytes +
                       bucket.len + head->path.len + path_end.len + head->query.len + 8))
        return err_fail(proof->err, ERR_NO_MEMORY, "building the string to sign");
    text_put_line(&text, head->method);
    text_put_line(&text, md5);
    text_put_line(&text, type);
    text_put_line(&text, claim->date);
    put_headers(&text, &headers);
    if (bucket.len > 0)
        text_put_char(&text, '/');
    text_put(&text, bucket);
    text_put(&text, head->path);
    text_put(&text, path_end);
    code = put_sub_resources(proof, &text);
    *ret_text = text_bytes(&text);
    return code;
}

static bool is_equal(const struct claim *claim, const char *secret, struct bytes text)
{
    uint8_t mac[SHA1_LEN];
    char expected[SIGNATURE_LEN + 1];
    hash_hmac_sha1(bytes_of_str(secret), text, mac);
    codec_base64(bytes_of(mac, sizeof(mac)), expected);
    return hash_equal_secret(bytes_of(expected, SIGNATURE_LEN), claim->signature);
}

/* Path style, and nothing behind the bucket: "/bucket". */
static bool is_bare_bucket(const struct proof *proof)
{
    struct bytes path = proof->head->path;
    struct bytes host = http_head_find(proof->head, "host");
    return path.len > 1 && bytes_find(bytes_from(path, 1), '/') < 0 &&
           bucket_of_host(host, proof->rules->domain).len == 0;
}

/* Clients sign the resource "/bucket" with a slash behind it, whether they send
 * one or not; some sign what they send. */
static enum err_code match(struct proof *proof, const struct claim *claim, const char *secret,
                           bool *ret_equal)
{
    struct bytes text;
    enum err_code code = string_to_sign(proof, claim, bytes_of(NULL, 0), &text);
    if (code != ERR_OK)
        return code;
    *ret_equal = is_equal(claim, secret, text);
    if (!is_bare_bucket(proof))
        return ERR_OK;
    code = string_to_sign(proof, claim, BYTES_LIT("/"), &text);
    if (code == ERR_OK)
        *ret_equal |= is_equal(claim, secret, text);
    return code;
}

static enum err_code judge(struct proof *proof, const struct claim *claim)
{
    const struct proof_claim who = {.id = claim->access_key, .access_key = claim->access_key};
    struct bytes payload;
    struct proof_key key;
    bool equal;
    if (claim->access_key.len == 0 || claim->access_key.len > AUTH_KEY_ID_MAX)
        return proof_deny(proof, SIGN_ACCESS_DENIED, "the access key is empty or too long");
    enum err_code code = proof_payload(proof, claim->mode, &payload);
    if (code == ERR_OK)
        code = proof_key_find(proof, &who, &key);
    if (code != ERR_OK)
        return code;
    code = match(proof, claim, key.entry.secret.secret, &equal);
    if (code == ERR_OK)
        code = proof_judge(proof, &who, &key, equal);
    if (code == ERR_OK)
        proof->ret->mode = claim->mode;
    seal_wipe(&key, sizeof(key));
    return code;
}

enum err_code sigv2_header(struct proof *proof)
{
    struct claim claim = {.mode = SIGN_V2_HEADER};
    struct bytes rest = bytes_from(http_head_find(proof->head, "authorization"), strlen("AWS "));
    struct bytes amz_date = http_head_find(proof->head, "x-amz-date");
    struct bytes date = amz_date.data ? amz_date : http_head_find(proof->head, "date");
    uint64_t when_unix_ms;
    if (!bytes_cut(&rest, ':', &claim.access_key))
        return err_fail_reason(proof->err, ERR_INVALID, SIGN_MALFORMED_HEADER,
                               "expecting AWS KEY:SIGNATURE");
    claim.access_key = bytes_trim(claim.access_key);
    claim.signature = rest;
    claim.date = amz_date.data ? bytes_of(NULL, 0) : date;
    if (!date.data || clock_parse((const char *)date.data, date.len, &when_unix_ms) != 0)
        return proof_deny(proof, SIGN_ACCESS_DENIED, "a valid x-amz-date or Date is required");
    enum err_code code = proof_skew(proof, when_unix_ms);
    return code == ERR_OK ? judge(proof, &claim) : code;
}

/* Base64 has '+', which some clients do not encode: it is no space here. */
static enum err_code read_signature(struct proof *proof, struct bytes *ret_signature)
{
    size_t count;
    const struct canonical_param *param = canonical_query_find(&proof->query, "Signature", &count);
    if (count != 1)
        return proof_deny(proof, SIGN_ACCESS_DENIED,
                          "AWSAccessKeyId, Expires and Signature are needed, each once");
    *ret_signature = canonical_decode(proof->arena, param->raw_value, false);
    return ret_signature->data ? ERR_OK
                               : err_fail(proof->err, ERR_NO_MEMORY, "reading the signature");
}

enum err_code sigv2_query(struct proof *proof)
{
    struct claim claim = {.mode = SIGN_V2_QUERY};
    uint64_t expires_s;
    enum err_code code = read_signature(proof, &claim.signature);
    if (code == ERR_OK)
        code = proof_param(proof, "AWSAccessKeyId", &claim.access_key);
    if (code == ERR_OK)
        code = proof_param(proof, "Expires", &claim.date);
    if (code != ERR_OK)
        return code;
    if (!bytes_to_u64(claim.date, UINT64_MAX / 1000, &expires_s))
        return proof_deny(proof, SIGN_ACCESS_DENIED, "Expires must be seconds since 1970");
    if (proof->now_unix_ms > expires_s * 1000)
        return proof_deny(proof, SIGN_EXPIRED, "Request has expired");
    return judge(proof, &claim);
}
