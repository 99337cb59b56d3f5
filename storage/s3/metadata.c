/* metadata.c - see metadata.h. */
#include "storage/s3/metadata.h"

#include "base/codec.h"
#include "base/limits.h"

#define WORD_BEGIN BYTES_LIT("=?UTF-8?B?")
#define WORD_END   BYTES_LIT("?=")

static bool is_metadata(const struct http_field *field)
{
    return bytes_starts_with(field->name, BYTES_LIT(METADATA_PREFIX));
}

/* Count the fields, and look them over. */
static enum err_code measure(const struct http_head *head, size_t *ret_count, struct err *err)
{
    size_t bytes = 0;
    *ret_count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        if (!is_metadata(field))
            continue;
        bytes += field->name.len - strlen(METADATA_PREFIX) + field->value.len;
        if (bytes > S3_METADATA_MAX)
            return s3_fail(err, S3_METADATA_TOO_LARGE);
        if (field->name.len == strlen(METADATA_PREFIX) || !bytes_is_utf8(field->value))
            return s3_fail_because(err, S3_INVALID_ARGUMENT,
                                   "Metadata needs a name, and values must be UTF-8");
        ++*ret_count;
    }
    return ERR_OK;
}

static struct record_pair *find(const struct record_pairs *pairs, struct bytes name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (bytes_equal(pairs->items[i].name, name))
            return &pairs->items[i];
    return NULL;
}

/* Copy a field in, or its value behind that of the same name.
 *
 * returns  false when memory is out */
static bool add(struct record_pairs *pairs, const struct http_field *field, struct arena *arena)
{
    struct bytes name = bytes_from(field->name, strlen(METADATA_PREFIX));
    struct record_pair *same = find(pairs, name);
    if (same) {
        same->value = arena_printf(arena, "%" BYTES_FMT ",%" BYTES_FMT, BYTES_ARG(same->value),
                                   BYTES_ARG(field->value));
        return same->value.data != NULL;
    }
    same = &pairs->items[pairs->count++];
    same->name = arena_copy(arena, name);
    same->value = arena_copy(arena, field->value);
    return same->name.data && same->value.data;
}

enum err_code metadata_read(const struct http_head *head, struct arena *arena,
                            struct record_pairs *ret_metadata, struct err *err)
{
    struct record_pairs pairs = {NULL, 0};
    size_t count;
    enum err_code code = measure(head, &count, err);
    if (code)
        return code;
    if (count > 0)
        pairs.items = arena_alloc(arena, count * sizeof(*pairs.items));
    for (size_t i = 0; count > 0 && i < head->field_count; i++)
        if (!pairs.items ||
            (is_metadata(&head->fields[i]) && !add(&pairs, &head->fields[i], arena)))
            return err_fail(err, ERR_NO_MEMORY, "metadata");
    *ret_metadata = pairs;
    return ERR_OK;
}

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    return true;
}

struct bytes metadata_reply_value(struct bytes value, struct arena *arena)
{
    size_t digits = CODEC_BASE64_LEN(value.len);
    size_t len = WORD_BEGIN.len + digits + WORD_END.len;
    uint8_t *word;
    if (is_ascii(value))
        return value;
    word = arena_alloc_raw(arena, len + 1); /* the digits' NUL is written over */
    if (!word)
        return bytes_of(NULL, 0);
    memcpy(word, WORD_BEGIN.data, WORD_BEGIN.len);
    codec_base64(value, (char *)word + WORD_BEGIN.len);
    memcpy(word + WORD_BEGIN.len + digits, WORD_END.data, WORD_END.len);
    return bytes_of(word, len);
}
