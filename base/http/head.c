/* head.c - the rules of RFC 9112 that keep one request one request, and the
 * cutting of targets and queries.
 *
 * Owns      nothing.
 * Not here  libmicrohttpd (mhd.c).
 * Threads   pure functions.
 * Source    RFC 9110 sections 5 and 7, RFC 9112 sections 3, 5 and 6. */
#include "base/http/head.h"

#include <stdint.h>

#include "base/codec.h"
#include "base/limits.h"

#define CONTENT_LENGTH_MAX ((uint64_t)INT64_MAX)

static const char *const METHODS[] = {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"};

/* RFC 9110 section 5.6.2: tchar, lower case (names are lowered before). */
static const bool TOKEN[256] = {
    ['0' ... '9'] = true, ['a' ... 'z'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
    ['%'] = true,         ['&'] = true,         ['*'] = true, ['+'] = true, ['-'] = true,
    ['.'] = true,         ['^'] = true,         ['_'] = true, ['`'] = true, ['|'] = true,
    ['~'] = true,         ['\''] = true,
};

/* What a host with port may hold (RFC 3986 section 3.2, without user information). */
static bool is_host_byte(uint8_t c)
{
    static const char OTHERS[] = "-._~%!$&'()*+,;=:[]";
    bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || (c != 0 && strchr(OTHERS, c) != NULL);
}

static bool is_token(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (!TOKEN[b.data[i]])
            return false;
    return b.len > 0;
}

static bool is_value(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if ((b.data[i] < 0x20 && b.data[i] != '\t') || b.data[i] == 0x7f)
            return false;
    return true;
}

static bool is_host(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (!is_host_byte(b.data[i]))
            return false;
    return b.len > 0;
}

/* Bytes above 0x7f are let through as they are: some clients send raw UTF-8. */
static bool is_target(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] <= 0x20 || b.data[i] == 0x7f)
            return false;
    return b.len > 0;
}

/* The length of "http://" or "https://" in front, 0 without. */
static size_t scheme_len(struct bytes target)
{
    static const char *const SCHEMES[] = {"http://", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(SCHEMES); i++) {
        struct bytes scheme = bytes_of_str(SCHEMES[i]);
        if (bytes_equal_nocase(bytes_first(target, scheme.len), scheme))
            return scheme.len;
    }
    return 0;
}

static size_t authority_len(struct bytes rest)
{
    size_t i = 0;
    while (i < rest.len && rest.data[i] != '/' && rest.data[i] != '?')
        i++;
    return i;
}

int http_head_set_target(struct http_head *head, struct bytes target)
{
    if (target.len > HTTP_TARGET_MAX)
        return 414;
    if (!is_target(target))
        return 400;
    head->target = target;
    struct bytes rest = target;
    size_t scheme = scheme_len(target);
    if (scheme > 0) {
        rest = bytes_from(target, scheme);
        struct bytes authority = bytes_first(rest, authority_len(rest));
        if (!bytes_equal_nocase(authority, http_head_find(head, "host")))
            return 400;
        rest = bytes_from(rest, authority.len);
    }
    bool has_query = bytes_cut(&rest, '?', &head->path);
    head->query = has_query ? rest : bytes_of(NULL, 0);
    if (scheme > 0 && head->path.len == 0)
        head->path = BYTES_LIT("/");
    if (head->path.len > 0 && head->path.data[0] == '/')
        return 0;
    bool asterisk = bytes_equal_str(target, "*") && bytes_equal_str(head->method, "OPTIONS");
    return asterisk ? 0 : 400;
}

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

static int check_method(const struct http_head *head, const char **ret_why)
{
    for (size_t i = 0; i < ARRAY_LEN(METHODS); i++)
        if (bytes_equal_str(head->method, METHODS[i]))
            return 0;
    return refuse(501, "method not known", ret_why);
}

static int check_fields(const struct http_head *head, const char **ret_why)
{
    if (head->field_count > HTTP_FIELDS_MAX)
        return refuse(431, "more than HTTP_FIELDS_MAX fields", ret_why);
    if (head->target.len > HTTP_TARGET_MAX)
        return refuse(414, "target longer than HTTP_TARGET_MAX", ret_why);
    size_t total = head->method.len + head->target.len;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        total += field->name.len + field->value.len;
        if (!is_token(field->name))
            return refuse(400, "malformed field name", ret_why);
        if (!is_value(field->value))
            return refuse(400, "control byte in a field", ret_why);
    }
    if (total > HTTP_HEAD_MAX)
        return refuse(431, "head longer than HTTP_HEAD_MAX", ret_why);
    return 0;
}

