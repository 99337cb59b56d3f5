/* sigv4.c - AWS Signature Version 4.
 *
 *     Authorization: AWS4-HMAC-SHA256 Credential=AK/20261124/us-east-1/s3/aws4_request,
 *                    SignedHeaders=host;x-amz-date, Signature=hex
 *     ?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=…
 *      &X-Amz-SignedHeaders=…&X-Amz-Signature=…
 *
 * Both are read into a claim, which then goes one way: the rules, the key, the signature.
 *
 * Threads   any. */
#include "storage/auth/sigv4.h"

#include "base/codec.h"
#include "storage/auth/text.h"

#define ALGORITHM       "AWS4-HMAC-SHA256"
#define ALGORITHM_ECDSA "AWS4-ECDSA-P256-SHA256"
#define SIGNATURE_LEN   (2 * HASH_HMAC_LEN) /* hex digits */

/* What the client says, before anything is proved. */
struct claim {
    enum sign_mode mode;
    struct bytes credential, signed_headers, signature;
    struct proof_claim key;
    struct bytes scope; /* the credential behind the access key */
    char date[SIGV4_DATE_LEN + 1];
    struct bytes payload; /* last line of the canonical request */
};

void sigv4_format_date(uint64_t unix_ms, char ret_date[SIGV4_DATE_LEN + 1])
{
    char iso[CLOCK_TEXT_MAX]; /* 2026-11-24T10:16:19.000Z */
    size_t len = 0;
    clock_format_iso(unix_ms, iso);
    for (const char *at = iso; *at != '.' && len < SIGV4_DATE_LEN - 1; at++)
        if (*at != '-' && *at != ':')
            ret_date[len++] = *at;
    ret_date[len++] = 'Z';
    ret_date[len] = '\0';
}

struct bytes sigv4_string_to_sign(struct arena *arena, struct bytes date, struct bytes scope,
                                  struct bytes canonical)
{
    char hex[2 * HASH_BYTES_MAX + 1];
    struct hash_value sha256 = hash_once(HASH_SHA256, canonical);
    struct text text;
    codec_hex(bytes_of(sha256.data, sha256.len), hex);
    if (!text_init(&text, arena, sizeof(ALGORITHM) + date.len + scope.len + sizeof(hex) + 4))
        return bytes_of(NULL, 0);
    text_put_line(&text, BYTES_LIT(ALGORITHM));
    text_put_line(&text, date);
    text_put_line(&text, scope);
    text_put(&text, bytes_of_str(hex));
    return text_bytes(&text);
}

/* "Credential=…, SignedHeaders=…, Signature=…" in any order, each once. */
static bool read_components(struct bytes rest, struct claim *ret_claim)
{
    const struct {
        struct bytes name;
        struct bytes *ret_value;
    } components[] = {{BYTES_LIT("Credential="), &ret_claim->credential},
                      {BYTES_LIT("SignedHeaders="), &ret_claim->signed_headers},
                      {BYTES_LIT("Signature="), &ret_claim->signature}};
    unsigned seen = 0;
    while (rest.len > 0) {
        struct bytes part;
        size_t i = 0;
        bytes_cut(&rest, ',', &part);
        part = bytes_trim(part);
        while (i < ARRAY_LEN(components) && !bytes_starts_with(part, components[i].name))
            i++;
        if (i == ARRAY_LEN(components) || seen & 1u << i)
            return false;
        *components[i].ret_value = bytes_from(part, components[i].name.len);
        seen |= 1u << i;
    }
    return seen == 7;
}

