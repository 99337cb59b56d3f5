/* chunked.c - see chunked.h. One step function a state:
 *
 *   SIZE ──line, size > 0──> DATA ──size bytes──> DATA_END ──CR LF──> SIZE
 *     └────line, size = 0──> TRAILER ──blank line──> CLOSED
 *
 * A blank line ends the trailer once a field was seen (where the body is
 * signed: once the signature was), so that clients which put one in front of
 * it, or end fields with "\n\r\n", are understood. What follows the end may
 * only be CR and LF. */
#include "storage/s3/chunked.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/limits.h"

#define SIZE_DIGITS_MAX   16 /* of a u64 in hex */
#define SIGNATURE_LEN     64 /* hex digits */
#define FIELDS_MAX        16 /* in a trailer */
#define CHUNK_EXTENSION   BYTES_LIT("chunk-signature=")
#define TRAILER_SIGNATURE "x-amz-trailer-signature"

enum state { SIZE, DATA, DATA_END, TRAILER, CLOSED, STATES };

struct chunked {
    struct chunked_options options;
    enum state state;
    struct buf line;                  /* of SIZE and TRAILER: what came of it so far */
    uint64_t left;                    /* bytes of the chunk in hand */
    uint64_t decoded;                 /* bytes of payload in all */
    uint8_t signature[SIGNATURE_LEN]; /* of the chunk in hand */
    struct hash_set *digest;          /* of the chunk in hand; NULL where none is under way */
    size_t line_end;                  /* DATA_END: bytes of CR LF seen */
    size_t trailer_len;               /* bytes since the last chunk */
    struct buf text;                  /* the trailer's fields, canonical: "name:value\n" each */
    bool trailer_signed;              /* its signature came */
    uint8_t trailer_signature[SIGNATURE_LEN];
    struct record_pair fields[FIELDS_MAX]; /* into text, set by chunked_finish() */
    struct record_pairs trailer;
};

/* Take what the state can use off the front of `piece` (not empty). */
typedef enum err_code (*step_fn)(struct chunked *chunked, struct bytes *piece, struct err *err);

static enum err_code malformed(struct err *err, const char *why)
{
    return s3_fail_because(err, S3_INVALID_REQUEST, "The aws-chunked body is malformed: %s", why);
}

static bool is_hex(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i], letter = c | 0x20;
        if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'f'))
            return false;
    }
    return text.len > 0;
}

