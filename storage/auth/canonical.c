/* canonical.c - the canonical request of signature version 4.
 *
 *     method LF path LF query LF { name ':' values LF }… LF names LF payload
 *
 * The text is built in one piece of memory whose size is bounded before: every
 * name of the list is met once, so every field is written at most once.
 *
 * Threads   pure functions. */
#include "storage/auth/canonical.h"

#include <stdlib.h>

#include "base/codec.h"
#include "storage/auth/text.h"

const struct canonical_rule canonical_rule_s3 = {.decode = true, .normalize = false};
const struct canonical_rule canonical_rule_other = {.decode = false, .normalize = true};

static const bool UNRESERVED[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['~'] = true,
};

/* How to spell bytes anew. */
struct spelling {
    bool decode;        /* %xx first */
    bool plus_is_space; /* and '+' */
    bool keep_slash;
};
static const struct spelling QUERY = {.decode = true, .plus_is_space = true};

/* The next byte of `raw` from *at on, decoded as wanted. */
static uint8_t next_byte(struct bytes raw, struct spelling spelling, size_t *at)
{
    uint8_t c = raw.data[(*at)++], decoded;
    if (c == '+' && spelling.plus_is_space)
        return ' ';
    if (c != '%' || !spelling.decode || raw.len - *at < 2 ||
        !codec_unhex(bytes_of(raw.data + *at, 2), &decoded, 1))
        return c;
    *at += 2;
    return decoded;
}

static bool is_plain(struct bytes raw, bool keep_slash)
{
    for (size_t i = 0; i < raw.len; i++)
        if (!UNRESERVED[raw.data[i]] && !(raw.data[i] == '/' && keep_slash))
            return false;
    return true;
}

/* returns  data NULL when memory is out */
static struct bytes respell(struct arena *arena, struct bytes raw, struct spelling spelling)
{
    static const char hex[] = "0123456789ABCDEF";
    if (is_plain(raw, spelling.keep_slash))
        return raw.data ? raw : BYTES_LIT("");
    uint8_t *text = arena_alloc_raw(arena, 3 * raw.len), *to = text;
    if (!text)
        return bytes_of(NULL, 0);
    for (size_t at = 0; at < raw.len;) {
        uint8_t c = next_byte(raw, spelling, &at);
        if (UNRESERVED[c] || (c == '/' && spelling.keep_slash)) {
            *to++ = c;
            continue;
        }
        *to++ = '%';
        *to++ = (uint8_t)hex[c >> 4];
        *to++ = (uint8_t)hex[c & 15];
    }
    return bytes_of(text, (size_t)(to - text));
}

struct bytes canonical_decode(struct arena *arena, struct bytes raw, bool plus_is_space)
{
    struct spelling spelling = {.decode = true, .plus_is_space = plus_is_space};
    uint8_t *data = arena_alloc_raw(arena, raw.len);
    size_t len = 0;
    if (!data)
        return bytes_of(NULL, 0);
    for (size_t at = 0; at < raw.len;)
        data[len++] = next_byte(raw, spelling, &at);
    return bytes_of(data, len);
}

static int compare_params(const void *a, const void *b)
{
    const struct canonical_param *left = a, *right = b;
    int order = bytes_compare(left->name, right->name);
    return order ? order : bytes_compare(left->value, right->value);
}

static size_t count_params(struct bytes query)
{
    struct bytes name, value;
    size_t count = 0, at = 0;
    while (http_query_next(query, &at, &name, &value))
        count++;
    return count;
}

static bool read_param(struct bytes query, struct bytes name, struct bytes value,
                       struct arena *arena, struct canonical_param *ret_param)
{
    const uint8_t *behind = name.data + name.len;
    ret_param->has_equals = behind < query.data + query.len && *behind == '=';
    ret_param->raw_value = value;
    ret_param->name = respell(arena, name, QUERY);
    ret_param->value = respell(arena, value, QUERY);
    return ret_param->name.data && ret_param->value.data;
}

enum err_code canonical_query_read(struct bytes query, struct arena *arena,
                                   struct canonical_query *ret_query, struct err *err)
{
    struct bytes name, value;
    size_t room = count_params(query), at = 0;
    struct canonical_query read = {.params = NULL};
    if (room > 0) {
        read.params = arena_alloc_raw(arena, room * sizeof(*read.params));
        if (!read.params)
            return err_fail(err, ERR_NO_MEMORY, "reading the query");
    }
    while (http_query_next(query, &at, &name, &value))
        if (!read_param(query, name, value, arena, &read.params[read.count++]))
            return err_fail(err, ERR_NO_MEMORY, "reading the query");
    if (read.count > 1)
        qsort(read.params, read.count, sizeof(*read.params), compare_params);
    *ret_query = read;
    return ERR_OK;
}