static int check_host(const struct http_head *head, const char **ret_why)
{
    size_t count = http_head_count(head, "host");
    if (count > 1)
        return refuse(400, "more than one Host", ret_why);
    if (count == 0)
        return head->http_1_0 ? 0 : refuse(400, "no Host", ret_why);
    if (!is_host(http_head_find(head, "host")))
        return refuse(400, "malformed Host", ret_why);
    return 0;
}

/* A length above 2^63 is well-formed and too large; anything else is malformed. */
static int check_length(struct bytes value, const char **ret_why)
{
    uint64_t length;
    if (bytes_to_u64(value, CONTENT_LENGTH_MAX, &length))
        return 0;
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return refuse(400, "malformed Content-Length", ret_why);
    return value.len == 0 ? refuse(400, "empty Content-Length", ret_why)
                          : refuse(413, "Content-Length too large", ret_why);
}

static int check_lengths(const struct http_head *head, const char **ret_why)
{
    struct bytes first = http_head_find(head, "content-length");
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        if (!bytes_equal_str(field->name, "content-length"))
            continue;
        int status = check_length(field->value, ret_why);
        if (status)
            return status;
        if (!bytes_equal(field->value, first))
            return refuse(400, "Content-Length given twice, unequal", ret_why);
    }
    return 0;
}

static int check_coding(const struct http_head *head, const char **ret_why)
{
    size_t count = http_head_count(head, "transfer-encoding");
    if (count == 0)
        return 0;
    if (count > 1)
        return refuse(400, "Transfer-Encoding given twice", ret_why);
    if (http_head_count(head, "content-length") > 0)
        return refuse(400, "Content-Length with Transfer-Encoding", ret_why);
    if (head->http_1_0)
        return refuse(400, "Transfer-Encoding on HTTP/1.0", ret_why);
    struct bytes value = http_head_find(head, "transfer-encoding");
    if (!bytes_equal_nocase(value, BYTES_LIT("chunked")))
        return refuse(501, "Transfer-Encoding not known", ret_why);
    return 0;
}

int http_head_check(const struct http_head *head, const char **ret_why)
{
    static int (*const RULES[])(const struct http_head *, const char **) = {
        check_fields, check_host, check_lengths, check_coding, check_method};
    for (size_t i = 0; i < ARRAY_LEN(RULES); i++) {
        int status = RULES[i](head, ret_why);
        if (status)
            return status;
    }
    return 0;
}

struct bytes http_head_find(const struct http_head *head, const char *name)
{
    struct bytes wanted = bytes_of_str(name);
    for (size_t i = 0; i < head->field_count; i++)
        if (bytes_equal(head->fields[i].name, wanted))
            return head->fields[i].value;
    return bytes_of(NULL, 0);
}

size_t http_head_count(const struct http_head *head, const char *name)
{
    struct bytes wanted = bytes_of_str(name);
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++)
        count += bytes_equal(head->fields[i].name, wanted);
    return count;
}

bool http_head_has_body(const struct http_head *head)
{
    uint64_t length = 0;
    struct bytes value = http_head_find(head, "content-length");
    if (value.data && bytes_to_u64(value, CONTENT_LENGTH_MAX, &length) && length > 0)
        return true;
    return http_head_count(head, "transfer-encoding") > 0;
}

bool http_query_next(struct bytes query, size_t *at, struct bytes *ret_name,
                     struct bytes *ret_value)
{
    while (*at < query.len) {
        struct bytes rest = bytes_from(query, *at);
        struct bytes piece;
        size_t before = rest.len;
        if (bytes_cut(&rest, '&', &piece))
            *at += before - rest.len;
        else
            *at = query.len;
        if (piece.len == 0)
            continue;
        *ret_value = piece;
        bytes_cut(ret_value, '=', ret_name);
        return true;
    }
    return false;
}

bool http_query_find(struct bytes query, const char *name, struct arena *arena,
                     struct bytes *ret_value)
{
    struct bytes raw_name, raw_value, decoded;
    size_t at = 0;
    while (http_query_next(query, &at, &raw_name, &raw_value)) {
        if (!codec_uri_decode(arena, raw_name, true, &decoded))
            return false;
        if (bytes_equal_str(decoded, name))
            return codec_uri_decode(arena, raw_value, true, ret_value);
    }
    return false;
}
