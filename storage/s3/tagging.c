/* tagging.c - see tagging.h. */
#include "storage/s3/tagging.h"

#include "base/http/head.h"
#include "base/limits.h"
#include "storage/s3/names.h"

#define SYSTEM_PREFIX BYTES_LIT("aws:")

/* Characters of UTF-8 text. */
static size_t characters(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

/* Letters, digits, spaces and + - = . _ : / @; beyond ASCII, anything. */
static bool is_allowed(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i], letter = c | 0x20;
        if (c < 0x80 && !(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') &&
            !memchr(" +-=._:/@", c, 9))
            return false;
    }
    return bytes_is_utf8(text);
}

static bool is_taken(const struct record_pairs *tags, struct bytes key)
{
    for (size_t i = 0; i < tags->count; i++)
        if (bytes_equal(tags->items[i].name, key))
            return true;
    return false;
}

/* Add a tag; `tags` has room for `max`. */
static enum err_code add_tag(struct record_pairs *tags, size_t max, struct record_pair tag,
                             struct err *err)
{
    if (tags->count == max)
        return s3_fail_because(err, S3_BAD_REQUEST, "There cannot be more than %zu tags", max);
    if (tag.name.len == 0 || characters(tag.name) > TAGGING_KEY_MAX || !is_allowed(tag.name))
        return s3_fail_because(err, S3_INVALID_TAG, "The TagKey you have provided is invalid");
    if (characters(tag.value) > TAGGING_VALUE_MAX || !is_allowed(tag.value))
        return s3_fail_because(err, S3_INVALID_TAG, "The TagValue you have provided is invalid");
    if (bytes_equal_nocase(bytes_first(tag.name, SYSTEM_PREFIX.len), SYSTEM_PREFIX))
        return s3_fail_because(err, S3_INVALID_TAG,
                               "System tags cannot be added/updated by requester");
    if (is_taken(tags, tag.name))
        return s3_fail_because(err, S3_INVALID_TAG,
                               "Cannot provide multiple Tags with the same key");
    tags->items[tags->count++] = tag;
    return ERR_OK;
}

static enum err_code make_room(struct record_pairs *tags, size_t max, struct arena *arena,
                               struct err *err)
{
    tags->count = 0;
    tags->items = arena_alloc(arena, max * sizeof(*tags->items));
    return tags->items ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "tags");
}

static enum err_code decode_tag(struct bytes name, struct bytes value, struct arena *arena,
                                struct record_pair *ret_tag, struct err *err)
{
    enum err_code code = names_decode(name, true, arena, &ret_tag->name, err);
    if (code == ERR_OK)
        code = names_decode(value, true, arena, &ret_tag->value, err);
    if (code == ERR_INVALID)
        return s3_fail_because(err, S3_INVALID_ARGUMENT,
                               "The header 'x-amz-tagging' shall be encoded as UTF-8 then "
                               "URLEncoded URL query parameters");
    return code;
}

enum err_code tagging_read_header(struct bytes field, struct arena *arena,
                                  struct record_pairs *ret_tags, struct err *err)
{
    struct record_pairs tags = {NULL, 0};
    struct bytes name, value;
    if (field.len > 0 && make_room(&tags, S3_TAGS_MAX, arena, err))
        return err->code;
    for (size_t at = 0; http_query_next(field, &at, &name, &value);) {
        struct record_pair tag;
        enum err_code code = decode_tag(name, value, arena, &tag, err);
        if (code == ERR_OK)
            code = add_tag(&tags, S3_TAGS_MAX, tag, err);
        if (code)
            return code;
    }
    *ret_tags = tags;
    return ERR_OK;
}

enum err_code tagging_read_xml(const struct xml_node *root, size_t max, struct arena *arena,
                               struct record_pairs *ret_tags, struct err *err)
{
    const struct xml_node *set = xml_read_child(root, "TagSet");
    struct record_pairs tags;
    if (!set)
        return s3_fail(err, S3_MALFORMED_XML);
    if (make_room(&tags, max, arena, err))
        return err->code;
    for (const struct xml_node *tag = set->first; tag; tag = tag->next) {
        struct record_pair pair = {xml_read_text(tag, "Key"), xml_read_text(tag, "Value")};
        if (!bytes_equal_str(tag->name, "Tag") || !pair.name.data || !pair.value.data)
            return s3_fail(err, S3_MALFORMED_XML);
        if (add_tag(&tags, max, pair, err))
            return err->code;
    }
    *ret_tags = tags;
    return ERR_OK;
}