const struct canonical_param *canonical_query_find(const struct canonical_query *query,
                                                   const char *name, size_t *ret_count)
{
    const struct canonical_param *first = NULL;
    struct bytes wanted = bytes_of_str(name);
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++) {
        if (!bytes_equal(query->params[i].name, wanted))
            continue;
        if (count++ == 0)
            first = &query->params[i];
    }
    if (ret_count)
        *ret_count = count;
    return first;
}

/* Write one segment of a path behind a '/', or take the last one back for "..". */
static void put_segment(struct text *path, struct bytes segment)
{
    if (segment.len == 0 || bytes_equal_str(segment, "."))
        return;
    if (!bytes_equal_str(segment, "..")) {
        text_put_char(path, '/');
        text_put(path, segment);
        return;
    }
    while (path->len > 0 && path->data[--path->len] != '/')
        ;
}

static struct bytes normalize(struct arena *arena, struct bytes raw)
{
    struct text path;
    struct bytes segment, rest = raw;
    if (!text_init(&path, arena, raw.len + 2))
        return bytes_of(NULL, 0);
    while (bytes_cut(&rest, '/', &segment))
        put_segment(&path, segment);
    put_segment(&path, segment);
    if (path.len == 0 || (raw.len > 0 && raw.data[raw.len - 1] == '/'))
        text_put_char(&path, '/');
    return text_bytes(&path);
}

struct bytes canonical_path(struct arena *arena, struct bytes path, struct canonical_rule rule)
{
    struct spelling spelling = {.decode = rule.decode, .keep_slash = true};
    struct bytes as_sent = path.len > 0 ? path : BYTES_LIT("/");
    if (rule.normalize)
        as_sent = normalize(arena, as_sent);
    return as_sent.data ? respell(arena, as_sent, spelling) : as_sent;
}

bool canonical_header_next(struct bytes *rest, struct bytes *ret_name)
{
    if (!rest->data)
        return false;
    if (!bytes_cut(rest, ';', ret_name))
        *rest = bytes_of(NULL, 0);
    return true;
}

bool canonical_is_header_list(struct bytes signed_headers)
{
    struct bytes name, last = BYTES_LIT("");
    bool has_host = false;
    while (canonical_header_next(&signed_headers, &name)) {
        if (bytes_compare(last, name) >= 0)
            return false;
        has_host |= bytes_equal_str(name, "host");
        last = name;
    }
    return has_host;
}

static void put_folded(struct text *text, struct bytes value)
{
    struct bytes trimmed = bytes_trim(value);
    for (size_t i = 0; i < trimmed.len; i++)
        if (trimmed.data[i] != ' ' || trimmed.data[i - 1] != ' ')
            text_put(text, bytes_of(trimmed.data + i, 1));
}

static void put_header(struct text *text, const struct http_head *head, struct bytes name)
{
    bool is_first = true;
    text_put(text, name);
    text_put_char(text, ':');
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        if (!bytes_equal(field->name, name))
            continue;
        if (!is_first)
            text_put_char(text, ',');
        put_folded(text, field->value);
        is_first = false;
    }
    text_put_char(text, '\n');
}

static void put_query(struct text *text, const struct canonical_query *query, const char *left_out)
{
    bool is_first = true;
    for (size_t i = 0; i < query->count; i++) {
        const struct canonical_param *param = &query->params[i];
        if (left_out && bytes_equal_str(param->name, left_out))
            continue;
        if (!is_first)
            text_put_char(text, '&');
        text_put(text, param->name);
        text_put_char(text, '=');
        text_put(text, param->value);
        is_first = false;
    }
}

/* Bytes that the whole text takes at most. */
static size_t bound(const struct canonical_parts *parts, struct bytes path,
                    const struct http_head *head)
{
    size_t total = parts->method.len + path.len + 3 * parts->signed_headers.len +
                   parts->payload.len + 16; /* names: in the list, in their lines with ':' LF */
    for (size_t i = 0; i < parts->query->count; i++)
        total += parts->query->params[i].name.len + parts->query->params[i].value.len + 2;
    for (size_t i = 0; i < head->field_count; i++)
        total += head->fields[i].value.len + 1;
    return total;
}

enum err_code canonical_request(const struct canonical_parts *parts, const struct http_head *head,
                                struct arena *arena, struct bytes *ret_text, struct err *err)
{
    struct bytes path = canonical_path(arena, parts->path, parts->rule);
    struct bytes name, rest = parts->signed_headers;
    struct text text;
    if (!path.data || !text_init(&text, arena, bound(parts, path, head)))
        return err_fail(err, ERR_NO_MEMORY, "building the canonical request");
    text_put_line(&text, parts->method);
    text_put_line(&text, path);
    put_query(&text, parts->query, parts->left_out);
    text_put_char(&text, '\n');
    while (canonical_header_next(&rest, &name))
        put_header(&text, head, name);
    text_put_char(&text, '\n');
    text_put_line(&text, parts->signed_headers);
    text_put(&text, parts->payload);
    *ret_text = text_bytes(&text);
    return ERR_OK;
}
