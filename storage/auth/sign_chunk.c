/* sign_chunk.c - the chain of signatures over the pieces of an aws-chunked body.
 *
 * Each signature covers the one before it, the first that of the request: pieces
 * can be neither changed nor left out nor put in another order.
 *
 * Threads   a chain belongs to one request.
 * Source    Amazon S3 API Reference, "Signature Calculations for the Authorization
 *           Header: Transferring Payload in Multiple Chunks", and the same with trailers. */
#include <assert.h>
#include <stdio.h>

#include "base/codec.h"
#include "storage/auth/sign.h"

#define SIGNATURE_LEN (2 * HASH_HMAC_LEN) /* hex digits */
#define TEXT_MAX      512
#define EMPTY_SHA256  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Compare the signature of `text` and make it the chain's last. */
static enum err_code check(struct sign_result *chain, struct bytes text, struct bytes signature,
                           struct err *err)
{
    uint8_t mac[HASH_HMAC_LEN];
    char expected[SIGNATURE_LEN + 1];
    hash_hmac_sha256(bytes_of(chain->signing_key, sizeof(chain->signing_key)), text, mac);
    codec_hex(bytes_of(mac, sizeof(mac)), expected);
    bool is_signed =
        chain->mode == SIGN_V4_HEADER && (chain->payload == SIGN_PAYLOAD_SIGNED_CHUNKS ||
                                          chain->payload == SIGN_PAYLOAD_SIGNED_TRAILER);
    if (!is_signed || !hash_equal_secret(bytes_of(expected, SIGNATURE_LEN), signature))
        return err_fail_reason(err, ERR_DENIED, SIGN_MISMATCH,
                               "the signature of a piece of the body does not match");
    memcpy(chain->signature, expected, sizeof(expected));
    return ERR_OK;
}

enum err_code sign_check_chunk(struct sign_result *chain, const uint8_t sha256[32],
                               struct bytes signature, struct err *err)
{
    char text[TEXT_MAX], hex[2 * 32 + 1];
    codec_hex(bytes_of(sha256, 32), hex);
    int len = snprintf(text, sizeof(text), "AWS4-HMAC-SHA256-PAYLOAD\n%s\n%s\n%s\n%s\n%s",
                       chain->amz_date, chain->scope, chain->signature, EMPTY_SHA256, hex);
    assert(len > 0 && (size_t)len < sizeof(text));
    return check(chain, bytes_of(text, (size_t)len), signature, err);
}

enum err_code sign_check_trailer(struct sign_result *chain, const uint8_t sha256[32],
                                 struct bytes signature, struct err *err)
{
    char text[TEXT_MAX], hex[2 * 32 + 1];
    codec_hex(bytes_of(sha256, 32), hex);
    int len = snprintf(text, sizeof(text), "AWS4-HMAC-SHA256-TRAILER\n%s\n%s\n%s\n%s",
                       chain->amz_date, chain->scope, chain->signature, hex);
    assert(len > 0 && (size_t)len < sizeof(text));
    return check(chain, bytes_of(text, (size_t)len), signature, err);
}
