/* head_fuzz.c - the head of a request and its query: what is accepted has one meaning only.
 *
 * Input     "METHOD target HTTP/1.1" LF { name ":" value LF }
 * Catches   Content-Length accepted next to Transfer-Encoding, and two of unequal value
 *           (their lines of head.c removed); the last byte of a query not walked
 *           (`*at + 1 < query.len`); a parameter found by the beginning of its name */
#include "base/http/head.h"

#include <assert.h>

#include "base/limits.h"
#include "tests/fuzz/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARAMETERS_TRIED 8

static bool is_within(struct bytes part, struct bytes whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_target(const struct http_head *head, struct bytes target)
{
    assert(bytes_equal(head->target, target) && target.len <= HTTP_TARGET_MAX);
    assert(is_within(head->query, target) && bytes_find(head->path, '?') < 0);
    assert(bytes_starts_with(head->path, BYTES_LIT("/")) || bytes_equal_str(head->path, "*"));
    for (size_t i = 0; i < target.len; i++)
        assert(target.data[i] > ' ' && target.data[i] != 0x7f);
}

/* The length as a lenient reader has it: the first digits, whatever surrounds them. */
static uint64_t lenient_length(struct bytes value)
{
    uint64_t length = 0;
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] >= '0' && value.data[i] <= '9')
            length = length * 10 + (value.data[i] - '0');
    return length;
}

/* However another program reads an accepted head, it finds the same body. */
static void check_framing(const struct http_head *head)
{
    size_t hosts = 0, lengths = 0, codings = 0;
    uint64_t length = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        assert(field->name.len > 0 && bytes_find(field->name, ' ') < 0);
        assert(bytes_find(field->value, '\r') < 0 && bytes_find(field->value, '\0') < 0);
        hosts += bytes_equal_nocase(field->name, BYTES_LIT("host"));
        codings += bytes_equal_nocase(field->name, BYTES_LIT("transfer-encoding"));
        if (bytes_equal_nocase(field->name, BYTES_LIT("content-length"))) {
            assert(lengths == 0 || length == lenient_length(field->value));
            length = lenient_length(field->value);
            assert(field->value.len > 0 && length <= INT64_MAX);
            lengths++;
        }
    }
    assert(hosts == 1 || (hosts == 0 && head->http_1_0));
    assert(codings + (lengths > 0) <= 1 && (codings == 0 || !head->http_1_0));
    assert(http_head_has_body(head) == (length > 0 || codings > 0));
}

/* The parameters, put together again, are the query without its empty pieces. */
static void check_walk(struct bytes query)
{
    struct bytes piece, name, value, rest = query;
    size_t at = 0, before = 0;
    while (rest.len > 0) {
        bool more = bytes_cut(&rest, '&', &piece);
        if (piece.len == 0)
            continue;
        assert(http_query_next(query, &at, &name, &value));
        assert(at > before && at <= query.len);
        assert(is_within(name, piece) && is_within(value, piece));
        assert(bytes_find(name, '=') < 0 && bytes_starts_with(piece, name));
        assert(bytes_ends_with(piece, value));
        assert(name.len + value.len + (bytes_find(piece, '=') >= 0) == piece.len);
        before = at;
        assert(more || at == query.len);
    }
    assert(!http_query_next(query, &at, &name, &value));
}

static bool is_plain(struct bytes text)
{
    return bytes_find(text, '%') < 0 && bytes_find(text, '+') < 0 && bytes_find(text, '\0') < 0;
}

static struct bytes first_named(struct bytes query, struct bytes wanted)
{
    struct bytes name, value;
    size_t at = 0;
    while (http_query_next(query, &at, &name, &value))
        if (bytes_equal(name, wanted))
            return value;
    return bytes_of(NULL, 0);
}

/* Up to the first escape, each name is found, with the first value of that name. */
static void check_find(struct bytes query, struct arena *arena)
{
    struct bytes name, value, found;
    size_t at = 0;
    for (int i = 0; i < PARAMETERS_TRIED; i++) {
        if (!http_query_next(query, &at, &name, &value) || !is_plain(name))
            return;
        value = first_named(query, name);
        bool has = http_query_find(query, arena_str(arena, name), arena, &found);
        assert(!is_plain(value) || (has && bytes_equal(found, value)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size), line, method, target;
    static struct fields fields;
    struct arena arena;
    const char *why = NULL;
    bytes_cut(&rest, '\n', &line);
    fields_cut(&fields, rest);
    bytes_cut(&line, ' ', &method);
    bytes_cut(&line, ' ', &target);
    fields.head.method = method;
    fields.head.http_1_0 = bytes_equal_str(line, "HTTP/1.0");
    arena_init(&arena, MIB(16));
    int status = http_head_set_target(&fields.head, target);
    assert(status == 0 || status == 400 || status == 414);
    if (status == 0) {
        check_target(&fields.head, target);
        check_walk(fields.head.query);
        check_find(fields.head.query, &arena);
        status = http_head_check(&fields.head, &why);
        assert((status == 0) == (why == NULL));
        if (status == 0)
            check_framing(&fields.head);
    }
    arena_done(&arena);
    return 0;
}
