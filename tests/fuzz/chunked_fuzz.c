/* chunked_fuzz.c - aws-chunked bodies: cut anywhere, the verdict, the payload,
 * the digests and the trailer are those of the whole.
 *
 * Input     [flags u8][step u8][body…]
 * Catches   a size line that is not kept between pieces (buf_clear() moved before `whole`) */
#include "storage/s3/chunked.h"

#include <assert.h>

#include "base/buf.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that came out, one behind the other. */
struct out {
    struct buf payload, proofs;
};

static enum err_code on_data(void *ctx, struct bytes piece, struct err *err)
{
    struct out *out = ctx;
    (void)err;
    assert(piece.len > 0);
    buf_append(&out->payload, piece);
    return ERR_OK;
}

static enum err_code on_proof(void *ctx, const uint8_t sha256[32], struct bytes signature,
                              struct err *err)
{
    struct out *out = ctx;
    (void)err;
    assert(signature.len == 64);
    buf_append(&out->proofs, bytes_of(sha256, 32));
    buf_append(&out->proofs, signature);
    return ERR_OK;
}

/* Decode in pieces of `step` bytes.
 *
 * returns  the error, 0 = none */
static int decode(uint8_t flags, size_t step, struct bytes body, struct out *out)
{
    struct err err = {0};
    struct chunked *chunked;
    struct chunked_options options = {flags & 1,
                                      flags & 2,
                                      flags & 4 ? flags >> 3 : CHUNKED_LENGTH_UNKNOWN,
                                      {on_data, on_proof, on_proof, out}};
    enum err_code code = chunked_new(&options, &chunked, &err);
    assert(code == ERR_OK);
    for (size_t at = 0; code == ERR_OK && at < body.len; at += step)
        code = chunked_push(chunked, bytes_first(bytes_from(body, at), step), &err);
    if (code == ERR_OK)
        code = chunked_finish(chunked, &err);
    assert(chunked_decoded(chunked) == out->payload.len);
    assert(out->payload.len <= options.decoded_len);
    for (size_t i = 0; code == ERR_OK && i < chunked_trailer(chunked)->count; i++) {
        buf_append(&out->proofs, chunked_trailer(chunked)->items[i].name);
        buf_append(&out->proofs, chunked_trailer(chunked)->items[i].value);
    }
    chunked_free(chunked);
    return err.reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct out whole, cut;
    int errors[2];
    if (size < 2 || data[1] == 0)
        return 0;
    buf_init(&whole.payload, MIB(8));
    buf_init(&whole.proofs, MIB(64));
    buf_init(&cut.payload, MIB(8));
    buf_init(&cut.proofs, MIB(64));
    errors[0] = decode(data[0], size, bytes_of(data + 2, size - 2), &whole);
    errors[1] = decode(data[0], data[1], bytes_of(data + 2, size - 2), &cut);
    assert(errors[0] == errors[1]);
    assert(bytes_equal(buf_bytes(&whole.payload), buf_bytes(&cut.payload)));
    assert(bytes_equal(buf_bytes(&whole.proofs), buf_bytes(&cut.proofs)));
    buf_done(&whole.payload);
    buf_done(&whole.proofs);
    buf_done(&cut.payload);
    buf_done(&cut.proofs);
    return 0;
}
