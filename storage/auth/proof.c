/* proof.c - what all forms of signature have in common.
 *
 * An unknown key must not be told from a wrong signature, neither by the answer
 * nor by the time it takes. A miss in the key cache costs a look on disk and a
 * derivation; so a signature that is wrong after a hit pays for the same, and
 * nothing but a right signature puts a key into the cache. */
#include "storage/auth/proof.h"

#include "base/codec.h"

struct payload_form {
    const char *text;
    enum sign_payload payload;
    bool is_supported;
};

static const struct payload_form payload_forms[] = {
    {"UNSIGNED-PAYLOAD", SIGN_PAYLOAD_UNSIGNED, true},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SIGN_PAYLOAD_SIGNED_CHUNKS, true},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", SIGN_PAYLOAD_SIGNED_TRAILER, true},
    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", SIGN_PAYLOAD_UNSIGNED_TRAILER, true},
    {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", SIGN_PAYLOAD_NONE, false},
    {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", SIGN_PAYLOAD_NONE, false},
};

static enum err_code read_payload(struct proof *proof, struct bytes text)
{
    for (size_t i = 0; i < ARRAY_LEN(payload_forms); i++) {
        const struct payload_form *form = &payload_forms[i];
        if (!bytes_equal_str(text, form->text))
            continue;
        proof->ret->payload = form->payload;
        return form->is_supported ? ERR_OK
                                  : err_fail_reason(proof->err, ERR_UNSUPPORTED, SIGN_UNSUPPORTED,
                                                    "x-amz-content-sha256 '%s'", form->text);
    }
    proof->ret->payload = SIGN_PAYLOAD_HASH;
    if (codec_unhex(text, proof->ret->payload_sha256, sizeof(proof->ret->payload_sha256)))
        return ERR_OK;
    return err_fail_reason(proof->err, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER,
                           "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… or a "
                           "SHA-256 in hex");
}

static bool is_streaming(enum sign_payload payload)
{
    return payload == SIGN_PAYLOAD_SIGNED_CHUNKS || payload == SIGN_PAYLOAD_SIGNED_TRAILER ||
           payload == SIGN_PAYLOAD_UNSIGNED_TRAILER;
}

enum err_code proof_payload(struct proof *proof, enum sign_mode mode, struct bytes *ret_text)
{
    struct bytes text = http_head_find(proof->head, "x-amz-content-sha256");
    enum err_code code = ERR_OK;
    if (http_head_count(proof->head, "x-amz-content-sha256") > 1)
        return err_fail_reason(proof->err, ERR_INVALID, SIGN_BAD_PAYLOAD_HEADER,
                               "x-amz-content-sha256 is given twice");
    if (!text.data && mode == SIGN_V4_QUERY)
        code = proof_param(proof, "X-Amz-Content-Sha256", &text);
    if (code == ERR_OK && text.data)
        code = read_payload(proof, text);
    if (code != ERR_OK)
        return code;
    if (mode != SIGN_V4_HEADER && is_streaming(proof->ret->payload))
        return proof_deny(proof, SIGN_ACCESS_DENIED,
                          "a body in signed pieces needs a version 4 Authorization header");
    *ret_text = text;
    return ERR_OK;
}

enum err_code proof_skew(struct proof *proof, uint64_t client_unix_ms)
{
    uint64_t now = proof->now_unix_ms;
    uint64_t apart_ms = now > client_unix_ms ? now - client_unix_ms : client_unix_ms - now;
    if (apart_ms <= S3_SKEW_MS)
        return ERR_OK;
    return proof_deny(proof, SIGN_SKEWED, "the request's time is more than 15 minutes away");
}

enum err_code proof_param(struct proof *proof, const char *name, struct bytes *ret_value)
{
    size_t count;
    const struct canonical_param *param = canonical_query_find(&proof->query, name, &count);
    *ret_value = bytes_of(NULL, 0);
    if (!param)
        return ERR_OK;
    if (count > 1)
        return err_fail_reason(proof->err, ERR_INVALID, SIGN_MALFORMED_QUERY,
                               "the parameter '%s' is given twice", name);
    *ret_value = canonical_decode(proof->arena, param->raw_value, true);
    return ret_value->data ? ERR_OK : err_fail(proof->err, ERR_NO_MEMORY, "reading the query");
}

/* HMAC over HMAC: date, region, service, "aws4_request". */
static void derive(const struct proof_claim *claim, struct key_cache_entry *entry)
{
    struct bytes steps[] = {claim->date, claim->region, claim->service, BYTES_LIT("aws4_request")};
    char first[4 + AUTH_SECRET_MAX] = {'A', 'W', 'S', '4'};
    size_t secret_len = strlen(entry->secret.secret);
    memcpy(first + 4, entry->secret.secret, secret_len);
    struct bytes key = bytes_of(first, 4 + secret_len);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint8_t next[HASH_HMAC_LEN];
        hash_hmac_sha256(key, steps[i], next);
        memcpy(entry->signing_key, next, sizeof(next));
        key = bytes_of(entry->signing_key, sizeof(entry->signing_key));
        seal_wipe(next, sizeof(next));
    }
    seal_wipe(first, sizeof(first));
    seal_wipe(entry->secret.secret, sizeof(entry->secret.secret));
}

