/* sign.c - the one door: which form of credential was sent, and on to it.
 *
 *     Authorization        query                        goes to
 *     none                 none                         anonymous
 *     AWS4-HMAC-SHA256 …   none                         sigv4_header
 *     AWS …                none                         sigv2_header
 *     anything else        none                         refused
 *     none                 X-Amz-Algorithm, -Credential or -Signature   sigv4_query
 *     none                 AWSAccessKeyId or Signature                  sigv2_query
 *     two of them                                       refused
 *
 * Threads   any. */
#include "storage/auth/sign.h"

#include "base/codec.h"
#include "storage/auth/proof.h"
#include "storage/auth/sigv2.h"
#include "storage/auth/sigv4.h"

enum credential { HEADER_V4 = 1, HEADER_V2 = 2, HEADER_OTHER = 4, QUERY_V4 = 8, QUERY_V2 = 16 };

static enum err_code anonymous(struct proof *proof)
{
    struct bytes text;
    enum err_code code = proof_payload(proof, SIGN_ANONYMOUS, &text);
    if (code != ERR_OK)
        return code;
    memcpy(proof->ret->service, "s3", sizeof("s3"));
    proof->ret->mode = SIGN_ANONYMOUS;
    return ERR_OK;
}

static enum err_code sigv2(struct proof *proof, enum err_code (*form)(struct proof *))
{
    memcpy(proof->ret->service, "s3", sizeof("s3"));
    return form(proof);
}

static enum err_code header_v2(struct proof *proof)
{
    return sigv2(proof, sigv2_header);
}

static enum err_code query_v2(struct proof *proof)
{
    return sigv2(proof, sigv2_query);
}

static enum err_code header_other(struct proof *proof)
{
    struct bytes value = http_head_find(proof->head, "authorization");
    if (bytes_starts_with(value, BYTES_LIT("AWS4-ECDSA-")))
        return err_fail_reason(proof->err, ERR_UNSUPPORTED, SIGN_UNSUPPORTED,
                               "signatures of version 4A (AWS4-ECDSA-P256-SHA256)");
    if (value.len == 0)
        return proof_deny(proof, SIGN_ACCESS_DENIED, "the Authorization header is empty");
    return err_fail_reason(proof->err, ERR_INVALID, SIGN_MALFORMED_HEADER,
                           "the authorization type is not known");
}

static const struct {
    unsigned found; /* enum credential, or 0 */
    enum err_code (*authenticate)(struct proof *proof);
} forms[] = {{0, anonymous},          {HEADER_V4, sigv4_header},
             {HEADER_V2, header_v2},  {HEADER_OTHER, header_other},
             {QUERY_V4, sigv4_query}, {QUERY_V2, query_v2}};

static unsigned credentials_in_header(const struct http_head *head)
{
    struct bytes value = http_head_find(head, "authorization");
    if (!value.data && http_head_count(head, "authorization") == 0)
        return 0;
    if (bytes_starts_with(value, BYTES_LIT("AWS4-HMAC-SHA256 ")))
        return HEADER_V4;
    return bytes_starts_with(value, BYTES_LIT("AWS ")) ? HEADER_V2 : HEADER_OTHER;
}

static unsigned credentials_in_query(const struct canonical_query *query)
{
    static const struct {
        const char *name;
        enum credential credential;
    } names[] = {{"X-Amz-Algorithm", QUERY_V4},
                 {"X-Amz-Credential", QUERY_V4},
                 {"X-Amz-Signature", QUERY_V4},
                 {"AWSAccessKeyId", QUERY_V2},
                 {"Signature", QUERY_V2}};
    unsigned found = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (canonical_query_find(query, names[i].name, NULL))
            found |= names[i].credential;
    return found;
}

/* Send the request on to the one form of credential that it has. */
static enum err_code dispatch(struct proof *proof)
{
    unsigned found = credentials_in_header(proof->head) | credentials_in_query(&proof->query);
    bool is_one = http_head_count(proof->head, "authorization") <= 1;
    for (size_t i = 0; i < ARRAY_LEN(forms) && is_one; i++)
        if (forms[i].found == found)
            return forms[i].authenticate(proof);
    return err_fail_reason(proof->err, ERR_INVALID, SIGN_TWO_CREDENTIALS,
                           "only one way to authenticate is allowed");
}

enum err_code sign_authenticate(struct auth *auth, const struct sign_rules *rules,
                                const struct http_head *head, struct arena *arena,
                                struct sign_result *ret, struct err *err)
{
    struct proof proof = {.auth = auth,
                          .rules = rules,
                          .now_unix_ms = clock_unix_ms(rules->clock),
                          .head = head,
                          .arena = arena,
                          .ret = ret,
                          .err = err};
    *ret = (struct sign_result){.mode = SIGN_DENIED};
    enum err_code code = canonical_query_read(head->query, arena, &proof.query, err);
    if (code == ERR_OK)
        code = dispatch(&proof);
    if (code == ERR_OK && rules->service.len > 0 &&
        !bytes_equal_str(rules->service, ret->service)) {
        ret->mode = SIGN_DENIED;
        return proof_deny(&proof, SIGN_ACCESS_DENIED, "the credential is for the service '%s'",
                          ret->service);
    }
    return code;
}

#define CREDENTIAL_MAX 384 /* bytes, encoded */

/* A credential, percent-encoding removed; cut at the room. */
struct credential_text {
    uint8_t data[CREDENTIAL_MAX];
    size_t len;
};

static void decode(struct bytes raw, struct credential_text *ret_text)
{
    ret_text->len = 0;
    for (size_t i = 0; i < raw.len && ret_text->len < CREDENTIAL_MAX; i++) {
        uint8_t c = raw.data[i];
        if (c == '%' && codec_unhex(bytes_first(bytes_from(raw, i + 1), 2), &c, 1))
            i += 2;
        ret_text->data[ret_text->len++] = c;
    }
}

/* The credential, raw; data is NULL where there is none of version 4. */
static struct bytes find_credential(const struct http_head *head)
{
    static const struct bytes mark = BYTES_LIT("Credential=");
    struct bytes header = http_head_find(head, "authorization"), name, value;
    size_t at = 0;
    if (bytes_starts_with(header, BYTES_LIT("AWS4-"))) {
        ptrdiff_t found = bytes_find_bytes(header, mark);
        struct bytes rest = found < 0 ? bytes_of(NULL, 0) : bytes_from(header, (size_t)found);
        bytes_cut(&rest, ',', &value);
        return bytes_from(value, mark.len);
    }
    while (http_query_next(head->query, &at, &name, &value))
        if (bytes_equal_str(name, "X-Amz-Credential"))
            return value;
    return bytes_of(NULL, 0);
}

void sign_service_of(const struct http_head *head, char ret_service[16])
{
    struct credential_text text;
    struct bytes piece = BYTES_LIT("s3"), rest = find_credential(head);
    bool has_scope = rest.len > 0;
    if (bytes_find(rest, '%') >= 0) {
        decode(rest, &text);
        rest = bytes_of(text.data, text.len);
    }
    for (int i = 0; i < 4 && has_scope; i++)
        has_scope = bytes_cut(&rest, '/', &piece);
    if (!has_scope || piece.len == 0)
        piece = BYTES_LIT("s3");
    piece = bytes_first(piece, 15);
    memcpy(ret_service, piece.data, piece.len);
    ret_service[piece.len] = '\0';
}