/* Cut the credential into access key, date, region, service, "aws4_request". */
static enum err_code read_credential(struct proof *proof, struct claim *claim)
{
    struct proof_claim *key = &claim->key;
    struct bytes *pieces[] = {&key->access_key, &key->date, &key->region, &key->service};
    struct bytes rest = claim->credential;
    bool ok = true;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        ok = ok && bytes_cut(&rest, '/', pieces[i]) && pieces[i]->len > 0;
        if (i == 0)
            claim->scope = rest;
    }
    if (!ok || !bytes_equal_str(rest, "aws4_request") || key->access_key.len > AUTH_KEY_ID_MAX ||
        key->region.len >= sizeof(proof->ret->region) ||
        key->service.len >= sizeof(proof->ret->service) || key->date.len != 8)
        return proof_deny(proof, SIGN_ACCESS_DENIED,
                          "the credential is not KEY/YYYYMMDD/REGION/SERVICE/aws4_request");
    key->id = bytes_first(claim->credential, claim->credential.len - rest.len - 1);
    memcpy(proof->ret->region, key->region.data, key->region.len);
    memcpy(proof->ret->service, key->service.data, key->service.len);
    return ERR_OK;
}

/* The moment of signing, which the scope's date must be the day of. */
static enum err_code read_date(struct proof *proof, struct claim *claim, struct bytes text,
                               uint64_t *ret_unix_ms)
{
    if (!text.data || clock_parse((const char *)text.data, text.len, ret_unix_ms) != 0)
        return proof_deny(proof, SIGN_ACCESS_DENIED, "a valid x-amz-date or Date is required");
    sigv4_format_date(*ret_unix_ms, claim->date);
    if (!bytes_equal(claim->key.date, bytes_of(claim->date, 8)))
        return proof_deny(proof, SIGN_MISMATCH, "the credential is for another day");
    return ERR_OK;
}

static enum err_code check_region(struct proof *proof, const struct claim *claim)
{
    struct bytes wanted = proof->rules->region;
    if (wanted.len == 0 || bytes_equal(wanted, claim->key.region))
        return ERR_OK;
    return err_fail_reason(proof->err, ERR_INVALID, SIGN_WRONG_REGION,
                           "the region '%s' is wrong; expecting '%" BYTES_FMT "'",
                           proof->ret->region, BYTES_ARG(wanted));
}

static bool has_field(const struct http_head *head, struct bytes name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (bytes_equal(head->fields[i].name, name))
            return true;
    return false;
}

static bool is_listed(struct bytes signed_headers, struct bytes name)
{
    struct bytes listed;
    while (canonical_header_next(&signed_headers, &listed))
        if (bytes_equal(listed, name))
            return true;
    return false;
}

static enum err_code check_headers(struct proof *proof, const struct claim *claim)
{
    struct bytes name, rest = claim->signed_headers;
    if (!canonical_is_header_list(claim->signed_headers))
        return proof_deny(proof, SIGN_ACCESS_DENIED,
                          "SignedHeaders must hold host, be sorted and name nothing twice");
    while (canonical_header_next(&rest, &name))
        if (!has_field(proof->head, name))
            return proof_deny(proof, SIGN_ACCESS_DENIED,
                              "the signed header '%" BYTES_FMT "' did not arrive", BYTES_ARG(name));
    for (size_t i = 0; i < proof->head->field_count; i++) {
        struct bytes field = proof->head->fields[i].name;
        if (bytes_starts_with(field, BYTES_LIT("x-amz-")) &&
            !is_listed(claim->signed_headers, field))
            return proof_deny(proof, SIGN_UNSIGNED_HEADER,
                              "the header '%" BYTES_FMT "' is not signed", BYTES_ARG(field));
    }
    return ERR_OK;
}

/* The signature that the client should have sent.
 *
 * ret_hex  lower case, NUL-terminated */
