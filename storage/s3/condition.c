/* condition.c - see condition.h. */
#include "storage/s3/condition.h"

#include "base/clock.h"
#include "storage/s3/etag.h"

#define WEAK BYTES_LIT("W/")

static struct condition collect(const struct http_head *head, const char *const names[4])
{
    return (struct condition){
        .match = http_head_find(head, names[0]),
        .none_match = http_head_find(head, names[1]),
        .modified_since = http_head_find(head, names[2]),
        .unmodified_since = http_head_find(head, names[3]),
    };
}

struct condition condition_of(const struct http_head *head)
{
    static const char *const names[4] = {"if-match", "if-none-match", "if-modified-since",
                                         "if-unmodified-since"};
    return collect(head, names);
}

struct condition condition_of_copy_source(const struct http_head *head)
{
    static const char *const names[4] = {
        "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match",
        "x-amz-copy-source-if-modified-since", "x-amz-copy-source-if-unmodified-since"};
    return collect(head, names);
}

bool condition_is_empty(const struct condition *condition)
{
    return !condition->match.data && !condition->none_match.data &&
           !condition->modified_since.data && !condition->unmodified_since.data;
}

static struct bytes unquote(struct bytes tag)
{
    bool quoted = tag.len >= 2 && tag.data[0] == '"' && tag.data[tag.len - 1] == '"';
    return quoted ? bytes_of(tag.data + 1, tag.len - 2) : tag;
}

/* One tag of a list is the object's. */
static bool tag_matches(struct bytes tag, bool weakly, struct bytes own)
{
    if (bytes_starts_with(tag, WEAK)) {
        if (!weakly)
            return false;
        tag = bytes_from(tag, WEAK.len);
    }
    return bytes_equal(unquote(tag), own);
}

/* A list of tags names the object's, or is "*". */
static bool list_matches(struct bytes list, bool weakly, const struct record_object *object)
{
    char text[ETAG_TEXT_MAX];
    struct bytes own, tag;
    if (bytes_equal_str(bytes_trim(list), "*"))
        return true;
    etag_text(object->etag, object->parts, text);
    own = unquote(bytes_of_str(text));
    while (list.len > 0) {
        bytes_cut(&list, ',', &tag);
        if (tag_matches(bytes_trim(tag), weakly, own))
            return true;
    }
    return false;
}

/* The date in a field, in seconds.
 *
 * returns  false where the field is not there, or not a date */
static bool read_date(struct bytes field, uint64_t *ret_seconds)
{
    uint64_t unix_ms;
    if (!field.data || clock_parse((const char *)field.data, field.len, &unix_ms) != 0)
        return false;
    *ret_seconds = unix_ms / 1000;
    return true;
}

enum condition_verdict condition_read(const struct condition *condition,
                                      const struct record_object *object)
{
    uint64_t modified = object->modified_unix_ms / 1000, date;
    if (condition->match.data) {
        if (!list_matches(condition->match, false, object))
            return CONDITION_FAILED;
    } else if (read_date(condition->unmodified_since, &date) && modified > date) {
        return CONDITION_FAILED;
    }
    if (condition->none_match.data)
        return list_matches(condition->none_match, true, object) ? CONDITION_NOT_MODIFIED
                                                                 : CONDITION_PASS;
    if (read_date(condition->modified_since, &date) && modified <= date)
        return CONDITION_NOT_MODIFIED;
    return CONDITION_PASS;
}

enum condition_verdict condition_copy(const struct condition *condition,
                                      const struct record_object *source)
{
    enum condition_verdict verdict = condition_read(condition, source);
    return verdict == CONDITION_NOT_MODIFIED ? CONDITION_FAILED : verdict;
}

enum condition_verdict condition_write(const struct condition *condition,
                                       const struct record_object *current)
{
    if (condition->match.data) {
        if (!current)
            return CONDITION_NO_KEY;
        if (!list_matches(condition->match, false, current))
            return CONDITION_FAILED;
    }
    if (condition->none_match.data && current && list_matches(condition->none_match, true, current))
        return CONDITION_FAILED;
    return CONDITION_PASS;
}

bool condition_range(struct bytes if_range, const struct record_object *object)
{
    uint64_t date;
    if (!if_range.data)
        return true;
    if (read_date(if_range, &date))
        return date == object->modified_unix_ms / 1000;
    return !bytes_equal_str(if_range, "*") && list_matches(if_range, false, object);
}

enum err_code condition_error(enum condition_verdict verdict, struct err *err)
{
    static const enum s3_error errors[] = {
        [CONDITION_NOT_MODIFIED] = S3_NOT_MODIFIED,
        [CONDITION_FAILED] = S3_PRECONDITION_FAILED,
        [CONDITION_NO_KEY] = S3_NO_SUCH_KEY,
    };
    return verdict == CONDITION_PASS ? ERR_OK : s3_fail(err, errors[verdict]);
}