static uint64_t hex_number(struct bytes digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.data[i];
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* Move bytes up to and with LF from `piece` to the line, which may have `max` bytes.
 *
 * ret_whole  the LF came: `line` holds all but it */
static enum err_code collect_line(struct chunked *chunked, struct bytes *piece, size_t max,
                                  bool *ret_whole, struct err *err)
{
    ptrdiff_t at = bytes_find(*piece, '\n');
    size_t take = at < 0 ? piece->len : (size_t)at;
    *ret_whole = at >= 0;
    if (take > max || chunked->line.len > max - take)
        return malformed(err, "a line is too long");
    buf_append(&chunked->line, bytes_first(*piece, take));
    if (!buf_ok(&chunked->line))
        return err_fail(err, chunked->line.failed, "aws-chunked line");
    *piece = bytes_from(*piece, take + (at >= 0));
    return ERR_OK;
}

/* The signature in a size line's extension, or whatever an unsigned one says there. */
static enum err_code read_extension(struct chunked *chunked, struct bytes extension,
                                    struct err *err)
{
    struct bytes signature = bytes_from(extension, CHUNK_EXTENSION.len);
    if (!chunked->options.is_signed)
        return bytes_find(extension, '\r') < 0 ? ERR_OK : malformed(err, "a chunk extension");
    if (!bytes_starts_with(extension, CHUNK_EXTENSION) || signature.len != SIGNATURE_LEN ||
        !is_hex(signature))
        return malformed(err, "a chunk without chunk-signature");
    memcpy(chunked->signature, signature.data, SIGNATURE_LEN);
    return ERR_OK;
}

static enum err_code begin_chunk(struct chunked *chunked, uint64_t size, struct err *err)
{
    if (size > chunked->options.decoded_len - chunked->decoded)
        return s3_fail_because(err, S3_INCOMPLETE_BODY,
                               "The body has more bytes than x-amz-decoded-content-length says");
    chunked->left = size;
    if (!chunked->options.is_signed)
        return ERR_OK;
    return hash_set_new(HASH_BIT(HASH_SHA256), &chunked->digest, err);
}

static enum err_code end_chunk(struct chunked *chunked, struct err *err)
{
    const struct chunked_sink *sink = &chunked->options.sink;
    struct hash_value sha256;
    if (!chunked->digest)
        return ERR_OK;
    sha256 = hash_set_finish(chunked->digest, HASH_SHA256);
    hash_set_free(chunked->digest);
    chunked->digest = NULL;
    return sink->chunk(sink->ctx, sha256.data, bytes_of(chunked->signature, SIGNATURE_LEN), err);
}

/* hex[;extension]CR, the LF is taken off. */
static enum err_code read_size(struct chunked *chunked, struct bytes line, struct err *err)
{
    struct bytes digits;
    uint64_t size;
    if (!bytes_ends_with(line, BYTES_LIT("\r")))
        return malformed(err, "a size line without CR LF");
    line = bytes_first(line, line.len - 1);
    bytes_cut(&line, ';', &digits);
    if (digits.len > SIZE_DIGITS_MAX || !is_hex(digits))
        return malformed(err, "a chunk size");
    size = hex_number(digits);
    if (read_extension(chunked, line, err) || begin_chunk(chunked, size, err))
        return err->code;
    chunked->state = size > 0 ? DATA : TRAILER;
    return size > 0 ? ERR_OK : end_chunk(chunked, err);
}

static enum err_code step_size(struct chunked *chunked, struct bytes *piece, struct err *err)
{
    bool whole;
    enum err_code code = collect_line(chunked, piece, S3_CHUNK_LINE_MAX, &whole, err);
    if (code || !whole)
        return code;
    code = read_size(chunked, buf_bytes(&chunked->line), err);
    buf_clear(&chunked->line);
    return code;
}

static enum err_code step_data(struct chunked *chunked, struct bytes *piece, struct err *err)
{
    const struct chunked_sink *sink = &chunked->options.sink;
    enum err_code code;
    struct bytes payload =
        bytes_first(*piece, chunked->left < piece->len ? (size_t)chunked->left : piece->len);
    *piece = bytes_from(*piece, payload.len);
    if (chunked->digest)
        hash_set_update(chunked->digest, payload);
    chunked->left -= payload.len;
    chunked->decoded += payload.len;
    code = sink->data(sink->ctx, payload, err);
    if (code || chunked->left > 0)
        return code;
    chunked->state = DATA_END;
    chunked->line_end = 0;
    return end_chunk(chunked, err);
}

static enum err_code step_data_end(struct chunked *chunked, struct bytes *piece, struct err *err)
{
    if (piece->data[0] != "\r\n"[chunked->line_end])
        return malformed(err, "a chunk without CR LF behind it");
    *piece = bytes_from(*piece, 1);
    if (++chunked->line_end == 2)
        chunked->state = SIZE;
    return ERR_OK;
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i], letter = c | 0x20;
        if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return name.len > 0;
}

static bool is_value(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < ' ' || value.data[i] == 0x7f)
            return false;
    return true;
}

/* Put a field into the canonical text. */
static enum err_code add_field(struct chunked *chunked, struct bytes name, struct bytes value,
                               struct err *err)
{
    size_t at = chunked->text.len;
    if (chunked->trailer.count == FIELDS_MAX)
        return malformed(err, "a trailer of too many fields");
    buf_append(&chunked->text, name);
    buf_append_u8(&chunked->text, ':');
    buf_append(&chunked->text, value);
    buf_append_u8(&chunked->text, '\n');
    if (!buf_ok(&chunked->text))
        return err_fail(err, chunked->text.failed, "aws-chunked trailer");
    for (size_t i = at; i < at + name.len; i++)
        if (chunked->text.data[i] >= 'A' && chunked->text.data[i] <= 'Z')
            chunked->text.data[i] |= 0x20;
    chunked->trailer.count++;
    return ERR_OK;
}

static enum err_code read_field(struct chunked *chunked, struct bytes line, struct err *err)
{
    struct bytes name, value = line;
    bool has_colon = bytes_cut(&value, ':', &name);
    name = bytes_trim(name);
    value = bytes_trim(value);
    if (!chunked->options.has_trailer || !has_colon || !is_name(name) || !is_value(value))
        return malformed(err, "a trailer");
    if (chunked->trailer_signed)
        return malformed(err, "a trailer goes on behind its signature");
    if (!chunked->options.is_signed || !bytes_equal_nocase(name, BYTES_LIT(TRAILER_SIGNATURE)))
        return add_field(chunked, name, value, err);
    if (value.len != SIGNATURE_LEN || !is_hex(value))
        return malformed(err, "x-amz-trailer-signature");
    memcpy(chunked->trailer_signature, value.data, SIGNATURE_LEN);
    chunked->trailer_signed = true;
    return ERR_OK;
}