static enum err_code sign(struct proof *proof, const struct claim *claim,
                          const uint8_t signing_key[HASH_HMAC_LEN], char *ret_hex)
{
    bool is_s3 = bytes_equal_str(claim->key.service, "s3");
    const struct canonical_parts parts = {
        .method = proof->head->method,
        .path = proof->head->path,
        .rule = is_s3 ? canonical_rule_s3 : canonical_rule_other,
        .query = &proof->query,
        .left_out = claim->mode == SIGN_V4_QUERY ? "X-Amz-Signature" : NULL,
        .signed_headers = claim->signed_headers,
        .payload = claim->payload,
    };
    uint8_t mac[HASH_HMAC_LEN];
    struct bytes canonical;
    enum err_code code =
        canonical_request(&parts, proof->head, proof->arena, &canonical, proof->err);
    if (code != ERR_OK)
        return code;
    struct bytes text = sigv4_string_to_sign(proof->arena, bytes_of(claim->date, SIGV4_DATE_LEN),
                                             claim->scope, canonical);
    if (!text.data)
        return err_fail(proof->err, ERR_NO_MEMORY, "building the string to sign");
    hash_hmac_sha256(bytes_of(signing_key, HASH_HMAC_LEN), text, mac);
    codec_hex(bytes_of(mac, sizeof(mac)), ret_hex);
    return ERR_OK;
}

/* Give the result what the signatures of pieces are chained to. */
static void start_chain(struct sign_result *ret, const struct claim *claim,
                        const uint8_t signing_key[HASH_HMAC_LEN], const char *signature)
{
    if (ret->payload != SIGN_PAYLOAD_SIGNED_CHUNKS && ret->payload != SIGN_PAYLOAD_SIGNED_TRAILER)
        return;
    memcpy(ret->signing_key, signing_key, sizeof(ret->signing_key));
    memcpy(ret->amz_date, claim->date, sizeof(ret->amz_date));
    memcpy(ret->scope, claim->scope.data, claim->scope.len);
    memcpy(ret->signature, signature, sizeof(ret->signature));
}

static enum err_code judge(struct proof *proof, const struct claim *claim)
{
    char expected[SIGNATURE_LEN + 1];
    struct proof_key key;
    enum err_code code = proof_key_find(proof, &claim->key, &key);
    if (code == ERR_OK)
        code = sign(proof, claim, key.entry.signing_key, expected);
    if (code == ERR_OK)
        code = proof_judge(proof, &claim->key, &key,
                           hash_equal_secret(bytes_of(expected, SIGNATURE_LEN), claim->signature));
    if (code == ERR_OK) {
        start_chain(proof->ret, claim, key.entry.signing_key, expected);
        proof->ret->mode = claim->mode;
    }
    seal_wipe(&key, sizeof(key));
    return code;
}

static const char EMPTY_SHA256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* The last line of the canonical request, where x-amz-content-sha256 says
 * nothing: presigned S3 leaves the body open, other services sign its hash. */
static enum err_code choose_payload(struct proof *proof, struct claim *claim)
{
    bool is_s3 = bytes_equal_str(claim->key.service, "s3");
    enum err_code code = proof_payload(proof, claim->mode, &claim->payload);
    if (code != ERR_OK || claim->payload.data)
        return code;
    if (is_s3 && claim->mode == SIGN_V4_HEADER)
        return err_fail_reason(proof->err, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER,
                               "x-amz-content-sha256 is required");
    claim->payload = is_s3 ? BYTES_LIT("UNSIGNED-PAYLOAD") : bytes_of_str(EMPTY_SHA256);
    if (is_s3)
        return ERR_OK;
    proof->ret->payload = SIGN_PAYLOAD_HASH;
    (void)!codec_unhex(claim->payload, proof->ret->payload_sha256,
                       sizeof(proof->ret->payload_sha256));
    return ERR_OK;
}

/* What both forms have in common once they are read. */
static enum err_code check_claim(struct proof *proof, struct claim *claim)
{
    enum err_code code = check_region(proof, claim);
    if (code == ERR_OK)
        code = check_headers(proof, claim);
    if (code == ERR_OK)
        code = choose_payload(proof, claim);
    return code == ERR_OK ? judge(proof, claim) : code;
}