/* The long way: from disk. */
static enum err_code read_key(struct proof *proof, const struct proof_claim *claim,
                              struct key_cache_entry *ret_entry, bool *ret_known)
{
    enum err_code code =
        auth_secret_find(proof->auth, claim->access_key, &ret_entry->secret, ret_known, proof->err);
    if (code == ERR_OK && claim->date.len > 0)
        derive(claim, ret_entry);
    return code;
}

enum err_code proof_key_find(struct proof *proof, const struct proof_claim *claim,
                             struct proof_key *ret_key)
{
    *ret_key = (struct proof_key){.is_known = true};
    ret_key->is_cached = key_cache_find(auth_key_cache(proof->auth), claim->id, &ret_key->entry,
                                        &ret_key->generation);
    if (ret_key->is_cached)
        return ERR_OK;
    return read_key(proof, claim, &ret_key->entry, &ret_key->is_known);
}

static enum err_code refuse(struct proof *proof, const struct proof_claim *claim, bool was_cached)
{
    enum err_code code = ERR_OK;
    if (was_cached) {
        struct key_cache_entry unused;
        bool is_known;
        code = read_key(proof, claim, &unused, &is_known);
        seal_wipe(&unused, sizeof(unused));
    }
    return code != ERR_OK ? code
                          : proof_deny(proof, SIGN_MISMATCH,
                                       "the signature does not match, or the key is not valid");
}

static enum err_code bad_token(struct proof *proof, enum sign_reason reason, const char *why)
{
    return err_fail_reason(proof->err, ERR_INVALID, reason, "%s", why);
}

/* The token in the header, or in the query under either version's spelling. All are signed. */
static enum err_code find_token(struct proof *proof, struct bytes *ret_token)
{
    static const char *const spellings[] = {"X-Amz-Security-Token", "x-amz-security-token"};
    enum err_code code = ERR_OK;
    *ret_token = http_head_find(proof->head, "x-amz-security-token");
    for (size_t i = 0; i < ARRAY_LEN(spellings) && code == ERR_OK && !ret_token->data; i++)
        code = proof_param(proof, spellings[i], ret_token);
    return code;
}

static enum err_code check_token(struct proof *proof, const struct auth_secret *secret)
{
    struct bytes token;
    enum err_code code = find_token(proof, &token);
    if (code != ERR_OK)
        return code;
    if (!secret->is_session)
        return token.data ? bad_token(proof, SIGN_BAD_TOKEN, "the key is not a session's") : ERR_OK;
    struct hash_value sha256 = hash_once(HASH_SHA256, token);
    if (!token.data ||
        !hash_equal_secret(bytes_of(sha256.data, sha256.len), bytes_of(secret->token_sha256, 32)))
        return bad_token(proof, SIGN_BAD_TOKEN, "the session token is missing or wrong");
    if (proof->now_unix_ms >= secret->expires_unix_ms)
        return bad_token(proof, SIGN_EXPIRED_TOKEN, "the session has ended");
    return ERR_OK;
}

enum err_code proof_judge(struct proof *proof, const struct proof_claim *claim,
                          const struct proof_key *key, bool is_equal)
{
    const struct auth_secret *secret = &key->entry.secret;
    if (key->is_known)
        proof->ret->tried = secret->key;
    if (!is_equal || !key->is_known)
        return refuse(proof, claim, key->is_cached);
    if (!key->is_cached)
        key_cache_add(auth_key_cache(proof->auth), claim->id, &key->entry, key->generation);
    enum err_code code = check_token(proof, secret);
    if (code != ERR_OK)
        return code;
    proof->ret->key = secret->key;
    proof->ret->is_session = secret->is_session;
    if (!secret->is_session)
        auth_key_used(proof->auth, claim->access_key);
    return ERR_OK;
}