/* A blank line here ends the trailer. */
static bool may_close(const struct chunked *chunked)
{
    if (!chunked->options.has_trailer)
        return true;
    return chunked->options.is_signed ? chunked->trailer_signed : chunked->trailer.count > 0;
}

static enum err_code count_trailer(struct chunked *chunked, size_t len, struct err *err)
{
    if (len > S3_TRAILER_MAX - chunked->trailer_len)
        return malformed(err, "a trailer that is too long");
    chunked->trailer_len += len;
    return ERR_OK;
}

static enum err_code step_trailer(struct chunked *chunked, struct bytes *piece, struct err *err)
{
    size_t before = piece->len;
    struct bytes line;
    bool whole;
    enum err_code code = collect_line(chunked, piece, S3_TRAILER_MAX, &whole, err);
    if (code == ERR_OK)
        code = count_trailer(chunked, before - piece->len, err);
    if (code || !whole)
        return code;
    line = buf_bytes(&chunked->line);
    if (bytes_ends_with(line, BYTES_LIT("\r")))
        line = bytes_first(line, line.len - 1);
    if (line.len > 0)
        code = read_field(chunked, line, err);
    else if (may_close(chunked))
        chunked->state = CLOSED;
    buf_clear(&chunked->line);
    return code;
}

static enum err_code step_closed(struct chunked *chunked, struct bytes *piece, struct err *err)
{
    if (count_trailer(chunked, piece->len, err))
        return err->code;
    for (size_t i = 0; i < piece->len; i++)
        if (piece->data[i] != '\r' && piece->data[i] != '\n')
            return malformed(err, "bytes behind its end");
    *piece = bytes_from(*piece, piece->len);
    return ERR_OK;
}

static const step_fn steps[STATES] = {
    [SIZE] = step_size,       [DATA] = step_data,     [DATA_END] = step_data_end,
    [TRAILER] = step_trailer, [CLOSED] = step_closed,
};

enum err_code chunked_new(const struct chunked_options *options, struct chunked **ret_chunked,
                          struct err *err)
{
    struct chunked *chunked = calloc(1, sizeof(*chunked));
    if (!chunked)
        return err_fail(err, ERR_NO_MEMORY, "aws-chunked decoder");
    chunked->options = *options;
    chunked->state = SIZE;
    buf_init(&chunked->line, S3_TRAILER_MAX);
    buf_init(&chunked->text, S3_TRAILER_MAX + FIELDS_MAX);
    chunked->trailer.items = chunked->fields;
    *ret_chunked = chunked;
    return ERR_OK;
}

void chunked_free(struct chunked *chunked)
{
    if (!chunked)
        return;
    if (chunked->digest)
        hash_set_free(chunked->digest);
    buf_done(&chunked->line);
    buf_done(&chunked->text);
    free(chunked);
}

enum err_code chunked_push(struct chunked *chunked, struct bytes piece, struct err *err)
{
    while (piece.len > 0) {
        enum err_code code = steps[chunked->state](chunked, &piece, err);
        if (code)
            return code;
    }
    return ERR_OK;
}

/* Point the fields at the text, which moves no more. */
static void index_fields(struct chunked *chunked)
{
    struct bytes rest = buf_bytes(&chunked->text), line;
    for (size_t i = 0; i < chunked->trailer.count; i++) {
        bytes_cut(&rest, '\n', &line);
        bytes_cut(&line, ':', &chunked->fields[i].name);
        chunked->fields[i].value = line;
    }
}

enum err_code chunked_finish(struct chunked *chunked, struct err *err)
{
    const struct chunked_options *options = &chunked->options;
    bool ended = chunked->state == CLOSED || (chunked->state == TRAILER && chunked->line.len == 0);
    struct hash_value sha256;
    if (!ended)
        return s3_fail_because(err, S3_INCOMPLETE_BODY, "The aws-chunked body was cut off");
    if (options->decoded_len != CHUNKED_LENGTH_UNKNOWN && chunked->decoded != options->decoded_len)
        return s3_fail_because(err, S3_INCOMPLETE_BODY,
                               "The body has fewer bytes than x-amz-decoded-content-length says");
    index_fields(chunked);
    if (!options->is_signed || !options->has_trailer)
        return ERR_OK;
    if (!chunked->trailer_signed)
        return malformed(err, "a signed trailer without x-amz-trailer-signature");
    sha256 = hash_once(HASH_SHA256, buf_bytes(&chunked->text));
    return options->sink.trailer(options->sink.ctx, sha256.data,
                                 bytes_of(chunked->trailer_signature, SIGNATURE_LEN), err);
}

uint64_t chunked_decoded(const struct chunked *chunked)
{
    return chunked->decoded;
}

const struct record_pairs *chunked_trailer(const struct chunked *chunked)
{
    return &chunked->trailer;
}