enum err_code sigv4_header(struct proof *proof)
{
    struct claim claim = {.mode = SIGN_V4_HEADER};
    struct bytes field = http_head_find(proof->head, "authorization");
    struct bytes date = http_head_find(proof->head, "x-amz-date");
    uint64_t when_unix_ms;
    if (!read_components(bytes_from(field, strlen(ALGORITHM) + 1), &claim))
        return err_fail_reason(proof->err, ERR_INVALID, SIGN_MALFORMED_HEADER,
                               "expecting Credential, SignedHeaders and Signature, each once");
    enum err_code code = read_credential(proof, &claim);
    if (code == ERR_OK)
        code = read_date(proof, &claim, date.data ? date : http_head_find(proof->head, "date"),
                         &when_unix_ms);
    if (code == ERR_OK)
        code = proof_skew(proof, when_unix_ms);
    return code == ERR_OK ? check_claim(proof, &claim) : code;
}

static enum err_code bad_query(struct proof *proof, const char *why)
{
    return err_fail_reason(proof->err, ERR_INVALID, SIGN_MALFORMED_QUERY, "%s", why);
}

/* The parameters of a presigned request, as they came. */
struct query_texts {
    struct bytes algorithm, date, expires;
};

static enum err_code read_query(struct proof *proof, struct claim *claim,
                                struct query_texts *ret_texts)
{
    const struct {
        const char *name;
        struct bytes *ret_value;
    } params[] = {{"X-Amz-Algorithm", &ret_texts->algorithm},
                  {"X-Amz-Credential", &claim->credential},
                  {"X-Amz-Date", &ret_texts->date},
                  {"X-Amz-Expires", &ret_texts->expires},
                  {"X-Amz-SignedHeaders", &claim->signed_headers},
                  {"X-Amz-Signature", &claim->signature}};
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        enum err_code code = proof_param(proof, params[i].name, params[i].ret_value);
        if (code != ERR_OK)
            return code;
        if (!params[i].ret_value->data)
            return err_fail_reason(proof->err, ERR_INVALID, SIGN_MALFORMED_QUERY,
                                   "the parameter '%s' is missing", params[i].name);
    }
    return ERR_OK;
}

static enum err_code check_algorithm(struct proof *proof, struct bytes algorithm)
{
    if (bytes_equal_str(algorithm, ALGORITHM_ECDSA))
        return err_fail_reason(proof->err, ERR_UNSUPPORTED, SIGN_UNSUPPORTED,
                               "signatures of '" ALGORITHM_ECDSA "'");
    return bytes_equal_str(algorithm, ALGORITHM)
               ? ERR_OK
               : bad_query(proof, "X-Amz-Algorithm only supports " ALGORITHM);
}

static enum err_code check_expiry(struct proof *proof, struct bytes text, uint64_t when_unix_ms)
{
    uint64_t seconds;
    if (!bytes_to_u64(text, S3_PRESIGN_SECONDS_MAX, &seconds) || seconds == 0)
        return bad_query(proof, "X-Amz-Expires must be a number from 1 to 604800 (a week)");
    if (when_unix_ms > proof->now_unix_ms + S3_SKEW_MS)
        return proof_deny(proof, SIGN_ACCESS_DENIED, "Request is not valid yet");
    if (proof->now_unix_ms > when_unix_ms + seconds * 1000)
        return proof_deny(proof, SIGN_EXPIRED, "Request has expired");
    return ERR_OK;
}

enum err_code sigv4_query(struct proof *proof)
{
    struct claim claim = {.mode = SIGN_V4_QUERY};
    struct query_texts texts;
    uint64_t when_unix_ms;
    enum err_code code = read_query(proof, &claim, &texts);
    if (code == ERR_OK)
        code = check_algorithm(proof, texts.algorithm);
    if (code == ERR_OK)
        code = read_credential(proof, &claim);
    if (code == ERR_OK)
        code = read_date(proof, &claim, texts.date, &when_unix_ms);
    if (code == ERR_OK)
        code = check_expiry(proof, texts.expires, when_unix_ms);
    return code == ERR_OK ? check_claim(proof, &claim) : code;
}
